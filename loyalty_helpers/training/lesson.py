"""What a lesson's notebook holds: the world, and the verbs check, hint, solution, stamp, reset."""

import atexit
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.errors import SettingsError
from loyalty_helpers.files import write_text
from loyalty_helpers.injected import check_injected
from loyalty_helpers.records import Bundle, LoyaltyAccount, Shown, card
from loyalty_helpers.settings import SQUARE_HOSTS, check_environment, load_settings
from loyalty_helpers.training.exercise import (
    NOT_ATTEMPTED,
    PASSED,
    STAMP,
    WRONG,
    Exercise,
    Finding,
    Seen,
    stamped,
)
from loyalty_helpers.training.plan import Plan, find_plan
from loyalty_helpers.training.state import Progress, training_folder
from loyalty_helpers.training.world import World

SAME_FOR_ALL = 1  # the seed of a world that is thrown away


def begin(lesson: str, environment: str = "", *, made_for: str = "") -> "Lesson":
    """Open a lesson in the learner's own world, as they left it.

    Args:
        lesson: the name of its notebook.
        environment: `local`; in `recorded` the world is a new one, and thrown away afterwards.
        made_for: the hash of the checker that the notebook was written for.

    Raises:
        SettingsError: `sandbox` or `production`: nobody learns on somebody's points.
    """
    check_injected()
    plan = find_plan(lesson)
    if open_to_learners(environment) == "local":
        return Lesson(lesson, plan, Progress(training_folder()), made_for)
    away = Path(tempfile.mkdtemp(prefix="loyalty-"))
    atexit.register(rmtree, away, ignore_errors=True)
    return Lesson(lesson, plan, Progress(away, SAME_FOR_ALL), made_for)


def open_to_learners(environment: str) -> str:
    """Return `local` or `recorded`, whichever is meant, or raise SettingsError."""
    name = check_environment(environment or load_settings().loyalty_environment)
    if name in SQUARE_HOSTS:
        raise SettingsError(
            f"a lesson does not run in {name!r}: in it mistakes are made on purpose, and there "
            "they would change points at Square. Set environment to 'local'."
        )
    return name


