"""The runs page: what it shows of `Runs`, and what its buttons do with the run that is chosen."""

from base64 import b64encode
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.forms import Act, Field, banner
from loyalty_helpers.pages import bulk_parts as parts
from loyalty_helpers.pages.bulk_page import BulkPage
from loyalty_helpers.pages.frame import framed
from loyalty_helpers.pages.runs_model import APPROVE, COMPARE, RESUME, STATES, UNDO, Runs
from loyalty_helpers.parameters import of_kind
from loyalty_helpers.records import Bundle, Shown, card
from loyalty_helpers.runbooks import RunRecord, runs_table

MOST = 50  # runs in the table: who looks for an older one says of which state, or some text of it
NONE = "choose a run"
EMPTY = "There is no such run. Each run of a page, a notebook or a command is here once it is made."
TEXT = of_kind("str", "in any of the columns, or in what has to be done")
LARGEST_LINK = 3 * 2**19  # bytes: a browser takes 2 MiB in a link
# Its own policy forbids scripts and requests, and the frame forbids them once more.
FRAME = (
    '<iframe title="Report of run {name}" sandbox srcdoc="{html}" '
    'style="width: 100%; height: 36em; border: 1px solid #777; background: #fff"></iframe>'
)
# As wide as there is room, and not as the longest name: a telephone has less.
STYLE = """<style>.runs-choice > select { width: 0; flex: 1 1 0; }
.runs-wide { width: 0; min-width: 100%; overflow-x: auto; }
.runs-wide td { overflow-wrap: normal !important; }</style>"""
LIST = (
    '<div role="region" aria-label="Runs" tabindex="0" '
    'style="max-height: 30em; overflow: auto; border: 1px solid #bbb; padding: 0 8px">{html}</div>'
)


