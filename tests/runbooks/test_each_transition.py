"""The run is stopped at every single commit, rename, fsync and send in turn, and goes on clean."""

import os
import shutil
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from loyalty_helpers import connect
from loyalty_helpers.runbooks.identity import marker_in
from loyalty_helpers.runbooks.plan import PLAN, read_plan
from loyalty_helpers.runbooks.views import Planned
from loyalty_helpers.settings import Settings

from .conftest import QUICK, SHEET
from .harness import before_commits, plan_by, run_of, start, told

pytestmark = pytest.mark.slow

PLACES = {
    "rename": (Path, "replace"),
    "fsync": (os, "fsync"),
    "send": (httpx.WSGITransport, "handle_request"),
}
MOST = 60  # of what a run of four rows does; a loop that meets more has gone wrong
SOME = pytest.param((3, 11), id="some")
EACH = pytest.param(range(1, MOST + 1), id="each", marks=pytest.mark.full)


def stop_at(nth: int, kind: str, how: str) -> Callable[[], int]:
    """Make the nth transition of a kind fail or kill; gives how many there were."""
    reached = [0]

    def count(*_: Any) -> None:
        reached[0] += 1
        if reached[0] == nth and how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if reached[0] == nth:
            raise OSError(28, "No space left on device")

    if kind == "commit":
        before_commits(count)
    else:
        owner, name = PLACES[kind]
        real = getattr(owner, name)
        setattr(owner, name, lambda *args, **options: (count(), real(*args, **options))[1])
    return lambda: reached[0]


def run_all(folder: str, kind: str = "", nth: int = 0, how: str = "", reached: str = "") -> None:
    """Plan, if there is none; apply; verify."""
    os.environ |= {"LOYALTY_RUNS": f"{folder}/runs", "LOYALTY_HOME": folder}
    count = stop_at(nth, kind, how) if kind else lambda: 0
    with connect("local") as client:
        plan = Path(folder) / "runs" / "run" / PLAN
        if not plan.exists():
            plan_by(client, "plan_file", f"{folder}/sheet.csv", run_id="run")
        ready = read_plan(plan)
        run = run_of(client, Planned(ready), limits=QUICK)
        run.apply()
        assert run.verify().ok
    if reached:
        Path(reached).write_text(str(count()))


def undo_all(folder: str, kind: str = "", nth: int = 0, how: str = "", reached: str = "") -> None:
    """Plan the undoing, if there is no plan of it; apply; verify."""
    os.environ |= {"LOYALTY_RUNS": f"{folder}/runs", "LOYALTY_HOME": folder}
    count = stop_at(nth, kind, how) if kind else lambda: 0
    with connect("local") as client:
        plan = Path(folder) / "runs" / "undo" / PLAN
        if not plan.exists():
            plan_by(client, "plan_undo", "run", run_id="undo")
        ready = read_plan(plan)
        run = run_of(client, Planned(ready), limits=QUICK)
        run.apply()
        assert run.verify().ok
    if reached:
        Path(reached).write_text(str(count()))


def to_the_end(target: Callable[..., None], *args: Any) -> Any:
    child = start(target, *args)
    child.join(60)
    return child


def stopped(target: Callable[..., None], folder: Path, kind: str, nth: int, how: str) -> bool:
    """Stop it at a transition, and let it go on clean; whether there are so many transitions."""
    assert nth < MOST, "it does more than it should"
    reached = folder / "reached"
    first = to_the_end(target, str(folder), kind, nth, how, str(reached))
    again = to_the_end(target, str(folder))

    assert 0 == again.exitcode, told(again)
    ended = reached.exists() and int(reached.read_text()) < nth
    assert not ended or 0 == first.exitcode
    return not ended


@pytest.mark.parametrize("stops", [SOME, EACH])
@pytest.mark.parametrize("how", ["fail", "kill"])
@pytest.mark.parametrize("kind", ["commit", "rename", "fsync", "send"])
def test_every_transition(tmp_path: Path, kind: str, how: str, stops: Sequence[int]) -> None:
    for nth in stops:
        folder = tmp_path / str(nth)
        folder.mkdir()
        (folder / "sheet.csv").write_text(SHEET)
        was_stopped = stopped(run_all, folder, kind, nth, how)

        assert {1} == set(times(folder))
        if not was_stopped:
            break
    assert nth > stops[0], "nothing was stopped"


@pytest.mark.parametrize("stops", [SOME, EACH])
@pytest.mark.parametrize(
    ("kind", "how"), [("commit", "kill"), ("rename", "fail"), ("fsync", "fail"), ("send", "kill")]
)
def test_every_transition_of_an_undoing(
    tmp_path: Path, kind: str, how: str, stops: Sequence[int]
) -> None:
    applied = tmp_path / "applied"
    applied.mkdir()
    before = balances(applied)
    (applied / "sheet.csv").write_text(SHEET)
    assert 0 == to_the_end(run_all, str(applied)).exitcode
    assert before != balances(applied)
    for nth in stops:
        folder = Path(shutil.copytree(applied, tmp_path / str(nth)))
        was_stopped = stopped(undo_all, folder, kind, nth, how)

        assert before == balances(folder)
        if not was_stopped:
            break
    assert nth > stops[0], "nothing was stopped"


def balances(folder: Path) -> dict[str, int]:
    with connect("local", settings=Settings(loyalty_home=folder)) as client:
        return {account.id: account.balance for account in client.search_accounts()}


def times(folder: Path) -> list[int]:
    """How often each row is in the ledger."""
    with connect("local", settings=Settings(loyalty_home=folder)) as client:
        events = list(client.search_events(types=["ADJUST_POINTS"]))
    plan = read_plan(folder / "runs" / "run" / PLAN)
    found = [marker_in(event.reason) for event in events]
    return [found.count(plan.header.identity(row).marker) for row in plan.rows()]
