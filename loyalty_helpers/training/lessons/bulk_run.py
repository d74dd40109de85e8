"""Lesson 7: many buyers at once: plan, approve, apply, resume, verify, undo."""

from contextlib import suppress

from loyalty_helpers.api import MARKER
from loyalty_helpers.errors import RunStoppedError
from loyalty_helpers.runbooks import Run
from loyalty_helpers.training.exercise import Doing, Exercise, Mistake, Seen, both, changed, on
from loyalty_helpers.training.lesson import Lesson
from loyalty_helpers.training.plan import Plan

BEA, CARL = "e73bbc15-d0ac-49b6-8d7f-c330735c30db", "894e118a-b4a1-41db-a76d-1446cde5892b"
DORA, EMIL, FAY = (
    "814b3bf2-60cd-4b3e-8414-64ba758de634",
    "25e8b1e7-8f07-469a-98c2-c7200e33c79c",
    "8b37e257-091e-4531-a266-1d7554fe59aa",
)
FOUR = {
    "+18085557944": "1a3e498c-c8aa-4cc0-adc6-dc5df95c3858",
    "+12065558161": "6f978740-9aec-432e-9691-8f700e80c904",
    "+12125558378": "fd992c1f-b101-405a-a3aa-4c58dd11c371",
    "+13035558595": "bca97c36-c719-4bae-98db-f699842f815d",
}
GREG, HEDY = "21e3c788-b757-42f6-9881-03af7441bb5d", "4e14fc1e-2f90-4338-9d7e-6800b9a8ee06"
HEAD = "row_id,phone_number,points,reason\n"
TWO = f"{HEAD}1,+17135555340,10,Ticket 701\n2,+12065555774,10,Ticket 702\n"
SURVEY = HEAD + "".join(f"{n},{phone},5,Survey {n}\n" for n, phone in enumerate(FOUR, 1))
WRONG = f"{HEAD}1,+15125554472,40,Sent by mistake\n2,+16025554689,40,Sent by mistake\n"
EXPIRED = "expired-token:path=/accounts/fd992c1f.*/adjust"
BY_HAND = (
    "These points were adjusted one by one: no plan was approved, nothing can resume or undo them, "
    "and a run would give them once more."
)


def _in_runs(seen: Seen) -> bool:
    """Whether each adjustment has the mark that a run leaves in its reason."""
    return all(MARKER.search(event.reason) for event in seen.events)


def _by_hand(seen: Seen) -> bool:
    return not _in_runs(seen)


def _applied(lesson: Lesson, run_id: str, rows: str, *, repeats: bool = False) -> None:
    file = lesson.sheet(run_id, rows)
    plan = Run(lesson.client, run_id, allow_repeats=repeats).plan_file(file)
    run = Run(lesson.client, run_id, approved_plan=plan.plan.digest, allow_repeats=repeats)
    run.plan_file(file)
    run.apply()


def _adjusted(points: dict[str, int]) -> Doing:
    def do(lesson: Lesson) -> None:
        for account, each in points.items():
            key = f"{account}-{len(lesson.world.entries)}"
            lesson.client.adjust_points(account, each, reason="By hand", idempotency_key=key)

    return do


def _placement(lesson: Lesson) -> None:
    from loyalty_helpers import runbooks

    rows = """
row_id,phone_number,points,reason
1,+17135555340,10,Ticket 701
2,+12065555774,10,Ticket 702
"""
    file = lesson.sheet("tickets", rows)
    plan = runbooks.Run(lesson.client, "tickets").plan_file(file)
    run = runbooks.Run(lesson.client, "tickets", approved_plan=plan.plan.digest)
    run.plan_file(file)
    run.apply()
    run.verify()


def _file(lesson: Lesson) -> None:
    from loyalty_helpers import runbooks

    rows = """
row_id,phone_number,points,reason
1,+14045556642,20,Ticket 711
2,+16025557076,15,Ticket 712
3,+17135557727,-5,Ticket 713
"""
    file = lesson.sheet("late", rows)
    plan = runbooks.Run(lesson.client, "late").plan_file(file)
    run = runbooks.Run(lesson.client, "late", approved_plan=plan.plan.digest)
    run.plan_file(file)
    run.apply()
    run.verify()


def _resumed(lesson: Lesson) -> None:
    from loyalty_helpers import runbooks
    from loyalty_helpers.errors import RunStoppedError

    rows = """
row_id,phone_number,points,reason
1,+18085557944,5,Survey 1
2,+12065558161,5,Survey 2
3,+12125558378,5,Survey 3
4,+13035558595,5,Survey 4
"""
    file = lesson.sheet("survey", rows)
    plan = runbooks.Run(lesson.client, "survey").plan_file(file)
    run = runbooks.Run(lesson.client, "survey", approved_plan=plan.plan.digest)
    run.plan_file(file)
    lesson.trouble("expired-token:path=/accounts/fd992c1f.*/adjust")
    try:
        run.apply(canary=1, in_flight=1)
    except RunStoppedError:
        lesson.trouble()
        run.apply()


def _undone(lesson: Lesson) -> None:
    from loyalty_helpers import runbooks

    rows = """
row_id,phone_number,points,reason
1,+15125554472,40,Sent by mistake
2,+16025554689,40,Sent by mistake
"""
    file = lesson.sheet("wrong", rows)
    plan = runbooks.Run(lesson.client, "wrong").plan_file(file)
    run = runbooks.Run(lesson.client, "wrong", approved_plan=plan.plan.digest)
    run.plan_file(file)
    run.apply()
    back = runbooks.Run(lesson.client, "wrong-undo").plan_undo("wrong")
    undo = runbooks.Run(lesson.client, "wrong-undo", approved_plan=back.plan.digest)
    undo.plan_undo("wrong")
    undo.apply()


