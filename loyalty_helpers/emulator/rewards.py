"""Rewards: ISSUED, then REDEEMED or DELETED for good."""

from typing import Any

from .call import Call
from .clock import event_id
from .events import post
from .ledger import Event, Ledger, Where
from .orders import attach, detach, has_discount_of, keep_order, the_open_order
from .pricing import Order
from .wire import Answer, refusal

Reward = dict[str, Any]


def create(call: Call) -> Answer:
    """Hold the points of a reward tier, and discount the order if there is one."""
    sent = call.sent["reward"]
    ledger = call.once("CreateLoyaltyReward")
    account = ledger.the_account(sent["loyalty_account_id"])
    tier = _tier(ledger, account.program_id, sent["reward_tier_id"])
    if account.balance < tier["points"]:
        code = ledger.assumptions.insufficient_points_code
        raise refusal(code, f"The reward takes {tier['points']} points of {account.balance}.")
    order_id = sent["order_id"]
    order = the_open_order(ledger, order_id, "reward.order_id") if order_id else None
    now = ledger.now()
    reward: Reward = {
        "id": call.event_id(" reward"),
        "status": "ISSUED",
        "loyalty_account_id": account.id,
        "reward_tier_id": tier["id"],
        "points": tier["points"],
        **({"order_id": order_id} if order_id else {}),
        "created_at": now,
        "updated_at": now,
    }
    held = {"points": -tier["points"], "reward_id": reward["id"]}
    account = account.enrolled(now)
    post(ledger, account, "CREATE_REWARD", call.event_id(), held, order_id=order_id)
    _keep(ledger, reward)
    if order:
        keep_order(ledger, attach(ledger, order, reward, tier))
    return {"reward": reward}


def search(call: Call) -> Answer:
    """Find the rewards of an account, the last changed first."""
    where = Where()
    if query := call.sent["query"]:
        where.among("owner", [query["loyalty_account_id"]])
        if query["status"]:
            where.add("json_extract(body, '$.status') = ?", query["status"])
    return call.page(
        "SearchLoyaltyRewards",
        "rewards",
        lambda ledger, *page: ledger.records("reward", where, *page),
    )


def redeem(call: Call) -> Answer:
    """Use up a reward that was paid for; the answer is the event alone."""
    ledger = call.once("RedeemLoyaltyReward")
    reward, location_id = ledger.the("reward", call.target), call.sent["location_id"]
    ledger.the_location(location_id, "location_id")
    return {"event": _use_up(ledger, call.event_id(), reward, location_id)}


def delete(call: Call) -> Answer:
    """Give the points of a reward back, and take its discount from the order."""
    ledger = call.writing()
    _give_back(ledger, ledger.the("reward", call.target))
    return {}


def settle(ledger: Ledger, order: Order) -> None:
    """Redeem the rewards of a paid order; one whose item it does not have is deleted."""
    for attached in order.get("rewards", ()):
        reward = ledger.the("reward", attached["id"])
        if reward["status"] != "ISSUED":
            continue
        if has_discount_of(order, reward["id"]):
            identifier = event_id("RedeemOnPayment", reward["id"])
            _use_up(ledger, identifier, reward, order["location_id"])
        else:
            _give_back(ledger, reward)


def _use_up(ledger: Ledger, identifier: str, reward: Reward, location_id: str) -> Event:
    """Use a reward up, and return the event, which has this id and moves no points."""
    _must_be_issued(ledger, reward)
    now = ledger.now()
    account = ledger.the_account(reward["loyalty_account_id"])
    used = {"reward_id": reward["id"], "order_id": reward.get("order_id")}
    _, event = post(ledger, account, "REDEEM_REWARD", identifier, used, location_id=location_id)
    _keep(ledger, {**reward, "status": "REDEEMED", "updated_at": now, "redeemed_at": now})
    return event


def _give_back(ledger: Ledger, reward: Reward) -> None:
    """Delete a reward and return the points that it held."""
    _must_be_issued(ledger, reward)
    identifier = event_id("DeleteLoyaltyReward", reward["id"])
    account = ledger.the_account(reward["loyalty_account_id"])
    returned = {"points": reward["points"], "reward_id": reward["id"]}
    order_id = reward.get("order_id")
    post(ledger, account, "DELETE_REWARD", identifier, returned, order_id=order_id)
    _keep(ledger, {**reward, "status": "DELETED", "updated_at": ledger.now()})
    if order_id:
        keep_order(ledger, detach(ledger.the("order", order_id), reward["id"]))


def _keep(ledger: Ledger, reward: Reward) -> None:
    """Write a reward where its account and its last change find it."""
    owner, moment = reward["loyalty_account_id"], reward["updated_at"]
    ledger.keep("reward", reward, owner=owner, moment=moment)


def _tier(ledger: Ledger, program_id: str, tier_id: str) -> dict[str, Any]:
    for tier in ledger.the_program(program_id).get("reward_tiers", ()):
        if tier["id"] == tier_id:
            return dict(tier)
    code = ledger.assumptions.unknown_tier_code
    raise refusal(code, "Reward tier not found.", "reward.reward_tier_id")


def _must_be_issued(ledger: Ledger, reward: Reward) -> None:
    if reward["status"] != "ISSUED":
        code = ledger.assumptions.reward_not_issued_code
        raise refusal(code, f"The reward is {reward['status']}, not ISSUED.")
