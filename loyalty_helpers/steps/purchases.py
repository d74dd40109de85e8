"""The steps of two purchases: earn points with the first, spend them on the second, verify both.

Each step is a plain function that a notebook cell, a form's button and a test call alike. Each
write has a key of its own, made of run id, account and step, so that any step, or all of them,
can be run again: what was done before is not done twice, and what is missing is done.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.errors import ParameterError
from loyalty_helpers.records import (
    Bundle,
    LoyaltyEvent,
    LoyaltyReward,
    Order,
    Shown,
    plain,
    points_text,
    table,
)
from loyalty_helpers.steps.intents import kept_intent
from loyalty_helpers.steps.purchase_plan import Line
from loyalty_helpers.steps.purchase_plan import PurchasePlan as PurchasePlan
from loyalty_helpers.steps.purchase_plan import plan as plan
from loyalty_helpers.steps.snapshots import balance_problems, between, is_all, snapshot, was_there
from loyalty_helpers.steps.verification import Verification

TEST_CARD = "cnon:card-nonce-ok"  # the card that always works, in Square's Sandbox


@dataclass(frozen=True)
class Earned(Shown):
    """What a paid order has earned.

    Attributes:
        order: the order.
        events: the events that Square answered with; none if the order earns nothing.
        applied: `now`, or `before` when the same run had done it earlier.
    """

    order: Order
    events: tuple[LoyaltyEvent, ...]
    applied: str

    @property
    def points(self) -> int:
        """All points that the order has earned."""
        return sum(event.points for event in self.events)

    def _view(self) -> Bundle:
        rows = [(e.points, e.type, plain(e.created_at), e.id) for e in self.events]
        title = f"Order {self.order.id} earned {points_text(self.points)}, applied {self.applied}"
        return table(title, ("points", "type", "created_at", "event_id"), rows)


@dataclass(frozen=True, kw_only=True)
class Bought(Verification):
    """What account, ledger and reward say after both purchases.

    Attributes:
        earned: what the first order has earned, and the second.
        reward: the reward, read again.
    """

    earned: tuple[Earned, Earned]
    reward: LoyaltyReward


def place_order(client: LoyaltyClient, planned: PurchasePlan, number: int) -> Order:
    """Open the first order (1) or the second (2), once for the run id; as it is now.

    Raises:
        ParameterError: the run id stands for another intent; nothing was sent.
    """
    lines = [_line_item(line, planned.location.currency) for line in planned.orders[number - 1]]
    key = planned.key(f"order {number}")
    with kept_intent(client.environment, planned.run_id, planned.intent):
        made = client.create_order(planned.location.id, lines, idempotency_key=key)
    return client.retrieve_order(made.id)  # a repeated request is answered as the first one was


def pay(client: LoyaltyClient, planned: PurchasePlan, order: Order) -> Order:
    """Pay what an order costs now, once for the run id; the order as it is after that.

    An order that a reward has made free takes no payment, and is completed without one.
    """
    due, key = client.retrieve_order(order.id).total_money, planned.key(f"pay {order.id}")
    if due.amount:
        client.create_payment(order.id, due, source_id=TEST_CARD, idempotency_key=key)
    else:
        client.pay_order(order.id, idempotency_key=key)
    return client.retrieve_order(order.id)


def accumulate(client: LoyaltyClient, planned: PurchasePlan, order: Order) -> Earned:
    """Add what a paid order earns, once for the run id."""
    events = client.accumulate_points(
        planned.account.id,
        location_id=order.location_id,
        order_id=order.id,
        idempotency_key=planned.key(f"accumulate {order.id}"),
    )
    known = bool(events) and all(was_there(client, each, planned.known) for each in events)
    return Earned(order, tuple(events), "before" if known else "now")


def use_reward(client: LoyaltyClient, planned: PurchasePlan, order: Order) -> LoyaltyReward:
    """Hold the points of the reward, once for the run id, and discount the order with it.

    Raises:
        ParameterError: the account has fewer points than the reward takes.
    """
    if not order.rewards:
        balance = client.retrieve_account(planned.account.id).balance
        if balance < planned.tier.points:
            raise ParameterError(
                f"the reward {planned.tier.name!r} takes {planned.tier.points} points and the "
                f"account has {balance}: buy more with the first order, under a new run_id"
            )
    return client.create_reward(
        planned.account.id,
        planned.tier.id,
        order_id=order.id,
        idempotency_key=planned.key(f"reward {order.id}"),
    )


def verify(
    client: LoyaltyClient,
    planned: PurchasePlan,
    first: Earned,
    reward: LoyaltyReward,
    second: Earned,
) -> Bought:
    """Read account, ledger and reward again, and compare them with the purchases."""
    after, events = snapshot(client, planned.account.id, known=planned.known)
    now = client.retrieve_reward(reward.id)
    problems = _problems(first, second, now, events)
    if problems and not is_all(planned.known):  # done before, and deeper than what was read
        deeper = _deeper(client, (first.order, second.order), now)
        ours = {event.id: event for event in (*events, *deeper)}
        problems = _problems(first, second, now, list(ours.values()))
    problems += balance_problems(planned.account, planned.known, after, events)
    before = first.applied == second.applied == "before"
    points = [first.points, -now.points, second.points]
    return Bought(
        earned=(first, second),
        reward=now,
        before=planned.account,
        after=after,
        points=sum(points),
        applied="before" if before else "now",
        told="applied before" if before else "applied now",
        note="This run had been done already: nothing was added this time." if before else "",
        rows=(
            ("first order", points_text(first.points)),
            ("reward", f"{points_text(-now.points)}, {now.status}"),
            ("second order", points_text(second.points)),
        ),
        change=", {:+d} {:+d} {:+d}".format(*points) + (", applied before" if before else ""),
        problems=tuple(problems),
    )


def buy(client: LoyaltyClient, planned: PurchasePlan) -> Bought:
    """All steps of both purchases, from the first order to the proof."""
    first = accumulate(client, planned, pay(client, planned, place_order(client, planned, 1)))
    order = place_order(client, planned, 2)
    reward = use_reward(client, planned, order)
    second = accumulate(client, planned, pay(client, planned, order))
    return verify(client, planned, first, reward, second)


def _line_item(line: Line, currency: str) -> dict[str, Any]:
    money = {"amount": line.cents, "currency": currency}
    return {"name": line.name, "quantity": str(line.quantity), "base_price_money": money}


def _deeper(
    client: LoyaltyClient, orders: Sequence[Order], reward: LoyaltyReward
) -> Iterator[LoyaltyEvent]:
    """The events of the orders, and all from when the reward was made until it was redeemed."""
    account_id = reward.loyalty_account_id
    for order in orders:
        yield from client.search_events(account_id=account_id, order_id=order.id)
    yield from between(client, account_id, reward.created_at, reward.redeemed_at)


def _problems(
    first: Earned, second: Earned, reward: LoyaltyReward, events: Sequence[LoyaltyEvent]
) -> list[str]:
    """The ledger must hold just the events of orders and reward that Square answered with."""
    problems = []
    for earned in (first, second):
        found = {
            event.id: event
            for event in events
            if event.type.startswith("ACCUMULATE") and event.details.order_id == earned.order.id
        }
        if found != {event.id: event for event in earned.events}:
            told = f"the {len(earned.events)} that Square answered with"
            problems.append(
                f"the ledger has {len(found)} events of order {earned.order.id}, not just {told}"
            )
    return problems + _reward_problems(reward, events)


def _reward_problems(reward: LoyaltyReward, events: Sequence[LoyaltyEvent]) -> list[str]:
    """The reward must be redeemed, and its points taken once."""
    if reward.status == "DELETED":
        return ["the second order holds nothing that the reward is for: its points were given back"]
    if reward.status != "REDEEMED":
        return [f"the reward is {reward.status}, not REDEEMED"]
    types = sorted(event.type for event in events if event.details.reward_id == reward.id)
    taken = [e.points for e in events if e.details.reward_id == reward.id and e.points]
    if (types, taken) == (["CREATE_REWARD", "REDEEM_REWARD"], [-reward.points]):
        return []
    return [f"the ledger has {', '.join(types) or 'no events'} of the reward, points {taken}"]
