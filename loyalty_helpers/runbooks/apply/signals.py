"""Ctrl-C and SIGTERM stop a run at the border of rows."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

STOPS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible(interrupt: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM only say so meanwhile, so that a step is not cut in its middle.

    The second one interrupts at once, for who does not want to wait for an answer that is slow.
    """

    def first(*_: object) -> None:
        for number in STOPS:
            signal.signal(number, signal.default_int_handler)
        interrupt()

    with handled(first, *STOPS):
        yield


@contextmanager
def handled(handler: Any = signal.default_int_handler, *numbers: int) -> Iterator[None]:
    """These signals (SIGTERM, if none is named) do meanwhile what the handler does, or Ctrl-C."""
    before = {}
    with suppress(ValueError):  # signals reach the main thread alone, and any other is refused
        for number in numbers or (signal.SIGTERM,):
            before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
