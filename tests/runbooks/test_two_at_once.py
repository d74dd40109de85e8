"""Two processes that apply the same plan at the same time, with one journal and with two."""

import shutil
from pathlib import Path

import pytest

from .harness import (
    apply_in_child,
    client_of,
    make_plan,
    served,
    start,
    times_in_ledger,
    told,
    write_sheet,
)

pytestmark = pytest.mark.slow

ROWS = 60
SLOW = "slow:path=/adjust,seconds=0.05"  # so that the two really meet


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOYALTY_RUNS", str(tmp_path / "runs"))
    with served(tmp_path / "e.sqlite3", SLOW) as url, client_of(url) as client:
        yield url, make_plan(client, write_sheet(tmp_path, client, ROWS))


def both(*children) -> list[int]:
    for child in children:
        child.join(100)
    return sorted(child.exitcode for child in children)


def test_one_of_two_with_the_same_journal_is_refused(world) -> None:
    url, plan = world
    children = [start(apply_in_child, url, plan.path) for _ in range(2)]

    assert [0, 1] == both(*children)
    assert "another process is at work with this run" in "".join(map(told, children))
    assert {1: ROWS} == times_in_ledger(url, plan)


def test_two_machines_with_a_journal_each_apply_each_row_once(world, tmp_path: Path) -> None:
    url, plan = world
    elsewhere = tmp_path / "elsewhere" / "kills" / plan.path.name
    elsewhere.parent.mkdir(parents=True)
    shutil.copy(plan.path, elsewhere)
    children = [start(apply_in_child, url, path) for path in (plan.path, elsewhere)]

    assert [0, 0] == both(*children), "".join(map(told, children))
    assert {1: ROWS} == times_in_ledger(url, plan)
