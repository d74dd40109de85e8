"""A refusal changes nothing: what an earlier run left stays as it is, byte for byte."""

from pathlib import Path

import pytest

from tests.commands import Left, digest_in, edited, files_in, receipt, run

pytestmark = pytest.mark.slow

OTHER = "+14155550101"


@pytest.fixture
def applied(tmp_path: Path, left_by: Left) -> Path:
    """The folder of a run that has been verified."""
    one = "run adjust_points -p run_id t1 -p dry_run false -p approved_by me"
    assert 0 == left_by(one).returncode
    return tmp_path / "runs" / "t1"


def test_another_intent_under_a_used_run_id_leaves_the_earlier_run_as_it_was(applied: Path) -> None:
    before = files_in(applied)
    refused = run("adjust_points", "run_id", "t1", "dry_run", "false", "phone_number", OTHER)

    assert 1 == refused.returncode
    assert "stands for another intent" in refused.stderr
    assert before == files_in(applied)


def test_such_a_refusal_names_no_report_and_says_what_it_left(applied: Path) -> None:
    refused = run("adjust_points", "run_id", "t1", "dry_run", "false", "phone_number", OTHER)

    assert "report" not in refused.stderr
    assert "to go on" not in refused.stderr
    assert f"what an earlier run left in {applied} is as it was" in refused.stderr
    assert refused.stderr.endswith("environment local\n")


@pytest.mark.parametrize("words", [(), ("approved_plan",)])
def test_planning_anew_what_was_applied_is_refused_before_a_kernel_starts(
    applied: Path, words: tuple[str, ...]
) -> None:
    given = [*words, receipt("t1")["plan"][:12]] if words else []
    before = files_in(applied)
    refused = run("adjust_points", "run_id", "t1", *given)

    assert 2 == refused.returncode
    assert "has been applied" in refused.stderr
    assert before == files_in(applied)


def test_the_same_intent_again_is_no_refusal(applied: Path) -> None:
    again = run("adjust_points", "run_id", "t1", "dry_run", "false")

    assert 0 == again.returncode
    assert (applied / "earlier" / "1" / "receipt.json").exists()


def test_a_file_with_problems_leaves_the_earlier_plan_and_tells_them_beside_it(
    tmp_path: Path, left_by: Left
) -> None:
    left_by("run bulk_adjust")
    folder = tmp_path / "runs" / "example-bulk"
    before = files_in(folder)
    Path("bad.csv").write_text("account_id,points,reason\nx,none,why\n")
    refused = run("bulk_adjust", "adjustments_file", "bad.csv")
    after = files_in(folder)

    assert 1 == refused.returncode
    assert before == {name: after[name] for name in before}
    assert set(after) - set(before) <= {"problems.csv"}


def test_the_plan_of_another_runbook_is_refused_before_a_kernel_starts(applied: Path) -> None:
    before = files_in(applied)
    refused = run("bulk_adjust", "run_id", "t1", "approved_plan", receipt("t1")["plan"][:12])

    assert (2, before) == (refused.returncode, files_in(applied))
    assert "is one of adjust_points, not of bulk_adjust" in refused.stderr


def test_a_damaged_plan_is_told_and_nothing_is_moved(applied: Path) -> None:
    (applied / "plan.json").write_text("{}")
    before = files_in(applied)
    refused = run("adjust_points", "run_id", "t1", "dry_run", "false")

    assert 1 == refused.returncode
    assert "is not as it was written" in refused.stderr
    assert before == files_in(applied)


def test_what_still_earlier_runs_left_stays_numbered(applied: Path) -> None:
    run("adjust_points", "run_id", "t1", "dry_run", "false")
    before = files_in(applied)
    run("adjust_points", "run_id", "t1", "dry_run", "false", "points", "13")

    assert before == files_in(applied)
    assert "earlier/1/receipt.json" in before


def test_a_refusal_without_an_earlier_run_is_in_a_receipt_of_its_own() -> None:
    Path("bad.csv").write_text("account_id,points,reason\nx,none,why\n")
    refused = run("bulk_adjust", "adjustments_file", "bad.csv")

    assert 1 == refused.returncode
    assert "report: " in refused.stderr
    assert ("failed", True) == (
        receipt("example-bulk")["status"],
        "PlanError" in receipt("example-bulk")["error"],
    )


def test_a_refusal_after_something_was_done_is_a_run_of_its_own(
    tmp_path: Path, left_by: Left
) -> None:
    """The earlier plan is replaced by then: a receipt of it would be of another plan."""
    left_by("run bulk_adjust")
    late = "raise __import__('loyalty_helpers.errors').errors.PlanError('too late')"
    notebook = edited(tmp_path, "bulk_adjust", lambda cell: late if "run.apply" in cell else cell)
    refused = run(notebook)

    assert 1 == refused.returncode
    assert "PlanError: too late" in receipt("example-bulk")["error"]
    assert (tmp_path / "runs/example-bulk/earlier/1/receipt.json").exists()


def test_an_error_that_refuses_nothing_is_a_run_of_its_own(applied: Path) -> None:
    failed = run(
        "adjust_points", "run_id", "t1", "dry_run", "false", "phone_number", "+12125550199"
    )

    assert 1 == failed.returncode
    assert "failed" == receipt("t1")["status"]


def test_the_intent_of_a_walkthrough_is_kept_in_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "walkthrough-2"
    folder.mkdir(parents=True)
    (folder / "intent.json").write_text("{}")
    (folder / "receipt.json").write_text("{}")
    run("02_adjust_points")

    assert (folder / "intent.json").exists()
    assert (folder / "earlier" / "1" / "receipt.json").exists()


def test_a_journal_that_is_damaged_is_told_and_nothing_is_moved(applied: Path) -> None:
    (applied / "journal.sqlite3").write_text("this is no database, and longer than a header is")
    before = files_in(applied)
    refused = run("adjust_points", "run_id", "t1", "dry_run", "false")

    assert (2, before) == (refused.returncode, files_in(applied))
    assert "is damaged" in refused.stderr


def test_a_journal_that_was_never_begun_stops_no_run(left_by: Left) -> None:
    digest = digest_in(left_by("run bulk_adjust"))
    Path("runs", "example-bulk", "journal.sqlite3").touch()
    result = run("bulk_adjust", "approved_plan", digest)

    assert 0 == result.returncode, result.stderr
