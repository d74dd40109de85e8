"""The bulk page: what it shows of a `Bulk`, and what its buttons do with one."""

from dataclasses import replace
from threading import Thread
from typing import Any

import ipywidgets as widgets

from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.clicks import clicked
from loyalty_helpers.errors import LoyaltyError, PlanError
from loyalty_helpers.forms import Act, Field, banner
from loyalty_helpers.pages import bulk_parts as parts
from loyalty_helpers.pages.bulk_model import LARGEST, TYPED, Bulk, Stage, keep, sample, samples
from loyalty_helpers.pages.frame import framed
from loyalty_helpers.parameters import of_kind
from loyalty_helpers.records import Bundle, Shown, Table, card
from loyalty_helpers.runbooks import Standing

LIMIT = (
    "A CSV file has the columns points, reason, and one of phone_number, customer_id and "
    f"account_id. One that is sent has up to {LARGEST / 2**20:.0f} MB, about 100,000 rows. Put a "
    "larger one into the data folder of the notebooks, and open this page again."
)
OPTIONS = {
    "max_points": 10_000,
    **dict.fromkeys(("columns", "expected_rows", "expected_points"), ""),
    **dict.fromkeys(("allow_negative_balance", "allow_repeats"), False),
}
LIMITS = {"canary": 5, "max_errors": "1%", "requests_per_second": 0.0, "resend_unknown": False}
READ = of_kind("bool", "")
TYPE_THIS = f"First {TYPED} characters of the digest"
DIGEST = replace(of_kind("str", ""), allowed=f"the first {TYPED} characters of the digest above")
IN_PART = "not all of it can be taken back: see what is wrong, or tick to undo what can be undone"
STOPPING = "It stops as soon as the rows that are on their way are back."
LOST = "Nothing is lost, and no row is done twice. When the reason is gone, press Go on."


