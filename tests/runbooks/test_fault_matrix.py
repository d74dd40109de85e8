"""What can go wrong around a run, row by row: network, process and disk, what Square may do.

`MATRIX` says for each row which test proves it; those that have no better home are here.
"""

import ast
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from ssl import SSLCertVerificationError
from typing import Any

import httpx
import pytest

from loyalty_helpers.errors import (
    JournalError,
    PlanError,
    RunStoppedError,
    square_error,
)
from loyalty_helpers.runbooks.apply.journal import JOURNAL, Journal
from loyalty_helpers.runbooks.limits import Time
from loyalty_helpers.runbooks.views import Planned
from tests.doubles import refused, reply
from tests.seed_world import PHONE_NEGATIVE

from .conftest import QUICK, World
from .harness import plan_by

TESTS = Path(__file__).parents[1]
APPLYING, KILLS = "runbooks/test_applying.py", "runbooks/test_kills.py"
STEPS, GUARDS = "runbooks/test_each_transition.py", "runbooks/test_guards.py"
PACE, PLANNING, SHEET = (
    "runbooks/test_pace.py",
    "runbooks/test_planning.py",
    "runbooks/test_sheet.py",
)
WIRE, SESSION, RUN = "api/test_wire.py", "test_session.py", "runner/test_run.py"
LEAKS, SECRETS = "runner/test_leaks.py", "test_secrets.py"
HERE = "runbooks/test_fault_matrix.py"
OF_TIME = "test_an_error_of_the_moment_is_asked_again_with_the_same_key"
LOST = "test_an_answer_that_is_lost_is_asked_for_again"
MATRIX = {
    # A. Network and HTTP
    "A connection refused": (HERE, "test_no_connection_stops_and_is_resumed"),
    "A DNS failure": (HERE, "test_no_connection_stops_and_is_resumed"),
    "A reset before the commit": (APPLYING, LOST),
    "A reset after the commit": (APPLYING, LOST),
    "A reset after the commit, key forgotten": (HERE, "test_a_forgotten_key_is_not_sent_again"),
    "A read timeout, commit later": (HERE, "test_a_commit_that_comes_late_is_found"),
    "A head or body drips": (WIRE, "test_an_answer_that_drips_meets_the_deadline_of_the_whole_try"),
    "A truncated JSON": (APPLYING, LOST),
    "A 200 without an event": (HERE, "test_200_without_an_event_is_asked_again"),
    "A 200 with another event": (HERE, "test_the_event_of_another_adjustment_stops"),
    "A redirect": (HERE, "test_a_redirect_stops_and_is_resumed"),
    "A 429 with Retry-After": (PACE, "test_retry_after_is_waited_for"),
    "A 429 with a date": (WIRE, "test_retry_after_is_seconds_or_a_date"),
    "A 429 without Retry-After": (PACE, "test_the_rate_falls_after_a_429"),
    "A 429 for ever": (HERE, "test_429_for_ever_stops_with_every_row_accounted_for"),
    "A 500 after the commit": (APPLYING, OF_TIME),
    "A 502, 503, 504": (APPLYING, OF_TIME),
    "A 401 in the middle": (APPLYING, "test_a_refused_token_stops_at_once"),
    "A 403 in the middle": (HERE, "test_a_token_without_the_right_stops_at_once"),
    "A 408, 409": (APPLYING, OF_TIME),
    "A 425": (HERE, "test_425_is_asked_again"),
    "A certificate": (HERE, "test_a_certificate_that_is_refused_stops_at_once"),
    "A http:// beyond the loopback": (
        SESSION,
        "test_a_url_that_is_not_a_served_emulator_here_is_refused",
    ),
    "A proxies of the environment": (WIRE, "test_proxies_of_the_environment_are_ignored"),
    "A certificates of the environment": (
        WIRE,
        "test_a_certificate_file_of_the_environment_is_ignored",
    ),
    "A delivered twice": (HERE, "test_a_request_that_is_delivered_twice_is_one_row"),
    "A unknown fields": (WIRE, "test_unknown_fields_are_tolerated"),
    "A errors of another shape": (WIRE, "test_errors_of_another_shape_are_told_by_the_status"),
    # B. Process, disk, time
    "B SIGKILL at every step": (STEPS, "test_every_transition"),
    "B SIGKILL at every step of an undoing": (STEPS, "test_every_transition_of_an_undoing"),
    "B SIGKILL at random": (KILLS, "test_each_row_once_after_kills_and_lost_answers"),
    "B SIGTERM and SIGINT": (
        "runbooks/test_commands.py",
        "test_a_stop_ends_at_the_border_of_rows_and_says_how_to_go_on",
    ),
    "B kernel killed": (RUN, "test_a_killed_run_leaves_a_receipt_that_does_not_claim_success"),
    "B apply again": (APPLYING, "test_applying_again_sends_nothing"),
    "B cells out of order": (HERE, "test_cells_may_be_run_in_any_order_and_by_a_new_kernel"),
    "B two runs of one plan": (
        "runbooks/test_two_at_once.py",
        "test_one_of_two_with_the_same_journal_is_refused",
    ),
    "B two plans of one run id": (HERE, "test_another_plan_does_not_take_over_a_journal"),
    "B disk full at the intent": (HERE, "test_a_full_disk_at_the_intent_sends_nothing"),
    "B disk full at the result": (HERE, "test_a_full_disk_at_the_result_stops_and_is_resumed"),
    "B folder that cannot be written": (HERE, "test_a_folder_that_cannot_be_written_sends_nothing"),
    "B journal damaged": (APPLYING, "test_a_damaged_journal_is_told_and_left_alone"),
    "B plan edited": (PLANNING, "test_a_plan_changed_in_any_byte_is_refused"),
    "B old backup of the journal": (HERE, "test_an_old_backup_of_the_journal_adds_nothing"),
    "B machine sleeps": (APPLYING, "test_an_old_key_is_not_trusted_and_a_person_has_to_look"),
    "B notebook that cannot be saved": (
        RUN,
        "test_a_notebook_that_cannot_be_saved_fails_and_its_receipt_says_what_was_done",
    ),
    "B two adjusters in a process": (APPLYING, "test_a_second_run_of_the_same_plan_is_refused"),
    # C. Input data
    "C BOM, CRLF, lone CR, semicolons, tabs": (SHEET, "test_the_same_rows_as_the_clean_file"),
    "C encodings, columns, empty files": (SHEET, "test_a_file_that_is_no_sheet"),
    "C phone numbers, points, reasons, ids": (SHEET, "test_a_cell_that_is_wrong"),
    "C a row_id twice": (PLANNING, "test_a_row_id_twice_is_refused"),
    "C an account twice": (
        PLANNING,
        "test_the_same_row_twice_with_row_ids_of_their_own_is_meant",
    ),
    "C two phone numbers of one account": (
        PLANNING,
        "test_two_names_of_one_account_are_two_rows_of_it",
    ),
    "C phone and id that agree": (PLANNING, "test_a_phone_number_and_an_id_that_agree"),
    "C phone and id that disagree": (PLANNING, "test_a_phone_number_and_an_id_that_disagree"),
    "C the longest reason": (SHEET, "test_the_longest_reason_is_taken"),
    "C more rows than allowed": (PLANNING, "test_more_rows_than_allowed"),
    "C no regular file": (SHEET, "test_only_a_regular_file_is_read"),
    # D. What Square may do
    "D account gone": (HERE, "test_an_account_that_is_gone_fails_its_row_alone"),
    "D phone of another account": (HERE, "test_a_row_goes_to_the_account_that_was_planned"),
    "D balance moved": (APPLYING, "test_a_balance_that_has_moved_is_noted_or_skipped"),
    "D more than the balance": (APPLYING, "test_a_refusal_is_final_and_stops_the_run"),
    "D negative balance": (HERE, "test_a_negative_balance_is_a_balance"),
    "D program inactive": (PLANNING, "test_a_program_that_is_not_active_stops_the_plan"),
    "D another merchant": (GUARDS, "test_a_plan_for_another_place_is_refused"),
    "D key with another body": (HERE, "test_a_key_that_somebody_used_stops_for_a_person"),
    "D events while paging": (HERE, "test_an_event_that_two_pages_hold_is_counted_once"),
    "D cursor expired": (HERE, "test_a_cursor_that_has_expired_begins_the_reading_again"),
    "D impossible times": (HERE, "test_a_time_that_cannot_exist_is_no_trouble"),
    "D events late": (KILLS, "test_keys_forgotten_and_events_late_credit_nothing_twice"),
    "D points spent before verify": (HERE, "test_points_that_are_spent_before_verifying"),
    "D Square-Version": (WIRE, "test_a_request_carries_token_and_version"),
    "D token of another environment": (SESSION, "test_a_bad_token_is_told_at_the_first_request"),
    # E. Security and privacy
    "E token in texts": (SECRETS, "test_no_part_of_a_client_shows_the_token"),
    "E token as a parameter": (
        "runner/test_parameters.py",
        "test_a_token_is_never_a_parameter_and_is_not_repeated",
    ),
    "E token or phone in files": (LEAKS, "test_a_run_leaks_neither_token_nor_phone_number"),
    "E phone in files of a run": (GUARDS, "test_no_file_of_a_run_holds_a_phone_number"),
    "E production without opt-in": (SESSION, "test_production_without_every_guard_asks_nothing"),
    "E production without a plan": (
        GUARDS,
        "test_nothing_else_opens_production",
    ),
    "E misspelt parameter": (
        "runner/test_parameters.py",
        "test_an_unknown_name_is_refused_with_the_nearest_one",
    ),
    "E HTML in a reason": (RUN, "test_a_reason_that_is_html_is_shown_as_text_in_the_report"),
    "E formula in a reason": (GUARDS, "test_a_reason_is_no_formula_in_the_results"),
    "E run id as a path": (GUARDS, "test_a_run_id_cannot_leave_its_folder"),
    "E files of others": (GUARDS, "test_what_a_run_leaves_is_its_owners_only"),
}
DONE = [(-20, "Twice"), (-4, "Twice"), (12, "Late"), (50, "Late")]
ONE = "account_id,points,reason\n1beb38f9-54de-4cb6-8121-718bDexample,12,Late\n"
ALONE = replace(QUICK, in_flight=1)


