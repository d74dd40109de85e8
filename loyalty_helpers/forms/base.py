"""What all forms share: fields, buttons, and a place where an answer is shown."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as widgets

from loyalty_helpers.errors import LoyaltyError, ParameterError
from loyalty_helpers.forms.parts import Act, Field
from loyalty_helpers.parameters import in_words
from loyalty_helpers.records import Bundle, LoyaltyAccount, Shown, card
from loyalty_helpers.redaction import mask_phone, mask_reason, mask_text

BUSY = "<div>Asking ...</div>"
OUTDATED = "The cells below took other values than these: run them again."
LEFT = (
    "The form above names another buyer now, so this one is empty. Run the cells from that form "
    "on again."
)


class Form(Shown):
    """Fields above buttons above an answer. An answer goes when the values that it is for change.

    Shown without a kernel, on a code host or in a report, it is a table of its values. Enter in a
    field of one line presses the first button, which only reads.

    Args:
        title: what the form is for.
        given: the parameters that it is filled from, by name.
        actions: for each button its text and the function that it calls with the values; what
            the function returns is shown, and a LoyaltyError that it raises is shown as well.
        writes: what a button changes, by its text; any other only reads.
        read: makes arguments of a step's function out of parameters that were typed.
        account: whom it acts on, as it was when the form was made; an answer that has read the
            account again tells its balance.
        buyer: the form that names the account; when another is named there, this one is emptied.
    """

    def __init__(
        self,
        title: str,
        given: Mapping[str, Any],
        actions: Mapping[str, Callable[..., Shown]],
        *,
        writes: Mapping[str, str] | None = None,
        read: Callable[[dict[str, Any]], dict[str, Any]] = dict,
        account: LoyaltyAccount | None = None,
        buyer: "Form | None" = None,
    ) -> None:
        self.title, self._read, self._account = title, read, account
        self._left = ""
        self._taken: dict[str, Any] | None = None  # by cells
        self.fields = {name: Field(name, value) for name, value in given.items()}
        self.answer = widgets.HTML().add_class("loyalty-answer")
        self.acts = {
            text: Act(text, self._doing(action), writes=(writes or {}).get(text, ""))
            for text, action in actions.items()
        }
        for each in self.fields.values():
            each.on_change(self._forget)
            each.on_submit(next(iter(self.acts.values())).press)
        self._head = widgets.HTML()
        self._show_head()
        fields = [each.widget for each in self.fields.values()]
        row = widgets.HBox([act.widget for act in self.acts.values()])
        self.widget = widgets.VBox([self._head, *fields, row, self.answer])
        self.widget.add_class("loyalty-form")
        for each in buyer.fields.values() if buyer else ():
            each.on_change(self._leave)

    @property
    def typed(self) -> dict[str, Any]:
        """What the fields hold now, by name; texts without space around them."""
        return {name: field.typed for name, field in self.fields.items()}

    @property
    def values(self) -> dict[str, Any]:
        """What was typed, as arguments of the step's function; raises ParameterError."""
        values = self._values()
        self._taken = self.typed
        self._show_head()
        return values

    def _values(self) -> dict[str, Any]:
        if self._left:
            raise ParameterError(self._left)
        values, problems = {}, []
        for name, field in self.fields.items():
            try:
                values[name] = field.read()
            except ParameterError as error:
                problems.append(str(error))
        if problems:
            raise ParameterError("\n".join(problems))
        return self._read(values)

    def _doing(self, action: Callable[..., Shown]) -> Callable[[], None]:
        def asked() -> Shown:
            shown = action(**self._values())
            read = getattr(shown, "after", None) or getattr(shown, "account", None)
            self._account = read if self._account and read else self._account
            return shown

        def do() -> None:
            self.answer.value = BUSY
            self.answer.value = answer_html(asked)
            self._show_head()

        return do

    def _forget(self) -> None:
        self.answer.value = ""
        self._show_head()

    def _leave(self) -> None:
        """The form above names another buyer: nothing that was meant for this one may stay."""
        self._left, self._taken = LEFT, None
        for field in self.fields.values():
            field.clear()
            field.input.disabled = True
        for act in self.acts.values():
            act.enabled = False
        self._show_head()

    def _show_head(self) -> None:
        outdated = self._taken not in (None, self.typed)
        who = "" if self._left or not self._account else buyer_text(self._account)
        note = "\n".join(filter(None, [who, self._left, OUTDATED if outdated else ""]))
        tone = "care" if self._left or outdated else ""
        self._head.value = _html(card(self.title, [], note=note, tone=tone))

    def _view(self) -> Bundle:
        rows = [(name, _text(name, value)) for name, value in self.typed.items()]
        who = [("buyer", buyer_text(self._account))] if self._account and not self._left else []
        return card(self.title, [*who, *rows], note=self._left)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        return {**self.widget._repr_mimebundle_(), **self._view()}


def buyer_text(account: LoyaltyAccount) -> str:
    """Whom a form acts on: number, balance and id, so that nobody has to look elsewhere."""
    phone = account.masked_phone_number or "no phone number"
    return f"{phone}, balance {account.balance} when last read, account {account.id}"


def answer_html(action: Callable[[], Shown]) -> str:
    """What a button's function gives, or why it gives nothing, as HTML.

    An error in a callback would vanish in a log, so every error is shown here.
    """
    try:
        view = action()._view()
    except ParameterError as error:
        view = _trouble("Please correct this", str(error))
    except LoyaltyError as error:
        view = _trouble(error_title(error), str(error))
    except Exception as error:
        view = _trouble("This should not happen", f"{type(error).__name__}: {error}")
    return _html(view)


def error_title(error: LoyaltyError) -> str:
    """`AccountNotFoundError` as `Account not found`."""
    name = type(error).__name__.removesuffix("Error")
    return in_words(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name))


def _trouble(title: str, text: str) -> Bundle:
    return card(title, [], note=mask_text(text), tone="bad")


def _html(view: Bundle) -> str:
    return str(view["text/html"])


def _text(name: str, value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str) or not value:
        return value
    if name == "phone_number":
        return mask_phone(value)
    return mask_text(value) if name == "run_id" else mask_reason(value)