class Lesson(Shown):
    """A lesson that a learner has open.

    Attributes:
        client: asks and changes the learner's own world.
        world: that world.
    """

    def __init__(self, name: str, plan: Plan, progress: Progress, made_for: str = "") -> None:
        self.name, self.plan, self.progress = name, plan, progress
        self.outdated = bool(made_for) and made_for != plan.made_for
        self._open()

    def _open(self) -> None:
        folder = self.progress.folder / self.name
        self.world = World(folder, self.progress.seed, self.plan.prepare)
        if self.plan.runs:  # what begins anew with the world must not find the runs of an old one
            os.environ["LOYALTY_RUNS"] = str(folder / "runs")

    @property
    def client(self) -> LoyaltyClient:
        """The learner's client."""
        return self.world.client

    def stamp(self, exercise: str, account: LoyaltyAccount | str | None) -> "Told":
        """Say in the ledger which account was found: one point, the exercise as its reason.

        Stamped again, the last stamp counts. None stamps nothing.
        """
        self.plan.exercise(exercise)
        if account is None:
            return Told(exercise, [("stamped", "nothing yet: this cell still holds None")])
        found = account if isinstance(account, str) else account.id
        last = [e.loyalty_account_id for e in stamped(exercise)(self.world.events())]
        if last == [found]:
            return Told(exercise, [("stamped", f"account {found}, as before")])
        key = f"stamp-{exercise}-{len(self.world.entries)}"
        self.client.adjust_points(found, 1, reason=STAMP + exercise, idempotency_key=key)
        return Told(exercise, [("stamped", f"account {found}")])

    def sheet(self, name: str, rows: str) -> str:
        """Write rows into a CSV file of this lesson; the path of the file."""
        file = self.world.folder / f"{name}.csv"
        write_text(file, rows.strip() + "\n")
        return str(file)

    def trouble(self, *faults: str) -> "Told":
        """Let something go wrong from now on; without arguments, nothing more."""
        self.world.trouble(*faults)
        return Told("Trouble from now on", [("kind", ", ".join(faults) or "none")], tone="care")

    def turn(self, days: int) -> "Told":
        """Turn the clock of this world on by so many days."""
        return Told("Clock", [("now", self.world.turn(days))])

    def check(self, exercise: str) -> "Told":
        """Judge what the ledger holds, and say what was seen, what is expected, where to look."""
        wanted = self.plan.exercise(exercise)
        finding = wanted.check(self.world)
        if finding.status != NOT_ATTEMPTED:
            self._remember(exercise, finding)
        return _told(wanted, finding, str(Seen(self.world, self.plan.strays(self.world))))

    def _remember(self, exercise: str, finding: Finding) -> None:
        """A check without a new effect is no new try."""
        known = self.progress.of(self.name, exercise)
        if known.get("events") == list(finding.events):
            return
        self.progress.note(
            self.name,
            exercise,
            tries=int(known.get("tries", 0)) + 1,
            passed=finding.status == PASSED,
            mistakes=known.get("mistakes", [])
            + [finding.mistake or "another"] * (finding.status == WRONG),
            doubled=self.world.doubled(),
            score=finding.score,
            events=list(finding.events),
            made_for=self.plan.made_for,
        )

    def hint(self, exercise: str) -> "Told":
        """The next hint; each call says a little more."""
        hints = self.plan.exercise(exercise).hints
        shown = min(self.progress.count(self.name, exercise, "hints"), len(hints) - 1)
        left = len(hints) - shown - 1
        more = f"{left} more" if left else "no more hints: lesson.solution() has the rest"
        return Told(f"Hint {shown + 1} for {exercise}", [], f"{hints[shown]}\n{more}")

    def solution(self, exercise: str) -> "Solution":
        """The code of the solution; before passing, it is marked that it was looked at."""
        wanted, known = self.plan.exercise(exercise), self.progress.of(self.name, exercise)
        marked = "" if known.get("passed") else "looked at before passing, which is marked"
        if marked:
            self.progress.note(self.name, exercise, solution="before passing")
        return Solution(f"solution of {exercise}", wanted.solution, marked)

    def reset(self) -> "Told":
        """Begin this lesson anew: its world is made again, and nothing of it is passed any more."""
        self.world.close()
        rmtree(self.world.folder)
        self.progress.unpass(self.name)
        self._open()
        note = "Begun anew. Run the notebook again from its top."
        return Told(f"Lesson {self.name}", [], note)

    @property
    def passed(self) -> list[str]:
        """The exercises whose effects are in the ledger now."""
        found = ((e.name, e.check(self.world).status) for e in self.plan.exercises)
        return [name for name, status in found if status == PASSED]

    def _view(self) -> Bundle:
        passed = self.passed
        left, number = self.plan.left_open(passed), len(self.plan.exercises)
        note = (
            "This notebook was made for another version of its checker, so they may not fit: "
            "`loyalty notebooks FOLDER` copies the notebooks anew."
        )
        rows = [
            ("aim", self.plan.title),
            ("takes", f"{self.plan.minutes} minutes"),
            (
                "passed",
                f"{len(passed)} of {number}: {', '.join(passed) or 'none yet'}",
            ),
            ("still open", ", ".join(left) or "nothing: this lesson is done"),
        ]
        tone = "care" if self.outdated else "" if left else "good"
        return card(f"Lesson {self.name}", rows, note=note * self.outdated, tone=tone)


@dataclass(frozen=True)
class Told(Shown):
    """What a lesson says: a title, rows, and a note."""

    title: str
    rows: Sequence[tuple[str, object]]
    note: str = ""
    tone: str = ""

    def _view(self) -> Bundle:
        return card(self.title, self.rows, note=self.note, tone=self.tone)


@dataclass(frozen=True)
class Solution(Shown):
    """Code to read, and whether it was looked at before the exercise was passed."""

    title: str
    code: str
    marked: str

    def _view(self) -> Bundle:
        title = ", ".join(filter(None, [self.title, self.marked]))
        return {
            "text/plain": f"{title}\n{self.code}",
            "text/markdown": f"**{title}**\n```python\n{self.code}\n```",
        }


TONES = {PASSED: "good", WRONG: "bad", NOT_ATTEMPTED: ""}


def _told(exercise: Exercise, finding: Finding, strays: str) -> Told:
    """A check in words; what was expected is told once something was tried."""
    rows = [("task", exercise.task), *_lines("seen", finding.seen)]
    if finding.status != PASSED:
        rows += _lines("seen elsewhere", strays)
    if finding.status == NOT_ATTEMPTED:
        return Told(f"{exercise.name}: {finding.status}", rows)
    rows += [("expected", exercise.expected), ("score", finding.score)]
    if finding.status == WRONG:
        rows.append(("look at", exercise.look))
    title = f"{exercise.name}: {finding.status}"
    return Told(title, rows, finding.told, TONES[finding.status])


def _lines(label: str, text: str) -> list[tuple[str, str]]:
    return [(label if not n else "", line) for n, line in enumerate(text.splitlines())]
