"""A grader believes what was sent, and nothing that a report says of itself."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from loyalty_helpers import training
from loyalty_helpers.errors import ParameterError
from loyalty_helpers.training.grade import COLUMNS

ANA, BEN = "+12125550142", "+14155550142"


def stamp(lesson, number):
    lesson.stamp("phone", lesson.client.find_account(phone_number=number))
    lesson.check("phone")


@pytest.fixture
def report(tmp_path):
    """Writes a learner's report, and gives it back to be forged."""

    def write(name="Kim"):
        file = tmp_path / "reports" / f"{name}.json"
        training.write_report(file, name)
        return json.loads(file.read_text())

    return write


def graded(tmp_path: Path, *reports):
    for n, value in enumerate(reports):
        (tmp_path / "reports" / f"{n}.json").write_text(json.dumps(value))
    return training.grade(tmp_path / "reports")


def row(found, exercise="phone"):
    [one] = [dict(zip(COLUMNS, row, strict=True)) for row in found.rows if row[2] == exercise]
    return one


def test_who_passed_is_passed(begin, report, tmp_path):
    stamp(begin(), ANA)
    report()

    assert "yes" == row(training.grade(tmp_path / "reports"))["passed"]


def test_every_solution_of_every_lesson_is_passed_when_it_is_replayed(begin, report, tmp_path):
    for name in training.LESSONS:
        lesson = begin(name)
        for exercise in training.find_plan(name).exercises:
            exercise.solve(lesson)
            lesson.trouble()
    report()
    found = training.grade(tmp_path / "reports")

    assert {"yes"} == {passed for _, _, _, passed, *_ in found.rows}


def test_a_replayed_world_has_the_learners_events(begin, report, tmp_path):
    lesson = begin("05_network")
    for exercise in training.find_plan("05_network").exercises:
        exercise.solve(lesson)
    entries, seed = lesson.world.entries, lesson.world.seed
    again = type(lesson.world).replayed(tmp_path / "w", seed, lesson.plan.prepare, entries)

    assert lesson.world.events() == again.events()
    again.close()


def test_an_edited_state_file_gives_no_pass(begin, report, tmp_path):
    begin().check("phone")
    file = training.training_folder() / "progress.json"
    state = json.loads(file.read_text())
    state["lessons"] = {"01_accounts": {"phone": {"passed": True, "tries": 1, "events": ["x"]}}}
    file.write_text(json.dumps(state))
    report()
    found = row(training.grade(tmp_path / "reports"))

    assert "no" == found["passed"]
    assert "said to be passed, and the ledger does not show it" == found["remarks"]


def test_an_edited_ledger_file_gives_no_pass(begin, report, tmp_path):
    """Points that somebody wrote into the emulator's file were never sent."""
    lesson = begin()
    ana = lesson.world.quiet.find_account(phone_number=ANA)
    lesson.world.at(lesson.world.turn(0))
    lesson.world.quiet.adjust_points(ana.id, 1, reason="stamp: phone", idempotency_key="k")
    assert str(lesson.check("phone")).startswith("phone: passed")
    report()

    assert "no" == row(training.grade(tmp_path / "reports"))["passed"]


def test_an_edited_variable_gives_no_pass(begin, report, tmp_path):
    """In the learner's own kernel the checker says what they made it say."""
    lesson = begin()
    easy = replace(lesson.plan.exercise("phone"), right=lambda seen: True, mistakes={})
    lesson.plan = replace(lesson.plan, exercises=(easy,))
    stamp(lesson, BEN)
    assert str(lesson.check("phone")).startswith("phone: passed")
    report()

    assert "no" == row(training.grade(tmp_path / "reports"))["passed"]


def test_another_name_of_a_checker_gives_no_pass(begin, report, tmp_path):
    stamp(begin(), BEN)
    forged = report()
    sent = forged["sent"].pop("01_accounts")
    known = forged["state"]["lessons"].pop("01_accounts")
    known["phone"] |= {"passed": True, "made_for": "ffffffff"}
    forged["sent"]["always_right"] = forged["sent"]["02_adjusting"] = sent
    forged["state"]["lessons"]["always_right"] = known
    (tmp_path / "reports" / "Kim.json").unlink()

    assert "yes" not in {passed for _, _, _, passed, *_ in graded(tmp_path, forged).rows}


def test_another_version_of_the_checker_is_told(begin, report, tmp_path):
    stamp(begin(), ANA)
    old = report()
    old["state"]["lessons"]["01_accounts"]["phone"]["made_for"] = "ffffffff"
    (tmp_path / "reports" / "Kim.json").unlink()

    assert "done with another version of the checker" == row(graded(tmp_path, old))["remarks"]


@pytest.mark.parametrize(
    "forged",
    [
        {"sent": {"01_accounts": [{"method": "POST"}]}},
        {"sent": {"01_accounts": [{"days": 10**9}]}},
        {"sent": {"01_accounts": [{"days": -1}]}},
        {"sent": {"01_accounts": 7}},
        {"sent": {"01_accounts": [{}] * 20_001}},
        {"sent": None},
        {"state": {}},
        {"format": 2},
    ],
)
def test_a_report_that_is_none_is_told_and_the_others_are_graded(begin, report, tmp_path, forged):
    stamp(begin(), ANA)
    found = graded(tmp_path, report() | forged)

    assert "yes" == row(found)["passed"]
    assert 1 == len(found.unread)
    assert found.unread[0].startswith("not graded: 0.json: ")


def test_a_request_that_there_is_not_changes_nothing(begin, report, tmp_path):
    stamp(begin(), ANA)
    odd = report()
    entry = {"method": "GET\n", "path": "http://127.0.0.1:1/v2", "body": "{}"}
    odd["sent"]["01_accounts"].append(entry)
    (tmp_path / "reports" / "Kim.json").unlink()

    assert "yes" == row(graded(tmp_path, odd))["passed"]


def test_a_folder_without_reports_is_refused(tmp_path):
    with pytest.raises(ParameterError, match=r"holds no reports.*training report"):
        training.grade(tmp_path)


def test_the_trainer_sees_what_most_learners_got_wrong(begin, report, tmp_path):
    lesson = begin()
    stamp(lesson, BEN)
    stamp(lesson, ANA)
    report("Kim")
    report("Lou")

    found = training.grade(tmp_path / "reports")
    assert [("01_accounts phone: lookalike", 2)] == found.often_wrong
    assert "2 x 01_accounts phone: lookalike" in str(found)


def test_progress_says_what_is_next(begin):
    lesson = begin()
    for exercise in lesson.plan.exercises[1:]:
        exercise.solve(lesson)
        lesson.check(exercise.name)

    assert "  01_accounts   " in str(training.progress())
    assert "next: 02_adjusting" in str(training.progress())


def test_the_placement_exercise_stands_for_its_lesson(begin):
    lesson = begin()
    lesson.plan.exercise("placement").solve(lesson)
    lesson.check("placement")

    assert "next: 02_adjusting" in str(training.progress())
