"""Lesson 2: give and take points, with a reason, once."""

from datetime import timedelta

from loyalty_helpers.training.exercise import (
    Exercise,
    Mistake,
    adjusts,
    changed,
    on,
    stamp_on,
    stamped,
    without,
)
from loyalty_helpers.training.lesson import Lesson
from loyalty_helpers.training.plan import Plan
from loyalty_helpers.training.world import START, World

GUS, HANA = "0c421cfd-124f-403b-b20f-46a0da9fcd09", "225aa0b5-baa5-4cbd-8970-3bd66a132181"
IVO, JUNE = "1cb0011b-db9e-4b58-8aae-1d834d280383", "2c9a2499-198a-4257-b089-6d248eeb7d93"
KAI = "515f906d-4177-4065-a7f0-22185221970a"
MORE_IN_ALL, MORE_NOW = (
    "8176897e-30e0-40e1-bafc-9f25b543be1b",
    "d4e0d7be-cae9-4962-9405-46027c1267e5",
)
NO_REASON = (
    "The points are right, but the reason does not name the ticket: in a year nobody will know why."
)


def _before(world: World) -> None:
    world.at(START - timedelta(hours=2))
    world.quiet.adjust_points(KAI, 20, reason="Ticket 200", idempotency_key="ticket-200")


def _placement(lesson: Lesson) -> None:
    client = lesson.client
    kai = client.find_account(phone_number="+14155550103")
    reason = "Ticket 200: 15 were meant, not 20"
    client.adjust_points(kai.id, -5, reason=reason, idempotency_key="ticket-200-corrected")


def _give(lesson: Lesson) -> None:
    client = lesson.client
    gus = client.find_account(phone_number="+12065551000")
    client.adjust_points(gus.id, 25, reason="Ticket 201: late order", idempotency_key="ticket-201")


def _take(lesson: Lesson) -> None:
    client = lesson.client
    hana = client.find_account(phone_number="+13035551434")
    reason = "Ticket 202: entered twice"
    client.adjust_points(hana.id, -10, reason=reason, idempotency_key="ticket-202")


def _below_zero(lesson: Lesson) -> None:
    client = lesson.client
    ivo = client.find_account(phone_number="+17135552953")
    client.adjust_points(
        ivo.id,
        -30,
        reason="Ticket 203: order refunded",
        idempotency_key="ticket-203",
        allow_negative_balance=True,
    )


def _not_below_zero(lesson: Lesson) -> None:
    client = lesson.client
    june = client.find_account(phone_number="+13125554038")
    reason = "Ticket 204: goodwill taken back, as far as it was there"
    client.adjust_points(june.id, -june.balance, reason=reason, idempotency_key="ticket-204")


def _lifetime(lesson: Lesson) -> None:
    client = lesson.client
    numbers = ["+16025552302", "+14155550160"]
    two = client.search_accounts(phone_numbers=numbers)
    lesson.stamp("lifetime", max(two, key=lambda account: account.lifetime_points))


