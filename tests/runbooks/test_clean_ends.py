"""However a run ends, it ends the same way: soon, resumable, and without a trace if refused."""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from loyalty_helpers import runbooks
from loyalty_helpers.errors import JournalError, PlanError, RunStoppedError
from loyalty_helpers.runbooks.apply.applying import LAST_ANSWERS
from loyalty_helpers.runbooks.apply.journal import JOURNAL, Journal
from tests.doubles import reply

from .conftest import QUICK, World
from .harness import plan_by
from .test_fault_matrix import on_adjust
from .test_gates_and_clocks import marks, states

HOURS = reply(429, {"errors": [{"code": "RATE_LIMITED"}]}, Retry_After="7200")
WHEN = r"come back on \w+day .*UTC\)"

# A read that is told to come back in hours


def on_path(world: World, path: str, answer: Callable[[], httpx.Response]) -> None:
    real = world.wire.handle_request

    def handle(request: httpx.Request) -> httpx.Response:
        return answer() if request.url.path.endswith(path) else real(request)

    world.wire.handle_request = handle


@pytest.mark.parametrize("path", ["/events/search", "/accounts/search"])
def test_a_read_of_a_run_that_is_told_to_come_back_in_hours_stops_it(
    world: World, path: str
) -> None:
    planned = world.plan()
    on_path(world, path, HOURS)

    with pytest.raises(RunStoppedError, match=rf"{WHEN}[\s\S]*To go on:"):
        world.apply(planned)
    assert (planned.plan.folder / "results.csv").exists()
    assert world.wire.writes == 0


def test_a_run_that_cannot_read_any_more_stops_and_is_resumed(world: World) -> None:
    planned = world.plan()
    real = world.wire.handle_request

    def gone(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/accounts/search"):
            raise httpx.ConnectError("no network")
        return real(request)

    world.wire.handle_request = gone
    with pytest.raises(RunStoppedError, match=r"no connection[\s\S]*To go on:"):
        world.apply(planned)
    world.wire.handle_request = real
    world.apply(planned)

    assert marks(world, planned) == [1, 1, 1, 1]


@pytest.mark.parametrize("path", ["/programs/main", "/accounts/search", "/events/search"])
def test_a_plan_whose_reads_are_told_to_come_back_in_hours_stops(world: World, path: str) -> None:
    on_path(world, path, HOURS)

    with pytest.raises(RunStoppedError, match=rf"{WHEN}[\s\S]*the same command"):
        world.plan()


def test_what_comes_after_applying_stops_in_the_same_way(world: World) -> None:
    planned = world.plan()
    world.apply(planned)
    on_path(world, "/events/search", HOURS)
    after = {
        "verify": lambda: world.verify(planned),
        "undo": lambda: plan_by(world.client, "plan_undo", "run", run_id="back"),
        "reconcile": lambda: runbooks.reconcile(world.client, run_id="audit"),
        "compare": lambda: runbooks.compare_run(world.client, "run"),
    }

    for step in after.values():
        with pytest.raises(RunStoppedError, match=WHEN):
            step()


# Ctrl-C, twice


def test_the_second_time_a_stop_waits_for_no_answer(world: World) -> None:
    """One answer is late; the second Ctrl-C comes while the last answers are waited for."""
    planned, late, real = world.plan(), threading.Event(), world.wire.handle_request

    def keep(request: httpx.Request) -> httpx.Response:
        answer = real(request)
        os.kill(os.getpid(), signal.SIGINT)
        threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT)).start()
        late.wait(2 * LAST_ANSWERS)
        return answer

    on_adjust(world, keep)
    began = time.monotonic()
    with pytest.raises(RunStoppedError, match=r"interrupted[\s\S]*To go on:"):
        world.apply(planned, limits=replace(QUICK, in_flight=1))
    took = time.monotonic() - began
    late.set()

    assert took < LAST_ANSWERS / 2
    assert states(planned)[0] == ("SENT", 1)
    world.wire.handle_request = real
    world.apply(planned)
    assert marks(world, planned) == [1, 1, 1, 1]


# A refusal changes nothing on the disk


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        path.name: (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.iterdir()
        if path.is_file()
    }


def refused_and_as_it_was(world: World, planned, kind: type[Exception]) -> None:
    before = stamps(planned.plan.folder)
    with pytest.raises(kind):
        world.apply(planned)

    assert before == stamps(planned.plan.folder)


def test_a_journal_of_another_plan_is_left_as_it_is(world: World) -> None:
    planned = world.plan()
    world.apply(planned)
    other = world.plan("row_id,phone_number,points,reason\nz,+14155551234,9,Other\n", "other")
    journal = (planned.plan.folder / JOURNAL).read_bytes()
    (other.plan.folder / JOURNAL).write_bytes(journal)

    refused_and_as_it_was(world, other, JournalError)
    assert journal == (other.plan.folder / JOURNAL).read_bytes()


def test_a_journal_that_is_in_use_is_left_as_it_is(world: World) -> None:
    planned = world.plan()
    with Journal.open(planned.plan):
        refused_and_as_it_was(world, planned, JournalError)


def test_a_damaged_journal_is_left_as_it_is(world: World) -> None:
    planned = world.plan()
    (planned.plan.folder / JOURNAL).write_bytes(b"no database" * 100)

    refused_and_as_it_was(world, planned, JournalError)


def test_a_plan_that_was_not_applied_after_all_can_be_made_anew(world: World) -> None:
    """It was replaced while its rows entered the journal: none is left that was never begun."""
    planned, other = world.plan(), world.plan(run_id="other")
    content, real = other.plan.path.read_bytes(), world.wire.handle_request

    def replace_it(request: httpx.Request) -> httpx.Response:
        planned.plan.path.write_bytes(content)
        return real(request)

    world.wire.handle_request = replace_it
    with pytest.raises(PlanError):
        world.apply(planned)
    world.wire.handle_request = real

    assert not (planned.plan.folder / JOURNAL).exists()
    world.apply(world.plan())
