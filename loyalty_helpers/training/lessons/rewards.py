"""Lesson 6: what points buy, and how they go away: rewards, expiry, refunds."""

from datetime import timedelta

from loyalty_helpers.emulator import program
from loyalty_helpers.training.exercise import (
    Exercise,
    Mistake,
    adjusts,
    both,
    changed,
    kinds,
    on,
    stamp_on,
    stamped,
)
from loyalty_helpers.training.lesson import Lesson
from loyalty_helpers.training.plan import Plan
from loyalty_helpers.training.world import START, World

WES, XIA = "c3029363-11d2-4c22-8bd3-1033774da167", "47557323-23dc-4c3d-a160-bbf085db8346"
YARA, ABE = "d8525542-6d42-4117-9fd3-b39afdb0a57f", "8e50372f-aafe-4c2d-a954-6701e1ccea7e"
LOSES_MOST, HAS_MOST = (
    "5afd38c4-465c-459f-aab8-e75c0e550c57",
    "0fe54250-faad-4d67-803b-8b390f49cebd",
)
COFFEE = "e1b39225-9da5-43d1-a5db-782cdd8ad94f"
SPENT = kinds("CREATE_REWARD", "REDEEM_REWARD")


def _a_year_of_life(world: World) -> None:
    """Points last for twelve months; and Abe had an order that he will bring back."""
    world.set_program(program("seed", expiration_policy={"expiration_duration": "P12M"}))
    world.at(START - timedelta(hours=3))
    world.quiet.accumulate_points(
        ABE,
        order_id="RFZfrdtm3mhO1oGzf5Cx7fEMsmGZY",
        location_id="L88917AVBK2S5",
        idempotency_key="abe-order",
    )


def _placement(lesson: Lesson) -> None:
    client = lesson.client
    wes = client.find_account(phone_number="+13125556425")
    [coffee] = [t for t in client.retrieve_program().reward_tiers if t.name == "Free coffee"]
    reward = client.create_reward(wes.id, coffee.id, idempotency_key="wes-coffee")
    body = {"location_id": "L88917AVBK2S5", "idempotency_key": "wes-coffee-taken"}
    client.request("POST", f"/v2/loyalty/rewards/{reward.id}/redeem", body)


def _order(lesson: Lesson) -> None:
    client = lesson.client
    xia = client.find_account(phone_number="+17025557510")
    [tier] = [t for t in client.retrieve_program().reward_tiers if t.name == "Free sandwich"]
    price = {"amount": 800, "currency": "USD"}
    lines = [{"name": "Sandwich", "quantity": "1", "base_price_money": price}]
    order = client.create_order("L88917AVBK2S5", lines, idempotency_key="xia-order")
    client.create_reward(xia.id, tier.id, order_id=order.id, idempotency_key="xia-reward")
    client.pay_order(order.id, idempotency_key="xia-paid")


def _expiring(lesson: Lesson) -> None:
    lost = {}
    for account in lesson.client.search_accounts():
        for some in account.expiring_point_deadlines:
            if f"{some.expires_at:%Y-%m}" == "2026-12":
                lost[account.id] = some.points
    lesson.stamp("expiring", max(lost, key=lambda account_id: lost[account_id]))


def _turned(lesson: Lesson) -> None:
    lesson.turn(29)


def _refund(lesson: Lesson) -> None:
    client = lesson.client
    abe = client.find_account(phone_number="+16175557293")
    [earned] = client.search_events(account_id=abe.id, order_id="RFZfrdtm3mhO1oGzf5Cx7fEMsmGZY")
    reason = "Ticket 604: order returned"
    client.adjust_points(abe.id, -earned.points, reason=reason, idempotency_key="ticket-604")


def _held_only(lesson: Lesson, account: str, key: str) -> None:
    lesson.client.create_reward(account, COFFEE, idempotency_key=key)