@pytest.mark.parametrize("row", MATRIX)
def test_every_row_of_the_matrix_has_its_test(row: str) -> None:
    file, name = MATRIX[row]
    functions = ast.walk(ast.parse((TESTS / file).read_text(encoding="utf-8")))

    assert name in {each.name for each in functions if isinstance(each, ast.FunctionDef)}


def done(world: World) -> list[tuple[int, str]]:
    return sorted(world.adjustments()[:4])


def once(world: World, planned: Planned) -> bool:
    """Whether the ledger holds each row once, and says so."""
    return done(world) == DONE and world.verify(planned).ok


def on_adjust(world: World, act: Callable[[httpx.Request], httpx.Response | None]) -> None:
    """Something between client and emulator that may answer an adjustment in its place."""
    real = world.wire.handle_request

    def handle(request: httpx.Request) -> httpx.Response:
        answer = act(request) if request.url.path.endswith("/adjust") else None
        return answer or real(request)

    world.wire.handle_request = handle  # type: ignore[method-assign]


def whenever(times: int, answer: Callable[[httpx.Request], httpx.Response]) -> Callable[..., Any]:
    """Answers so many times, then never again."""
    left = [times]

    def act(request: httpx.Request) -> httpx.Response | None:
        left[0] -= 1
        return answer(request) if left[0] >= 0 else None

    return act


