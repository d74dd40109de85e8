"""Each lesson as handed out, with each typical mistake, and with the solutions."""

import re
from pathlib import Path

import pytest

from loyalty_helpers.training import LESSONS, check_lesson, find_plan
from tests.training.conftest import code_cells, exercise_cells, run_through, texts

EXERCISES = [(lesson, exercise) for lesson in LESSONS for exercise in find_plan(lesson).exercises]
RUNS = {lesson: [pytest.mark.slow] * find_plan(lesson).runs for lesson in LESSONS}  # with threads
EACH = [pytest.param(lesson, marks=marks) for lesson, marks in RUNS.items()]
MISTAKES = [
    pytest.param(lesson, exercise, name, id=f"{lesson}-{exercise.name}-{name}", marks=RUNS[lesson])
    for lesson, exercise in EXERCISES
    for name in exercise.mistakes
]
PASS = re.compile(r"\w+: passed\n")


@pytest.mark.parametrize("lesson", LESSONS)
def test_as_handed_out_nothing_fails_and_nothing_is_attempted(lesson: str) -> None:
    told = run_through(lesson, {})

    assert {f"{e.name}: not attempted" for e in find_plan(lesson).exercises} == {
        text.splitlines()[0] for text in told.values()
    }
    assert [] == [text for text in told.values() if "seen elsewhere" in text]


@pytest.mark.parametrize("lesson", EACH)
def test_with_the_solutions_every_check_passes(lesson: str) -> None:
    told = run_through(lesson, {e.name: e.solution for e in find_plan(lesson).exercises})

    assert [] == [text for text in told.values() if not PASS.match(text)]


@pytest.mark.parametrize(("lesson", "exercise", "mistake"), MISTAKES)
def test_each_typical_mistake_has_its_own_feedback_and_no_pass(lesson, exercise, mistake) -> None:
    made = exercise.mistakes[mistake]
    do = f"from loyalty_helpers.training import find_plan\nfind_plan({lesson!r}).exercise("
    do += f"{exercise.name!r}).mistakes[{mistake!r}].do(lesson)"
    told = run_through(lesson, {exercise.name: do}, exercise.name)[exercise.name]

    assert told.startswith(f"{exercise.name}: wrong\n")
    assert told.endswith(f"\n  {made.told}")


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_two_mistakes_of_an_exercise_have_the_same_feedback(lesson: str) -> None:
    for exercise in find_plan(lesson).exercises:
        texts = [mistake.told for mistake in exercise.mistakes.values()]
        assert len(set(texts)) == len(texts) >= 1


@pytest.mark.parametrize("lesson", EACH)
def test_a_writer_finds_nothing_to_complain_of(lesson: str) -> None:
    assert [] == check_lesson(lesson)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_notebook_asks_for_its_exercises_in_order_the_placement_first(lesson: str) -> None:
    names = [exercise.name for exercise in find_plan(lesson).exercises]

    assert names == list(exercise_cells(lesson))
    assert names[0] == "placement" or lesson == LESSONS[-1]  # which places for all of them
    assert 3 <= len(names) <= 6


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_notebook_names_the_checker_that_it_was_written_for(lesson: str) -> None:
    setup = code_cells(lesson)[1]["source"]
    plan = find_plan(lesson)

    assert f'begin("{lesson}", environment, made_for="{plan.made_for}")' in setup


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_cell_that_a_learner_changes_says_so(lesson: str) -> None:
    assert [] == [s for s in exercise_cells(lesson).values() if not s.startswith("# YOUR CELL: ")]


@pytest.mark.parametrize(("lesson", "exercise"), EXERCISES, ids=lambda it: getattr(it, "name", it))
def test_the_task_in_the_notebook_is_not_another_one(lesson, exercise) -> None:
    """The same tickets and numbers stand in the text above the cell and in the task."""
    text = " ".join(texts(lesson))
    facts = re.findall(r"\+\d{11}|ticket \d+|\b[A-Z0-9]{26}\b", exercise.task)

    assert [] == [fact for fact in facts if fact not in text]


def test_the_page_for_trainers_lists_each_lesson() -> None:
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    rows = re.findall(r"\| \[(\w+)\]\(\S+\) \| (\d+) \| (.*) \|", page)
    plans = [(lesson, find_plan(lesson)) for lesson in LESSONS]

    assert rows == [(n, str(p.minutes), p.title[0].lower() + p.title[1:]) for n, p in plans]
