"""An exercise: what is to be brought about in the ledger, and what typically goes wrong.

Nothing but events counts. What a learner has in a variable is not even looked at.
"""

import inspect
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loyalty_helpers.records import LoyaltyEvent, points_text
from loyalty_helpers.redaction import mask_reason
from loyalty_helpers.training.world import Setup, World

if TYPE_CHECKING:
    from loyalty_helpers.training.lesson import Lesson

PASSED, WRONG, NOT_ATTEMPTED = "passed", "wrong", "not attempted"
STAMP = "stamp: "
OTHERWISE = "That is none of the mistakes known here: compare what was seen with what is expected."


@dataclass(frozen=True)
class Seen:
    """What a learner has done about one exercise.

    Attributes:
        world: the learner's world.
        events: the learner's events that belong to the exercise, oldest first.
    """

    world: World
    events: tuple[LoyaltyEvent, ...]

    @property
    def net(self) -> dict[str, int]:
        """By account, what the events add up to."""
        sums: Counter[str] = Counter()
        for event in self.events:
            sums[event.loyalty_account_id] += event.points
        return dict(sums)

    @property
    def keys(self) -> list[str]:
        """The idempotency keys of all adjustments that reached these accounts, in order."""
        paths = {f"/v2/loyalty/accounts/{account}/adjust" for account in self.net}
        bodies = [entry["body"] for entry in self.world.entries if entry.get("path") in paths]
        return [key for body in bodies if (key := key_in(body))]

    def __str__(self) -> str:
        """Each event in a line."""
        return "\n".join(map(_line, self.events))


Predicate = Callable[[Seen], bool]
Choice = Callable[[Sequence[LoyaltyEvent]], Sequence[LoyaltyEvent]]
Doing = Callable[["Lesson"], object]


@dataclass(frozen=True)
class Mistake:
    """A typical mistake: how it is made, how it is told, and what is said about it."""

    do: Doing
    seen: Predicate
    told: str


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        status: PASSED, WRONG or NOT_ATTEMPTED.
        seen: the events that count.
        told: what is to be learned from it.
        mistake: the name of the typical mistake, or empty.
        events: the ids of the events that count.
        score: how well it was done.
    """

    status: str
    seen: str
    told: str = ""
    mistake: str = ""
    events: tuple[str, ...] = ()
    score: str = ""


@dataclass(frozen=True)
class Exercise:
    """One exercise; its functions are plain, and stand beside the lesson's data.

    Attributes:
        name: what the notebook calls it.
        task: what is asked for, in a sentence.
        ours: of all that the learner brought about, what belongs to it.
        right: whether that is the solution.
        expected: the solution in words that do not give it away.
        look: where to look.
        solve: the solution; its code is what `solution()` shows.
        mistakes: by name; the first one that is seen is told, even before `right` is asked.
        hints: from the gentle one to the plain one.
        setup: what the world needs for it.
        score: how well it was done, beyond right and wrong.
    """

    name: str
    task: str
    ours: Choice
    right: Predicate
    expected: str
    look: str
    solve: Doing
    mistakes: Mapping[str, Mistake]
    hints: tuple[str, ...]
    setup: Setup = lambda world: None
    score: Callable[[Seen], str] = lambda seen: ""

    def check(self, world: World) -> Finding:
        """Judge the world; reads only."""
        seen = Seen(world, tuple(self.ours(world.events())))
        if not seen.events:
            return Finding(NOT_ATTEMPTED, "nothing in the ledger that belongs to it")
        made = [name for name, mistake in self.mistakes.items() if mistake.seen(seen)][:1]
        right = not made and self.right(seen)
        told = self.mistakes[made[0]].told if made else "" if right else OTHERWISE
        return Finding(
            PASSED if right else WRONG,
            str(seen),
            told,
            "".join(made),
            tuple(event.id for event in seen.events),
            self.score(seen),
        )

    @property
    def solution(self) -> str:
        """The code of the solution, as a learner would write it."""
        lines, _ = inspect.getsourcelines(self.solve)
        return "".join(line.removeprefix("    ") for line in lines[1:]).strip()


def stamped(name: str) -> Choice:
    """The last stamp of an exercise: whoever stamps again has thought better of it."""
    return lambda events: [e for e in events if e.reason == STAMP + name][-1:]


def is_deed(event: LoyaltyEvent) -> bool:
    """Whether somebody did it to change something: it is no stamp, and no mere passing of time."""
    return event.type != "EXPIRE_POINTS" and not event.reason.startswith(STAMP)


def on(*accounts: str) -> Choice:
    """All that was done to these accounts."""
    return lambda events: [e for e in events if e.loyalty_account_id in accounts and is_deed(e)]


def changed(changes: Mapping[str, int]) -> Predicate:
    """Whether just these accounts were changed, by so many points in the end."""
    return lambda seen: {a: points for a, points in seen.net.items() if points} == changes


def stamp_on(*accounts: str) -> Predicate:
    """Whether the stamp is on one of these accounts."""
    return lambda seen: {event.loyalty_account_id for event in seen.events} <= set(accounts)


def kinds(*types: str) -> Predicate:
    """Whether there are events of just these types, each at least once."""
    return lambda seen: {event.type for event in seen.events} == set(types)


def both(*predicates: Predicate) -> Predicate:
    """Whether all of it holds."""
    return lambda seen: all(holds(seen) for holds in predicates)


def without(word: str) -> Predicate:
    """Whether the last adjustment has a reason that does not hold the word."""
    return lambda seen: word.casefold() not in seen.events[-1].reason.casefold()


def adjusts(account: str, *points: int, reason: str, negative: bool = False) -> Doing:
    """A mistake that is made by adjusting an account, each time with another key."""

    def do(lesson: "Lesson") -> None:
        for each in points:
            key = f"{account}-{len(lesson.world.entries)}"
            lesson.client.adjust_points(
                account,
                each,
                reason=reason,
                idempotency_key=key,
                allow_negative_balance=negative,
            )

    return do


def key_in(body: str) -> str:
    """The idempotency key of a request, or an empty text."""
    found = body.partition('"idempotency_key":')[2].lstrip().partition('"')[2]
    return found.partition('"')[0]


def _line(event: LoyaltyEvent) -> str:
    why = f", reason {mask_reason(event.reason)!r}" if event.reason else ", without a reason"
    why = why if event.type == "ADJUST_POINTS" else f", {event.type}"
    return f"{points_text(event.points)} on account {event.loyalty_account_id}{why}"
