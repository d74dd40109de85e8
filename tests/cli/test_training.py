"""`loyalty training`, as it is typed."""

from pathlib import Path

import pytest

from loyalty_helpers import training
from tests.commands import loyalty

pytestmark = pytest.mark.slow


@pytest.fixture
def passed_one() -> None:
    lesson = training.begin("01_accounts")
    lesson.plan.exercise("phone").solve(lesson)
    lesson.check("phone")
    lesson.world.close()


def test_list_tells_what_is_passed_and_what_is_next(passed_one) -> None:
    result = loyalty("training", "list")

    assert 0 == result.returncode
    assert "1 of 5" in result.stdout
    assert "next: 01_accounts" in result.stdout


def test_a_report_is_graded_into_a_table_and_csv(passed_one, tmp_path: Path) -> None:
    """A name that a spreadsheet would compute is none there."""
    written = loyalty("training", "report", "--name", "=1+1", "--out", "reports/kim.json")
    graded = loyalty("training", "grade", "reports", "--csv", "table.csv")

    assert "written: reports/kim.json: give it to your trainer\n" == written.stdout
    assert (0, True) == (graded.returncode, "=1+1" in graded.stdout)
    assert "'=1+1,01_accounts,phone,yes,1," in (tmp_path / "table.csv").read_text()


def test_a_report_that_cannot_be_read_is_told_by_the_exit_code(tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text("{")
    result = loyalty("training", "grade", ".")

    assert (1, True) == (result.returncode, "not graded: odd.json" in result.stdout)


def test_reset_of_one_lesson_leaves_the_others(passed_one) -> None:
    result = loyalty("training", "reset", "01_accounts")

    assert (0, True) == (result.returncode, result.stdout.startswith("reset: 01_accounts in "))
    assert not (training.training_folder() / "01_accounts").exists()
    assert (training.training_folder() / "progress.json").exists()


def test_reset_of_everything_leaves_nothing(passed_one) -> None:
    assert 0 == loyalty("training", "reset").returncode
    assert not training.training_folder().exists()


def test_check_tries_a_lesson_as_its_writer() -> None:
    result = loyalty("training", "check", "01_accounts")

    assert "01_accounts: every mistake is told, and every solution passes\n" == result.stdout


def test_a_lesson_that_there_is_not_is_refused() -> None:
    result = loyalty("training", "reset", "99_nothing")

    assert (2, True) == (result.returncode, "there is no lesson '99_nothing'" in result.stderr)