class BulkPage(Shown):
    """The page: sections below each other, of which those are seen that mean something now."""

    def __init__(self, client: LoyaltyClient) -> None:
        self.model = Bulk(client)
        self._filling, self._proposed = False, ""
        sections = [self._file(), *self._plan(), self._approval(), *self._after()]
        self.widget = widgets.VBox([banner(client.environment), *sections])
        self.widget.add_class("loyalty-page")
        self.show()

    # What stands on it

    def _file(self) -> widgets.Widget:
        self.run_id = Field("run_id", required=True)
        self.options = {name: Field(name, value) for name, value in OPTIONS.items()}
        self.upload = widgets.FileUpload(
            accept=".csv", description="Send a CSV file", layout=widgets.Layout(width="auto")
        )
        self.choice = widgets.Dropdown(
            options=[("none", ""), *((name, name) for name in samples())],
            description="or one of the data folder:",
            style={"description_width": "auto"},
            layout=widgets.Layout(width="auto"),
        )
        self.chosen = widgets.HTML(parts.paragraphs(LIMIT))
        self.check = Act("Check the file", self._check)
        self.open = Act("Open an earlier run", lambda: parts.at(self.run_id, self._open))
        for field in (self.run_id, *self.options.values()):
            field.on_change(self._changed)
        self.run_id.on_submit(self.check.press)
        self.upload.observe(lambda _: self._chose(self.choice, ""), "value")
        self.choice.observe(lambda _: self._chose(self.upload, ()), "value")
        more = parts.folded("columns of another name, limits", self.options.values())
        files = widgets.HBox([self.upload, self.choice], layout=widgets.Layout(flex_flow="wrap"))
        buttons = parts.row(self.check, self.open)
        return parts.section("1. The file", self.run_id.widget, files, self.chosen, more, buttons)

    def _plan(self) -> list[widgets.Widget]:
        self.problems, self.repair = parts.Paged(), widgets.HTML()
        self.problem_section = parts.section("What is wrong", self.problems.widget, self.repair)
        self.planned, self.chart, self.rows = widgets.HTML(), widgets.HTML(), parts.Paged()
        self.all_rows = parts.folded("all rows", [self.rows])
        self.plan_section = parts.section("2. The plan", self.planned, self.all_rows, self.chart)
        return [self.problem_section, self.plan_section]

    def _approval(self) -> widgets.Widget:
        self.digest = widgets.HTML()
        self.typed = Field("digest", label=TYPE_THIS, required=True, rule=DIGEST)
        self.approved_by = Field("approved_by", required=self.model.production)
        self.seen = Field("seen", False, label="I have read the warnings", rule=READ)
        self.limits = {name: Field(name, value) for name, value in LIMITS.items()}
        self.apply = Act("Approve and apply", self._approve, writes="Changes the balances")
        self.go_on = Act("Go on", self._start, writes="Changes the balances that are left")
        self.typed.on_submit(self.apply.press)
        more = parts.folded("how it is applied", self.limits.values())
        self.asked = widgets.VBox([self.digest, self.typed.widget, self.seen.widget])
        acts = [self.approved_by.widget, parts.row(self.apply, self.go_on), more]
        self.apply_section = parts.section("3. Apply", self.asked, *acts)
        return self.apply_section

    def _after(self) -> list[widgets.Widget]:
        self.bar, self.stop = widgets.HTML(), Act("Stop", self._stop)
        self.work_section = parts.section("At work", self.bar, parts.row(self.stop))
        self.result, self.links = widgets.HTML(), widgets.HTML()
        self.verify = Act("Compare with the ledger", self._verify)
        self.again = Act("Look again", self._open)
        acts = parts.row(self.verify, self.again)
        self.result_section = parts.section("What came of it", self.result, self.links, acts)
        self.undo_id = Field("run_id", label="Run id of the undoing", required=True)
        self.partial = Field("allow_partial", False)
        self.undo = Act("Plan the undoing", lambda: parts.at(self.undo_id, self._undo))
        fields = [self.undo_id.widget, self.partial.widget, parts.row(self.undo)]
        self.undo_section = parts.section("Take it back", *fields)
        return [self.work_section, self.result_section, self.undo_section]

    # What a person does

    def _changed(self) -> None:
        if not self._filling and self.model.stage is not Stage.AT_WORK:
            self.model.forget()
            self.show()

    def _chose(self, other: Any, empty: Any) -> None:
        """A file was sent, or chosen: the other one is not meant any more."""
        if not self._filling:
            self._fill(other, empty)
            self._changed()
        named = [f"{file['name']} ({file['size']:,} bytes)" for file in self.upload.value]
        self.chosen.value = parts.paragraphs(
            f"Chosen: {''.join(named) or self.choice.value or 'none'}"
        )

    def _fill(self, widget: Any, value: Any) -> None:
        self._filling, widget.value, self._filling = True, value, False

    def _check(self) -> None:
        parts.at(self.run_id, self._plan_file)
        self.show()

    def _plan_file(self) -> None:
        run_id = self.run_id.read()
        options = {name: field.read() for name, field in self.options.items()}
        if self.upload.value:
            [file] = self.upload.value
            path = keep(run_id, file["name"], bytes(file["content"]))
        elif self.choice.value:
            path = sample(self.choice.value)
        else:
            raise PlanError("no file is chosen: send one, or choose one of the data folder")
        self.model.plan(run_id, path, **options)

    def _open(self) -> None:
        self.model.open(self.run_id.read())
        self.show()

    def _approve(self) -> None:
        by, seen = self.approved_by.read(), self.seen.read()
        parts.at(self.typed, lambda: self.model.approve(self.typed.typed, by, seen=seen))
        if not self.typed.error:
            self._start()

    def _start(self) -> None:
        limits = {name: field.read() for name, field in self.limits.items()}
        self.model.begin("" if self.model.approved_by else self.approved_by.read())
        self.told(Standing(0, 0))
        self.show()
        Thread(target=self._work, kwargs=limits, daemon=True).start()

    def _work(self, **limits: Any) -> None:
        """In a thread of its own: the page answers meanwhile, to a press of Stop above all."""
        try:
            with clicked():
                self.model.work(self.told, **limits)
        except Exception as error:  # a thread would lose it
            self.model.reason = f"This should not happen: {type(error).__name__}: {error}"
        self.show()

    def told(self, standing: Standing) -> None:
        """Show how far the run is."""
        if (planned := self.model.planned) is not None:
            self.bar.value = parts.bar(standing, planned.plan.header.rows)

    def _stop(self) -> None:
        self.model.stop()
        self.stop.enabled = False
        self.bar.value += parts.paragraphs(STOPPING)

    def _verify(self) -> None:
        self.model.verify()
        self.show()

    def _undo(self) -> None:
        try:
            self.model.undo(self.undo_id.read(), allow_partial=self.partial.read())
        except PlanError as error:
            raise LoyaltyError(IN_PART if error.problems else str(error)) from None
        finally:
            self._fill(self.run_id.input, self.model.run_id)
            self.show()

    # What is seen

    def show(self) -> None:
        """Show where the run stands, and what is possible now."""
        self._show_problems()
        self._show_plan()
        self._show_result()
        model, stage = self.model, self.model.stage
        at_work = stage is Stage.AT_WORK
        for field in (self.run_id, *self.options.values()):
            field.input.disabled = at_work
        self.upload.disabled = self.choice.disabled = at_work
        self.check.enabled = self.open.enabled = not at_work
        self.stop.enabled = at_work
        left = stage is Stage.STOPPED or "REVIEW" in model.counts
        ended = stage in (Stage.STOPPED, Stage.ENDED)
        for widget, is_seen in (
            (self.problem_section, bool(model.problems)),
            (self.plan_section, model.planned is not None),
            (self.apply_section, stage is Stage.PLANNED or (left and ended)),
            (self.asked, stage is Stage.PLANNED),
            (self.apply.widget, stage is Stage.PLANNED),
            (self.approved_by.widget, not left or not model.approved_by),
            (self.go_on.widget, left),
            (self.work_section, at_work),
            (self.result_section, ended or bool(model.reason)),
            (self.verify.widget, stage is Stage.ENDED and model.verified is None),
            (self.again.widget, stage is Stage.HELD),
            (self.undo_section, ended),
        ):
            parts.seen(widget, is_seen)
        if stage is Stage.PLANNED:
            self.typed.focus()

    def _show_problems(self) -> None:
        rows = [
            (
                p.line or "",
                p.row_id,
                p.buyer,
                ": ".join(filter(None, [p.column, p.found])),
                p.allowed,
            )
            for p in self.model.problems
        ]
        title = f"{len(rows):,} problem{'s' * (len(rows) != 1)}"
        self.problems.put(Table(title, ("line", "row", "buyer", "found", "allowed"), tuple(rows)))
        files = self.model.files() if self.model.stage is Stage.REFUSED else []
        self.repair.value = parts.links("To repair the file:", files)

    def _show_plan(self) -> None:
        planned = self.model.planned
        if planned is None:
            self.planned.value = self.chart.value = self.digest.value = ""
            self.typed.clear()
            self.seen.clear()
            return
        html = parts.held(planned._view()["text/html"])
        if html == self.planned.value:
            return
        self.typed.clear()  # before the next digest can be seen
        self.seen.clear()
        parts.seen(self.seen.widget, bool(planned.warnings))
        warnings = card("Warnings", [], note="\n".join(planned.warnings), tone="care")
        told = str(warnings["text/html"]) * bool(planned.warnings)
        digest = f"<p>Digest of this plan: <code>{planned.plan.digest}</code></p>"
        self.digest.value = parts.held(told + digest)
        self.planned.value = html
        charts = [
            chart._view()["image/svg+xml"] for chart in (planned.chart, planned.balances_chart)
        ]
        self.chart.value = parts.held("".join(charts))
        self.rows.put(planned._table())
        parts.seen(self.all_rows, self.rows.table.pages > 1)

    def _show_result(self) -> None:
        model, stage = self.model, self.model.stage
        if model.verified is not None:
            view = model.verified._view()
            more = "" if model.verified.ok else model.verified.summary
            self.result.value = parts.held(view["text/html"] + parts.paragraphs(more))
        else:
            note = "\n".join(filter(None, [model.reason, LOST * (stage is Stage.STOPPED)]))
            title = f"Run {model.run_id}: {stage.value}"
            shown = card(title, model.counts.items(), note=note, tone="care")
            self.result.value = parts.held(shown["text/html"])
        ended = stage in (Stage.STOPPED, Stage.ENDED)
        self.links.value = parts.links("To take away:", model.files() if ended else [])
        if ended and self.undo_id.typed in ("", self._proposed):
            self.undo_id.input.value = self._proposed = f"{model.run_id[:58]}-undo"

    def _view(self) -> Bundle:
        return card("Bulk adjustments", [("environment", self.model.client.environment)])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        return {**self.widget._repr_mimebundle_(), **self._view()}


def bulk() -> Any:
    """The bulk page: check a file of adjustments, approve its plan, apply it, take it back."""
    return framed("bulk", BulkPage)
