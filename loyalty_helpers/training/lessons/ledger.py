"""Lesson 3: every balance is the sum of its events, and events tell who did what."""

from datetime import timedelta

from loyalty_helpers.training.exercise import (
    Exercise,
    Mistake,
    adjusts,
    changed,
    on,
    stamp_on,
    stamped,
)
from loyalty_helpers.training.lesson import Lesson
from loyalty_helpers.training.plan import Plan
from loyalty_helpers.training.world import START, World

LEA, MAX = "d4e0d7be-cae9-4962-9405-46027c1267e5", "64bd1b28-e1d3-4c1b-ac71-73fce9a36892"
ONE, TWO, THREE = (
    "f30ab147-8315-4fa9-aa31-224623e1247d",
    "b53a87bc-8e7e-441c-8ff2-8e79d5937b0d",
    "e6674ce9-9e7b-4772-b58b-d61f98762ce2",
)
MOST_TAKEN, MOST_GIVEN = (
    "6ab3311b-fe7c-42d9-b098-e661558a14c2",
    "6fc7a34a-0ee6-480e-bb7f-804f736aeff1",
)
EXPIRED_LAST, EXPIRED_FIRST = (
    "8176897e-30e0-40e1-bafc-9f25b543be1b",
    "0fe54250-faad-4d67-803b-8b390f49cebd",
)
IN_JULY, IN_DECEMBER = (
    "c3029363-11d2-4c22-8bd3-1033774da167",
    "6f978740-9aec-432e-9691-8f700e80c904",
)


def _morning(world: World, minutes: int, account: str, points: int, ticket: int, key: str) -> None:
    world.at(START - timedelta(minutes=minutes))
    reason = f"Ticket {ticket}"
    world.quiet.adjust_points(account, points, reason=reason, idempotency_key=key)


def _surveys(world: World) -> None:
    _morning(world, 50, ONE, 12, 310, "s-1")
    _morning(world, 49, TWO, 12, 311, "s-2")
    _morning(world, 48, TWO, 12, 311, "s-3")
    _morning(world, 47, THREE, 12, 312, "s-4")
    _morning(world, 46, THREE, 12, 313, "s-5")


def _late_orders(world: World) -> None:
    _morning(world, 40, LEA, 30, 301, "l-1")
    _morning(world, 39, MAX, 30, 302, "l-2")
    _morning(world, 38, LEA, 30, 301, "l-3")
    _morning(world, 37, MAX, 30, 303, "l-4")


def _placement(lesson: Lesson) -> None:
    from datetime import UTC, datetime

    client = lesson.client
    today = datetime(2026, 11, 2, tzinfo=UTC)
    seen, again = set(), []
    for event in client.search_events(types=["ADJUST_POINTS"], start_at=today):
        what = event.loyalty_account_id, event.reason
        if event.points == 12 and what in seen:
            again.append(event)
        seen.add(what)
    [twice] = again
    reason = f"{twice.reason}: credited twice"
    client.adjust_points(twice.loyalty_account_id, -12, reason=reason, idempotency_key="back-311")


def _most_taken(lesson: Lesson) -> None:
    adjusted = lesson.client.search_events(types=["ADJUST_POINTS"])
    lowest = min(adjusted, key=lambda event: event.points)
    lesson.stamp("most_taken", lowest.loyalty_account_id)


def _expired(lesson: Lesson) -> None:
    newest, *_ = lesson.client.search_events(types=["EXPIRE_POINTS"])
    lesson.stamp("expired", newest.loyalty_account_id)


def _july(lesson: Lesson) -> None:
    from datetime import UTC, datetime

    july, august = datetime(2025, 7, 1, tzinfo=UTC), datetime(2025, 8, 1, tzinfo=UTC)
    events = lesson.client.search_events(types=["ADJUST_POINTS"], start_at=july, end_at=august)
    [damaged] = [event for event in events if event.reason == "Damaged goods"]
    lesson.stamp("july", damaged.loyalty_account_id)


def _twice(lesson: Lesson) -> None:
    client = lesson.client
    lea = client.find_account(phone_number="+16025552302")
    reason = "Ticket 301: credited twice"
    client.adjust_points(lea.id, -30, reason=reason, idempotency_key="ticket-301-back")


