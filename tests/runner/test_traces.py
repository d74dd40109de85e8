"""What a run was given is nowhere but in its own folder: no history, no list of processes."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import COMMAND, edited, run

pytestmark = pytest.mark.slow

PHONE = "+14155550177"
CANARY = "canary-3f9b"
REASON = f"{CANARY} asked"
WAITING = "pathlib.Path('reached').write_text(str(os.getpid())); time.sleep(60)"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, with a folder for temporary files; the emulator keeps its own elsewhere."""
    folder = tmp_path / "user"
    (folder / "tmp").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder / "tmp"))
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return folder


def traces(folder: Path, *texts: str) -> list[str]:
    """The files that hold one of these texts, or the phone number that the run was given."""
    secrets = [text.encode() for text in (PHONE[1:], *texts)]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(s in path.read_bytes() for s in secrets)]


def test_a_run_leaves_nothing_of_its_parameters_in_the_home(home: Path) -> None:
    result = run("02_adjust_points", "account_id", "1beb38f9-54de-4cb6-8121-718bDexample")
    assert 0 == result.returncode
    run("02_adjust_points", "phone_number", PHONE, "reason", REASON, "run_id", "r2")

    assert [] == traces(home, CANARY)
    assert [] == [path.name for path in home.rglob("*.sqlite*")]
    assert [] == list((home / "tmp").iterdir())
    assert [] == list(home.rglob("kernel-*.json"))


@pytest.fixture
def waiting(tmp_path: Path, home: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A run that got its parameters on standard input and is in the middle, and its kernel."""
    notebook = edited(
        tmp_path,
        "02_adjust_points",
        lambda cell: f"import os, pathlib, time; {WAITING}" if "connect" in cell else cell,
    )
    with subprocess.Popen(
        [COMMAND, "run", str(notebook), "--parameters", "-"],
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        process.stdin.write(json.dumps({"phone_number": PHONE, "reason": REASON}))
        process.stdin.close()
        reached = notebook.parent / "reached"
        while not (reached.exists() and reached.read_text()):
            assert process.poll() is None, "the run ended before it was reached"
            time.sleep(0.05)  # a real run of a real kernel: it is waited for
        kernel = int(reached.read_text())
        yield process, kernel
        for pid in (process.pid, kernel):
            if Path("/proc", str(pid)).exists():
                os.kill(pid, signal.SIGKILL)


def test_parameters_from_standard_input_are_in_no_list_of_processes(
    waiting: tuple[subprocess.Popen[str], int],
) -> None:
    process, kernel = waiting
    listed = [
        Path("/proc", str(pid), name).read_bytes()
        for pid in (process.pid, kernel)
        for name in ("cmdline", "environ")
    ]

    assert not any(text.encode() in found for text in (CANARY, PHONE[1:]) for found in listed)


def test_a_run_that_is_killed_leaves_nothing_of_its_parameters(
    waiting: tuple[subprocess.Popen[str], int], home: Path
) -> None:
    process, kernel = waiting
    os.kill(process.pid, signal.SIGKILL)
    os.kill(kernel, signal.SIGKILL)
    process.wait(10)

    assert [] == traces(home, CANARY)
    assert [] == traces(Path("runs"))
    assert [] == list(home.rglob("kernel-*.json"))
