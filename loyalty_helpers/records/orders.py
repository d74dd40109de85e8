"""Records of a purchase: orders, payments and rewards, as far as loyalty needs them."""

from pydantic import StrictInt

from loyalty_helpers.records.models import Record, Resource, Time
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


class Order(Resource):
    """https://developer.squareup.com/reference/square/objects/Order

    `state` is OPEN, COMPLETED once it is paid, CANCELED or DRAFT. `total_money` is what the buyer
    pays, discounts and taxes counted in.
    """

    TITLE = "Order"
    ROWS = (
        "state",
        lambda it: ((f"{line.quantity} {line.name}", line.total_money) for line in it.line_items),
        "discount total=total_money",
        lambda it: (("reward", reward.id) for reward in it.rewards),
        "location_id created_at closed_at",
    )

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

    @property
    def discount(self) -> Money | None:
        """What was taken off, or None where nothing was."""
        off = self.total_discount_money
        return off if off and off.amount else None


class Payment(Resource):
    """https://developer.squareup.com/reference/square/objects/Payment"""

    TITLE = "Payment"
    BRIEF = ("id", "status", "order_id")
    ROWS = ("status total=total_money order_id created_at",)

    status: str
    total_money: Money
    order_id: str | None = None
    created_at: Time | None = None


class LoyaltyReward(Resource):
    """https://developer.squareup.com/reference/square/objects/LoyaltyReward

    `status` is ISSUED while its points are held, then REDEEMED or DELETED for good.
    """

    TITLE = "Loyalty reward"
    BRIEF = ("id", "status", "points")
    ROWS = ("status points loyalty_account_id reward_tier_id order_id created_at redeemed_at",)

    status: str
    loyalty_account_id: str
    reward_tier_id: str
    points: StrictInt
    order_id: str | None = None
    created_at: Time | None = None
    redeemed_at: Time | None = None


class EarnedPoints(Shown, Record):
    """What a purchase would earn: by the program's rules, and by promotions on top of them."""

    points: StrictInt
    promotion_points: StrictInt = 0

    def _view(self) -> Bundle:
        rows = [("points", self.points), ("promotion_points", self.promotion_points)]
        return card("This order would earn", rows)
