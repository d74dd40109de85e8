"""What a trainer sees: learners' reports, judged anew from what they sent."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

from loyalty_helpers.errors import LoyaltyError, ParameterError
from loyalty_helpers.files import write_json
from loyalty_helpers.records import Bundle, Shown, table
from loyalty_helpers.training.exercise import NOT_ATTEMPTED, PASSED, WRONG, Doing, Exercise, Finding
from loyalty_helpers.training.lesson import SAME_FOR_ALL, Lesson, open_to_learners
from loyalty_helpers.training.plan import LESSONS, find_plan
from loyalty_helpers.training.state import FILE, FORMAT, Progress, training_folder
from loyalty_helpers.training.world import JOURNAL, Entry, World, read_journal

COLUMNS = (
    "learner",
    "lesson",
    "exercise",
    "passed",
    "tries",
    "hints",
    "solution",
    "doubled",
    "mistakes",
    "remarks",
)
YES_OR_NO = {True: "yes", False: "no"}
UNREADABLE = (
    OSError,
    ValueError,
    OverflowError,
    LookupError,
    TypeError,
    AttributeError,
    LoyaltyError,
)
MOST_REQUESTS = 20_000  # in one lesson; whoever sends more has no exercise in mind


@dataclass(frozen=True)
class Overview(Shown):
    """The learner's own lessons and what comes next."""

    rows: tuple[tuple[str, str, int, str], ...]

    def _view(self) -> Bundle:
        after = [name for name, _, _, passed in self.rows if passed != "done"]
        note = f"next: {after[0]}" if after else "all lessons are done"
        return table("Your lessons", ("lesson", "aim", "minutes", "passed"), self.rows, note=note)


def progress(environment: str = "") -> Overview:
    """What is passed, as the state file tells it; `recorded` shows how it looks to a newcomer."""
    known = {}
    if open_to_learners(environment) == "local" and (training_folder() / FILE).exists():
        known = Progress(training_folder()).all["lessons"]
    return Overview(tuple(_row(lesson, known.get(lesson, {})) for lesson in LESSONS))


def _row(lesson: str, known: Mapping[str, Any]) -> tuple[str, str, int, str]:
    plan = find_plan(lesson)
    passed = [e.name for e in plan.exercises if known.get(e.name, {}).get("passed")]
    so_far = f"{len(passed)} of {len(plan.exercises)}"
    return lesson, plan.title, plan.minutes, so_far if plan.left_open(passed) else "done"


def forget(lesson: str = "") -> None:
    """Begin a lesson anew, or all of them: worlds, tries, hints and passes are gone."""
    folder = training_folder()
    if not lesson:
        rmtree(folder, ignore_errors=True)
    elif find_plan(lesson) and (folder / FILE).exists():
        rmtree(folder / lesson, ignore_errors=True)
        Progress(folder).unpass(lesson)


def write_report(file: Path, learner: str) -> None:
    """Write what a trainer needs: the state, and everything that was sent in each lesson."""
    folder = training_folder()
    sent = {lesson: read_journal(folder / lesson / JOURNAL) for lesson in LESSONS}
    state = Progress(folder).all
    write_json(file, {"format": FORMAT, "learner": learner, "state": state, "sent": sent})


@dataclass(frozen=True)
class Graded(Shown):
    """Every learner's exercises, replayed; and the reports that cannot be read.

    Attributes:
        rows: one an exercise, under COLUMNS.
        unread: a line for each report that was left out.
    """

    rows: tuple[tuple[Any, ...], ...]
    unread: tuple[str, ...]

    @property
    def often_wrong(self) -> list[tuple[str, int]]:
        """What learners got wrong, the most frequent first."""
        said = Counter(
            f"{lesson} {exercise}: {mistake}"
            for _, lesson, exercise, *_, mistakes, _remarks in self.rows
            for mistake in mistakes.split(", ")
            if mistake
        )
        return said.most_common()

    def _view(self) -> Bundle:
        wrong = [f"{count} x {what}" for what, count in self.often_wrong[:10]]
        return table("Graded", COLUMNS, self.rows, note="\n".join([*wrong, *self.unread]))