EXERCISES = (
    Exercise(
        "placement",
        task="Today a script gave 12 points for each of the survey tickets 310 to 313, and one "
        "ticket was credited twice. Find it in the ledger, and take the surplus back.",
        setup=_surveys,
        ours=on(ONE, TWO, THREE),
        right=changed({TWO: -12}),
        expected="12 points fewer on the one account whose ticket stands there twice",
        look="today's ADJUST_POINTS events: account and reason together",
        solve=_placement,
        mistakes={
            "two tickets": Mistake(
                adjusts(THREE, -12, reason="Ticket 313"),
                changed({THREE: -12}),
                "This buyer had two tickets, 312 and 313, and both were right. Give the 12 back.",
            ),
            "both taken back": Mistake(
                adjusts(TWO, -24, reason="Ticket 311"),
                changed({TWO: -24}),
                "The first of the two credits was right. Give 12 back.",
            ),
        },
        hints=(
            "search_events(types=[...], start_at=...) gives today's adjustments.",
            "Two events of one account with the same reason are the same ticket.",
        ),
    ),
    Exercise(
        "most_taken",
        task="Stamp the account that lost the most points in a single adjustment.",
        ours=stamped("most_taken"),
        right=stamp_on(MOST_TAKEN),
        expected="the stamp on the account of the lowest ADJUST_POINTS event",
        look="points of each event of the type ADJUST_POINTS",
        solve=_most_taken,
        mistakes={
            "most given": Mistake(
                lambda it: it.stamp("most_taken", MOST_GIVEN),
                stamp_on(MOST_GIVEN),
                "This account got the most. What was taken away has a minus.",
            )
        },
        hints=(
            'search_events(types=["ADJUST_POINTS"]) leaves all other events out.',
            "min(events, key=lambda event: event.points)",
        ),
    ),
    Exercise(
        "expired",
        task="Stamp the account whose points expired last of all.",
        ours=stamped("expired"),
        right=stamp_on(EXPIRED_LAST),
        expected="the stamp on the account of the newest EXPIRE_POINTS event",
        look="the order of events: which comes first?",
        solve=_expired,
        mistakes={
            "the oldest": Mistake(
                lambda it: it.stamp("expired", EXPIRED_FIRST),
                stamp_on(EXPIRED_FIRST),
                "That was the first time that points expired. Accounts come the oldest first, "
                "but events the newest first.",
            )
        },
        hints=('The type is "EXPIRE_POINTS".', "Events come the newest first: take the first."),
    ),
    Exercise(
        "july",
        task="In July 2025 a buyer got points because of damaged goods. Stamp their account.",
        ours=stamped("july"),
        right=stamp_on(IN_JULY),
        expected="the stamp on the account with that reason in that month",
        look="start_at and end_at, and the reason of each event",
        solve=_july,
        mistakes={
            "another month": Mistake(
                lambda it: it.stamp("july", IN_DECEMBER),
                stamp_on(IN_DECEMBER),
                "The reason fits, but this was in December.",
            )
        },
        hints=(
            "start_at is the first moment that counts, end_at the first that does not any more.",
            "From 1 July to 1 August, both as datetime(..., tzinfo=UTC).",
        ),
    ),
    Exercise(
        "twice",
        task="Lea (+16025552302) and Max (+12065553387) got 30 points twice this morning. One of "
        "them should not have. Put it right.",
        setup=_late_orders,
        ours=on(LEA, MAX),
        right=changed({LEA: -30}),
        expected="30 points fewer for the one whose ticket was credited twice",
        look="the reasons of this morning's events of both accounts",
        solve=_twice,
        mistakes={
            "two tickets": Mistake(
                adjusts(MAX, -30, reason="Ticket 303"),
                changed({MAX: -30}),
                "Max had two late orders, tickets 302 and 303: both credits were right. Give the "
                "30 points back.",
            ),
            "both taken back": Mistake(
                adjusts(LEA, -60, reason="Ticket 301"),
                changed({LEA: -60}),
                "Ticket 301 is worth 30 points, once. Give 30 back.",
            ),
        },
        hints=(
            "search_events(account_id=...) for each of the two, and read the reasons.",
            "Lea's two events name the same ticket.",
        ),
    ),
)
PLAN = Plan("Read the ledger: who changed what, when and why", 20, EXERCISES)
