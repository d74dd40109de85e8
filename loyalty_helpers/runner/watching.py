"""Tells how far a run is, from the file that its kernel keeps up to date."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from loyalty_helpers.runbooks import standing_of

EVERY = 1.0  # seconds
SILENT = 5.0  # seconds after which it is told that there is nothing new


@contextmanager
def watched(
    folder: Path, tell: Callable[[str], None], *, patience: float = SILENT
) -> Iterator[None]:
    """Call `tell` with every new line of progress, and when there is none for so many seconds."""
    ended = threading.Event()

    def watch() -> None:
        told = standing_of(folder)
        since = last = time.monotonic()
        while not ended.wait(EVERY):
            standing, now = standing_of(folder), time.monotonic()
            if standing and standing != told:
                tell(standing["text"])
                since = last = now
            elif now - last >= patience:
                far = f"{standing['text']}; " if standing else ""
                tell(f"{far}still at work, nothing new for {now - since:.0f} s")
                last = now
            told = standing

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