EXERCISES = (
    Exercise(
        "placement",
        task="This morning Kai (+14155550103) got 20 points for ticket 200; 15 were meant. "
        "Put it right with one adjustment whose reason names the ticket.",
        setup=_before,
        ours=on(KAI),
        right=changed({KAI: -5}),
        expected="5 points fewer than this morning, and a reason that names ticket 200",
        look="what is too much, not what was meant",
        solve=_placement,
        mistakes={
            "given again": Mistake(
                adjusts(KAI, 15, reason="Ticket 200"),
                changed({KAI: 15}),
                "Now 35 points were given in all: an adjustment adds to what is there, it does "
                "not replace it.",
            ),
            "all taken back": Mistake(
                adjusts(KAI, -20, reason="Ticket 200"),
                changed({KAI: -20}),
                "Now nothing is left of the 15 points that were meant.",
            ),
        },
        hints=("How many points does Kai have too many?", "The adjustment is by -5."),
    ),
    Exercise(
        "give",
        task="Gus (+12065551000) waited an hour: give 25 points, with a reason that names "
        "ticket 201.",
        ours=on(GUS),
        right=changed({GUS: 25}),
        expected="+25 in one event, and a reason that names ticket 201",
        look="points, sign and reason of the call; how often it was sent, and with which keys",
        solve=_give,
        mistakes={
            "twice": Mistake(
                adjusts(GUS, 25, 25, reason="Ticket 201"),
                changed({GUS: 50}),
                "Given twice: each new idempotency_key is a new intent. Take 25 back, and keep "
                "one key for one ticket.",
            ),
            "taken away": Mistake(
                adjusts(GUS, -25, reason="Ticket 201"),
                changed({GUS: -25}),
                "The sign is wrong: the points were taken away. Gus still has to get 25, and "
                "these 25 back.",
            ),
            "no ticket": Mistake(adjusts(GUS, 25, reason=""), without("ticket 201"), NO_REASON),
        },
        hints=(
            "Find the account first, then adjust it by its id.",
            "client.adjust_points(account.id, 25, reason=..., idempotency_key=...)",
        ),
    ),
    Exercise(
        "take",
        task="Hana (+13035551434) got 10 points twice: take 10 away, with a reason that names "
        "ticket 202.",
        ours=on(HANA),
        right=changed({HANA: -10}),
        expected="-10, and a reason that names ticket 202",
        look="the sign: negative points take away",
        solve=_take,
        mistakes={
            "given": Mistake(
                adjusts(HANA, 10, reason="Ticket 202"),
                changed({HANA: 10}),
                "Now she has them three times. A minus takes points away; 20 are too many now.",
            ),
            "no ticket": Mistake(adjusts(HANA, -10, reason=""), without("ticket 202"), NO_REASON),
        },
        hints=("There is no operation to take: it is an adjustment as well.", "Adjust by -10."),
    ),
    Exercise(
        "below_zero",
        task="Ivo (+17135552953) returned what had earned 30 points, and has 10 left. The shop's "
        "rule: refunds are taken back in full, even below 0. Ticket 203.",
        ours=on(IVO),
        right=changed({IVO: -30}),
        expected="-30 in all, so that the balance is -20",
        look="allow_negative_balance",
        solve=_below_zero,
        mistakes={
            "stopped at zero": Mistake(
                adjusts(IVO, -10, reason="Ticket 203"),
                changed({IVO: -10}),
                "Only what was there was taken, and 20 points are still owed. Square refuses to "
                "go below 0 unless you allow it by name.",
            ),
        },
        hints=(
            "Try it without anything special first, and read the error.",
            "adjust_points takes allow_negative_balance=True.",
        ),
    ),
    Exercise(
        "not_below_zero",
        task="June (+13125554038) got 15 points of goodwill by mistake, and has 10 left. The "
        "shop's rule: goodwill never puts a buyer below 0. Ticket 204.",
        ours=on(JUNE),
        right=changed({JUNE: -10}),
        expected="as much as was there, and a balance of 0",
        look="June's balance before you adjust",
        solve=_not_below_zero,
        mistakes={
            "below zero": Mistake(
                adjusts(JUNE, -15, reason="Ticket 204", negative=True),
                changed({JUNE: -15}),
                "June owes 5 points now: allow_negative_balance is for refunds only. Give 5 back.",
            ),
        },
        hints=("How many points does June have?", "Adjust by the balance, with a minus."),
    ),
    Exercise(
        "lifetime",
        task="Of the buyers +16025552302 and +14155550160, stamp the one who has collected more "
        "points in all their time.",
        ours=stamped("lifetime"),
        right=stamp_on(MORE_IN_ALL),
        expected="the stamp on the account with more lifetime points",
        look="lifetime_points, which spending does not lower",
        solve=_lifetime,
        mistakes={
            "balance": Mistake(
                lambda it: it.stamp("lifetime", MORE_NOW),
                stamp_on(MORE_NOW),
                "That is who has more points to spend today. What was spent was collected too.",
            )
        },
        hints=("A balance is what is left.", "Compare lifetime_points of the two accounts."),
    ),
)
PLAN = Plan("Give and take points, with a reason, once", 20, EXERCISES)
