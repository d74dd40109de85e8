"""The bulk page without its page: what is possible when, and what a change takes back."""

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from loyalty_helpers import connect, runbooks
from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.emulator import Emulator, Fault
from loyalty_helpers.errors import ParameterError, PlanError
from loyalty_helpers.pages.bulk_model import LARGEST, Bulk, Stage, keep
from tests.doubles import make_client
from tests.runbooks import harness

QUICK = runbooks.Limits(in_flight=1, canary=0, max_errors="0", retry_wait=0.0, settle=0.0)
HEAD = "row_id,phone_number,points,reason\n"
SHEET = HEAD + "a,+14155551234,12,Late\nb,+14155550101,50,Late\nc,+14155550103,-4,Twice\n"
Adjusting = Callable[[httpx.Request], None]


class Watched(httpx.BaseTransport):
    """Passes requests on to the emulator; each adjustment is told of before."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.adjusting: Adjusting = lambda _: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/adjust"):
            self.adjusting(request)
        return self._inner.handle_request(request)


class Office:
    """An emulator, and pages that are opened side by side."""

    def __init__(self, folder: Path, emulator: Emulator) -> None:
        self.folder, self.emulator = folder, emulator
        self.wire = Watched(httpx.WSGITransport(emulator))
        self.client: LoyaltyClient = make_client(self.wire)

    def page(self) -> Bulk:
        return Bulk(self.client, limits=QUICK)

    def sheet(self, content: str = SHEET) -> Path:
        path = self.folder / "sheet.csv"
        path.write_text(content)
        return path

    def planned(self, content: str = SHEET, run_id: str = "run", **options) -> Bulk:
        page = self.page()
        page.plan(run_id, self.sheet(content), **options)
        return page

    def applied(self) -> Bulk:
        page = self.planned()
        approve(page)
        go(page)
        return page

    def balance(self, phone: str) -> int:
        return self.client.find_account(phone_number=phone).balance

    def fail(self, text: str) -> None:
        self.emulator.faults.add(Fault.parse(text))


def approve(page: Bulk, by: str = "", **options) -> None:
    page.approve(page.planned.plan.digest[:4], by, **options)


def go(page: Bulk) -> list[runbooks.Standing]:
    heard: list[runbooks.Standing] = []
    page.begin()
    page.work(heard.append)
    return heard


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Emulator.open(tmp_path / "emulator.sqlite3") as emulator:
        yield Office(tmp_path, emulator)


# A file becomes a plan


def test_a_file_becomes_a_plan_that_waits(office: Office) -> None:
    page = office.planned()

    assert (Stage.PLANNED, 3) == (page.stage, page.planned.plan.header.rows)


def test_a_file_with_problems_gives_all_of_them_and_no_plan(office: Office) -> None:
    page = office.planned(HEAD + "a,+14155551234,1.5,Late\nb,+14155550101,50,\n")

    assert (Stage.REFUSED, None) == (page.stage, page.planned)
    assert [(2, "***1234"), (3, "***0101")] == [(p.line, p.buyer) for p in page.problems]
    assert ["problems.csv"] == [path.name for path in page.files()]


def test_a_mended_file_leaves_no_problem_behind(office: Office) -> None:
    page = office.planned(HEAD + "a,+14155551234,1.5,Late\n")
    page.plan("run", office.sheet())

    assert ((), Stage.PLANNED) == (page.problems, page.stage)


def test_a_header_that_is_not_ours_takes_columns(office: Office) -> None:
    sheet = "Mobile,Gift,Why\n+14155551234,12,Late\n"
    page = office.planned(sheet, columns="Mobile=phone_number, Gift=points, Why=reason")

    assert [12] == [row.points for row in page.planned.plan.rows()]


def test_a_run_id_that_was_used_takes_no_other_file(office: Office) -> None:
    office.applied()

    with pytest.raises(ParameterError, match="Open it to see where it stands"):
        office.planned(SHEET.replace(",50,", ",500,"))


def test_a_sum_that_was_not_expected_is_a_problem_of_the_file(office: Office) -> None:
    page = office.planned(expected_points="62")

    assert ["+58 points"] == [problem.found for problem in page.problems]


def test_a_change_empties_all_that_follows(office: Office) -> None:
    page = office.planned()
    approve(page)
    page.forget()

    assert (Stage.EMPTY, None, []) == (page.stage, page.planned, page.files())
    with pytest.raises(ParameterError):
        page.begin()


def test_while_the_service_is_down_no_plan_is_left_from_before(office: Office) -> None:
    page = office.planned()
    office.fail("refuse")

    with pytest.raises(Exception, match="no connection"):
        page.plan("run", office.sheet())
    assert (Stage.EMPTY, None) == (page.stage, page.planned)


# Files that are sent here


def test_a_file_that_is_sent_is_kept_for_its_owner_only(office: Office) -> None:
    path = keep("run", "late orders.csv", SHEET.encode())

    assert ("late orders.csv", SHEET) == (path.name, path.read_text())
    assert (0o600, 0o700) == (
        path.stat().st_mode & 0o777,
        path.parent.parent.stat().st_mode & 0o777,
    )


@pytest.mark.parametrize(
    "name", ["../../plan.json", "/etc/plan.json", "plan.json", "..", ".hidden"]
)
def test_no_name_of_a_file_leads_to_another_place(office: Office, name: str) -> None:
    path = keep("run", name, b"x")

    assert runbooks.folder_of("run") / "sent" == path.parent
    assert not path.name.startswith(".")


def test_a_file_that_is_too_large_is_refused_with_the_way_out(office: Office) -> None:
    with pytest.raises(ParameterError, match="notebooks/data"):
        keep("run", "large.csv", bytes(LARGEST + 1))


# Approval


def test_what_was_not_looked_at_is_not_approved(office: Office) -> None:
    page = office.planned()

    with pytest.raises(ParameterError, match="digest"):
        page.approve("", "Kim Lee")
    with pytest.raises(ParameterError):
        page.begin()


def test_the_approval_of_one_plan_is_none_of_the_next(office: Office) -> None:
    page = office.planned()
    approve(page)
    page.plan("run", office.sheet(SHEET.replace(",50,", ",500,")))

    with pytest.raises(ParameterError, match="approve"):
        page.begin()


def test_warnings_have_to_be_read(office: Office) -> None:
    office.applied()
    page = office.planned(SHEET + "d,+14155551234,7,New\n", run_id="again")

    with pytest.raises(ParameterError, match="warnings"):
        approve(page)
    approve(page, seen=True)
    go(page)
    assert {"APPLIED": 1, "SKIPPED": 3} == page.counts


def test_a_name_that_nobody_can_read_is_refused_as_everywhere(office: Office) -> None:
    with pytest.raises(ParameterError, match="approved_by"):
        approve(office.planned(), "\u200b")


@pytest.fixture
def production(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bulk]:
    """A page of production with a plan; the emulator stands in for Square."""
    [merchant] = {location.merchant_id for location in office.client.list_locations()}
    monkeypatch.setenv("SQUARE_ACCESS_TOKEN", "local-token")
    monkeypatch.setenv("LOYALTY_ALLOW_PRODUCTION", merchant)
    with connect("production", transport=office.wire) as client:
        page = Bulk(client, limits=QUICK)
        page.plan("run", office.sheet())
        yield page


def test_production_asks_for_a_name(production: Bulk) -> None:
    page = production

    with pytest.raises(ParameterError, match="name"):
        approve(page)


def test_production_is_stopped_and_goes_on_by_the_same_approval(
    office: Office, production: Bulk
) -> None:
    office.wire.adjusting = lambda _: production.stop()
    approve(production, "Kim Lee")
    go(production)
    assert (Stage.STOPPED, 1) == (production.stage, production.counts["APPLIED"])

    office.wire.adjusting = lambda _: None
    production.open("run")
    go(production)

    assert (Stage.ENDED, True) == (production.stage, production.verified.ok)


def test_production_takes_a_name_later_where_a_kernel_died_before_it_was_written(
    production: Bulk,
) -> None:
    with runbooks.Journal.open(production.planned.plan):
        pass
    production.open("run")
    go(production)
    assert (Stage.STOPPED, True) == (production.stage, "approved_by" in production.reason)

    production.begin("Kim Lee")
    production.work(lambda standing: None)

    assert (Stage.ENDED, True) == (production.stage, production.verified.ok)


def test_a_plan_that_another_page_replaced_is_not_applied_but_shown(office: Office) -> None:
    page = office.planned()
    approve(page)
    office.planned(SHEET.replace(",50,", ",500,"))
    before = office.balance("+14155550101")
    go(page)

    assert (Stage.PLANNED, 512) == (page.stage, page.planned.plan.header.added)
    assert "not this plan's digest" in page.reason
    assert before == office.balance("+14155550101")


# Applying


def test_what_was_approved_is_applied_and_proved(office: Office) -> None:
    before = office.balance("+14155550101")
    page = office.planned()
    approve(page, "Kim Lee")
    heard = go(page)

    assert (Stage.ENDED, True) == (page.stage, page.verified.ok)
    assert (before + 50, 3) == (office.balance("+14155550101"), heard[-1].done)
    assert ["results.csv", "undo.csv"] == [path.name for path in page.files()]


def test_a_run_that_ended_is_not_called_right_before_the_ledger_was_asked(office: Office) -> None:
    office.applied()
    page = office.page()
    page.open("run")
    assert (Stage.ENDED, None) == (page.stage, page.verified)

    page.verify()

    assert page.verified.ok


def test_a_ledger_that_cannot_be_read_leaves_no_word_of_success(office: Office) -> None:
    page = office.planned()
    approve(page)
    page.begin()
    page.work(lambda standing: office.fail("refuse"))

    assert (Stage.ENDED, None) == (page.stage, page.verified)
    assert "no connection" in page.reason


def test_a_stop_is_at_the_border_of_rows_and_the_rest_goes_on_later(office: Office) -> None:
    page = office.planned()
    office.wire.adjusting = lambda _: page.stop()
    approve(page)
    go(page)
    assert (Stage.STOPPED, {"PLANNED": 2, "APPLIED": 1}) == (page.stage, page.counts)
    assert "it was interrupted" == page.reason

    office.wire.adjusting = lambda _: None
    go(page)

    assert (Stage.ENDED, True) == (page.stage, page.verified.ok)


def test_a_service_that_is_down_stops_the_run_and_says_why(office: Office) -> None:
    page = office.planned()
    office.fail("refuse:path=/adjust")
    approve(page)
    go(page)

    assert (Stage.STOPPED, None) == (page.stage, page.verified)
    assert "no connection" in page.reason


def test_rows_that_are_refused_are_no_success(office: Office) -> None:
    page = office.planned()
    office.fail("read-only:path=/adjust")
    approve(page)
    go(page)

    assert page.verified is None
    assert page.reason


# A page that is opened again, and a second one


def test_a_plan_waits_for_its_approval_on_any_page(office: Office) -> None:
    office.planned()
    page = office.page()
    page.open("run")
    approve(page)
    go(page)

    assert page.verified.ok


def apply_and_die(url: str, runs: str) -> None:
    """What a kernel does that dies when its second row is about to be written down as sent."""
    os.environ["LOYALTY_RUNS"] = runs
    commits = itertools.count(1)
    with harness.client_of(url) as client:
        page = Bulk(client, limits=QUICK)
        page.open("run")
        approve(page, "Kim Lee")
        harness.before_commits(
            lambda _: os.kill(os.getpid(), signal.SIGKILL) if next(commits) == 6 else None
        )
        go(page)


def test_after_its_kernel_died_a_run_is_shown_and_goes_on(office: Office, tmp_path: Path) -> None:
    with harness.served(tmp_path / "served.sqlite3") as url, harness.client_of(url) as client:
        page = Bulk(client, limits=QUICK)
        page.plan("run", office.sheet())
        child = harness.start(apply_and_die, url, str(tmp_path / "runs"))
        child.join(60)
        page.open("run")
        stands = (child.exitcode, page.stage)
        go(page)

    assert (-signal.SIGKILL, Stage.STOPPED) == stands
    assert (Stage.ENDED, True, {"APPLIED": 3}) == (page.stage, page.verified.ok, page.counts)


def test_a_run_that_nobody_knows_is_told(office: Office) -> None:
    page = office.planned()

    with pytest.raises(ParameterError, match="there is no run 'another'"):
        page.open("another")
    assert "run" == page.run_id


def test_two_pages_cannot_be_at_work_with_one_run(office: Office) -> None:
    first, second, seen = office.planned(), office.page(), []
    second.open("run")
    approve(first)
    approve(second)

    def look(_: httpx.Request) -> None:
        office.wire.adjusting = lambda _: None
        go(second)
        seen.append((second.stage, second.reason))

    office.wire.adjusting = look
    go(first)

    assert {Stage.HELD} == {stage for stage, _ in seen}
    assert "another process is at work with this run" in seen[0][1]
    second.open("run")
    assert (Stage.ENDED, {"APPLIED": 3}) == (second.stage, second.counts)


# Undoing


def test_a_run_is_taken_back_by_a_plan_of_its_own(office: Office) -> None:
    before = office.balance("+14155550101")
    page = office.applied()
    page.undo("run-undo")
    assert (Stage.PLANNED, "run-undo") == (page.stage, page.run_id)

    approve(page)
    go(page)

    assert (True, before) == (page.verified.ok, office.balance("+14155550101"))


def test_what_cannot_be_taken_back_leaves_the_page_where_it_was(office: Office) -> None:
    page = office.applied()
    account = office.client.find_account(phone_number="+14155550101")
    spent = {"reason": "Spent", "idempotency_key": "spent"}
    office.client.adjust_points(account.id, -account.balance, **spent)

    with pytest.raises(PlanError):
        page.undo("run-undo")
    assert (Stage.ENDED, "run", 1) == (page.stage, page.run_id, len(page.problems))
    page.undo("run-undo", allow_partial=True)
    assert 2 == page.planned.plan.header.rows
