"""What the buyers of the seed world did between January 2025 and October 2026."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from .clock import event_id, rfc3339
from .ledger import Account, Event
from .rules import new_event
from .seed_buyers import (
    LOCATIONS,
    PHONE_HTML,
    PHONE_NEGATIVE,
    PHONE_RICH,
    PROGRAM_ID,
    Buyer,
    made_code,
    made_uuid,
)
from .seed_program import COFFEE_TIER_ID

_FIRST_DAY: Final = datetime(2025, 1, 6, 8, 15, tzinfo=UTC)
_DAYS: Final = 640
_RICH_STEPS: Final = 40
_REASONS: Final = ("Late order", "Damaged goods", "Welcome points", "Survey answered")
_HTML_REASON: Final = "<img src=x onerror=alert(1)>"

# What happens step by step, from a start that differs from buyer to buyer.
_STEPS: Final = (
    "purchase", "order", "adjust", "order", "redeemed reward", "purchase", "adjust in store",
    "promotion", "order", "deleted reward", "purchase", "correction", "expiry", "other",
)  # fmt: skip


class Story:
    """Tells the events of one buyer; the account follows from them."""

    def __init__(self, buyer: Buyer) -> None:
        self._buyer = buyer
        self._moment = _FIRST_DAY + timedelta(days=buyer.number * 3, minutes=buyer.number * 37)
        created_at = rfc3339(self._moment)
        self.account = Account(
            id=made_uuid(f"account {buyer.number}"),
            program_id=PROGRAM_ID,
            mapping_id=made_uuid(f"mapping {buyer.number}"),
            phone_number=buyer.phone_number,
            customer_id=buyer.customer_id,
            created_at=created_at,
            updated_at=created_at,
        )
        self.events: list[Event] = []
        self.rewards: list[dict[str, Any]] = []

    def wait(self, *, days: int = 0, minutes: int = 0) -> None:
        """Let time pass."""
        self._moment += timedelta(days=days, minutes=minutes, seconds=7)

    def post(self, kind: str, points: int | None, earned: int = 0, **more: Any) -> None:
        """Add an event; `earned` is what it adds to the lifetime points."""
        now = rfc3339(self._moment)
        identifier = event_id("seed", f"{self._buyer.number} {len(self.events)}")
        source = more.pop("source", "LOYALTY_API")
        location_id = more.pop("location_id", None)
        body = {"points": points, **more}
        at = {"source": source, "location_id": location_id}
        self.events.append(new_event(identifier, self.account, kind, now, body, **at))
        begins = kind in ("ACCUMULATE_POINTS", "CREATE_REWARD")
        self.account = self.account._replace(
            balance=self.account.balance + (points or 0),
            lifetime_points=self.account.lifetime_points + earned,
            enrolled_at=self.account.enrolled_at or (now if begins else None),
            updated_at=now,
        )

    def earn(self, points: int, *, order: str | None, promotion: str | None = None) -> None:
        """Tell of a purchase, with an order or without, and of what a promotion adds to it."""
        at = LOCATIONS[self._buyer.number % 2]
        kind = "ACCUMULATE_POINTS"
        source = "LOYALTY_API" if order else "SQUARE"
        self.post(kind, points, points, order_id=order, location_id=at, source=source)
        if promotion:
            kind = "ACCUMULATE_PROMOTION_POINTS"
            self.post(
                kind, points, points, order_id=order, loyalty_promotion_id=promotion, location_id=at
            )

    def reward(self, step: int, *, redeemed: bool) -> None:
        """Tell of a reward of 10 points that was used, or given back."""
        if self.account.balance < 10:
            self.earn(12, order=None)
            self.wait(minutes=5)
        reward_id = event_id("seed reward", f"{self._buyer.number} {step}")
        reward = {
            "id": reward_id,
            "status": "REDEEMED" if redeemed else "DELETED",
            "loyalty_account_id": self.account.id,
            "reward_tier_id": COFFEE_TIER_ID,
            "points": 10,
            "created_at": rfc3339(self._moment),
        }
        self.post("CREATE_REWARD", -10, reward_id=reward_id)
        self.wait(minutes=9)
        now = rfc3339(self._moment)
        if redeemed:
            at = LOCATIONS[self._buyer.number % 2]
            self.post("REDEEM_REWARD", None, reward_id=reward_id, location_id=at)
            self.rewards.append({**reward, "updated_at": now, "redeemed_at": now})
        else:
            self.post("DELETE_REWARD", 10, reward_id=reward_id)
            self.rewards.append({**reward, "updated_at": now})

    def take(self, kind: str, points: int, **more: Any) -> None:
        """Tell of points that went, as many as there were at most."""
        points = min(points, self.account.balance)
        if points > 0:
            self.post(kind, -points, **more)

    def tell(self, step: int) -> None:
        """Tell of one step; amounts follow from the buyer and the step."""
        number = self._buyer.number
        amount = 3 + (number * 5 + step * 7) % 23
        order = made_code(f"order {number} {step}") + "ZY"
        at = LOCATIONS[number % 2]
        match _STEPS[(number * 3 + step) % len(_STEPS)]:
            case "purchase":
                self.earn(amount, order=None)
            case "order":
                self.earn(amount, order=order)
            case "promotion":
                promotion = f"loypromo_{event_id('seed promotion', 'double points')}"
                self.earn(amount, order=order, promotion=promotion)
            case "adjust":
                reason = _REASONS[step % len(_REASONS)]
                self.post("ADJUST_POINTS", amount, amount, reason=reason)
            case "adjust in store":
                self.post("ADJUST_POINTS", amount, amount, source="SQUARE", location_id=at)
            case "correction":
                self.take("ADJUST_POINTS", 4, reason="Entered twice")
            case "redeemed reward":
                self.reward(step, redeemed=True)
            case "deleted reward":
                self.reward(step, redeemed=False)
            case "expiry":
                self.take("EXPIRE_POINTS", amount, source="SQUARE")
            case "other":
                self.post("OTHER", 2, source="SQUARE")


def history(buyer: Buyer) -> Story:
    """Return what a buyer did, oldest first; the balance is the sum of the events' points."""
    story = Story(buyer)
    steps = _RICH_STEPS if buyer.phone_number == PHONE_RICH else 4 + buyer.number * 7 % 9
    for step in range(steps):
        story.wait(days=(_DAYS - buyer.number * 3) // (steps + 1), minutes=step * 11 % 300)
        story.tell(step)
    _tell_special(story, buyer)
    return story


def _tell_special(story: Story, buyer: Buyer) -> None:
    story.wait(minutes=95)
    if buyer.phone_number == PHONE_HTML:
        story.post("ADJUST_POINTS", 5, 5, reason=_HTML_REASON)
    if buyer.phone_number == PHONE_NEGATIVE:
        refund = -(story.account.balance + 25)
        story.post("ADJUST_POINTS", refund, source="SQUARE", location_id=LOCATIONS[0])
