"""What is told while a notebook runs, from outside of its kernel."""

import json
import time
from pathlib import Path

import pytest

from loyalty_helpers.runbooks.apply.progress import PROGRESS
from loyalty_helpers.runner import watching


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "EVERY", 0.01)


def heard(folder: Path) -> list[str]:
    lines: list[str] = []
    with watching.watched(folder, lines.append, patience=0.05):
        deadline = time.monotonic() + 10
        while len(lines) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    return lines


@pytest.mark.usefixtures("impatient")
def test_a_run_that_waits_says_so_again_and_again(tmp_path: Path) -> None:
    (tmp_path / PROGRESS).write_text(json.dumps({"done": 3, "rows": 9, "text": "3 of 9 rows"}))

    lines = heard(tmp_path)
    assert len(lines) >= 2
    assert all(line.startswith("3 of 9 rows; still at work, nothing new for") for line in lines)


@pytest.mark.usefixtures("impatient")
def test_a_run_without_any_progress_yet_says_so_as_well(tmp_path: Path) -> None:
    assert heard(tmp_path)[0].startswith("still at work, nothing new for")
