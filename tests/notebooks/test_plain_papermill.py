"""A notebook needs nothing of ours around it: papermill alone runs it from any folder."""

import json
import subprocess
import sys
from pathlib import Path

from loyalty_helpers.rendering import VERIFICATION_MIME
from loyalty_helpers.settings import NOTEBOOKS


def test_papermill_runs_02_from_another_folder(tmp_path: Path) -> None:
    out = tmp_path / "out.ipynb"
    command = [sys.executable, "-m", "papermill", str(NOTEBOOKS / "02_adjust_points.ipynb")]
    options = ["-p", "points", "7", "-p", "run_id", "by-papermill", "--no-progress-bar"]
    subprocess.run([*command, str(out), *options], check=True, capture_output=True)

    last = [c for c in json.loads(out.read_text())["cells"] if c["cell_type"] == "code"][-1]
    facts = last["outputs"][0]["data"][VERIFICATION_MIME]
    assert (True, 0, 7) == (facts["verified"], facts["balance_before"], facts["balance_after"])
