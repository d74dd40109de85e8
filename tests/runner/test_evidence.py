"""Success comes from plan, journal and ledger, whatever the cells of a notebook showed."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from loyalty_helpers.runner import Notebook, notebooks
from loyalty_helpers.runner.evidence import READ_ONLY
from loyalty_helpers.settings import NOTEBOOKS, RECORDINGS
from tests.commands import Left, digest_in, edited, loyalty, receipt, run
from tests.runbooks.harness import served

pytestmark = pytest.mark.slow

Edit = Callable[[str], str]
APPLIED = ("run bulk_adjust", "run bulk_adjust -p approved_plan DIGEST")

SWALLOWING = """
try:
    done = run.apply(canary=canary, max_errors=max_errors)
except Exception:
    pass
"""
# What a cell would have shown if all had gone well.
CLAIM = """
from IPython.display import publish_display_data
facts = {"verified": True, "summary": "verified: all is well"}
publish_display_data({"application/vnd.loyalty.verification+json": facts, "text/plain": "good"})
"""


def dropped(cell: str) -> str:
    """The cell; nothing of it if it verifies, draws or asserts."""
    return "" if "run.verify" in cell or "verified" in cell else cell


def claims(cell: str) -> str:
    """The cell; in the place of one that verifies, a claim that all is well."""
    return CLAIM if "run.verify" in cell else "" if "verified" in cell else cell


@pytest.fixture
def planned(left_by: Left) -> str:
    """The digest of a plan that has been made."""
    return digest_in(left_by("run bulk_adjust"))


@pytest.mark.parametrize("rest", [dropped, claims])
def test_a_notebook_that_swallows_the_stop_is_not_verified(tmp_path: Path, rest: Edit) -> None:
    def edit(cell: str) -> str:
        applies = "run.apply" in cell
        return cell.split("done =")[0] + SWALLOWING if applies else rest(cell)

    notebook = edited(tmp_path, "bulk_adjust", edit)
    with served(tmp_path / "e.sqlite3", "read-only") as url:
        digest = digest_in(run("bulk_adjust", LOYALTY_EMULATOR_URL=url))
        result = run(
            notebook, "approved_plan", digest, "approved_by", "me", LOYALTY_EMULATOR_URL=url
        )

    found = receipt("example-bulk")
    assert (1, "") == (result.returncode, result.stdout)
    assert ("failed", False) == (found["status"], found["verified"])
    assert "PLANNED" in found["rows"]
    assert "failed: bulk_adjust: NOT VERIFIED: " in result.stderr
    assert f"to go on: {found['next']}" in result.stderr


@pytest.mark.parametrize("rest", [str, claims])
def test_an_approved_plan_that_no_cell_applied_is_not_verified(
    tmp_path: Path, planned: str, rest: Edit
) -> None:
    def edit(cell: str) -> str:
        return "done = None" if "run.apply" in cell else rest(cell)

    result = run(edited(tmp_path, "bulk_adjust", edit), "approved_plan", planned)

    assert (1, "") == (result.returncode, result.stdout)
    assert "there is no journal: the notebook sent nothing" in result.stderr
    assert not receipt("example-bulk")["verified"]


def test_rows_that_were_applied_and_not_compared_are_not_verified(
    tmp_path: Path, planned: str
) -> None:
    result = run(edited(tmp_path, "bulk_adjust", claims), "approved_plan", planned)

    assert 1 == result.returncode
    told = "NOT VERIFIED: 6 APPLIED of 6 rows, and the notebook did not compare them"
    assert told in result.stderr


def test_the_verdict_of_an_earlier_run_is_not_that_of_a_later_one(
    tmp_path: Path, left_by: Left
) -> None:
    first = left_by(*APPLIED)
    digest = receipt("example-bulk")["plan"][:12]
    later = run(edited(tmp_path, "bulk_adjust", claims), "approved_plan", digest)
    again = run("bulk_adjust", "approved_plan", digest)

    assert [0, 1, 0] == [result.returncode for result in (first, later, again)]


def test_an_old_plan_does_not_bear_out_a_new_one(tmp_path: Path, left_by: Left) -> None:
    left_by("run bulk_adjust")
    notebook = edited(tmp_path, "bulk_adjust", lambda cell: CLAIM if "plan" in cell else "")
    result = run(notebook)

    assert (1, "") == (result.returncode, result.stdout)
    assert "the notebook ended without making a plan" in result.stderr


def test_a_plan_that_is_made_again_is_verified_as_the_first_time(planned: str) -> None:
    assert planned == digest_in(run("bulk_adjust"))
    assert receipt("example-bulk")["verified"]


def test_a_plan_that_is_made_from_a_recording_is_verified(tmp_path: Path) -> None:
    recordings = str(shutil.copytree(RECORDINGS, tmp_path / "recordings"))
    assert 0 == loyalty("record", "adjust_points", LOYALTY_RECORDINGS=recordings).returncode
    variables = {"LOYALTY_RECORDINGS": recordings, "LOYALTY_ENVIRONMENT": "recorded"}
    result = run("adjust_points", **variables)

    assert (0, "") == (result.returncode, result.stderr)


def test_a_reconciliation_that_wrote_nothing_is_not_verified(tmp_path: Path) -> None:
    def edit(cell: str) -> str:
        return CLAIM if "runbooks.reconcile(" in cell else "" if "reconciled" in cell else cell

    result = run(edited(tmp_path, "reconcile", edit))

    assert 1 == result.returncode
    assert "without writing differences.csv and adjustments.csv" in result.stderr


def test_a_run_that_a_reconciliation_did_not_compare_is_not_verified(
    tmp_path: Path, left_by: Left
) -> None:
    left_by(*APPLIED)

    def edit(cell: str) -> str:
        return "" if "compare_run" in cell else cell.replace("assert compared", "# ")

    result = run(edited(tmp_path, "reconcile", edit), "check_run_id", "example-bulk")

    assert 1 == result.returncode
    assert "did not compare them with the ledger" in result.stderr


def test_a_walkthrough_that_shows_no_verification_is_not_verified(tmp_path: Path) -> None:
    def edit(cell: str) -> str:
        return cell if "connect" in cell else "1"

    result = run(edited(tmp_path, "02_adjust_points", edit))

    assert 1 == result.returncode
    assert "without comparing what it did with the ledger" in result.stderr
    assert "failed" == receipt("walkthrough-2")["status"]


def test_the_notebooks_that_show_a_verification_are_those_that_have_to() -> None:
    mime = "application/vnd.loyalty.verification+json"
    showing = {path.stem for path in NOTEBOOKS.rglob("*.ipynb") if mime in path.read_text()}

    having = {path.stem for path in notebooks() if "run_id" in Notebook.read(path.stem).takes}
    assert having == showing
    assert {path.stem for path in notebooks()} - having == set(READ_ONLY)
