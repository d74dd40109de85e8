"""What a lesson is made of, and which lessons there are."""

import hashlib
import inspect
from collections.abc import Collection
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from loyalty_helpers.errors import ParameterError
from loyalty_helpers.records import LoyaltyEvent
from loyalty_helpers.training.exercise import Exercise, is_deed
from loyalty_helpers.training.world import World

LESSONS = (
    "01_accounts",
    "02_adjusting",
    "03_ledger",
    "04_purchases",
    "05_network",
    "06_rewards",
    "07_bulk_run",
    "08_incident",
)
PLACEMENT = "placement"
EXAMPLE = "1beb38f9-54de-4cb6-8121-718bDexample"


@dataclass(frozen=True)
class Plan:
    """What a lesson is made of.

    Attributes:
        title: its aim in a few words.
        minutes: what it takes a newcomer.
        exercises: in order; the one called `placement` stands for all others.
        examples: the accounts on which the lesson itself shows things.
        runs: whether runbooks are run in it; what they write is then kept with the lesson.
    """

    title: str
    minutes: int
    exercises: tuple[Exercise, ...]
    examples: tuple[str, ...] = (EXAMPLE,)
    runs: bool = False

    def prepare(self, world: World) -> None:
        """Bring about all that happened before the learner came."""
        for exercise in self.exercises:
            exercise.setup(world)

    def exercise(self, name: str) -> Exercise:
        """One exercise by its name."""
        names = {exercise.name: exercise for exercise in self.exercises}
        if name not in names:
            raise ParameterError(f"there is no exercise {name!r}; there are {', '.join(names)}")
        return names[name]

    def left_open(self, passed: Collection[str]) -> list[str]:
        """What has still to be passed: nothing after the placement, which nobody has to pass."""
        names = [exercise.name for exercise in self.exercises if exercise.name not in passed]
        return [name for name in names if PLACEMENT not in passed and name != PLACEMENT]

    def strays(self, world: World) -> tuple[LoyaltyEvent, ...]:
        """What the learner did to accounts that no exercise asks about."""
        every = world.events()
        known = {event.id for exercise in self.exercises for event in exercise.ours(every)}
        others = (e for e in every if e.id not in known and is_deed(e))
        return tuple(e for e in others if e.loyalty_account_id not in self.examples)

    @property
    def made_for(self) -> str:
        """The hash of the lesson's checker, which its notebook carries too."""
        source = Path(inspect.getfile(self.exercises[0].solve)).read_bytes()
        return hashlib.sha256(source).hexdigest()[:8]


def find_plan(lesson: str) -> Plan:
    """What a lesson is made of, by the name of its notebook."""
    if lesson not in LESSONS:
        raise ParameterError(f"there is no lesson {lesson!r}; there are {', '.join(LESSONS)}")
    plan: Plan = import_module(f"loyalty_helpers.training.lessons.{lesson[3:]}").PLAN
    return plan
