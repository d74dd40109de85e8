"""Lesson 4: points of a purchase come from its order; by hand comes what was no purchase."""

from loyalty_helpers.training.exercise import (
    Doing,
    Exercise,
    Mistake,
    Seen,
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

UNA, VIC = "88ae45c7-8ec2-4437-bf5c-d33c8d3e51f3", "814b3bf2-60cd-4b3e-8414-64ba758de634"
WIM, ZOE = "1bbf8444-becc-46cf-a5dc-c8b1d8397843", "25e8b1e7-8f07-469a-98c2-c7200e33c79c"
BUYER, LAST_BUYER = "0fe54250-faad-4d67-803b-8b390f49cebd", "6f978740-9aec-432e-9691-8f700e80c904"
BY_HAND = (
    "The number is right, but it was adjusted: the ledger does not know which order it was for, so "
    "the order can earn once more. Take it back, and accumulate from the order."
)


def _of_an_order(seen: Seen) -> bool:
    """Whether an order is named by one of the events."""
    return any(e.details.order_id for e in seen.events if e.type == "ACCUMULATE_POINTS")


def _placement(lesson: Lesson) -> None:
    client = lesson.client
    una = client.find_account(phone_number="+13035556208")
    order = client.retrieve_order("PyATxhYLfsMqpVkcKJITPydgEYfZY")
    key = f"earned-{order.id}"
    client.accumulate_points(
        una.id, order_id=order.id, location_id=order.location_id, idempotency_key=key
    )


def _late(lesson: Lesson) -> None:
    client = lesson.client
    vic = client.find_account(phone_number="+14045556642")
    order = client.retrieve_order("k3VtQx0eZLb5mTnR8yCwAuJdHgEZY")
    key = f"earned-{order.id}"
    client.accumulate_points(
        vic.id, order_id=order.id, location_id=order.location_id, idempotency_key=key
    )


def _earn(lesson: Lesson) -> None:
    client, shop = lesson.client, "L88917AVBK2S5"
    wim = client.find_account(phone_number="+15125556859")
    price = {"amount": 300, "currency": "USD"}
    coffees = [{"name": "Coffee", "quantity": "4", "base_price_money": price}]
    order = client.create_order(shop, coffees, idempotency_key="wim-order")
    client.create_payment(
        order.id, order.total_money, source_id="CASH", idempotency_key="wim-payment"
    )
    client.accumulate_points(
        wim.id, order_id=order.id, location_id=shop, idempotency_key="wim-points"
    )


def _whose(lesson: Lesson) -> None:
    [earned] = lesson.client.search_events(order_id="L4HUPOFD7GK2G34C2G7UMOFPV7ZY")
    lesson.stamp("whose", earned.loyalty_account_id)


def _goodwill(lesson: Lesson) -> None:
    client = lesson.client
    zoe = client.find_account(phone_number="+16025557076")
    reason = "Ticket 404: waited an hour"
    client.adjust_points(zoe.id, 10, reason=reason, idempotency_key="ticket-404")


def _accumulates(account: str, points: int) -> Doing:
    def do(lesson: Lesson) -> None:
        shop, key = "L88917AVBK2S5", f"{account}-{points}"
        lesson.client.accumulate_points(
            account, points=points, location_id=shop, idempotency_key=key
        )

    return do


def _last_buyer(lesson: Lesson) -> None:
    newest = next(iter(lesson.client.search_events(types=["ACCUMULATE_POINTS"])))
    lesson.stamp("whose", newest.loyalty_account_id)


EXERCISES = (
    Exercise(
        "placement",
        task="Una (+13035556208) paid the order PyATxhYLfsMqpVkcKJITPydgEYfZY and forgot to give "
        "her number. Give her what the order earns.",
        ours=on(UNA),
        right=both(_of_an_order, changed({UNA: 49})),
        expected="what the program gives for this order, in an event that names the order",
        look="accumulate_points with an order_id; the tax on the order earns nothing",
        solve=_placement,
        mistakes={
            "total by hand": Mistake(
                adjusts(UNA, 54, reason="Order"),
                changed({UNA: 54}),
                "54 dollars were paid, but 4.25 of them are tax, which earns nothing: only Square "
                "knows the rules. Take the points back, and accumulate from the order.",
            ),
            "by hand": Mistake(
                adjusts(UNA, 49, reason="Order"),
                both(kinds("ADJUST_POINTS"), changed({UNA: 49})),
                BY_HAND,
            ),
        },
        hints=(
            "Square computes points from an order by itself.",
            "accumulate_points(una.id, order_id=..., location_id=..., idempotency_key=...)",
        ),
    ),
    Exercise(
        "late",
        task="Vic (+14045556642) shows a receipt of last week: order "
        "k3VtQx0eZLb5mTnR8yCwAuJdHgEZY. Give him what it earns.",
        ours=on(VIC),
        right=both(_of_an_order, changed({VIC: 31})),
        expected="what the program gives for this order, in an event that names the order",
        look="the location of the order: it was not the shop on Main Street",
        solve=_late,
        mistakes={
            "by hand": Mistake(
                adjusts(VIC, 31, reason="Receipt"),
                both(kinds("ADJUST_POINTS"), changed({VIC: 31})),
                BY_HAND,
            ),
            "rounded up": Mistake(
                adjusts(VIC, 32, reason="Receipt"),
                changed({VIC: 32}),
                "31.99 dollars are 31 whole dollars: the program rounds down, and it is Square who "
                "counts. Take the points back, and accumulate from the order.",
            ),
        },
        hints=(
            "client.retrieve_order(...) tells where it was paid.",
            "Give accumulate_points the order_id, and the order's own location_id.",
        ),
    ),
    Exercise(
        "earn",
        task="Wim (+15125556859) buys 4 coffees at 3 dollars and pays cash. Sell them to him, and "
        "let him earn his points.",
        ours=on(WIM),
        right=both(_of_an_order, changed({WIM: 12})),
        expected="12 points in an event that names the order",
        look="three steps: create_order, create_payment, accumulate_points",
        solve=_earn,
        mistakes={
            "by hand": Mistake(
                adjusts(WIM, 12, reason="4 coffees"),
                both(kinds("ADJUST_POINTS"), changed({WIM: 12})),
                BY_HAND,
            ),
            "without the order": Mistake(
                _accumulates(WIM, 12),
                lambda seen: not _of_an_order(seen),
                "These points were accumulated as a bare number, so no order stands behind them. "
                "That is for shops whose orders are not at Square.",
            ),
        },
        hints=(
            "An order has to be paid before it can earn.",
            'create_payment(order.id, order.total_money, source_id="CASH", idempotency_key=...)',
            "Then accumulate_points with order_id=order.id.",
        ),
    ),
    Exercise(
        "whose",
        task="Somebody left the receipt of order L4HUPOFD7GK2G34C2G7UMOFPV7ZY on a table. Stamp "
        "the account that it earned points for.",
        ours=stamped("whose"),
        right=stamp_on(BUYER),
        expected="the stamp on the account in the event of that order",
        look="search_events(order_id=...)",
        solve=_whose,
        mistakes={
            "the last buyer": Mistake(
                _last_buyer,
                lambda seen: not stamp_on(BUYER)(seen),
                "The event of this order is on another account: ask for the order, and not for "
                "who bought last.",
            )
        },
        hints=("Events can be searched by order.", "The event has a loyalty_account_id."),
    ),
    Exercise(
        "goodwill",
        task="Zoe (+16025557076) waited an hour and left without buying anything: 10 points, "
        "ticket 404.",
        ours=on(ZOE),
        right=both(kinds("ADJUST_POINTS"), changed({ZOE: 10})),
        expected="+10 by hand, since there was no purchase",
        look="the type of the event: does it claim a purchase?",
        solve=_goodwill,
        mistakes={
            "as a purchase": Mistake(
                _accumulates(ZOE, 10),
                lambda seen: "ACCUMULATE_POINTS" in {event.type for event in seen.events},
                "The ledger says now that Zoe bought something, and every report will count it as "
                "a sale. What is no purchase is adjusted, with a reason.",
            )
        },
        hints=("Was there an order?", "No order: adjust_points, with a reason."),
    ),
)
PLAN = Plan("Accumulate or adjust: what a purchase earns", 20, EXERCISES)
