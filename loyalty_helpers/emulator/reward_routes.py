"""Rewards: issue, find, redeem, give back."""

from __future__ import annotations

from typing import Final

from .clock import event_id
from .handling import KEY_LENGTH, Call
from .ledger import Ledger, Where
from .rewards import give_back, issue, redeem, the_reward
from .rules import the_location
from .validation import Reader
from .world import Answer, KeyedRequest

_STATUSES: Final = ("ISSUED", "REDEEMED", "DELETED")


def create_loyalty_reward(call: Call) -> Answer:
    """Hold the points of a reward tier, and discount the order if there is one."""
    body = call.body.fields
    key = body.required_text("idempotency_key", longest=KEY_LENGTH)
    sent = body.required_object("reward")
    account_id = sent.required_text("loyalty_account_id", longest=36)
    tier_id = sent.required_text("reward_tier_id", longest=36)
    order_id = sent.text("order_id")
    body.finish()

    def work(ledger: Ledger, request: KeyedRequest) -> Answer:
        return {"reward": issue(call.world, ledger, request, account_id, tier_id, order_id)}

    return call.once("CreateLoyaltyReward", key, work)


def search_loyalty_rewards(call: Call) -> Answer:
    """Find the rewards of an account, the last changed first."""
    body = call.body.fields
    limit = body.integer("limit", 1, 30) or 30
    where = _rewards_where(body.object("query"))

    return call.page(
        "SearchLoyaltyRewards",
        "rewards",
        limit,
        lambda ledger, *page: ledger.records("reward", where, *page),
    )


def redeem_loyalty_reward(call: Call) -> Answer:
    """Use up a reward that was paid for; the answer is the event alone."""
    body = call.body.fields
    key = body.required_text("idempotency_key", longest=KEY_LENGTH)
    location_id = body.required_text("location_id")
    body.finish()

    def work(ledger: Ledger, request: KeyedRequest) -> Answer:
        reward = the_reward(ledger, call.target)
        the_location(call.world, ledger, location_id, "location_id")
        identifier = event_id(request.scope(call.world.assumptions), request.key)
        return {"event": redeem(call.world, ledger, identifier, reward, location_id)}

    return call.once("RedeemLoyaltyReward", key, work)


def delete_loyalty_reward(call: Call) -> Answer:
    """Give the points of a reward back, and take its discount from the order."""
    with call.writing() as ledger:
        give_back(call.world, ledger, the_reward(ledger, call.target))
    return {}


def _rewards_where(query: Reader | None) -> Where:
    where = Where()
    if query is not None:
        where.among("owner", [query.required_text("loyalty_account_id", longest=36)])
        if status := query.one_of("status", _STATUSES):
            where.add("json_extract(body, '$.status') = ?", status)
    return where