EXERCISES = (
    Exercise(
        "placement",
        task="Wes (+13125556425) stands at the counter and takes a free coffee for his points, "
        "without an order. Let him have it, so that nobody can use the reward again.",
        setup=_a_year_of_life,
        ours=on(WES),
        right=both(SPENT, changed({WES: -10})),
        expected="a reward that took 10 points, and was redeemed",
        look="the types of Wes's events: a reward is made, then used",
        solve=_placement,
        mistakes={
            "by hand": Mistake(
                adjusts(WES, -10, reason="Free coffee"),
                kinds("ADJUST_POINTS"),
                "The points are gone, but no reward was ever given: the ledger shows a correction "
                "in its place.",
            ),
            "never used": Mistake(
                lambda it: _held_only(it, WES, "wes"),
                kinds("CREATE_REWARD"),
                "The reward only holds the points: it is issued, and can still be used or "
                "dropped. Redeem it.",
            ),
        },
        hints=(
            "Two steps: create_reward holds the points, redeeming uses the reward up.",
            "client.request with the path /v2/loyalty/rewards/REWARD_ID/redeem",
        ),
    ),
    Exercise(
        "order",
        task="Xia (+17025557510) orders a sandwich for 8 dollars and wants it for her points. Put "
        "the reward on the order, and complete it.",
        ours=on(XIA),
        right=both(SPENT, changed({XIA: -15})),
        expected="a reward of 15 points that the paid order has redeemed",
        look="which tier it is, and whether the order is completed",
        solve=_order,
        mistakes={
            "the wrong reward": Mistake(
                lambda it: _held_only(it, XIA, "xia"),
                changed({XIA: -10}),
                "10 points buy a coffee. The sandwich is the tier of 15 points.",
            ),
            "by hand": Mistake(
                adjusts(XIA, -15, reason="Free sandwich"),
                kinds("ADJUST_POINTS"),
                "The points are gone, but the order costs what it cost: a reward is what "
                "discounts it.",
            ),
        },
        hints=(
            "create_order, create_reward with order_id, then pay.",
            "The order costs nothing then, and is completed by pay_order.",
        ),
    ),
    Exercise(
        "expiring",
        task="Who loses the most points on 1 December 2026? Stamp the account.",
        ours=stamped("expiring"),
        right=stamp_on(LOSES_MOST),
        expected="the stamp on the account with the most points that expire on that day",
        look="expiring_point_deadlines of each account",
        solve=_expiring,
        mistakes={
            "the richest": Mistake(
                lambda it: it.stamp("expiring", HAS_MOST),
                stamp_on(HAS_MOST),
                "That account has the most points in all, and loses fewer of them on that day.",
            )
        },
        hints=(
            "Each account lists what will expire, and when.",
            "Go through search_accounts(), and look for deadlines in 2026-12.",
        ),
    ),
    Exercise(
        "turned",
        task="Yara (+18085555557) has 8 points that expire on 1 December 2026. Turn the clock of "
        "your world until they are gone.",
        ours=lambda events: [
            e for e in events if e.loyalty_account_id == YARA and e.type != "ACCUMULATE_POINTS"
        ],
        right=both(kinds("EXPIRE_POINTS"), changed({YARA: -8})),
        expected="an event of the type EXPIRE_POINTS, by which 8 points went away",
        look="the date of your world: lesson.turn tells it",
        solve=_turned,
        mistakes={
            "by hand": Mistake(
                adjusts(YARA, -8, reason="Expired"),
                kinds("ADJUST_POINTS"),
                "These points were taken by hand, and on 1 December Square will take 8 more. "
                "Nobody has to expire points: time does it.",
            ),
            "too far": Mistake(
                lambda it: it.turn(200),
                lambda seen: seen.net[YARA] < -8,
                "More than the 8 points are gone: the clock went beyond the next deadlines.",
            ),
        },
        hints=("It is 2 November in your world.", "lesson.turn(29)"),
    ),
    Exercise(
        "refund",
        task="Abe (+16175557293) brings this morning's order RFZfrdtm3mhO1oGzf5Cx7fEMsmGZY back. "
        "Take back what it earned, ticket 604.",
        ours=on(ABE),
        right=changed({ABE: -12}),
        expected="as many points fewer as the order had earned",
        look="the event of that order: search_events(order_id=...)",
        solve=_refund,
        mistakes={
            "given once more": Mistake(
                adjusts(ABE, 12, reason="Ticket 604"),
                changed({ABE: 12}),
                "Now the order has counted twice. What was returned is taken away, with a minus.",
            ),
            "twice": Mistake(
                adjusts(ABE, -12, -12, reason="Ticket 604"),
                changed({ABE: -24}),
                "Taken back twice: each new key is a new intent. Give 12 back.",
            ),
        },
        hints=("The order earned 12 points.", "An adjustment by -12, with the ticket as reason."),
    ),
)
PLAN = Plan("What points buy, and how they go away", 25, EXERCISES, examples=(HAS_MOST,))
