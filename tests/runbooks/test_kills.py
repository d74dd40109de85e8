"""SIGKILL at random moments, and again: each row is in the ledger once, whatever was lost."""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from loyalty_helpers.runbooks.apply.journal import Journal
from tests.sampling import rest

from .harness import (
    QUICK,
    apply_in_child,
    client_of,
    kill,
    make_plan,
    served,
    start,
    times_in_ledger,
    told,
    verify,
    write_sheet,
)

pytestmark = pytest.mark.slow

ROWS = 500
FAULTS = [
    "drop-after:path=/adjust,probability=0.05",
    "drop:path=/adjust,probability=0.05",
    "429:path=/adjust,probability=0.05",
    "503:path=/adjust,probability=0.05",
]


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOYALTY_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def kill_until_done(url: str, plan: Path, chance: random.Random, kills: int, limits=QUICK) -> int:
    """Apply, kill, apply again; after so many kills let it end. Gives how many were made."""
    made = 0
    while True:
        child = start(apply_in_child, url, plan, limits)
        child.join(chance.uniform(0.1, 0.6) if made < kills else 120)
        if child.exitcode is not None:
            assert child.exitcode == 0, told(child)
            return made
        assert made < kills, "the run does not end"
        kill(child)
        made += 1


def prepared(folder: Path, url: str, rows: int):
    with client_of(url) as client:
        return make_plan(client, write_sheet(folder, client, rows))


@pytest.mark.parametrize("seed", [0, *rest(range(1, 4))])
def test_each_row_once_after_kills_and_lost_answers(tmp_path: Path, seed: int) -> None:
    with served(tmp_path / "e.sqlite3", *FAULTS) as url:
        plan = prepared(tmp_path, url, ROWS)
        kills = kill_until_done(url, plan.path, random.Random(seed), 14)
        result = verify(url, plan.path)

        assert {1: ROWS} == times_in_ledger(url, plan)
    assert {"APPLIED": ROWS} == result.counts
    assert result.ok, result.summary
    assert kills >= 13, "too few kills to mean much: make the run longer"


def states(folder: Path) -> Counter[str]:
    with Journal.look(folder) as journal:
        return Counter(journal.counts())


@pytest.mark.parametrize("seed", [0, *rest([1])])
def test_keys_forgotten_and_events_late_credit_nothing_twice(tmp_path: Path, seed: int) -> None:
    """Every resume comes when its keys are forgotten, and events are found a second late.

    A try that follows its lost answer at once does not: two seconds are enough for that on a busy
    machine, and are over before a row is looked for.
    """
    forgetful = ["forget-keys:seconds=2", "late-events:seconds=1"]
    patient = replace(QUICK, settle=2.2)
    with served(tmp_path / "e.sqlite3", *FAULTS, *forgetful) as url:
        plan = prepared(tmp_path, url, 120)
        kills = kill_until_done(url, plan.path, random.Random(seed), 5, patient)
        verify(url, plan.path, patient)
        counts = states(plan.folder)

        assert 0 == sum(n for times, n in times_in_ledger(url, plan).items() if times > 1)
        assert times_in_ledger(url, plan)[0] <= counts["REVIEW"] <= kills
    assert 120 == counts["APPLIED"] + counts["REVIEW"]
