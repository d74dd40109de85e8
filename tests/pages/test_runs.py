"""The runs page without a browser: what is listed, what can be done, and what is shown."""

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.emulator import Emulator
from loyalty_helpers.errors import ParameterError
from loyalty_helpers.pages.runs_model import APPROVE, COMPARE, RESUME, UNDO, WAITS, Runs
from loyalty_helpers.pages.runs_page import RunsPage
from loyalty_helpers.runbooks import Limits, State
from loyalty_helpers.runbooks.apply import Code, Journal
from loyalty_helpers.runbooks.apply.rows import Note
from loyalty_helpers.runbooks.views import Planned
from tests.doubles import make_client
from tests.runbooks.harness import plan_by, run_of

SHEET = "row_id,phone_number,points,reason\na,+14155551234,12,Late\nb,+14155550101,50,Late\n"
QUICK = Limits(canary=0, settle=0.0)
RECEIPT = {
    "notebook": "02_adjust_points",
    "run_id": "walk",
    "environment": "local",
    "status": "failed",
    "started_at": "2026-11-28T14:00:00Z",
    "finished_at": "2026-11-28T14:00:02Z",
    "parameters": {},
    "error": "<b>nobody</b> has this number",
}


class Office:
    """A client of an emulator, and runs in all kinds of states."""

    def __init__(self, folder: Path, emulator: Emulator) -> None:
        self.folder, self.wire = folder, httpx.WSGITransport(emulator)
        self.client: LoyaltyClient = make_client(self.wire)

    def planned(self, run_id: str = "late", **options) -> Planned:
        sheet = self.folder / "sheet.csv"
        sheet.write_text(SHEET)
        return plan_by(self.client, "plan_file", str(sheet), run_id=run_id, **options)

    def applied(self, run_id: str = "late") -> Planned:
        planned = self.planned(run_id)
        run = run_of(self.client, planned, approved_by="Ann", limits=QUICK)
        run.apply()
        run.verify()
        return planned

    def walked(self, **changed: object) -> Path:
        folder = self.folder / "runs" / "walk"
        folder.mkdir(parents=True)
        (folder / "receipt.json").write_text(json.dumps(RECEIPT | changed))
        return folder

    def chosen(self, run_id: str = "late") -> Runs:
        model = Runs(self.client)
        model.choose(run_id)
        return model

    def page(self, run_id: str = "late") -> RunsPage:
        page = RunsPage(self.client)
        page.choice.value = run_id
        return page


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Emulator.open(tmp_path / "emulator.sqlite3") as emulator:
        yield Office(tmp_path, emulator)


def settle(planned: Planned, state: str, code: Code = Code.NONE) -> None:
    with Journal.open(planned.plan) as journal, journal.commit():
        journal.settle(1, state, note=Note(code))


def listed(page: RunsPage) -> list[str]:
    return re.findall(r"</td><td>([\w-]+)<div", page.table.value)


def in_sight(widget) -> bool:
    return widget.layout.display != "none"


def test_runs_are_filtered_by_state_and_by_words_anywhere(office: Office) -> None:
    office.applied()
    office.walked()
    model = Runs(office.client)
    found = []
    for state, text in [(WAITS, ""), (State.VERIFIED, ""), (State.ENDED, ""), ("all runs", "")]:
        model.state, model.text = state, text
        found.append([run.run_id for run in model.shown])
    model.text = "SHEET.csv ann"

    assert [["walk"], ["late"], [], ["walk", "late"]] == found
    assert ["late"] == [run.run_id for run in model.shown]


def test_a_plan_that_waits_can_be_approved_and_nothing_else(office: Office) -> None:
    office.planned()

    assert (APPROVE,) == office.chosen().possible


def test_a_run_that_stopped_can_be_resumed(office: Office) -> None:
    settle(office.applied(), "PLANNED")

    assert (RESUME, COMPARE) == office.chosen().possible


def test_a_verified_run_can_be_undone_and_compared(office: Office) -> None:
    office.applied()

    assert (UNDO, COMPARE) == office.chosen().possible


def test_a_run_for_review_can_be_resumed_undone_and_compared(office: Office) -> None:
    settle(office.applied(), "REVIEW", Code.NOT_FOUND)

    assert (RESUME, UNDO, COMPARE) == office.chosen().possible


def test_a_walkthrough_has_nothing_to_resume(office: Office) -> None:
    office.walked()

    assert ((), "") == (office.chosen("walk").possible, office.chosen("walk").closed)


def test_nothing_can_be_done_about_a_run_that_is_at_work(office: Office) -> None:
    with Journal.open(office.planned().plan):
        model = office.chosen()

        assert ((), True) == (model.possible, "is at work" in model.closed)


