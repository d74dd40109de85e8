"""What every test has: the network shut, no settings from outside, a home of its own."""

import os
import shutil
import signal
import sqlite3
import sys
import warnings
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import pytest
from hypothesis import settings

from tests.commands import Result, digest_in, loyalty

# A machine that decides whether a change lands looks at the same examples each time; people,
# who run the tests more often, look at new ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

# A shell starts what runs in its background with Ctrl-C ignored, and every child would inherit
# that: the tests that press it mean a program in the foreground.
signal.signal(signal.SIGINT, signal.default_int_handler)

GUARD = Path(__file__).parent / "network_guard"
OURS = ("LOYALTY_", "SQUARE_")

# Child processes (kernels, commands) take the guard from here; this process takes it at once.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(GUARD), os.environ.get("PYTHONPATH")]))
if str(GUARD) not in sys.path:
    sys.path.insert(0, str(GUARD))
    sys.modules.pop("sitecustomize", None)
    import sitecustomize  # noqa: F401  # the audit hook stays for the life of the process


class Owned(sqlite3.Connection):
    """A connection that somebody has to close: as from Python 3.13 on, the others are told of."""

    closed = False

    def close(self) -> None:
        """Close it, as its owner does."""
        self.closed = True
        super().close()

    def __del__(self) -> None:
        if not self.closed:
            told = f"unclosed database in {self!r}"
            warnings.warn(told, ResourceWarning, stacklevel=2, source=self)


if sys.version_info < (3, 13):
    sqlite3.connect = partial(sqlite3.connect, factory=Owned)


@pytest.fixture(autouse=True)
def clean_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable and no .env of the developer reaches a test, and no test touches their home."""
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LOYALTY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LOYALTY_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("LOYALTY_ENV_FILE", os.devnull)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def run_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Result, Path]]:
    """Runs commands one after another, the first time that any test asks for them.

    In a command, DIGEST stands for that of the plan which the command before it has told of.
    """

    @cache
    def run(*commands: str) -> tuple[Result, Path]:
        folder, command = tmp_path_factory.mktemp("left"), commands[-1]
        if len(commands) > 1:
            before, earlier = run(*commands[:-1])
            shutil.copytree(earlier, folder, dirs_exist_ok=True)
            command = command.replace("DIGEST", digest_in(before) if "DIGEST" in command else "")
        place = {"LOYALTY_HOME": str(folder / "home"), "LOYALTY_RUNS": str(folder / "runs")}
        return loyalty(*command.split(), options={"cwd": folder}, **place), folder

    return run


@pytest.fixture
def left_by(run_once: Callable[..., tuple[Result, Path]], tmp_path: Path) -> Callable[..., Result]:
    """Puts what commands leave into the folder of a test, as if they had been run there.

    A kernel takes seconds to start, and many tests need what the same run has left.
    """

    def put(*commands: str) -> Result:
        result, folder = run_once(*commands)
        shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
        return result

    return put