class RunsPage(Shown):
    """The runs, and below them the one that is chosen, with what can be done about it."""

    def __init__(self, client: LoyaltyClient) -> None:
        self.model, self._client = Runs(client), client
        self._filling = False
        self.widget = widgets.VBox([banner(client.environment), self._list(), self._one()])
        self.widget.add_class("loyalty-page")
        self._show()

    # What stands on it

    def _list(self) -> widgets.Widget:
        self.headline, self.table = widgets.HTML(), widgets.HTML()
        room = widgets.Layout(width="auto", max_width="36em")
        look = {"style": {"description_width": "auto"}, "layout": room}
        self.state = widgets.Dropdown(options=STATES, description="Show", **look)
        self.text = Field("text", label="Filter by a text", rule=TEXT)
        self.again = Act("Look again", self._look)
        self.choice = widgets.Dropdown(description="Run", **look)
        for choice in (self.state, self.choice):
            choice.add_class("runs-choice")
        self.state.observe(lambda _: self._filtered(), "value")
        self.text.on_change(self._filtered)
        self.choice.observe(lambda _: self._chosen(), "value")
        filters = [self.state, self.text.widget, parts.row(self.again)]
        return widgets.VBox([self.headline, *filters, self.table, self.choice])

    def _one(self) -> widgets.Widget:
        self.about, self.rows = widgets.HTML(), widgets.HTML()
        self.report, self.compared = widgets.HTML(), widgets.HTML()
        self.work = widgets.VBox()
        self.show_report = Act("Show the report", self._report)
        self.acts = {
            APPROVE: Act("Look at the plan", lambda: self._work("typed")),
            RESUME: Act("Resume it", lambda: self._work("go_on")),
            UNDO: Act("Undo it", lambda: self._work("undo_id")),
            COMPARE: Act("Compare with the ledger", self._compare),
        }
        acts = parts.row(self.show_report, *self.acts.values())
        below = [self.report, self.compared, self.work, self.rows]
        self.one = widgets.VBox([self.about, acts, *below])
        return self.one

    # What a person does

    def _filtered(self) -> None:
        self.model.state, self.model.text = self.state.value, self.text.typed
        self._show()

    def _look(self) -> None:
        self.model.look()
        self._show()

    def _chosen(self) -> None:
        if not self._filling:
            self.model.choose(self.choice.value or "")
            self._forget()
            self._show_one()

    def _report(self) -> None:
        path = self.model.report()
        name, html = escape(path.parent.name), path.read_text(encoding="utf-8")
        self.report.value = FRAME.format(name=name, html=escape(html)) + _link(path)

    def _compare(self) -> None:
        self.compared.value = _scrolled(self.model.compare()._view()["text/html"])
        self._show()

    def _work(self, first: str) -> None:
        """Open the run in the part of the bulk page that approves, applies, resumes and undoes.

        Args:
            first: where the keyboard stands then, by the name of that page's field or button.
        """
        run = self.model.chosen
        if run is None:
            return
        page = BulkPage(self._client)
        page.run_id.input.value = run.run_id
        page.model.open(run.run_id)
        page.show()
        planned = [page.problem_section, page.plan_section, page.apply_section]
        self.work.children = [*planned, page.work_section, page.result_section, page.undo_section]
        self.rows.value = ""  # the plan below has them
        getattr(page, first).focus()

    # What is seen

    def _forget(self) -> None:
        """Nothing that was shown of another run is left."""
        self.report.value = self.compared.value = ""
        self.work.children = ()

    def _show(self) -> None:
        shown = self.model.shown
        self.headline.value = f"{STYLE}<h2>{escape(self.model.headline)}</h2>"
        more = len(shown) - MOST
        told = f"... and {more} more: narrow the list by state or text" if more > 0 else ""
        table = runs_table(shown[:MOST]) if shown else parts.paragraphs(EMPTY)
        self.table.value = LIST.format(html=table + parts.paragraphs(told))
        chosen = self.model.chosen
        named = [(f"{run.run_id}: {run.state}", run.run_id) for run in shown]
        if chosen and chosen not in shown:
            named.append((f"{chosen.run_id}: {chosen.state}", chosen.run_id))
        self._filling = True
        self.choice.options = [(NONE, ""), *named]
        self.choice.value = chosen.run_id if chosen else ""
        self._filling = False
        self._show_one()

    def _show_one(self) -> None:
        run = self.model.chosen
        parts.seen(self.one, run is not None)
        if run is None:
            return
        self.about.value = _scrolled(_about(run, self.model.closed))
        parts.seen(self.show_report.widget, bool(run.report))
        for name, act in self.acts.items():
            parts.seen(act.widget, name in self.model.possible)
        rows = self.model.rows()
        self.rows.value = _scrolled(rows._view()["text/html"]) if rows else ""

    def _view(self) -> Bundle:
        return card("Runs", [("environment", self.model.environment)])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        return {**self.widget._repr_mimebundle_(), **self._view()}


def _about(run: RunRecord, closed: str) -> str:
    what = " of ".join(filter(None, (run.runbook, run.source)))
    rows = {
        "what": what,
        "environment": run.environment,
        "seller": run.merchant_id,
        "approved by": run.approved_by,
        "rows": run.rows_text,
        "points": run.points_text,
        "last": run.at,
    }
    note = "\n".join(filter(None, (run.told, *run.todo, closed)))
    shown = card(run.state, rows.items(), note=note, tone=run.tone)["text/html"]
    return f"<h2>Run {escape(run.run_id)}</h2>{shown}"


def _scrolled(html: str) -> str:
    """HTML in a box that takes the width that there is: a wide table makes nothing else wide."""
    return f'<div class="runs-wide">{html}</div>'


def _link(path: Path) -> str:
    content = path.read_bytes()
    if len(content) > LARGEST_LINK:
        return f"<p>The report is large, and lies in {escape(str(path.parent))}</p>"
    data = b64encode(content).decode()
    look = f'style="text-decoration: underline" download="{escape(path.name)}"'
    return f'<p><a {look} href="data:text/html;base64,{data}">Save the report</a></p>'


def runs() -> Any:
    """The runs page: every run, what waits for a person first, and what can be done about it."""
    return framed("runs", RunsPage)
