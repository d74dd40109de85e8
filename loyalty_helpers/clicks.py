"""What a page under Voila may not do by itself: there every cell runs as soon as it is opened."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from loyalty_helpers.errors import ProductionGuardError, SettingsError

SERVER = "SERVER_SOFTWARE"  # what a kernel of Voila finds there begins with its name
PAGES = "LOYALTY_PAGES"  # the environment that `loyalty app` was started with by name
NOT_NAMED = (
    "environment 'production' is Square's real one, and these pages were not started for it: a "
    "setting that lies around is not enough. Start them with `loyalty app --environment "
    "production` (or `make app ENVIRONMENT=production`), or set LOYALTY_ENVIRONMENT to 'local' or "
    "'sandbox'. Nothing was asked of Square."
)


class _Pressed:
    """How many buttons work at this moment. For the whole process: threads of theirs write too."""

    def __init__(self) -> None:
        self._lock, self.buttons = Lock(), 0

    def add(self, number: int) -> None:
        with self._lock:
            self.buttons += number


_pressed = _Pressed()


@contextmanager
def clicked() -> Iterator[None]:
    """What is done inside is done because a person pressed a button."""
    _pressed.add(1)
    try:
        yield
    finally:
        _pressed.add(-1)


def under_voila() -> bool:
    """Whether this process is the kernel of a page that Voila serves."""
    return os.environ.get(SERVER, "").startswith("voila/")


def check_click() -> None:
    """Raise SettingsError for a write under Voila that no person asked for."""
    if under_voila() and not _pressed.buttons:
        raise SettingsError(
            "this page was about to change something although nobody pressed a button: on a page, "
            "cells run by themselves when it is opened. Nothing was changed. Write from a button, "
            "and give a cell that writes the tag 'writes', which `loyalty app` leaves out."
        )


def check_page(environment: str) -> None:
    """Raise ProductionGuardError for a page of production that was not started by that name."""
    if environment == "production" and under_voila() and os.environ.get(PAGES) != environment:
        raise ProductionGuardError(NOT_NAMED)
