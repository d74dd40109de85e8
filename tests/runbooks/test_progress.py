"""Progress in a terminal: what is told after it begins on a line of its own."""

import io
import sys
from dataclasses import replace

import pytest

from loyalty_helpers.errors import RunStoppedError

from .conftest import QUICK


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stops", [False, True])
def test_the_line_of_progress_is_ended_once_whether_a_run_ends_or_stops(
    world, monkeypatch, stops: bool
) -> None:
    planned = world.plan()
    if stops:
        world.fail("read-only:path=/adjust")
    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    try:
        world.apply(planned, replace(QUICK, in_flight=1))
    except RunStoppedError:
        assert stops
    assert (True, 1) == (stream.getvalue().endswith("\n"), stream.getvalue().count("\n"))