def raising(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def act(_: httpx.Request) -> httpx.Response:
        raise error

    return act


def state_of(planned: Planned, n: int = 1) -> str:
    with Journal.look(planned.plan.folder) as journal:
        return next(entry.state for entry in journal.entries() if entry.n == n)


def tamper(world: World, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(world.folder / "emulator.sqlite3")) as connection, connection:
        assert connection.execute(statement, values).rowcount


# A. Network and HTTP


@pytest.mark.parametrize("why", ["Connection refused", "Name or service not known"])
def test_no_connection_stops_and_is_resumed(world: World, why: str) -> None:
    planned = world.plan()
    on_adjust(world, whenever(50, raising(httpx.ConnectError(why))))

    with pytest.raises(RunStoppedError, match="does not answer as it should"):
        world.apply(planned, limits=replace(QUICK, retries=10))
    world.wire.paths.clear()
    del world.wire.handle_request  # type: ignore[attr-defined]
    world.apply(planned)
    assert once(world, planned)


def test_a_forgotten_key_is_not_sent_again(world: World) -> None:
    planned = world.plan()
    world.fail("drop-after:path=/adjust,next=1")
    world.fail("forget-keys:seconds=0")
    world.apply(planned, limits=replace(QUICK, tries=1))

    assert world.wire.writes == 4
    assert once(world, planned)


def test_a_commit_that_comes_late_is_found(world: World) -> None:
    """The answer does not come in time; Square carries the request out while the run waits."""
    planned = world.plan(ONE)
    late: list[httpx.Request] = []

    def keep(request: httpx.Request) -> httpx.Response:
        late.append(request)
        raise httpx.ReadTimeout("no answer in time")

    def wait(_: float) -> None:
        while late:
            type(world.wire).handle_request(world.wire, late.pop())

    on_adjust(world, whenever(1, keep))
    world.apply(planned, limits=replace(QUICK, tries=1, settle=1.0), time=Time(sleep=wait))

    assert world.adjustments()[0] == (12, "Late")
    assert world.wire.writes == 1
    assert world.verify(planned).ok


@pytest.mark.parametrize("body", [{}, {"event": None}])
@pytest.mark.parametrize("written", [True, False])
def test_200_without_an_event_is_asked_again(world: World, body: Any, written: bool) -> None:
    planned = world.plan()

    def answer(request: httpx.Request) -> httpx.Response:
        if written:
            type(world.wire).handle_request(world.wire, request).read()
        return reply(200, body)()

    on_adjust(world, whenever(2, answer))
    world.apply(planned)

    assert once(world, planned)


def another_event(account_id: str) -> dict[str, Any]:
    return {
        "event": {
            "id": "another",
            "type": "ADJUST_POINTS",
            "created_at": "2026-11-02T09:30:00Z",
            "adjust_points": {"loyalty_program_id": "p", "points": 99},
            "loyalty_account_id": account_id,
            "source": "LOYALTY_API",
        }
    }


def test_the_event_of_another_adjustment_stops(world: World) -> None:
    """Nothing more goes out, and the row is left for a person when the ledger does not hold it."""
    planned = world.plan()
    on_adjust(world, whenever(1, lambda _: reply(200, another_event("a"))()))

    with pytest.raises(RunStoppedError, match="the event of another adjustment"):
        world.apply(planned, limits=ALONE)
    assert world.wire.writes == 0
    world.apply(planned)
    assert state_of(planned) == "REVIEW"
    assert not world.verify(planned).ok
    assert (12, "Late") not in world.adjustments()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_stops_and_is_resumed(world: World, status: int) -> None:
    planned = world.plan()
    on_adjust(world, whenever(1, lambda _: reply(status, {}, Location="https://example.com/")()))

    with pytest.raises(RunStoppedError, match=f"redirect \\({status}\\)"):
        world.apply(planned, limits=ALONE)
    world.apply(planned)
    assert once(world, planned)


def test_429_for_ever_stops_with_every_row_accounted_for(world: World) -> None:
    planned = world.plan()
    on_adjust(world, lambda _: refused(429, "RATE_LIMITED")())

    with pytest.raises(RunStoppedError, match="does not answer as it should"):
        world.apply(planned, limits=replace(QUICK, retries=8))
    with Journal.look(planned.plan.folder) as journal:
        assert sum(journal.counts().values()) == 4
        assert not journal.counts().keys() - {"PLANNED", "SENT", "UNKNOWN"}
    assert world.wire.writes == 0


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError("refused"), httpx.ReadTimeout("late"), httpx.ReadError("reset")],
    ids=["no connection", "no answer", "reset"],
)
@pytest.mark.parametrize("canary", [0, 5])
def test_a_dead_service_stops_a_run_before_its_25th_request(
    world: World, error: Exception, canary: int
) -> None:
    planned = world.plan(many(60))
    asked: list[httpx.Request] = []

    def dead(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        raise error

    on_adjust(world, dead)
    with pytest.raises(RunStoppedError, match="3 rows one after another"):
        world.apply(planned, limits=replace(QUICK, canary=canary, in_flight=16))

    assert len(asked) < 25


def many(rows: int) -> str:
    phones = [f"+1415555{n}" for n in ("1234", "0101", "0102", "0103")]
    lines = [f"r{n},{phones[n % 4]},1,a{n}" for n in range(rows)]
    return "\n".join(["row_id,phone_number,points,reason", *lines])


@pytest.mark.parametrize(
    "fault", [lambda: raising(httpx.ConnectError("refused")), lambda: limited("7200")]
)
def test_what_was_certainly_not_carried_out_is_sent_a_day_later_and_needs_no_person(
    world: World, fault: Callable[[], Any]
) -> None:
    planned = world.plan()
    clock = [Time().now()]
    time = Time(now=lambda: clock[0])
    on_adjust(world, fault())
    with pytest.raises(RunStoppedError):
        world.apply(planned, time=time)
    del world.wire.handle_request  # type: ignore[attr-defined]
    clock[0] += 24 * 3600
    world.apply(planned, time=time)

    assert once(world, planned)


def limited(seconds: str) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: reply(429, {"errors": [{"code": "RATE_LIMITED"}]}, Retry_After=seconds)()


@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_of_hours_stops_and_says_when_to_come_back(world: World, status: int) -> None:
    planned = world.plan()
    on_adjust(world, lambda _: reply(status, {"errors": []}, Retry_After="7200")())

    with pytest.raises(RunStoppedError, match=r"come back on \w+day .*UTC\)[\s\S]*To go on:"):
        world.apply(planned, limits=ALONE)
    assert world.wire.writes == 0


def test_a_service_that_takes_long_to_say_nothing_is_asked_for_a_minute(world: World) -> None:
    planned = world.plan()
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    def silent(_: httpx.Request) -> httpx.Response:
        clock[0] += 30
        raise httpx.ReadTimeout("late")

    on_adjust(world, silent)
    with pytest.raises(RunStoppedError, match="3 rows one after another"):
        world.apply(planned, limits=ALONE, time=Time(monotonic=lambda: clock[0], sleep=sleep))

    assert clock[0] <= 180


def test_a_token_without_the_right_stops_at_once(world: World) -> None:
    planned = world.plan()
    world.fail("read-only:path=/adjust,next=1")

    with pytest.raises(RunStoppedError, match="refuses the token"):
        world.apply(planned, limits=ALONE)
    world.apply(planned)
    assert once(world, planned)


def test_425_is_asked_again(world: World) -> None:
    planned = world.plan()
    on_adjust(world, whenever(2, lambda _: refused(425)()))
    world.apply(planned)

    assert once(world, planned)


def test_a_certificate_that_is_refused_stops_at_once(world: World) -> None:
    planned = world.plan()
    error = httpx.ConnectError("certificate verify failed")
    error.__cause__ = SSLCertVerificationError("self-signed certificate")
    sent = []
    on_adjust(world, lambda request: sent.append(request) or raising(error)(request))

    with pytest.raises(RunStoppedError, match="the certificate was refused"):
        world.apply(planned, limits=ALONE)
    assert len(sent) == 1


def test_a_request_that_is_delivered_twice_is_one_row(world: World) -> None:
    planned = world.plan()

    def twice(request: httpx.Request) -> None:
        type(world.wire).handle_request(world.wire, request).read()

    on_adjust(world, twice)
    world.apply(planned)

    assert world.wire.writes == 8
    assert once(world, planned)


# B. Process, disk, time


def test_cells_may_be_run_in_any_order_and_by_a_new_kernel(world: World) -> None:
    """Verify before apply, apply twice, and all of it again from what is on the disk alone."""
    planned = world.plan()
    first = world.verify(planned)
    world.apply(planned)
    afresh = plan_by(
        world.client,
        "plan_file",
        "no file is read",
        run_id="run",
        approved_plan=planned.plan.digest,
    )
    world.apply(afresh)

    assert (first.ok, first.counts) == (True, {})
    assert once(world, afresh)


def test_another_plan_does_not_take_over_a_journal(world: World) -> None:
    planned, other = world.plan(), world.plan(ONE, run_id="other")
    world.apply(planned)
    shutil.copy(planned.plan.folder / JOURNAL, other.plan.folder / JOURNAL)
    sent = world.wire.writes

    with pytest.raises(JournalError, match="the journal of another plan"):
        world.apply(other)
    assert world.wire.writes == sent


def full_disk(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """The first commit that holds a call of `sent`, or of `settle`, fails as on a full disk."""
    note, commit, seen = getattr(Journal, what), Journal._commit, []

    def noted(journal: Journal, *args: Any, **more: Any) -> None:
        seen.append(args)
        note(journal, *args, **more)

    def fails(journal: Journal) -> None:
        if len(seen) == 1:
            seen.append(())
            raise sqlite3.OperationalError("database or disk is full")
        commit(journal)

    monkeypatch.setattr(Journal, what, noted)
    monkeypatch.setattr(Journal, "_commit", fails)


def test_a_full_disk_at_the_intent_sends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = world.plan(ONE)
    full_disk(monkeypatch, "sent")

    with pytest.raises(JournalError, match=r"disk is full.*Nothing more is sent"):
        world.apply(planned)
    assert (world.wire.writes, state_of(planned)) == (0, "PLANNED")


def test_a_full_disk_at_the_result_stops_and_is_resumed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = world.plan(ONE)
    full_disk(monkeypatch, "settle")

    with pytest.raises(JournalError, match="disk is full"):
        world.apply(planned)
    assert (world.wire.writes, state_of(planned)) == (1, "SENT")
    world.apply(planned)
    assert (world.wire.writes, state_of(planned)) == (1, "APPLIED")


def test_a_folder_that_cannot_be_written_sends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file stands where the folder of the runs should be."""
    (world.folder / "taken").write_text("")
    monkeypatch.setenv("LOYALTY_RUNS", str(world.folder / "taken"))

    with pytest.raises(PlanError, match="cannot be made: Not a directory"):
        world.plan()
    assert world.wire.writes == 0


def test_an_old_backup_of_the_journal_adds_nothing(world: World) -> None:
    """It was copied before the last rows were sent, and the keys are forgotten meanwhile."""
    planned = world.plan()
    Journal.open(planned.plan).close()
    backup = shutil.copy(planned.plan.folder / JOURNAL, world.folder / "backup")
    world.apply(planned)
    shutil.copy(backup, planned.plan.folder / JOURNAL)
    world.emulator.forget_keys()
    sent = world.wire.writes
    world.apply(planned)

    assert world.wire.writes == sent
    assert once(world, planned)


# D. What Square may do


def test_an_account_that_is_gone_fails_its_row_alone(world: World) -> None:
    planned = world.plan()
    tamper(world, "DELETE FROM account WHERE phone_number = ?", "+14155551234")
    world.apply(planned, limits=replace(QUICK, max_errors="1"))
    results = (world.verify(planned), (planned.plan.folder / "results.csv").read_text())

    assert results[0].counts == {"APPLIED": 3, "FAILED": 1}
    assert "404 NOT_FOUND" in results[1]


def test_a_row_goes_to_the_account_that_was_planned(world: World) -> None:
    """The phone number has another owner by now."""
    planned = world.plan(ONE)
    tamper(world, "UPDATE account SET phone_number = NULL WHERE phone_number = ?", "+14155551234")
    tamper(
        world,
        "UPDATE account SET phone_number = ? WHERE phone_number = ?",
        "+14155551234",
        "+14155550101",
    )
    [row] = planned.plan.rows()
    before = world.client.retrieve_account(row.account_id).balance
    world.apply(planned)

    assert world.client.retrieve_account(row.account_id).balance == before + 12


def test_a_negative_balance_is_a_balance(world: World) -> None:
    planned = world.plan(f"phone_number,points,reason\n{PHONE_NEGATIVE},5,Late\n")
    [row] = planned.plan.rows()
    world.apply(planned)

    assert row.before < 0
    assert world.client.retrieve_account(row.account_id).balance == row.before + 5


def test_a_key_that_somebody_used_stops_for_a_person(world: World) -> None:
    planned = world.plan(ONE)
    [row] = planned.plan.rows()
    key = planned.plan.header.identity(row).key
    world.client.adjust_points(row.account_id, 1, reason="Somebody", idempotency_key=key)

    with pytest.raises(RunStoppedError, match="used before with another request"):
        world.apply(planned)
    world.apply(planned)
    assert state_of(planned) == "REVIEW"
    assert not world.verify(planned).ok
    assert (12, "Late") not in world.adjustments()


def test_an_event_that_two_pages_hold_is_counted_once(world: World) -> None:
    planned = world.plan()
    world.apply(planned)
    search = world.client.search_events

    def doubled(**filters: Any) -> Any:
        for event in search(**filters):
            yield event
            yield event

    world.client.search_events = doubled  # type: ignore[method-assign]

    assert world.verify(planned).ok


def test_a_cursor_that_has_expired_begins_the_reading_again(world: World) -> None:
    planned = world.plan()
    world.apply(planned)
    search, left = world.client.search_events, [1]

    def expiring(**filters: Any) -> Any:
        for n, event in enumerate(search(**filters)):
            if n == 2 and left[0]:
                left[0] = 0
                raise square_error(400, [{"code": "INVALID_CURSOR"}], request="POST /search")
            yield event

    world.client.search_events = expiring  # type: ignore[method-assign]

    assert world.verify(planned).ok
    assert left == [0]


def test_a_time_that_cannot_exist_is_no_trouble(world: World) -> None:
    """Square's own examples hold one; here every event of the run has it."""
    planned = world.plan(ONE)
    on_adjust(world, lambda request: _at_hour_25(world, request))
    world.apply(planned)

    assert world.verify(planned).counts == {"APPLIED": 1}
    assert "25:11:07" in (planned.plan.folder / "results.csv").read_text()


def _at_hour_25(world: World, request: httpx.Request) -> httpx.Response:
    answer = type(world.wire).handle_request(world.wire, request)
    answer.read()
    body = answer.json()
    body["event"]["created_at"] = "2026-11-02T25:11:07Z"
    return httpx.Response(200, content=json.dumps(body))


def test_points_that_are_spent_before_verifying(world: World) -> None:
    planned = world.plan(ONE)
    world.apply(planned)
    [row] = planned.plan.rows()
    tier = world.client.retrieve_program().reward_tiers[0]
    world.client.create_reward(row.account_id, tier.id, idempotency_key="spent")

    assert world.verify(planned).ok
