"""The incident: another one for each learner, the same one for the same seed."""

from collections import Counter
from contextlib import closing

import pytest

from loyalty_helpers.training import find_plan
from loyalty_helpers.training.lesson import Lesson
from loyalty_helpers.training.state import Progress

PLAN = find_plan("08_incident")
SEEDS = range(12)


@pytest.fixture
def of_seed(tmp_path):
    """Opens the incident of a seed; each time in a new folder."""
    opened = []

    def open_one(seed):
        progress = Progress(tmp_path / str(len(opened)), seed)
        opened.append(Lesson("08_incident", PLAN, progress))
        return opened[-1]

    yield open_one
    for lesson in opened:
        lesson.world.close()


def evening(lesson):
    found = lesson.world.quiet.search_events(types=["ADJUST_POINTS"])
    return [
        (event.loyalty_account_id, event.points, event.reason)
        for event in found
        if event.reason.startswith("Late order, ticket")
    ]


def test_the_same_seed_gives_the_same_incident(of_seed):
    assert evening(of_seed(7)) == evening(of_seed(7))


def test_another_seed_gives_another_incident(of_seed):
    assert evening(of_seed(7)) != evening(of_seed(8))


@pytest.mark.parametrize("seed", SEEDS)
def test_four_buyers_have_one_ticket_twice_and_three_have_two(of_seed, seed):
    credits_given = evening(of_seed(seed))
    same = [what for what, times in Counter(credits_given).items() if times == 2]
    buyers = Counter(account for account, *_ in credits_given)

    assert (23, 4) == (len(credits_given), len(same))
    assert 7 == len([account for account, times in buyers.items() if times == 2])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_solution_solves_the_incident_of_each_seed(of_seed, seed):
    lesson = of_seed(seed)
    for exercise in PLAN.exercises:
        exercise.solve(lesson)

    assert [e.name for e in PLAN.exercises] == lesson.passed


def test_the_score_tells_what_was_found_touched_and_left(of_seed):
    lesson = of_seed(1)
    PLAN.exercise("corrected").mistakes["left over"].do(lesson)
    once = next(a for a, times in Counter(a for a, *_ in evening(lesson)).items() if times == 1)
    lesson.client.adjust_points(once, -1, reason="A guess", idempotency_key="guess")
    told = str(lesson.check("corrected"))

    assert "score     found 3 of 4, wrongly touched 1, left over 1; first request after 0 " in told


def test_what_was_touched_wrongly_and_given_back_is_touched_no_more(of_seed):
    lesson = of_seed(1)
    with closing(lesson.world):
        PLAN.exercise("corrected").solve(lesson)
        stranger = lesson.client.find_account(phone_number="+14155550101")
        for points in (-1, 1):
            key = f"guess{points}"
            lesson.client.adjust_points(stranger.id, points, reason="A", idempotency_key=key)

        assert "wrongly touched 0" in str(lesson.check("corrected"))