def _twice(lesson: Lesson) -> None:
    _applied(lesson, "tickets", TWO)
    _applied(lesson, "tickets-again", TWO, repeats=True)


def _as_it_was(lesson: Lesson) -> None:
    rows = "1,+14045556642,20,Ticket 711\n2,+16025557076,150,Ticket 712\n"
    _applied(lesson, "late", f"{HEAD}{rows}3,+17135557727,-5,Ticket 713\n")


def _stopped(lesson: Lesson) -> None:
    lesson.trouble(EXPIRED)
    with suppress(RunStoppedError):
        _applied(lesson, "survey", SURVEY)


def _rest_by_hand(lesson: Lesson) -> None:
    _stopped(lesson)
    lesson.trouble()
    _adjusted(dict.fromkeys(FOUR.values(), 5))(lesson)


def _taken_back_by_hand(lesson: Lesson) -> None:
    _applied(lesson, "wrong", WRONG)
    _adjusted({GREG: -40, HEDY: -40})(lesson)


EXERCISES = (
    Exercise(
        "placement",
        task="Give 10 points each to +17135555340 (ticket 701) and +12065555774 (ticket 702) by a "
        "run: plan, approve, apply.",
        ours=on(BEA, CARL),
        right=both(_in_runs, changed({BEA: 10, CARL: 10})),
        expected="+10 for both, each with the mark of a run in its reason",
        look="the reasons in the ledger: what a run writes there, and what you would write",
        solve=_placement,
        mistakes={
            "by hand": Mistake(_adjusted({BEA: 10, CARL: 10}), _by_hand, BY_HAND),
            "two runs": Mistake(
                _twice,
                changed({BEA: 20, CARL: 20}),
                "Two run ids are two intents, and allow_repeats said that you mean it: both "
                "counted. Undo one of the runs.",
            ),
        },
        hints=(
            "lesson.sheet(NAME, ROWS) writes a file; runbooks.Run(client, RUN_ID) plans it.",
            "A second Run with the same id and approved_plan=plan.plan.digest applies.",
        ),
    ),
    Exercise(
        "file",
        task="Mend the three mistakes in the file of the late orders, and apply it: ticket 711 is "
        "worth 20 points, ticket 712 15, and ticket 713 -5.",
        ours=on(DORA, EMIL, FAY),
        right=both(_in_runs, changed({DORA: 20, EMIL: 15, FAY: -5})),
        expected="20, 15 and -5 points, each once, by a run",
        look="the problems that the plan lists, and the change column of the plan",
        solve=_file,
        mistakes={
            "by hand": Mistake(_adjusted({DORA: 20, EMIL: 15, FAY: -5}), _by_hand, BY_HAND),
            "a number too large": Mistake(
                _as_it_was,
                lambda seen: seen.net.get(EMIL, 0) == 150,
                "150 points for ticket 712: a plan can be right in form and wrong in content. That "
                "is why somebody reads it before it is approved. Undo the run, and plan anew.",
            ),
        },
        hints=(
            "Plan it first: every problem is named with its line.",
            "A number without a country code, points in letters, a zero too many.",
        ),
    ),
    Exercise(
        "resumed",
        task="Give 5 points each to the four who answered the survey. The token expires in the "
        "middle of the run: bring it to its end.",
        ours=on(*FOUR.values()),
        right=both(_in_runs, changed(dict.fromkeys(FOUR.values(), 5))),
        expected="+5 for each of the four, once, all by the same run",
        look="which rows the ledger has already, and which run id you go on with",
        solve=_resumed,
        mistakes={
            "left as it was": Mistake(
                _stopped,
                lambda seen: 0 < len(seen.net) < len(FOUR) and _in_runs(seen),
                "The run has stopped before its end, and some have their points and some have not. "
                "The same command with the same run id goes on where it stopped.",
            ),
            "all again by hand": Mistake(
                _rest_by_hand,
                _by_hand,
                "Some had their points from the run already, and have them twice now. A run knows "
                "what it has done: resume it, and do nothing by hand.",
            ),
        },
        hints=(
            "A stopped run has lost nothing. First end the trouble: lesson.trouble().",
            "Then run.apply() again, with the same run.",
        ),
    ),
    Exercise(
        "undone",
        task="Apply the file that was sent by mistake, 40 points for two buyers, and then undo the "
        "whole run.",
        ours=on(GREG, HEDY),
        right=lambda seen: _in_runs(seen) and len(seen.events) == 4 and not any(seen.net.values()),
        expected="40 points given and taken back, for both buyers, by two runs",
        look="plan_undo(RUN_ID) of another run",
        solve=_undone,
        mistakes={
            "by hand": Mistake(_taken_back_by_hand, _by_hand, BY_HAND),
            "not undone": Mistake(
                lambda it: _applied(it, "wrong", WRONG),
                changed({GREG: 40, HEDY: 40}),
                "The points are given, and nothing has taken them back yet: undo the run.",
            ),
        },
        hints=(
            "An undo is a run of its own, with a run id, a plan and an approval of its own.",
            'runbooks.Run(client, "wrong-undo").plan_undo("wrong")',
        ),
    ),
)
PLAN = Plan("Many buyers at once: plan, approve, apply, resume, undo", 25, EXERCISES, runs=True)
