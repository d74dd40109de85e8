"""What every test has: the network shut, no settings from outside, a home of its own."""

import os
import signal
import sqlite3
import sys
import warnings
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings

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
