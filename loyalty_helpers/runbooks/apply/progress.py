"""How far a run is: a bar in a notebook or a terminal, lines in a log, and a file for others."""

import json
import shutil
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from loyalty_helpers.files import write_text
from loyalty_helpers.runbooks.apply.journal import Journal
from loyalty_helpers.runbooks.apply.rows import OPEN

PROGRESS = "progress.json"
EVERY = 1.0  # seconds between two looks
LINE_EVERY = 10.0  # seconds between two lines in a log
READ_EVERY = 500  # records between two looks at the clock, so that a short reading tells nothing
FAILED = ("FAILED", "REVIEW")
BAR = "{percentage:3.0f}%|{bar:20}| {desc}"
ItemT = TypeVar("ItemT")


class Standing(NamedTuple):
    """How far a run is.

    Attributes:
        done, rows: rows that have come to their end, and all of them.
        rate: rows a second, since this process is at it.
        errors: rows without success.
    """

    done: int
    rows: int
    rate: float = 0.0
    errors: int = 0

    def __str__(self) -> str:
        rate = f"{self.rate:.1f}/s{_left(self.rows - self.done, self.rate)}"
        return f"{self.done} of {self.rows} rows, {rate}, {self.errors} without success"


class Progress:
    """Looks at a journal now and then, and tells; called after every commit.

    Args:
        journal: of the run, open.
        rows: how many the run has.
        listener: is told in place of who looks at a terminal, a cell, or a log.
        clock: injected by tests.
    """

    def __init__(
        self,
        journal: Journal,
        rows: int,
        listener: Callable[[Standing], None] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal, self._rows, self._clock = journal, rows, clock
        self._began = self._looked = clock()
        self._done_before = self._done(journal.counts())
        self._tell, self._listener = _Teller(journal.path.with_name(PROGRESS)), listener

    def __call__(self) -> None:
        """Tell, if the last time is long enough ago."""
        if self._clock() - self._looked >= EVERY:
            self.tell(end=False)

    def tell(self, *, end: bool = True) -> None:
        """Tell how far the run is, now that it ends or stops."""
        counts, self._looked = self._journal.counts(), self._clock()
        done, errors = self._done(counts), sum(counts.get(state, 0) for state in FAILED)
        rate = _rate(done - self._done_before, self._looked - self._began)
        standing = Standing(done, self._rows, rate, errors)
        if self._listener:
            self._tell.write(done, self._rows, str(standing))
            self._listener(standing)
        else:
            self._tell(done, self._rows, str(standing), end=end)

    def _done(self, counts: dict[str, int]) -> int:
        return self._rows - sum(counts.get(state, 0) for state in OPEN)


class Reading:
    """Counts records on their way, and tells now and then once they are many."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._tell = clock, _Teller(folder / PROGRESS)
        self._began = self._looked = clock()
        self._count, self._told = 0, False

    def counted(self, records: Iterable[ItemT]) -> Iterator[ItemT]:
        """The same records, as they are asked for."""
        for record in records:
            self._count += 1
            if self._count % READ_EVERY == 0 and self._clock() - self._looked >= EVERY:
                self._say(self._count, 0, self._read())
            yield record

    def one_by_one(self, account_ids: Collection[str]) -> Iterator[str]:
        """The same accounts, as they are asked for: each of them takes its time."""
        began, of = self._clock(), len(account_ids)
        for done, account_id in enumerate(account_ids):
            if self._clock() - self._looked >= EVERY:
                left = _left(of - done, _rate(done, self._clock() - began))
                self._say(done, of, f"{done} of {of} accounts read one by one{left}")
            self._count += 1
            yield account_id

    def end(self) -> None:
        """Tell how much it was, if anything was told before."""
        if self._told:
            self._say(self._count, self._count, self._read(), end=True)

    def _read(self) -> str:
        rate = _rate(self._count, self._clock() - self._began)
        return f"{self._count} records read, {rate:.0f}/s"

    def _say(self, done: int, of: int, text: str, *, end: bool = False) -> None:
        self._looked, self._told = self._clock(), True
        self._tell(done, of, text, end=end)


def standing_of(folder: Path) -> dict[str, Any] | None:
    """What the run in a folder told last: `done`, `rows` and `text`."""
    try:
        return dict(json.loads((folder / PROGRESS).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def _rate(done: int, seconds: float) -> float:
    return done / seconds if seconds > 0 else 0.0


def _left(rows: int, rate: float) -> str:
    """How long the rest may take; nothing where there is none, or nothing is known."""
    return f", {rows / rate:.0f} s left" if rows and rate else ""


class _Teller:
    """Tells people and the file; of how many is 0 where nobody knows the end."""

    def __init__(self, path: Path) -> None:
        self._path, self._line_at = path, float("-inf")
        self._drawn = 0  # the length of what a terminal shows
        self._cell: Any = None  # the output of a cell, which is drawn over

    def write(self, done: int, of: int, text: str) -> None:
        """Tell the file alone."""
        with suppress(OSError):  # a full disk is no reason to stop: the next write tells it
            value = {"done": done, "rows": of, "text": text}
            write_text(self._path, json.dumps(value), durable=False)

    def __call__(self, done: int, of: int, text: str, *, end: bool) -> None:
        self.write(done, of, text)
        if _in_a_cell() or sys.stderr.isatty():
            self._draw(done, of, text, end=end)
        elif end or time.monotonic() - self._line_at >= LINE_EVERY:
            self._line_at = time.monotonic()
            sys.stderr.write(f"{text}\n")

    def _draw(self, done: int, of: int, text: str, *, end: bool) -> None:
        """One line, drawn over, so that the last one is left."""
        from tqdm import tqdm

        shape, columns = BAR if of else "{desc}", shutil.get_terminal_size().columns - 1
        if _in_a_cell():
            self._show(tqdm.format_meter(done, of, 0.0, prefix=text, bar_format=shape))
            return
        letters = "utf" not in (sys.stderr.encoding or "").lower()
        line = tqdm.format_meter(
            done, of, 0.0, ncols=columns, ascii=letters, prefix=text, bar_format=shape
        )
        sys.stderr.write(f"\r{line:<{self._drawn}}" + "\n" * end)
        sys.stderr.flush()
        self._drawn = len(line)

    def _show(self, text: str) -> None:
        from IPython.display import display

        if self._cell is None:
            self._cell = display({"text/plain": text}, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._cell.update({"text/plain": text}, raw=True)


def _in_a_cell() -> bool:
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    return shell is not None and bool(getattr(shell, "kernel", None))
