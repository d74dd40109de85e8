"""Tells how far a run is, from the file that its kernel keeps up to date."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from loyalty_helpers.runbooks.progress import standing_of

EVERY = 1.0  # seconds


@contextmanager
def watched(folder: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Call `tell` with every new line of progress, until the block ends."""
    ended = threading.Event()

    def watch() -> None:
        told = standing_of(folder)
        while not ended.wait(EVERY):
            standing = standing_of(folder)
            if standing and standing != told:
                tell(standing["text"])
            told = standing

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
