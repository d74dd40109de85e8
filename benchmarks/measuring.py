"""A promise, and how it is measured: both sides in turn, in one run."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Promise:
    """What is measured, against whom, and the ratio of the medians that must not be exceeded."""

    what: str
    rival: str
    at_most: float

    def row(self, ours: float, theirs: float) -> str:
        """A row of the table, from two medians in seconds."""
        ratio = ours / theirs
        verdict = "holds" if ratio <= self.at_most else "MISSED"
        return (
            f"| {self.what} | {_time(ours)} | {self.rival} | {_time(theirs)} "
            f"| {ratio:.2f} | <= {self.at_most:g} | {verdict} |"
        )


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds * 1000:.1f} ms"


def medians(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> list[float]:
    """Both sides in turn, so that a busy moment of the machine meets both; the first is warm-up."""
    times: list[list[float]] = [[], []]
    for turn in range(rounds + 1):
        for side, work in zip(times, (ours, theirs), strict=True):
            start = time.perf_counter()
            work()
            if turn:
                side.append(time.perf_counter() - start)
    return [statistics.median(side) for side in times]
