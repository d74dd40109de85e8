"""Each case runs on the emulator, on its recording if it has one, and on the Sandbox if wanted.

The Sandbox takes SQUARE_ACCESS_TOKEN and LOYALTY_TEST_SANDBOX=1. Recordings are made anew with
LOYALTY_RECORD_CONTRACT=1: cases that run on the emulator then write theirs.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sitecustomize

from loyalty_helpers.settings import SQUARE_HOSTS

from .place import LOCAL, RECORDED, SANDBOX, Door, Place, local, recorded, sandbox

RECORDINGS = Path(__file__).parent / "recordings"
DOOR = Door.of_environment()
RECORD = os.environ.get("LOYALTY_RECORD_CONTRACT") == "1"


def recording_of(function: str) -> Path:
    return RECORDINGS / f"{function.removeprefix('test_')}.json"


def places_of(function: str) -> list[str]:
    """Where a case runs."""
    is_recorded = not RECORD and recording_of(function).exists()
    return [LOCAL, *[RECORDED] * is_recorded, *[SANDBOX] * DOOR.open]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "place" in metafunc.fixturenames:
        metafunc.parametrize("place", places_of(metafunc.function.__name__), indirect=True)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    path = recording_of(request.function.__name__)
    with ExitStack() as stack:
        if request.param == RECORDED:
            yield stack.enter_context(recorded(path))
        elif request.param == SANDBOX:
            host = SQUARE_HOSTS[SANDBOX].removeprefix("https://")
            stack.enter_context(sitecustomize.open_to(host))
            yield stack.enter_context(sandbox(DOOR))
        else:
            yield stack.enter_context(local(tmp_path, path if RECORD else None))
