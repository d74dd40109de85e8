"""How far a run is: a bar in a notebook, a line in a terminal or a log, and a file for others."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, TypeVar

from loyalty_helpers.files import write_text
from loyalty_helpers.runbooks.apply.journal import Journal
from loyalty_helpers.runbooks.apply.rows import OPEN

PROGRESS = "progress.json"
EVERY = 1.0  # seconds between two looks
LINE_EVERY = 10.0  # seconds between two lines in a log
READ_EVERY = 500  # records between two looks at the clock, so that a short reading tells nothing
FAILED = ("FAILED", "REVIEW")
ItemT = TypeVar("ItemT")


@dataclass(frozen=True)
class Standing:
    """How far a run is.

    Attributes:
        done: rows that have come to their end.
        rows: all rows.
        errors: rows that ended without success.
        rate: rows a second, since this process began.
    """

    done: int
    rows: int
    errors: int
    rate: float

    @property
    def left(self) -> float:
        """Seconds that the rest may take; infinite while nothing is known."""
        return (self.rows - self.done) / self.rate if self.rate else float("inf")

    def __str__(self) -> str:
        left = f", {self.left:.0f} s left" if self.done < self.rows and self.rate else ""
        errors = f"{self.errors} without success"
        return f"{self.done} of {self.rows} rows, {self.rate:.1f}/s{left}, {errors}"


@dataclass(frozen=True)
class ReadSoFar(Standing):
    """How far a reading is whose end nobody knows: `rows` is 0 until it is reached."""

    def __str__(self) -> str:
        return f"{self.done} records read, {self.rate:.0f}/s"


@dataclass(frozen=True)
class OneByOne(Standing):
    """How far a reading of single accounts is: each with all its events, by requests of its own."""

    def __str__(self) -> str:
        left = f", {self.left:.0f} s left" if self.done < self.rows and self.rate else ""
        return f"{self.done} of {self.rows} accounts read one by one{left}"


class Progress:
    """Looks at a journal now and then, and tells; called after every commit."""

    def __init__(
        self,
        journal: Journal,
        rows: int,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal, self._rows, self._clock = journal, rows, clock
        self._began = self._looked = clock()
        self._done_before = self._standing().done
        self._tell = _teller()

    def __call__(self) -> None:
        """Tell, if the last time is long enough ago."""
        if self._clock() - self._looked >= EVERY:
            self._say(end=False)

    def tell(self) -> None:
        """Tell how far the run is now that it ends or stops."""
        self._say(end=True)

    def _say(self, *, end: bool) -> None:
        self._looked = self._clock()
        standing = self._standing()
        self._tell(standing, end)
        _write(self._journal.path.with_name(PROGRESS), standing)

    def _standing(self) -> Standing:
        counts = self._journal.counts()
        done = self._rows - sum(counts.get(state, 0) for state in OPEN)
        took = self._clock() - self._began
        new = done - getattr(self, "_done_before", done)
        errors = sum(counts.get(state, 0) for state in FAILED)
        return Standing(done, self._rows, errors, new / took if took > 0 else 0.0)


class Reading:
    """Counts records on their way, and tells now and then once they are many."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = folder / PROGRESS, clock
        self._began = self._looked = clock()
        self._count, self._told = 0, False
        self._tell = _teller()

    def counted(self, records: Iterable[ItemT]) -> Iterator[ItemT]:
        """The same records, as they are asked for."""
        for record in records:
            self._count += 1
            if self._count % READ_EVERY == 0 and self._clock() - self._looked >= EVERY:
                self._say(ReadSoFar(self._count, 0, 0, self._rate(self._count, self._began)))
            yield record

    def one_by_one(self, account_ids: Iterable[str], of: int) -> Iterator[str]:
        """The same accounts, as they are asked for: so many, each of which takes its time."""
        began = self._clock()
        for done, account_id in enumerate(account_ids):
            if self._clock() - self._looked >= EVERY:
                self._say(OneByOne(done, of, 0, self._rate(done, began)))
            self._count += 1
            yield account_id

    def end(self) -> None:
        """Tell how much it was, if anything was told before."""
        if self._told:
            rate = self._rate(self._count, self._began)
            self._say(ReadSoFar(self._count, self._count, 0, rate), end=True)

    def _rate(self, done: int, began: float) -> float:
        took = self._clock() - began
        return done / took if took > 0 else 0.0

    def _say(self, standing: Standing, *, end: bool = False) -> None:
        self._looked, self._told = self._clock(), True
        self._tell(standing, end)
        _write(self._path, standing)


def _write(path: Path, standing: Standing) -> None:
    """For others to look at; a full disk is no reason to stop, and the next write will tell it."""
    value = {"done": standing.done, "rows": standing.rows, "text": str(standing)}
    with suppress(OSError):
        write_text(path, json.dumps(value), durable=False)


def _teller() -> Callable[[Standing, bool], None]:
    """A bar where there is a notebook, else lines on the standard error."""
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    if shell is not None and getattr(shell, "kernel", None):
        return _Bar()
    return _Lines()


class _Bar:
    """A bar in the cell's output that is drawn over, so that one is left."""

    def __init__(self) -> None:
        self._handle: Any = None

    def __call__(self, standing: Standing, _end: bool) -> None:
        from IPython.display import display

        value = f' max="{standing.rows}" value="{standing.done}"' if standing.rows else ""
        bundle = {
            "text/plain": str(standing),
            "text/html": f"<progress{value}></progress> {escape(str(standing))}",
        }
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(bundle, raw=True)


class _Lines:
    """Plain lines; in a terminal the same line is written over."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._told = -LINE_EVERY

    def __call__(self, standing: Standing, end: bool) -> None:
        if self._terminal:
            sys.stderr.write(f"\r\033[K{standing}" + "\n" * end)
        elif end or time.monotonic() - self._told >= LINE_EVERY:
            self._told = time.monotonic()
            sys.stderr.write(f"{standing}\n")
        sys.stderr.flush()


def standing_of(folder: Path) -> dict[str, Any] | None:
    """What the run in a folder told last: `done`, `rows` and `text`."""
    try:
        return dict(json.loads((folder / PROGRESS).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