def grade(folder: Path) -> Graded:
    """Judge the reports of a folder: each ledger is made anew, and the state file is not asked.

    Raises:
        ParameterError: the folder holds no reports.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        raise ParameterError(f"{folder} holds no reports: `loyalty training report` writes one")
    rows: list[tuple[Any, ...]] = []
    unread = []
    for file in files:
        try:
            rows += _graded(json.loads(file.read_text(encoding="utf-8")))
        except (*UNREADABLE, LoyaltyError) as error:
            unread.append(f"not graded: {file.name}: {error!r}")
    return Graded(tuple(rows), tuple(unread))


def _graded(report: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    if report["format"] != FORMAT:
        raise ParameterError(f"its format is {report['format']!r}, and this version reads {FORMAT}")
    for lesson in LESSONS:
        sent = report["sent"].get(lesson, [])
        known = report["state"]["lessons"].get(lesson, {})
        if sent or known:
            seed = int(report["state"]["seed"])
            yield from _replayed(str(report["learner"]), lesson, seed, sent, known)


def _replayed(
    learner: str, lesson: str, seed: int, sent: Sequence[Entry], known: Mapping[str, Any]
) -> Iterator[tuple[Any, ...]]:
    plan = find_plan(lesson)
    if len(sent) > MOST_REQUESTS:
        raise ParameterError(f"{lesson} has {len(sent)} requests; allowed: {MOST_REQUESTS}")
    with TemporaryDirectory() as folder:
        world = World.replayed(Path(folder) / lesson, seed, plan.prepare, sent)
        with closing(world):
            for exercise in plan.exercises:
                finding, told = exercise.check(world), known.get(exercise.name, {})
                yield (
                    *(learner, lesson, exercise.name, YES_OR_NO[finding.status == PASSED]),
                    *(int(told.get(count, 0)) for count in ("tries", "hints")),
                    *(str(told.get("solution", "")), world.doubled()),
                    ", ".join(_mistakes(told, finding)),
                    ", ".join(_remarks(told, finding, plan.made_for)),
                )


def _mistakes(told: Mapping[str, Any], finding: Finding) -> list[str]:
    """What went wrong on the way, as the state file has it, and what is wrong now."""
    now = [finding.mistake or "another"] if finding.status == WRONG else []
    return list(dict.fromkeys([*map(str, told.get("mistakes", [])), *now]))


def _remarks(told: Mapping[str, Any], finding: Finding, made_for: str) -> Iterator[str]:
    if told.get("score") and finding.status != NOT_ATTEMPTED:
        yield str(told["score"])
    if told.get("passed") and finding.status != PASSED:
        yield "said to be passed, and the ledger does not show it"
    if told.get("made_for", made_for) != made_for:
        yield "done with another version of the checker"


def check_lesson(name: str) -> list[str]:
    """Try a lesson as its writer: every typical mistake and every solution; what is wrong with it.

    Each is tried in a new world, and all solutions one after another in one, as a learner does.
    """
    plan = find_plan(name)
    problems = []
    for exercise in plan.exercises:
        for mistake, made in exercise.mistakes.items():
            found = _tried(name, [made.do], exercise)
            if (found.status, found.mistake) != (WRONG, mistake):
                told = f"is told as {found.status} {found.mistake}"
                problems.append(f"{exercise.name}: the mistake {mistake} {told}:\n{found.seen}")
        so_far = plan.exercises[: plan.exercises.index(exercise) + 1]
        for solved in ([exercise], so_far):
            found = _tried(name, [each.solve for each in solved], exercise)
            if found.status != PASSED:
                how = "alone" if len(solved) == 1 else "after those before it"
                problems.append(f"{exercise.name}: its solution {how} is {found.status}: {found}")
        untouched = _tried(name, [], exercise)
        if untouched.status != NOT_ATTEMPTED:
            problems.append(f"{exercise.name}: before anything is done, it is {untouched}")
    return problems


def _tried(name: str, doings: Sequence[Doing], exercise: Exercise) -> Finding:
    with TemporaryDirectory() as folder:
        lesson = Lesson(name, find_plan(name), Progress(Path(folder), SAME_FOR_ALL))
        with closing(lesson.world):
            for do in doings:
                do(lesson)
                lesson.trouble()
            return exercise.check(lesson.world)
