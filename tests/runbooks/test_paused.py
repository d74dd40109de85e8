"""A run that is really stopped (SIGSTOP) and goes on later: it looks before it sends anything."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from loyalty_helpers.emulator import Emulator, Fault, Server
from loyalty_helpers.runbooks.apply.journal import Journal
from loyalty_helpers.runbooks.limits import Time
from loyalty_helpers.runbooks.plan.document import Plan, read_plan
from loyalty_helpers.runbooks.views import Planned

from .harness import (
    QUICK,
    apply_in_child,
    client_of,
    make_plan,
    run_of,
    start,
    times_in_ledger,
    told,
    verify,
    write_sheet,
)

ROWS, BEFORE = 80, 12
FASTER = 8  # the child's wall clock, so that a pause of seconds is one that counts
PAUSE = 3.0
SLOWLY = replace(QUICK, in_flight=2)


def apply_by_a_fast_clock(url: str, plan: Path) -> None:
    """What the child does that is stopped: a second is a few of them by its wall clock."""
    os.environ["LOYALTY_RUNS"] = str(plan.parents[1])
    began = time.time()
    clock = Time(now=lambda: began + (time.time() - began) * FASTER)
    with client_of(url) as client:
        ready = read_plan(plan)
        run_of(client, Planned(ready), limits=SLOWLY, time=clock).apply()


@dataclass
class Watched:
    """An emulator that keeps what it is asked for, and says when so many rows have come."""

    emulator: Emulator
    paths: list[str] = field(default_factory=list)
    begun: threading.Event = field(default_factory=threading.Event)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable:
        self.paths.append(environ["PATH_INFO"])
        if self.rows(self.paths) >= BEFORE:
            self.begun.set()
        return self.emulator(environ, start_response)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.emulator, name)

    @staticmethod
    def rows(paths: list[str]) -> int:
        return sum(path.endswith("/adjust") for path in paths)


@dataclass(frozen=True)
class Woken:
    """What came of a run that was stopped in the middle.

    Attributes:
        asked: what it asked for after it went on.
        missing: how many rows the ledger did not hold then.
        times: how often rows are in the ledger in the end: times -> rows.
        ok: whether the ledger agrees with its journal.
        states: of its rows.
    """

    asked: list[str]
    missing: int
    times: dict[int, int]
    ok: bool
    states: dict[str, int]


def paused(folder: Path, elsewhere: Callable[[str, Plan], None]) -> Woken:
    """Stop a run after some rows, do something else meanwhile, and let it go on."""
    with Emulator.open(folder / "e.sqlite3") as emulator:
        emulator.faults.add(Fault.parse("slow:path=/adjust,seconds=0.1"))
        watched = Watched(emulator)
        with Server(watched) as server:
            with client_of(server.url) as client:
                plan = make_plan(client, write_sheet(folder, client, ROWS))
            child = start(apply_by_a_fast_clock, server.url, plan.path)
            assert watched.begun.wait(60)
            os.kill(child.pid, signal.SIGSTOP)
            try:
                time.sleep(PAUSE)  # the real one: no clock can stop a process
                elsewhere(server.url, plan)
                emulator.forget_keys()
                missing = times_in_ledger(server.url, plan)[0]
                seen = len(watched.paths)
            finally:
                os.kill(child.pid, signal.SIGCONT)
            child.join(120)
            assert child.exitcode == 0, told(child)
            asked = watched.paths[seen:]
            ok = verify(server.url, plan.path).ok
            times = dict(times_in_ledger(server.url, plan))
        with Journal.look(plan.folder) as journal:
            return Woken(asked, missing, times, ok, journal.counts())


def nobody(url: str, plan: Plan) -> None:
    """Nothing happens while the run is stopped."""


def another_machine(url: str, plan: Plan) -> None:
    """It has the plan and no journal, and applies all of it."""
    copy = plan.folder.parents[1] / "elsewhere" / plan.folder.name / plan.path.name
    copy.parent.mkdir(parents=True)
    shutil.copy(plan.path, copy)
    machine = start(apply_in_child, url, copy)
    machine.join(60)
    assert machine.exitcode == 0, told(machine)


@pytest.fixture(scope="module", params=[nobody, another_machine], ids=lambda each: each.__name__)
def woken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Woken:
    """Each of the two is done once, for all tests."""
    folder = tmp_path_factory.mktemp("paused")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOYALTY_RUNS", str(folder / "runs"))
        patch.setenv("LOYALTY_ENV_FILE", os.devnull)
        return paused(folder, request.param)


def test_a_run_that_was_stopped_looks_at_the_ledger_before_it_sends_on(woken: Woken) -> None:
    sent = [n for n, path in enumerate(woken.asked) if path.endswith("/adjust")]

    assert "/v2/loyalty/events/search" in woken.asked[: min(sent, default=None)]


def test_a_run_that_was_stopped_sends_what_the_ledger_does_not_hold(woken: Woken) -> None:
    assert woken.missing == Watched.rows(woken.asked)


def test_a_run_that_was_stopped_applies_each_row_once(woken: Woken) -> None:
    assert ({1: ROWS}, {"APPLIED": ROWS}, True) == (woken.times, woken.states, woken.ok)
