"""What can go wrong around a run: network, process and disk, what Square may do.

docs/reliability.md has the whole list, with the test of each; those without a better home are here.
"""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from ssl import SSLCertVerificationError
from typing import Any

import httpx
import pytest

from loyalty_helpers.api import square_error
from loyalty_helpers.errors import (
    JournalError,
    PlanError,
    RunStoppedError,
)
from loyalty_helpers.runbooks.apply.journal import JOURNAL, Journal
from loyalty_helpers.runbooks.limits import Time
from loyalty_helpers.runbooks.views import Planned
from tests.doubles import refused, reply
from tests.seed_world import PHONE_NEGATIVE

from .conftest import QUICK, World
from .harness import before_commits, plan_by

DONE = [(-20, "Twice"), (-4, "Twice"), (12, "Late"), (50, "Late")]
ONE = "account_id,points,reason\n1beb38f9-54de-4cb6-8121-718bDexample,12,Late\n"
ALONE = replace(QUICK, in_flight=1)


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


def full_disk(monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    """The first commit after which a row would be in this state fails as on a full disk."""
    failed: list[str] = []

    def fail(journal: sqlite3.Connection) -> None:
        query = "SELECT row_id FROM row WHERE state = ?"
        found = journal.execute(query, (state,)).fetchone()
        if found and not failed:
            failed.append(found)
            raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(sqlite3, "connect", sqlite3.connect)  # what it is in the end
    before_commits(fail)


def test_a_full_disk_at_the_intent_sends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = world.plan(ONE)
    full_disk(monkeypatch, "SENT")

    with pytest.raises(JournalError, match=r"disk is full.*Nothing more is sent"):
        world.apply(planned)
    assert (world.wire.writes, state_of(planned)) == (0, "PLANNED")


def test_a_full_disk_at_the_result_stops_and_is_resumed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = world.plan(ONE)
    full_disk(monkeypatch, "APPLIED")

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