def test_nothing_can_be_done_about_a_run_of_another_environment(office: Office) -> None:
    elsewhere = make_client(office.wire, environment="sandbox")
    one = {"points": 1, "reason": "Late", "phone_number": "+14155551234"}
    plan_by(elsewhere, "plan_one", run_id="late", **one)
    model = office.chosen()

    assert () == model.possible
    assert "is one of sandbox, and this page works with local" in model.closed


def test_comparing_reads_the_ledger_and_changes_what_is_said_of_the_run(office: Office) -> None:
    settle(office.applied(), "SKIPPED")
    model = office.chosen()
    before = model.chosen.state
    compared = str(model.compare())

    assert (State.APPLIED, State.APART) == (before, model.chosen.state)
    assert "row a is SKIPPED, and 1 time in the ledger" in compared


def test_a_run_without_a_report_says_so(office: Office) -> None:
    office.planned()

    with pytest.raises(ParameterError, match="this run has no report"):
        office.chosen().report()


def test_the_page_tells_how_many_wait_and_lists_them_first(office: Office) -> None:
    office.applied()
    office.walked()
    page = RunsPage(office.client)

    assert "2 runs, 1 waits for a person" in page.headline.value
    assert ["walk", "late"] == listed(page)
    assert not in_sight(page.one)


def test_without_a_run_the_page_says_so(office: Office) -> None:
    page = RunsPage(office.client)

    assert ([], True) == (listed(page), "There is no such run." in page.table.value)


def test_typing_a_filter_narrows_the_table_and_the_choice(office: Office) -> None:
    office.applied()
    office.walked()
    page = RunsPage(office.client)
    page.text.input.value = "nobody"

    assert ["walk"] == listed(page)
    assert ["", "walk"] == [value for _, value in page.choice.options]


def test_a_chosen_run_stays_chosen_while_the_filter_leaves_it_out(office: Office) -> None:
    office.applied()
    page = office.page()
    page.text.input.value = "something else"

    assert ("late", True) == (page.choice.value, in_sight(page.one))


def test_only_what_is_possible_has_a_button(office: Office) -> None:
    office.applied()
    page = office.page()

    assert [UNDO, COMPARE] == [name for name, act in page.acts.items() if in_sight(act.widget)]


def test_rows_for_review_are_listed_with_what_a_person_has_to_do(office: Office) -> None:
    settle(office.applied(), "REVIEW", Code.NOT_FOUND)
    page = office.page()

    assert "resend_unknown true sends those once more" in page.about.value
    assert "look at the account&#x27;s events" in page.rows.value


def test_what_comes_from_a_file_is_text_on_the_page(office: Office) -> None:
    office.walked()
    about = office.page("walk").about.value

    assert ("<b>nobody" in about, "&lt;b&gt;nobody" in about) == (False, True)


def test_the_report_is_shown_in_a_frame_that_runs_nothing(office: Office) -> None:
    (office.walked() / "02_adjust_points.html").write_text('<h1 title="a">Failed</h1>')
    page = office.page("walk")
    page.show_report.press()
    frame, _, link = page.report.value.partition("</iframe>")

    assert " sandbox srcdoc=" in frame
    assert '<h1 title="a">Failed</h1>' in unescape(frame)
    assert ('<h1 title="a">' in frame, "data:text/html;base64," in link) == (False, True)


def test_another_run_takes_away_what_was_shown_of_the_one_before(office: Office) -> None:
    (office.walked() / "02_adjust_points.html").write_text("old")
    office.planned()
    page = office.page("walk")
    page.show_report.press()
    page.choice.value = "late"

    assert "" == page.report.value


def test_a_plan_is_approved_and_applied_below_by_the_part_of_the_bulk_page(office: Office) -> None:
    planned = office.planned()
    page = office.page()
    page.acts[APPROVE].press()
    shown = [each for each in page.work.children if in_sight(each)]

    assert 2 == len(shown)  # the plan, and its approval
    assert planned.plan.digest in page.work.children[2].children[1].children[0].value


def test_the_comparison_is_shown_below_the_buttons(office: Office) -> None:
    office.applied()
    page = office.page()
    page.acts[COMPARE].press()

    assert "The ledger agrees with run late" in page.compared.value


def test_looking_again_shows_what_has_happened_since(office: Office) -> None:
    page = RunsPage(office.client)
    office.planned()
    page.again.press()

    assert ["late"] == listed(page)


def test_without_a_kernel_it_is_a_card_with_its_environment(office: Office) -> None:
    assert "Runs\n  environment  local" == str(RunsPage(office.client))
