"""What becomes of a reward: ISSUED, then REDEEMED or DELETED for good."""

from __future__ import annotations

from typing import Any

from .clock import event_id
from .ledger import Event, Ledger
from .orders import attach, detach, has_discount_of, keep_order, the_order
from .pricing import Order
from .rules import new_event, post, the_account, the_program
from .wire_errors import found, refusal
from .world import KeyedRequest, World

Reward = dict[str, Any]


def the_reward(ledger: Ledger, reward_id: str) -> Reward:
    """Return the reward, or refuse with 404."""
    return found(ledger.record("reward", reward_id), "Loyalty reward")


def issue(
    world: World,
    ledger: Ledger,
    request: KeyedRequest,
    account_id: str,
    tier_id: str,
    order_id: str | None,
) -> Reward:
    """Take the points of a tier from the balance, and return the reward that holds them."""
    account = the_account(ledger, account_id)
    tier = _tier(world, ledger, account.program_id, tier_id)
    if account.balance < tier["points"]:
        code = world.assumptions.insufficient_points_code
        raise refusal(code, f"The reward takes {tier['points']} points of {account.balance}.")
    order = the_open_order(world, ledger, order_id, "reward.order_id") if order_id else None
    now = world.now()
    scope = request.scope(world.assumptions)
    reward: Reward = {
        "id": event_id(f"{scope} reward", request.key),
        "status": "ISSUED",
        "loyalty_account_id": account.id,
        "reward_tier_id": tier_id,
        "points": tier["points"],
        **({"order_id": order_id} if order_id else {}),
        "created_at": now,
        "updated_at": now,
    }
    held = {"points": -tier["points"], "reward_id": reward["id"]}
    identifier = event_id(scope, request.key)
    event = new_event(identifier, account, "CREATE_REWARD", now, held)
    post(world, ledger, account.enrolled(now), event, order_id=order_id)
    keep_reward(ledger, reward)
    if order:
        keep_order(world, ledger, attach(world, ledger, order, reward, tier))
    return reward


def redeem(
    world: World, ledger: Ledger, identifier: str, reward: Reward, location_id: str
) -> Event:
    """Use a reward up, and return the event, which has this id and moves no points."""
    _must_be_issued(world, reward)
    now = world.now()
    account = the_account(ledger, reward["loyalty_account_id"])
    used = {"reward_id": reward["id"], "order_id": reward.get("order_id")}
    event = new_event(identifier, account, "REDEEM_REWARD", now, used, location_id=location_id)
    post(world, ledger, account, event)
    keep_reward(ledger, {**reward, "status": "REDEEMED", "updated_at": now, "redeemed_at": now})
    return event


def give_back(world: World, ledger: Ledger, reward: Reward) -> None:
    """Delete a reward and return the points that it held."""
    _must_be_issued(world, reward)
    now = world.now()
    identifier = event_id("DeleteLoyaltyReward", reward["id"])
    account = the_account(ledger, reward["loyalty_account_id"])
    returned = {"points": reward["points"], "reward_id": reward["id"]}
    order_id = reward.get("order_id")
    event = new_event(identifier, account, "DELETE_REWARD", now, returned)
    post(world, ledger, account, event, order_id=order_id)
    keep_reward(ledger, {**reward, "status": "DELETED", "updated_at": now})
    if order_id:
        order = the_order(ledger, order_id)
        keep_order(world, ledger, detach(order, reward["id"]))


def settle(world: World, ledger: Ledger, order: Order) -> None:
    """Redeem the rewards of a paid order; one whose item it does not have is deleted."""
    for attached in order.get("rewards", ()):
        reward = the_reward(ledger, attached["id"])
        if reward["status"] != "ISSUED":
            continue
        if has_discount_of(order, reward["id"]):
            identifier = event_id("RedeemOnPayment", reward["id"])
            redeem(world, ledger, identifier, reward, order["location_id"])
        else:
            give_back(world, ledger, reward)


def the_open_order(world: World, ledger: Ledger, order_id: str, field: str) -> Order:
    """Return the order, or refuse one that does not exist or is done."""
    order = the_order(ledger, order_id)
    if order["state"] != "OPEN":
        code = world.assumptions.order_not_open_code
        raise refusal(code, f"The order is {order['state']}, not OPEN.", field)
    return order


def keep_reward(ledger: Ledger, reward: Reward) -> None:
    """Write a reward where its account and its last change find it."""
    owner, moment = reward["loyalty_account_id"], reward["updated_at"]
    ledger.keep("reward", reward, owner=owner, moment=moment)


def _tier(world: World, ledger: Ledger, program_id: str, tier_id: str) -> dict[str, Any]:
    for tier in the_program(ledger, program_id).get("reward_tiers", ()):
        if tier["id"] == tier_id:
            return dict(tier)
    code = world.assumptions.unknown_tier_code
    raise refusal(code, "Reward tier not found.", "reward.reward_tier_id")


def _must_be_issued(world: World, reward: Reward) -> None:
    if reward["status"] != "ISSUED":
        code = world.assumptions.reward_not_issued_code
        raise refusal(code, f"The reward is {reward['status']}, not ISSUED.")
