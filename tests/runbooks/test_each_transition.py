"""The run is stopped at every single commit, rename, fsync and send in turn, and goes on clean."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loyalty_helpers import connect
from loyalty_helpers.runbooks.apply.journal import Journal
from loyalty_helpers.runbooks.identity import marker_in
from loyalty_helpers.runbooks.plan import PLAN, read_plan
from loyalty_helpers.runbooks.views import Planned
from loyalty_helpers.settings import Settings

from .conftest import QUICK, SHEET
from .harness import plan_by, run_of, start, told

ROWS = 4
MOST = 60  # of what a run of four rows does; a loop that meets more has gone wrong


def stop_at(nth: int, owner: Any, name: str, how: str) -> Callable[[], int]:
    """Make the nth call fail or kill; gives how many calls there were."""
    real, calls = getattr(owner, name), [0]

    def counting(*args: Any, **options: Any) -> Any:
        calls[0] += 1
        if calls[0] == nth and how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if calls[0] == nth:
            raise OSError(28, "No space left on device")
        return real(*args, **options)

    setattr(owner, name, counting)
    return lambda: calls[0]


def place_of(kind: str) -> tuple[Any, str]:
    """What a transition calls."""
    from loyalty_helpers.api.wire import Wire

    return {
        "commit": (Journal, "_commit"),
        "rename": (Path, "replace"),
        "fsync": (os, "fsync"),
        "send": (Wire, "_attempt"),
    }[kind]


def run_all(folder: str, kind: str = "", nth: int = 0, how: str = "", reached: str = "") -> None:
    """Plan, if there is none; apply; verify."""
    os.environ |= {"LOYALTY_RUNS": f"{folder}/runs", "LOYALTY_HOME": folder}
    count = stop_at(nth, *place_of(kind), how) if kind else lambda: 0
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
    count = stop_at(nth, *place_of(kind), how) if kind else lambda: 0
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


@pytest.mark.parametrize("how", ["fail", "kill"])
@pytest.mark.parametrize("kind", ["commit", "rename", "fsync", "send"])
def test_every_transition(tmp_path: Path, kind: str, how: str) -> None:
    for nth in range(1, MOST):
        folder, reached = tmp_path / str(nth), tmp_path / f"reached-{nth}"
        folder.mkdir()
        (folder / "sheet.csv").write_text(SHEET)
        first = to_the_end(run_all, str(folder), kind, nth, how, str(reached))
        again = to_the_end(run_all, str(folder))

        assert 0 == again.exitcode, told(again)
        assert {1} == set(times(folder))
        if reached.exists() and int(reached.read_text()) < nth:
            break
    assert 0 == first.exitcode
    assert nth > 2, "nothing was stopped"


@pytest.mark.parametrize(
    ("kind", "how"), [("commit", "kill"), ("rename", "fail"), ("fsync", "fail"), ("send", "kill")]
)
def test_every_transition_of_an_undoing(tmp_path: Path, kind: str, how: str) -> None:
    applied = tmp_path / "applied"
    applied.mkdir()
    before = balances(applied)
    (applied / "sheet.csv").write_text(SHEET)
    assert 0 == to_the_end(run_all, str(applied)).exitcode
    assert before != balances(applied)
    for nth in range(1, MOST):
        folder, reached = tmp_path / str(nth), tmp_path / f"reached-{nth}"
        shutil.copytree(applied, folder)
        first = to_the_end(undo_all, str(folder), kind, nth, how, str(reached))
        again = to_the_end(undo_all, str(folder))

        assert 0 == again.exitcode, told(again)
        assert before == balances(folder)
        if reached.exists() and int(reached.read_text()) < nth:
            break
    assert 0 == first.exitcode
    assert nth > 2, "nothing was stopped"


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
