"""A notebook needs nothing of ours around it: papermill alone runs it from any folder."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from loyalty_helpers import connect
from loyalty_helpers.records.show import VERIFICATION_MIME
from loyalty_helpers.settings import NOTEBOOKS

pytestmark = pytest.mark.slow

WALKTHROUGH = "1beb38f9-54de-4cb6-8121-718bDexample"


def test_papermill_runs_02_from_another_folder(tmp_path: Path) -> None:
    out = tmp_path / "out.ipynb"
    command = [sys.executable, "-m", "papermill", str(NOTEBOOKS / "02_adjust_points.ipynb")]
    options = ["-p", "points", "7", "-p", "run_id", "by-papermill", "--no-progress-bar"]
    subprocess.run([*command, str(out), *options], check=True, capture_output=True)

    last = [c for c in json.loads(out.read_text())["cells"] if c["cell_type"] == "code"][-1]
    facts = last["outputs"][0]["data"][VERIFICATION_MIME]
    assert (True, 0, 7) == (facts["verified"], facts["balance_before"], facts["balance_after"])


def papermill(notebook: str, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "papermill", str(NOTEBOOKS / f"{notebook}.ipynb"), str(out)]
    return subprocess.run(
        [*command, *options, "--no-progress-bar"], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("notebook", "name", "meant"),
    [
        ("02_adjust_points", "pionts", " (did you mean points?)"),
        ("02_adjust_points", "dry_run", ""),
        ("runbooks/adjust_points", "dryrun", " (did you mean dry_run?)"),
    ],
)
def test_a_parameter_that_a_notebook_does_not_have_stops_it_before_anything_is_done(
    tmp_path: Path, notebook: str, name: str, meant: str
) -> None:
    result = papermill(notebook, tmp_path / "out.ipynb", "-p", name, "1", "-p", "run_id", "r")

    told = f"ParameterError: {name}: there is no such parameter{meant}\nallowed: environment, "
    assert (1, True) == (result.returncode, told in result.stderr), result.stderr[-2000:]
    assert not Path(tmp_path, "home").exists()


@pytest.mark.parametrize("notebook", ["02_adjust_points", "05_accumulate_from_order"])
def test_another_buyer_under_a_used_run_id_stops_before_anything_is_sent(
    tmp_path: Path, notebook: str
) -> None:
    out = tmp_path / "out.ipynb"
    first = papermill(notebook, out, "-p", "run_id", "r")
    with connect("local") as client:
        before = [account.balance for account in client.search_accounts()]
        other = next(a for a in client.search_accounts() if a.id != WALKTHROUGH)
    options = ["-p", "phone_number", "", "-p", "account_id", other.id]
    result = papermill(notebook, out, "-p", "run_id", "r", *options)

    told = f"RunIdTakenError: run id 'r' stands for account_id {WALKTHROUGH}"
    assert (0, 1) == (first.returncode, result.returncode)
    assert told in result.stderr
    with connect("local") as client:
        assert before == [account.balance for account in client.search_accounts()]
