"""Lesson 8: a store has credited some buyers twice, and some of that was right."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import count

from loyalty_helpers.records import LoyaltyEvent
from loyalty_helpers.training.exercise import Exercise, Mistake, Seen, changed, stamped
from loyalty_helpers.training.lesson import Lesson
from loyalty_helpers.training.plan import Plan
from loyalty_helpers.training.world import START, World

ONCE, TWICE, TWO_TICKETS = 9, 4, 3  # buyers
BEGIN = START - timedelta(hours=14)  # when the store's evening began


def _evening(world: World) -> None:
    """Credits in an order that follows from the seed, as everything of it does."""
    chance, ticket = random.Random(world.seed), count(800)  # noqa: S311 - the same again is wanted
    buyers = [account.id for account in world.quiet.search_accounts()][9:]
    chosen = chance.sample(buyers, ONCE + TWICE + TWO_TICKETS)
    credited = []
    for number, buyer in enumerate(chosen):
        points, first = chance.randrange(5, 40), next(ticket)
        credited.append((buyer, points, first))
        if number >= ONCE:
            again = first if number < ONCE + TWICE else next(ticket)
            credited.append((buyer, points, again))
    chance.shuffle(credited)
    for number, (buyer, points, named) in enumerate(credited):
        world.at(BEGIN + timedelta(minutes=7 * number))
        reason = f"Late order, ticket {named}"
        world.quiet.adjust_points(buyer, points, reason=reason, idempotency_key=f"e-{number}")


def _credits(world: World) -> list[LoyaltyEvent]:
    return list(world.quiet.search_events(start_at=BEGIN, end_at=START, types=["ADJUST_POINTS"]))


def _too_much(world: World) -> dict[str, int]:
    """By account, the points that were given twice for the same ticket."""
    same = Counter((e.loyalty_account_id, e.points, e.reason) for e in _credits(world))
    return {account: points for (account, points, _), times in same.items() if times > 1}


def _both_right(world: World) -> set[str]:
    times = Counter(event.loyalty_account_id for event in _credits(world))
    return {account for account, n in times.items() if n > 1} - _too_much(world).keys()


def _deeds(events: Sequence[LoyaltyEvent]) -> list[LoyaltyEvent]:
    return [e for e in events if e.type == "ADJUST_POINTS" and not e.reason.startswith("stamp")]


def _corrected(seen: Seen) -> bool:
    return changed({a: -points for a, points in _too_much(seen.world).items()})(seen)


def _score(seen: Seen) -> str:
    wrong, net = _too_much(seen.world), {a: n for a, n in seen.net.items() if n}
    found = [account for account, points in wrong.items() if net.get(account) == -points]
    told = f"found {len(found)} of {len(wrong)}, wrongly touched {len(net.keys() - wrong.keys())}"
    minutes = seen.world.minutes
    times = f"first request after {minutes[0]:.0f} minutes, last after {minutes[-1]:.0f}"
    return f"{told}, left over {len(wrong) - len(found)}; {times}"


def _touched_right_ones(seen: Seen) -> bool:
    return any(seen.net.get(account) for account in _both_right(seen.world))


def _left_over(seen: Seen) -> bool:
    return bool(_too_much(seen.world).keys() - {a for a, n in seen.net.items() if n})


def _is_twice(seen: Seen) -> bool:
    return seen.events[-1].loyalty_account_id in _too_much(seen.world)


def _is_right(seen: Seen) -> bool:
    return seen.events[-1].loyalty_account_id in _both_right(seen.world)


def _twice(lesson: Lesson) -> None:
    from datetime import UTC, datetime

    evening = datetime(2026, 11, 1, 19, tzinfo=UTC)
    seen = set()
    for event in lesson.client.search_events(types=["ADJUST_POINTS"], start_at=evening):
        what = event.loyalty_account_id, event.reason
        if what in seen and event.reason.startswith("Late order"):
            lesson.stamp("twice", event.loyalty_account_id)
            break
        seen.add(what)


def _right(lesson: Lesson) -> None:
    from datetime import UTC, datetime

    evening = datetime(2026, 11, 1, 19, tzinfo=UTC)
    reasons: dict[str, list[str]] = {}
    for event in lesson.client.search_events(types=["ADJUST_POINTS"], start_at=evening):
        if event.reason.startswith("Late order"):
            reasons.setdefault(event.loyalty_account_id, []).append(event.reason)
    several = [a for a, named in reasons.items() if len(set(named)) == 2]
    lesson.stamp("right", several[0])


def _correct(lesson: Lesson) -> None:
    from datetime import UTC, datetime

    client, seen = lesson.client, set()
    evening = datetime(2026, 11, 1, 19, tzinfo=UTC)
    for event in list(client.search_events(types=["ADJUST_POINTS"], start_at=evening)):
        what = event.loyalty_account_id, event.reason
        if what in seen and event.reason.startswith("Late order"):
            client.adjust_points(
                event.loyalty_account_id,
                -event.points,
                reason=f"{event.reason}: credited twice",
                idempotency_key=f"back-{event.id}",
            )
        seen.add(what)


def _take_back(lesson: Lesson, accounts: Iterator[tuple[str, int]]) -> None:
    for account, points in accounts:
        lesson.client.adjust_points(
            account, -points, reason="Credited twice", idempotency_key=f"back-{account}"
        )


def _all_with_two(lesson: Lesson) -> None:
    given = {e.loyalty_account_id: e.points for e in _credits(lesson.world)}
    wanted = _both_right(lesson.world) | _too_much(lesson.world).keys()
    _take_back(lesson, ((account, given[account]) for account in sorted(wanted)))


def _all_but_one(lesson: Lesson) -> None:
    _take_back(lesson, iter(sorted(_too_much(lesson.world).items())[1:]))


EXERCISES = (
    Exercise(
        "twice",
        task="Stamp one of the buyers who were credited twice for the same ticket.",
        setup=_evening,
        ours=stamped("twice"),
        right=_is_twice,
        expected="the stamp on an account whose evening has one ticket two times",
        look="the adjustments from 19:00 UTC on 1 November 2026: account and reason together",
        solve=_twice,
        mistakes={
            "two tickets": Mistake(
                lambda it: it.stamp("twice", min(_both_right(it.world))),
                _is_right,
                "This buyer had two late orders, and each has a ticket of its own.",
            )
        },
        hints=(
            "Look at the evening alone: start_at at 19:00 UTC.",
            "Collect account and reason of each event, and see which pair comes again.",
        ),
    ),
    Exercise(
        "right",
        task="Stamp one of the buyers who got points two times, and rightly so.",
        ours=stamped("right"),
        right=_is_right,
        expected="the stamp on an account whose evening has two different tickets",
        look="the ticket numbers in the reasons",
        solve=_right,
        mistakes={
            "the same ticket": Mistake(
                lambda it: it.stamp("right", min(_too_much(it.world))),
                _is_twice,
                "Both credits of this buyer are for the same ticket: one of them is too many.",
            )
        },
        hints=("Two tickets, two late orders.", "Group the reasons by account."),
    ),
    Exercise(
        "corrected",
        task="Take back what is too much, from everybody who was credited twice for one ticket, "
        "and from nobody else.",
        ours=_deeds,
        right=_corrected,
        expected="one credit less for each of the four, and nobody else touched",
        look="your list before you act: who is on it, and who only looks like it",
        solve=_correct,
        mistakes={
            "all who have two": Mistake(
                _all_with_two,
                _touched_right_ones,
                "Somebody with two tickets lost points that were right. Give them back: the reason "
                "tells what is the same and what only looks alike.",
            ),
            "left over": Mistake(
                _all_but_one,
                _left_over,
                "Somebody who was credited twice still has the surplus. Search the whole evening, "
                "not just its first page.",
            ),
        },
        hints=(
            "Make the list first, and look at it, before you change anything.",
            "One adjustment a buyer, with minus the points, and a key made of the event's id.",
        ),
        score=_score,
    ),
)
PLAN = Plan("The incident: find, correct, prove", 25, EXERCISES)
