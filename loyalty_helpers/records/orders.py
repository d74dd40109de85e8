"""Records of a purchase: orders, payments and rewards, as far as loyalty needs them."""

from pydantic import StrictInt

from loyalty_helpers.records.models import Record, Time
from loyalty_helpers.records.show import Bundle, Shown, card

_NO_DECIMALS = frozenset({"JPY"})


class Money(Record):
    """https://developer.squareup.com/reference/square/objects/Money

    `amount` counts the smallest unit of the currency: cents, or yen.
    """

    amount: StrictInt
    currency: str

    def __str__(self) -> str:
        if self.currency in _NO_DECIMALS:
            return f"{self.amount} {self.currency}"
        whole, cents = divmod(abs(self.amount), 100)
        return f"{'-' * (self.amount < 0)}{whole}.{cents:02d} {self.currency}"


class OrderLineItem(Record):
    """One line of an order; Square writes the quantity as text."""

    quantity: str
    name: str = ""
    total_money: Money | None = None


class OrderReward(Record):
    """A reward that is attached to an order."""

    id: str
    reward_tier_id: str


class Order(Shown, Record):
    """https://developer.squareup.com/reference/square/objects/Order

    `state` is OPEN, COMPLETED once it is paid, CANCELED or DRAFT. `total_money` is what the buyer
    pays, discounts and taxes counted in.
    """

    id: str
    location_id: str
    total_money: Money
    state: str = "OPEN"
    line_items: tuple[OrderLineItem, ...] = ()
    rewards: tuple[OrderReward, ...] = ()
    total_discount_money: Money | None = None
    created_at: Time | None = None
    closed_at: Time | None = None

    def __repr__(self) -> str:
        return f"Order(id={self.id!r}, state={self.state!r}, total_money={str(self.total_money)!r})"

    def _view(self) -> Bundle:
        off = self.total_discount_money
        return card(
            f"Order {self.id}",
            [
                ("state", self.state),
                *((f"{line.quantity} {line.name}", line.total_money) for line in self.line_items),
                ("discount", off if off and off.amount else None),
                ("total", self.total_money),
                *(("reward", reward.id) for reward in self.rewards),
                ("location_id", self.location_id),
                ("created_at", self.created_at),
                ("closed_at", self.closed_at),
            ],
        )


class Payment(Shown, Record):
    """https://developer.squareup.com/reference/square/objects/Payment"""

    id: str
    status: str
    total_money: Money
    order_id: str | None = None
    created_at: Time | None = None

    def __repr__(self) -> str:
        return f"Payment(id={self.id!r}, status={self.status!r}, order_id={self.order_id!r})"

    def _view(self) -> Bundle:
        return card(
            f"Payment {self.id}",
            [
                ("status", self.status),
                ("total", self.total_money),
                ("order_id", self.order_id),
                ("created_at", self.created_at),
            ],
        )


class LoyaltyReward(Shown, Record):
    """https://developer.squareup.com/reference/square/objects/LoyaltyReward

    `status` is ISSUED while its points are held, then REDEEMED or DELETED for good.
    """

    id: str
    status: str
    loyalty_account_id: str
    reward_tier_id: str
    points: StrictInt
    order_id: str | None = None
    created_at: Time | None = None
    redeemed_at: Time | None = None

    def __repr__(self) -> str:
        return f"LoyaltyReward(id={self.id!r}, status={self.status!r}, points={self.points})"

    def _view(self) -> Bundle:
        return card(
            f"Loyalty reward {self.id}",
            [
                ("status", self.status),
                ("points", self.points),
                ("loyalty_account_id", self.loyalty_account_id),
                ("reward_tier_id", self.reward_tier_id),
                ("order_id", self.order_id),
                ("created_at", self.created_at),
                ("redeemed_at", self.redeemed_at),
            ],
        )


class EarnedPoints(Shown, Record):
    """What a purchase would earn: by the program's rules, and by promotions on top of them."""

    points: StrictInt
    promotion_points: StrictInt = 0

    def _view(self) -> Bundle:
        rows = [("points", self.points), ("promotion_points", self.promotion_points)]
        return card("This order would earn", rows)
