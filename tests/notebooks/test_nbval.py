"""nbval really compares: the saved outputs hold what the recordings say, and nothing else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from loyalty_helpers.settings import NOTEBOOKS, RECORDINGS

pytestmark = pytest.mark.slow


def nbval(recordings: Path, notebook: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "--color=no"]
    return subprocess.run(
        [*command, "--rootdir", str(notebook.parent), str(notebook)],
        env=os.environ | {"LOYALTY_ENVIRONMENT": "recorded", "LOYALTY_RECORDINGS": str(recordings)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RECORDINGS, tmp_path / "recordings"))


def test_one_changed_number_in_a_recording_fails(recordings: Path) -> None:
    changed = recordings / "03_retrieve_account.json"
    text = changed.read_text(encoding="utf-8")
    assert '"lifetime_points": 0' in text
    changed.write_text(text.replace('"lifetime_points": 0', '"lifetime_points": 1'))

    result = nbval(recordings, NOTEBOOKS / "03_retrieve_account.ipynb")

    assert result.returncode == 1
    assert "Cell outputs differ" in result.stdout


def test_one_changed_number_in_a_saved_output_fails(recordings: Path, tmp_path: Path) -> None:
    notebook = tmp_path / "03_retrieve_account.ipynb"
    value = json.loads((NOTEBOOKS / notebook.name).read_text(encoding="utf-8"))
    data = value["cells"][-2]["outputs"][0]["data"]
    data["text/plain"] = [line.replace("0 events", "1 events") for line in data["text/plain"]]
    notebook.write_text(json.dumps(value))

    result = nbval(recordings, notebook)

    assert result.returncode == 1
    assert "sum of 1 events" in result.stdout


def test_no_output_is_exempt_from_the_comparison() -> None:
    marks = ("NBVAL_IGNORE_OUTPUT", "nbval-ignore-output", "NBVAL_SKIP", "nbval-skip")
    for path in NOTEBOOKS.rglob("*.ipynb"):
        assert not [mark for mark in marks if mark in path.read_text(encoding="utf-8")]
