"""The desk on the screen: a thin view on the plain class."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import ipywidgets as widgets

from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.errors import ParameterError
from loyalty_helpers.forms import Act, Field, banner
from loyalty_helpers.pages.desk_cards import buyer_card, done_card, named, preview_card
from loyalty_helpers.pages.desk_find import NAMES
from loyalty_helpers.pages.desk_model import Desk, DeskError
from loyalty_helpers.pages.desk_stages import Done, Previewed, Search
from loyalty_helpers.pages.frame import framed
from loyalty_helpers.parameters import PARAMETERS, Parameter
from loyalty_helpers.records import Bundle, Shown, points_text

REASONS = (
    "Late delivery",
    "Wrong order",
    "Item missing",
    "Points not credited",
    "Entered twice",
    "Goodwill",
)
TYPED = ("points", "reason", "ticket")
LOOK = 0.4  # seconds: nobody has read what came into sight before
BUYER = Parameter(str, str, NAMES, NAMES)
TICKET = Parameter(
    str,
    str,
    "letters, digits and hyphens, such as 4711 or INC-4711",
    "the same ticket is applied once for a buyer",
)


def desk() -> Any:
    """The desk: find a buyer, adjust points, see the proof, undo."""
    return framed("desk", DeskPage)


class DeskPage(Shown):
    """Fields and buttons of a Desk. Enter leads on, and the keyboard stands where one goes on.

    Args:
        client: made by connect().
    """

    def __init__(self, client: LoyaltyClient) -> None:
        self._desk = Desk(client)
        self._fields = {
            "buyer": Field("buyer", label="Who is on the line?", rule=BUYER),
            "points": _field("points", "Points"),
            "reason": _field("reason", "Reason", suggestions=REASONS),
            "ticket": Field("ticket", label="Ticket number", rule=TICKET, required=True),
            "approved_by": _field("approved_by", "Approved by"),
        }
        self._find = self._act("Find", self._found)
        self._preview = self._act("Preview", partial(self._with, TYPED, self._desk.preview))
        self._undo = self._act("Undo this", self._desk.undo)
        self._next = self._act("Next buyer", self._fields["buyer"].clear)
        self._confirm = self._preview  # until there is a preview to confirm
        self._choices, self._confirming = widgets.VBox(), _row([])
        self._card, self._seen, self._done = (widgets.HTML() for _ in range(3))
        self._shown: object = None
        self._typed_for = ""
        self.widget = self._page()
        self._listen()
        self._show()

    def _page(self) -> widgets.VBox:
        field = {name: each.widget for name, each in self._fields.items()}
        acts = [self._undo.widget, self._next.widget]
        self._form = widgets.VBox(
            [field["points"], field["reason"], field["ticket"], self._preview.widget]
        )
        self._approver = widgets.VBox([field["approved_by"]])
        self._sight = widgets.VBox([self._seen, self._approver, self._confirming])
        self._result = widgets.VBox([self._done, _row(acts)])
        who = [field["buyer"], self._find.widget, self._choices, self._card]
        what = [self._form, self._sight, self._result]
        # Beside each other where there is room, so that all is in sight; else one below the other.
        columns = [widgets.VBox(part, layout={"flex": "1 1 20em"}) for part in (who, what)]
        page = [banner(self._desk.environment), _row(columns)]
        return widgets.VBox(page).add_class("loyalty-page")

    def _listen(self) -> None:
        fields = self._fields
        fields["buyer"].on_change(partial(self._changed, self._desk.forget))
        for name in TYPED:
            fields[name].on_change(partial(self._changed, self._desk.edit))
        fields["buyer"].on_submit(self._find.press)
        fields["points"].on_submit(fields["reason"].focus)
        fields["reason"].on_submit(fields["ticket"].focus)
        fields["ticket"].on_submit(self._preview.press)
        fields["approved_by"].on_submit(lambda: self._confirm.press())

    def _act(self, text: str, action: Callable[[], object], writes: str = "") -> Act:
        """A button; what goes wrong is told at its field, if it has one."""

        def act() -> None:
            for field in self._fields.values():
                field.error = ""
            try:
                action()
            except DeskError as error:
                if error.field not in self._fields:
                    raise
                self._fields[error.field].error = str(error)
                self._fields[error.field].focus()
            finally:
                self._show()

        return Act(text, act, writes=writes)

    def _found(self) -> None:
        """While somebody is looked for, nobody else is in sight."""
        self._changed(self._desk.forget)
        self._desk.find(self._fields["buyer"].typed)

    def _with(self, names: Iterable[str], call: Callable[..., object]) -> None:
        """Call with what the fields hold, or tell all that is wrong with them at once."""
        values: list[Any] = []
        wrong: list[Field] = []
        for name in names:
            try:
                values.append(self._fields[name].read())
            except ParameterError:
                wrong.append(self._fields[name])
        if wrong:
            wrong[0].focus()
        else:
            call(*values)

    def _changed(self, empty: Callable[[], None]) -> None:
        empty()
        self._show()

    def _show(self) -> None:
        """Show the stage that the desk is at, and put the keyboard where one goes on."""
        now = self._desk.now
        if now is self._shown:
            return
        self._shown = now
        buyer = self._desk.buyer
        self._type_for(buyer.account.id if buyer else "")
        self._card.value = buyer_card(buyer) if buyer else ""
        _in_sight(self._form, buyer is not None)
        _in_sight(self._sight, isinstance(now, Previewed))
        _in_sight(self._result, isinstance(now, Done))
        self._choices.children = []
        if isinstance(now, Search):
            self._choose_from(now)
        elif isinstance(now, Previewed):
            self._show_preview(now)
        elif isinstance(now, Done):
            self._done.value = done_card(now, self._desk.environment)
            _in_sight(self._undo.widget, now.can_be_undone)
            _after_a_look(self._next)
        else:
            self._fields["points"].focus()

    def _type_for(self, account_id: str) -> None:
        """What was typed for one account is not there for another one."""
        if account_id != self._typed_for:
            self._typed_for = account_id
            for name in (*TYPED, "approved_by"):
                self._fields[name].clear()

    def _choose_from(self, search: Search) -> None:
        acts = [
            self._act(
                f"{named(account)}, {account.balance} points",
                partial(self._desk.choose, account),
            )
            for account in search.accounts
        ]
        if acts:
            title = widgets.HTML(f"<b>{len(acts)} accounts fit. Ask, and choose one:</b>")
            self._choices.children = [title, *(act.widget for act in acts)]
            acts[0].focus()
        else:
            self._fields["buyer"].focus()

    def _show_preview(self, seen: Previewed) -> None:
        """A preview with a button of its own, which confirms this and nothing else."""
        self._seen.value = preview_card(seen)
        approver = ["approved_by"] * self._desk.needs_approval
        _in_sight(self._approver, bool(approver))
        self._confirm = self._act(
            f"Confirm {points_text(seen.asked.points)}",
            partial(self._with, approver, partial(self._desk.confirm, seen)),
            writes="Changes the balance, once for this ticket",
        )
        back = self._act("Back", self._desk.back)
        back.button.add_class("loyalty-back")  # Esc presses it
        self._confirming.children = [self._confirm.widget, back.widget]
        # Where the same is there already, Enter alone does not add it once more.
        next_ = back if seen.warning else self._confirm
        _after_a_look(self._fields[approver[0]] if approver else next_)

    def _view(self) -> Bundle:
        told = f"The desk, in environment {self._desk.environment}: find a buyer, adjust points"
        return {"text/plain": told}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        return {**self.widget._repr_mimebundle_(), **self._view()}


def _field(name: str, label: str, **more: Any) -> Field:
    """A field by the rule of a parameter, whose name says nothing to people at a desk."""
    return Field(label, label=label, rule=PARAMETERS[name], required=True, **more)


def _after_a_look(part: Field | Act) -> None:
    """Let the keyboard go on here, but for Enter that is held down or was pressed twice."""
    try:
        asyncio.get_running_loop().call_later(LOOK, part.focus)
    except RuntimeError:  # without a kernel there is no keyboard either
        part.focus()


def _row(parts: list[widgets.Widget]) -> widgets.Box:
    return widgets.Box(parts, layout={"flex_flow": "row wrap", "grid_gap": "0 16px"})


def _in_sight(widget: widgets.Widget, shown: bool) -> None:
    widget.layout.display = "" if shown else "none"
