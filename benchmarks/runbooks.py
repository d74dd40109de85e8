"""Runbooks against a loop over the official SDK, under a limit, and as plans grow."""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from benchmarks.measuring import Promise
from benchmarks.world import grown

AT_ONCE = Promise(
    "a row of `bulk_adjust`, journal included", "a row in a loop over the official SDK", 0.9
)
DISTANT = Promise(
    "a row of `bulk_adjust`, a service that takes 50 ms", "a row in a loop over the SDK", 0.083
)
LARGE = Promise("a row of 100,000: planned, applied, verified", "a row of 1,000: the same", 1.2)
EARLIER = 100_000
LOOKING = Promise(
    f"a row of `bulk_adjust`, planned and applied, {EARLIER:,} earlier adjustments",
    "without earlier ones",
    1.2,
)
ROOT = Path(__file__).parents[1]
SLOW = ("--fault", "slow:path=/adjust,seconds=0.05")
LIMIT = ("--fault", "rate-limit:path=/adjust,rate=40,burst=20")
Served = Callable[..., AbstractContextManager[str]]


def adjusting(kind: str, url: str, rows: int, folder: Path) -> dict[str, Any]:
    """What `benchmarks.adjusting` says."""
    command = [sys.executable, "-m", "benchmarks.adjusting", kind, url, str(rows), str(folder)]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(told))


def against_the_sdk(served: Served) -> Iterator[str]:
    """Both sides in turn on one emulator; a new one each round, so that no round finds more."""
    for promise, faults, rows, loop in ((AT_ONCE, (), 2000, 500), (DISTANT, SLOW, 2000, 60)):
        rounds = [_round(served, faults, rows, loop) for _ in range(3)]
        yield promise.row(*(statistics.median(side) for side in zip(*rounds, strict=True)))


def _round(served: Served, faults: Sequence[str], rows: int, loop: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as name, served(Path(name), *faults) as url:
        theirs = adjusting("sdk", url, loop, Path(name))["apply"]
        return adjusting("runbook", url, rows, Path(name))["apply"], theirs


def looking(served: Served) -> Iterator[str]:
    """What the look for marks and repeats costs: of a busy seller, and of one that has just begun.

    A row an account shows the requests, many rows the time.
    """
    found: dict[int, list[dict[str, Any]]] = {}
    for events in (EARLIER, 0):
        with tempfile.TemporaryDirectory() as name:
            grown(Path(name) / "served.sqlite3", events).close()
            with served(Path(name)) as url:
                found[events] = [adjusting("runbook", url, n, Path(name)) for n in (40, 2_000)]
    (few, many), (few_alone, many_alone) = found[EARLIER], found[0]
    yield LOOKING.row(many["until applied"], many_alone["until applied"])
    each, alone = (one["reads"] / one["accounts"] for one in (few, few_alone))
    yield (
        f"reads to plan and apply a row an account: {each:.2f} an account with {EARLIER:,} earlier "
        f"adjustments, {alone:.2f} without (promised <= 2.5 more)"
    )


def growing(served: Served) -> Iterator[str]:
    """A hundred times the rows: time a row, and memory."""
    found = []
    for rows in (100_000, 1_000):
        with tempfile.TemporaryDirectory() as name, served(Path(name)) as url:
            found.append(adjusting("runbook", url, rows, Path(name)))
    large, small = found
    yield LARGE.row(large["all"], small["all"])
    yield (
        f"peak memory at 100,000 rows {large['peak']:.0f} MB (promised <= 150 MB), "
        f"at 1,000 {small['peak']:.0f} MB"
    )


def under_a_limit(served: Served) -> str:
    """A service that takes 40 requests a second, in bursts of 20."""
    with tempfile.TemporaryDirectory() as name, served(Path(name), *LIMIT) as url:
        found = adjusting("runbook", url, 3_000, Path(name))
    return (
        f"under a limit of 40/s: {1 / found['apply']:.1f} rows/s (promised >= 38), "
        f"{found['refused']:.1%} of requests refused (promised <= 2 %)"
    )
