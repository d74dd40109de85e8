"""What stops a run stays in its way; time that nobody saw pass is not trusted; a stop is prompt."""

import json
import os
import signal
from dataclasses import replace
from typing import Any

import httpx
import pytest

from loyalty_helpers.errors import PlanError, RunStoppedError
from loyalty_helpers.runbooks.apply.journal import Journal
from loyalty_helpers.runbooks.identity import marker_in
from loyalty_helpers.runbooks.limits import Time
from loyalty_helpers.runbooks.views import Planned

from .conftest import QUICK, World
from .test_fault_matrix import on_adjust, reply, state_of, whenever

HEAD = "row_id,phone_number,points,reason\n"
TWO_OF_ONE = HEAD + "r1,+14155550101,1,one\nr2,+14155550101,2,two\n"
HOURS = 3 * 3600.0


class Clock:
    """A wall clock that only moves when somebody moves it."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def time(self) -> Time:
        return Time(now=lambda: self.now, sleep=lambda _: None)


def states(planned: Planned) -> list[tuple[str, int]]:
    with Journal.look(planned.plan.folder) as journal:
        return [(entry.state, entry.attempts) for entry in journal.entries()]


def elsewhere(world: World, planned: Planned, *numbers: int) -> None:
    """Another machine applies rows of the same plan, and Square forgets the keys after that."""
    for row in planned.plan.rows():
        if row.n in numbers:
            identity = planned.plan.header.identity(row)
            body = {
                "adjust_points": {"points": row.points, "reason": identity.marked(row.reason)},
                "idempotency_key": identity.key,
            }
            path = f"http://127.0.0.1:8123/v2/loyalty/accounts/{row.account_id}/adjust"
            with httpx.Client(transport=httpx.WSGITransport(world.emulator)) as http:
                headers = {"Authorization": "Bearer local-token"}
                assert http.post(path, json=body, headers=headers).status_code == 200
    world.emulator.forget_keys()


def marks(world: World, planned: Planned) -> list[int]:
    found = [marker_in(e.reason) for e in world.client.search_events(types=["ADJUST_POINTS"])]
    header = planned.plan.header
    return [found.count(header.identity(row).marker) for row in planned.plan.rows()]


# What is applied is what was approved


def test_a_plan_that_is_replaced_while_it_is_applied_is_not_applied(world: World) -> None:
    planned = world.plan()
    unseen = world.plan(HEAD + "a,+14155551234,5000,Never looked at\n", "other").plan
    other = unseen.path.read_bytes()
    real, before = world.wire.handle_request, world.balances()

    def replace_it(request: httpx.Request) -> httpx.Response:
        planned.plan.path.write_bytes(other)
        return real(request)

    world.wire.handle_request = replace_it
    with pytest.raises(PlanError, match="is not as it was written"):
        world.apply(planned)
    world.wire.handle_request = real

    assert before == world.balances()


def test_a_run_cannot_be_planned_while_it_is_applied(world: World) -> None:
    planned = world.plan()
    refused: list[str] = []

    def plan_again(request: httpx.Request) -> None:
        with pytest.raises(PlanError) as caught:
            world.plan()
        refused.append(str(caught.value))

    on_adjust(world, plan_again)
    world.apply(planned, limits=replace(QUICK, in_flight=1))

    assert len(refused) == 4
    assert "has been applied, or its applying has begun" in refused[0]


def test_a_run_is_planned_or_begun_by_one_at_a_time(world: World) -> None:
    planned = world.plan()

    def both(request: httpx.Request) -> None:
        for act in (world.plan, lambda: world.apply(planned)):
            with pytest.raises(
                PlanError, match="another process is at work with this run: it makes the plan"
            ):
                act()

    real, asked = world.wire.handle_request, []

    def first_request(request: httpx.Request) -> httpx.Response:
        if not asked:
            asked.append(request)
            both(request)
        return real(request)

    world.wire.handle_request = first_request
    world.plan()

    assert asked


# Gates


def nothing_is_done(request: httpx.Request) -> httpx.Response:
    """A service that answers as if it had carried the adjustment out."""
    sent = json.loads(request.content)
    event = {
        "id": "e" + sent["idempotency_key"][-8:],
        "type": "ADJUST_POINTS",
        "created_at": "2999-01-01T00:00:00Z",
        "adjust_points": {"loyalty_program_id": "p"} | sent["adjust_points"],
        "loyalty_account_id": request.url.path.split("/")[-2],
        "source": "LOYALTY_API",
    }
    return reply(200, {"event": event})()


def test_a_canary_that_failed_stays_in_the_way(world: World) -> None:
    planned = world.plan()
    on_adjust(world, whenever(1, nothing_is_done))
    limits = replace(QUICK, canary=1)
    for _ in range(2):
        with pytest.raises(RunStoppedError, match="row a was answered as applied, but"):
            world.apply(planned, limits=limits)

    assert world.wire.writes == 0
    world.apply(planned, limits=replace(limits, canary=0))
    assert marks(world, planned) == [0, 1, 1, 1]


def test_a_canary_that_failed_opens_when_the_ledger_holds_its_rows(world: World) -> None:
    planned = world.plan()
    on_adjust(world, whenever(1, nothing_is_done))
    with pytest.raises(RunStoppedError):
        world.apply(planned, limits=replace(QUICK, canary=1))
    elsewhere(world, planned, 1)
    world.apply(planned, limits=replace(QUICK, canary=1))

    assert marks(world, planned) == [1, 1, 1, 1]


def test_two_rows_of_one_buyer_alone_in_a_file_pass_the_canary(world: World) -> None:
    planned = world.plan(TWO_OF_ONE)
    world.apply(planned, limits=replace(QUICK, canary=5))

    assert states(planned) == [("APPLIED", 1), ("APPLIED", 1)]


def test_the_canary_is_sent_where_the_first_rows_are_left_out(world: World) -> None:
    world.apply(world.plan(TWO_OF_ONE, "first"))
    planned = world.plan(TWO_OF_ONE + "r3,+14155550103,3,three\nr4,+14155550103,4,four\n")
    on_adjust(world, whenever(1, nothing_is_done))

    with pytest.raises(RunStoppedError, match="row r3 was answered as applied, but"):
        world.apply(planned, limits=replace(QUICK, canary=1))


def test_a_limit_of_errors_that_was_passed_stays_passed(world: World) -> None:
    planned = world.plan()
    refusal = {"errors": [{"category": "INVALID_REQUEST_ERROR", "code": "BAD_REQUEST"}]}
    on_adjust(world, whenever(1, lambda _: reply(400, refusal)()))
    limits = replace(QUICK, in_flight=1)
    for _ in range(2):
        with pytest.raises(RunStoppedError, match=r"max_errors"):
            world.apply(planned, limits=limits)

    assert world.wire.writes == 0
    world.apply(planned, limits=replace(limits, max_errors="1"))
    assert [state for state, _ in states(planned)] == ["FAILED", *["APPLIED"] * 3]


def test_a_run_that_has_ended_is_not_called_stopped(world: World) -> None:
    planned = world.plan()
    refusal = {"errors": [{"category": "INVALID_REQUEST_ERROR", "code": "BAD_REQUEST"}]}
    on_adjust(world, whenever(1, lambda _: reply(400, refusal)()))
    world.apply(planned, limits=replace(QUICK, max_errors="1"))
    shown = str(world.apply(planned))

    assert "Run run: ended" in shown
    assert "To go on" not in shown
    assert "1 FAILED: refused by Square, for the reason in results.csv" in shown
    assert "1 FAILED: refused by Square" in world.verify(planned).summary


# Clocks


@pytest.mark.parametrize("passed", [HOURS, -HOURS])
def test_a_resend_asks_the_wall_clock(world: World, passed: float) -> None:
    """The answer is lost, and the machine sleeps, or its clock is set back, before the next try."""
    clock, planned = Clock(), world.plan(HEAD + "a,+14155551234,12,Late\n")

    def lose(request: httpx.Request) -> httpx.Response:
        clock.now += passed
        raise httpx.ReadTimeout("no answer")

    on_adjust(world, whenever(1, lose))
    world.apply(planned, time=clock.time())

    assert states(planned) == [("REVIEW", 1)]
    assert world.wire.writes == 0


def test_a_run_that_was_asleep_asks_the_ledger_first(world: World) -> None:
    """It sleeps in the middle of its rows; another machine applies all of them meanwhile."""
    clock, planned = Clock(), world.plan()

    def sleep(request: httpx.Request) -> None:
        elsewhere(world, planned, 2, 3, 4)
        clock.now += HOURS

    on_adjust(world, whenever(1, sleep))
    world.apply(planned, limits=replace(QUICK, in_flight=1), time=clock.time())

    assert marks(world, planned) == [1, 1, 1, 1]
    assert world.verify(planned).ok


def test_a_row_that_waits_for_its_turn_while_the_machine_sleeps_is_not_sent(world: World) -> None:
    clock, planned, slept = Clock(), world.plan(), []

    def sleep(seconds: float) -> None:
        if not slept and seconds > 0:
            slept.append(seconds)
            elsewhere(world, planned, 1, 2, 3, 4)
            clock.now += HOURS

    time = Time(now=lambda: clock.now, sleep=sleep)
    world.apply(planned, limits=replace(QUICK, requests_per_second=5.0), time=time)

    assert slept
    assert marks(world, planned) == [1, 1, 1, 1]


def test_a_machine_that_sleeps_between_the_look_and_the_first_row_looks_again(
    world: World,
) -> None:
    clock, planned = Clock(), world.plan()
    real, slept = world.wire.handle_request, []

    def sleep(request: httpx.Request) -> httpx.Response:
        """While the balances are read, which comes after the look at the ledger."""
        if request.url.path.endswith("/accounts/search") and not slept:
            slept.append(True)
            elsewhere(world, planned, 1, 2, 3, 4)
            clock.now += HOURS
        return real(request)

    world.wire.handle_request = sleep
    world.apply(planned, time=clock.time())

    assert marks(world, planned) == [1, 1, 1, 1]


# Answers


def test_an_old_event_with_the_mark_was_applied_before(world: World) -> None:
    planned = world.plan()
    elsewhere_but_known(world, planned)
    world.fail("late-events:seconds=3600")
    world.apply(planned)
    with Journal.look(planned.plan.folder) as journal:
        first = next(journal.entries())

    assert (first.state, first.attempts) == ("APPLIED", 1)


def elsewhere_but_known(world: World, planned: Planned) -> None:
    row = next(planned.plan.rows())
    identity = planned.plan.header.identity(row)
    reason = identity.marked(row.reason)
    world.client.adjust_points(
        row.account_id, row.points, reason=reason, idempotency_key=identity.key
    )


def test_an_event_without_the_mark_of_the_row_is_for_a_person(world: World) -> None:
    planned = world.plan(HEAD + "a,+14155551234,12,Late\n")

    def without(request: httpx.Request) -> httpx.Response:
        answer = json.loads(nothing_is_done(request).read())
        answer["event"]["adjust_points"]["reason"] = "Late"
        answer["event"]["created_at"] = "2020-01-01T00:00:00Z"
        return reply(200, answer)()

    on_adjust(world, whenever(1, without))
    world.apply(planned)

    assert state_of(planned) == "REVIEW"
    assert not world.verify(planned).ok


def test_an_event_whose_reason_is_another_one_is_for_a_person(world: World) -> None:
    """The mark is there, and what it stands for is not what was planned."""
    planned = world.plan(HEAD + "a,+14155551234,12,Late\n")
    row = next(planned.plan.rows())
    identity = planned.plan.header.identity(row)
    sent = {"reason": identity.marked("Early"), "idempotency_key": "another"}
    world.client.adjust_points(row.account_id, row.points, **sent)
    world.apply(planned)

    assert state_of(planned) == "REVIEW"


# Stops


def interrupt(_: Any) -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_no_row_that_nobody_sent(world: World, number: int) -> None:
    """It comes while rows are handed over: what no thread has begun is planned again at once."""
    planned = world.plan()
    on_adjust(world, whenever(1, lambda _: os.kill(os.getpid(), number)))
    with pytest.raises(RunStoppedError, match="it was interrupted"):
        world.apply(planned, limits=replace(QUICK, in_flight=1))

    assert {"APPLIED", "PLANNED"} == {state for state, _ in states(planned)}
    assert all(attempts == (state == "APPLIED") for state, attempts in states(planned))


def test_pressed_again_and_again_it_still_loses_no_row(world: World) -> None:
    planned = world.plan()
    on_adjust(world, interrupt)
    with pytest.raises(RunStoppedError):
        world.apply(planned)
    del world.wire.handle_request
    world.apply(planned)

    assert marks(world, planned) == [1, 1, 1, 1]
    assert world.verify(planned).ok


def test_the_handlers_of_signals_are_what_they_were(world: World) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    world.apply(world.plan())

    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
