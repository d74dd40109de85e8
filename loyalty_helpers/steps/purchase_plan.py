"""What two purchases would be: read from what was asked for, from program and account."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from loyalty_helpers.api import LoyaltyClient, check_id, check_run_id, purchase_key
from loyalty_helpers.errors import ParameterError
from loyalty_helpers.records import (
    Bundle,
    Location,
    LoyaltyAccount,
    LoyaltyEvent,
    LoyaltyProgram,
    Money,
    RewardTier,
    Shown,
    card,
)
from loyalty_helpers.redaction import mask_repr
from loyalty_helpers.steps.intents import check_intent, digest
from loyalty_helpers.steps.snapshots import snapshot

_LINE = re.compile(r"([1-9][0-9]{0,3}) (\S.{0,199}) ([0-9]{1,9})")


@dataclass(frozen=True)
class Line:
    """What is bought: a quantity, a name, and a price for one in cents."""

    quantity: int
    name: str
    cents: int

    def __str__(self) -> str:
        return f"{self.quantity} {self.name}"


def read_lines(text: str, name: str) -> tuple[Line, ...]:
    """The lines that a text like `1 Coffee 300, 1 Sandwich 800` holds.

    Raises:
        ParameterError: a line is not a quantity, a name and a price in cents.
    """
    lines = []
    for part in text.split(","):
        found = _LINE.fullmatch(part.strip())
        if not found:
            raise ParameterError(
                f"{name}: {mask_repr(part.strip())} is no line of an order: a quantity, a name and "
                "a price in cents, for example '4 Coffee 300', with commas between lines"
            )
        lines.append(Line(int(found[1]), found[2], int(found[3])))
    return tuple(lines)


@dataclass(frozen=True)
class PurchasePlan(Shown):
    """What two purchases would be. Made by reading only.

    Attributes:
        account: the buyer's account as it is now.
        program: the seller's program.
        location: where the purchases are made.
        orders: the lines of the first order, and of the second.
        tier: the reward that the second order uses.
        run_id: the name of the intent.
        known: the newest page of the account's events as they are now.
    """

    account: LoyaltyAccount
    program: LoyaltyProgram
    location: Location
    orders: tuple[tuple[Line, ...], tuple[Line, ...]]
    tier: RewardTier
    run_id: str
    known: tuple[LoyaltyEvent, ...] = field(repr=False)

    @property
    def intent(self) -> dict[str, Any]:
        """The whole intent, as it is kept for the run id."""
        return _intent(self.account.id, self.orders)

    def key(self, step: str) -> str:
        """The idempotency key of one step."""
        return purchase_key(self.run_id, self.account.id, step)

    def _view(self) -> Bundle:
        first, second = self.orders
        rows = [
            ("phone_number", self.account.masked_phone_number),
            ("balance now", self.account.balance),
            ("first order", self._told(first)),
            ("second order", self._told(second)),
            ("reward on the second order", f"{self.tier.name}, for {self.tier.points} points"),
            ("location", self.location.name or self.location.id),
            ("run_id", self.run_id),
        ]
        return card(f"Two purchases with account {self.account.id}", rows)

    def _told(self, lines: Sequence[Line]) -> str:
        cents = sum(line.quantity * line.cents for line in lines)
        total = Money(amount=cents, currency=self.location.currency)
        return f"{', '.join(map(str, lines))}: {total}"


def plan(
    client: LoyaltyClient,
    account: LoyaltyAccount,
    *,
    first_order: str,
    second_order: str,
    run_id: str,
    reward_tier_id: str = "",
    location_id: str = "",
) -> PurchasePlan:
    """Show what will be bought; reads program, locations, account and events, changes nothing.

    Args:
        client: answers.
        account: the buyer's account.
        first_order: lines like `4 Coffee 300`, quantity, name and price in cents.
        second_order: the same; it should hold what the reward is for.
        run_id: the name of the intent.
        reward_tier_id: the reward for the second order; empty for the cheapest.
        location_id: where it is bought; empty for the program's first location.

    Raises:
        ParameterError: a line, the run id, the tier or the location is not allowed, or the run
            id stands for another intent.
    """
    orders = read_lines(first_order, "first_order"), read_lines(second_order, "second_order")
    check_run_id(run_id)
    check_intent(client.environment, run_id, _intent(account.id, orders))
    program = client.retrieve_program()
    tier = _tier(program, reward_tier_id)
    location = _location(client, location_id or next(iter(program.location_ids), ""))
    now, events = snapshot(client, account.id)
    return PurchasePlan(now, program, location, orders, tier, run_id, tuple(events))


def _intent(account_id: str, orders: Sequence[Sequence[Line]]) -> dict[str, Any]:
    first, second = (digest(", ".join(f"{each} {each.cents}" for each in o)) for o in orders)
    return {
        "account_id": account_id,
        "first_order_sha256": first,
        "second_order_sha256": second,
    }


def _tier(program: LoyaltyProgram, tier_id: str) -> RewardTier:
    tiers = sorted(program.reward_tiers, key=lambda tier: tier.points)
    if not tiers:
        raise ParameterError("the program has no reward tiers: set up a reward in the Dashboard")
    if not tier_id:
        return tiers[0]
    check_id(tier_id, "reward_tier_id")
    for tier in tiers:
        if tier.id == tier_id:
            return tier
    known = ", ".join(f"{tier.id} ({tier.name})" for tier in tiers)
    raise ParameterError(f"the program has no reward tier {tier_id!r}. It has: {known}")


def _location(client: LoyaltyClient, location_id: str) -> Location:
    locations = client.list_locations()
    for location in locations:
        if location.id == location_id:
            return location
    known = ", ".join(f"{each.id} ({each.name})" for each in locations)
    raise ParameterError(f"the seller has no location {mask_repr(location_id)}. There are: {known}")
