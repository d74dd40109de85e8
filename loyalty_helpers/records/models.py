"""Records of the wire: frozen, typed, named as Square names them.

A field that Square adds is ignored; a field that has to be there and is not, or is of another
type, makes the answer an UnexpectedAnswerError. Shown records mask phone numbers; the attribute
`mapping.phone_number` holds the number in full for code that asks for it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, PlainValidator, StrictInt, model_validator

from loyalty_helpers.plain import plain
from loyalty_helpers.records.show import Bundle, Listed, Shown, card, points_text, rows_of
from loyalty_helpers.redaction import mask_body, mask_phone, mask_reason


class ImpossibleTime(str):
    """A time as Square sent it that no clock can show; Square's own walkthrough holds 25:11:07."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"{str.__str__(self)} (as sent: no such time)"


def parse_time(value: Any) -> datetime | ImpossibleTime:
    """An RFC 3339 text as an aware datetime in UTC; one that cannot exist is kept as it is."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("expected a time in RFC 3339 format")
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else ImpossibleTime(plain(value))
    except (ValueError, OverflowError):  # the latter: no year of our clock once it is in UTC
        return ImpossibleTime(plain(value))


Time = Annotated[datetime | ImpossibleTime, PlainValidator(parse_time)]


class Record(BaseModel):
    """What all records share: frozen, and input values are kept out of error texts."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, mask_body({name: value})[name]


class Resource(Shown, Record):
    """What Square keeps under an id: shown as a card of the rows that the class lists."""

    TITLE: ClassVar[str]
    ROWS: ClassVar[tuple[Listed, ...]]
    BRIEF: ClassVar[tuple[str, ...]]

    id: str

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        return (pair for pair in super().__repr_args__() if pair[0] in self.BRIEF)

    def _view(self) -> Bundle:
        return card(f"{self.TITLE} {self.id}", rows_of(self, self.ROWS))


class LoyaltyAccountMapping(Record):
    """The phone number that leads to an account; absent for a buyer without one."""

    id: str | None = None
    phone_number: str | None = None
    created_at: Time | None = None


class ExpiringPoints(Record):
    """Points that expire together at `expires_at`."""

    points: StrictInt
    expires_at: Time


class LoyaltyAccount(Resource):
    """https://developer.squareup.com/reference/square/objects/LoyaltyAccount

    `balance` are the points to spend (it can be negative); `lifetime_points` all points ever
    accrued. Both are whole points. `enrolled_at` stays absent until the first accumulation.
    """

    TITLE = "Loyalty account"
    BRIEF = ("id", "balance")
    ROWS = (
        "balance lifetime_points phone_number=masked_phone_number customer_id",
        "enrolled_at created_at updated_at",
        lambda it: ((f"expires {d.expires_at}", d.points) for d in it.expiring_point_deadlines),
    )

    program_id: str
    balance: StrictInt
    lifetime_points: StrictInt
    customer_id: str | None = None
    mapping: LoyaltyAccountMapping | None = None
    enrolled_at: Time | None = None
    created_at: Time | None = None
    updated_at: Time | None = None
    expiring_point_deadlines: tuple[ExpiringPoints, ...] = ()

    @property
    def masked_phone_number(self) -> str:
        """The phone number as people may see it, or an empty string where there is none."""
        number = self.mapping.phone_number if self.mapping else None
        return mask_phone(number) if number else ""


class LoyaltyEventDetails(Record):
    """The object that a LoyaltyEvent holds under the name of its type."""

    points: StrictInt | None = None
    reason: str | None = None
    order_id: str | None = None
    reward_id: str | None = None
    loyalty_program_id: str | None = None
    loyalty_promotion_id: str | None = None


class LoyaltyEvent(Resource):
    """https://developer.squareup.com/reference/square/objects/LoyaltyEvent

    Exactly one of the metadata objects is set, named for the type (`other_event` for OTHER).
    A type that Square adds later is kept, with no details and no points. Square may leave `type`
    and `source` out: the type is then the one of the metadata, and where nothing tells it, empty.
    """

    DETAILS: ClassVar[dict[str, str]] = {
        "ACCUMULATE_POINTS": "accumulate_points",
        "ACCUMULATE_PROMOTION_POINTS": "accumulate_promotion_points",
        "ADJUST_POINTS": "adjust_points",
        "CREATE_REWARD": "create_reward",
        "REDEEM_REWARD": "redeem_reward",
        "DELETE_REWARD": "delete_reward",
        "EXPIRE_POINTS": "expire_points",
        "OTHER": "other_event",
    }
    TITLE = "Loyalty event"
    ROWS = (
        "type",
        lambda it: (("points", points_text(it.points)), ("reason", mask_reason(it.reason))),
        "loyalty_account_id order_id=details.order_id reward_id=details.reward_id location_id",
        "source created_at",
    )

    type: str = ""
    created_at: Time
    loyalty_account_id: str
    source: str = ""
    location_id: str | None = None
    accumulate_points: LoyaltyEventDetails | None = None
    accumulate_promotion_points: LoyaltyEventDetails | None = None
    adjust_points: LoyaltyEventDetails | None = None
    create_reward: LoyaltyEventDetails | None = None
    redeem_reward: LoyaltyEventDetails | None = None
    delete_reward: LoyaltyEventDetails | None = None
    expire_points: LoyaltyEventDetails | None = None
    other_event: LoyaltyEventDetails | None = None

    @model_validator(mode="before")
    @classmethod
    def _has_type(cls, sent: Any) -> Any:
        if not isinstance(sent, dict):
            return sent
        kinds = [kind for kind, name in cls.DETAILS.items() if sent.get(name) is not None]
        told = {"type": sent.get("type") or "".join(kinds[:1]), "source": sent.get("source") or ""}
        return {**sent, **told}

    @model_validator(mode="after")
    def _has_points(self) -> "LoyaltyEvent":
        moves_points = self.type in self.DETAILS and self.type != "REDEEM_REWARD"
        if moves_points and self.details.points is None:
            raise ValueError(f"a {self.type} event without {self.DETAILS[self.type]}.points")
        return self

    @property
    def details(self) -> LoyaltyEventDetails:
        """The metadata object of this event's type; an empty one where there is none."""
        found = getattr(self, self.DETAILS.get(self.type, ""), None)
        return found if isinstance(found, LoyaltyEventDetails) else LoyaltyEventDetails()

    @property
    def points(self) -> int:
        """What the event does to the balance, in points, with its sign; 0 for a redemption."""
        return self.details.points or 0

    @property
    def reason(self) -> str:
        """The text given with an adjustment, or an empty string."""
        return self.details.reason or ""

    def __repr__(self) -> str:
        return f"LoyaltyEvent(id={self.id!r}, type={self.type!r}, points={self.points:+d})"


class RewardTier(Record):
    """What a number of points buys."""

    id: str
    points: StrictInt
    name: str = ""


class Terminology(Record):
    """What the seller calls a point."""

    one: str
    other: str


class LoyaltyProgram(Resource):
    """https://developer.squareup.com/reference/square/objects/LoyaltyProgram"""

    TITLE = "Loyalty program"
    BRIEF = ("id", "status")
    ROWS = (
        "status",
        lambda it: [("points are called", f"{it.terminology.one} / {it.terminology.other}")],
        lambda it: ((f"{tier.points} points buy", tier.name) for tier in it.reward_tiers),
        lambda it: [("locations", len(it.location_ids))],
    )

    status: str
    terminology: Terminology
    reward_tiers: tuple[RewardTier, ...] = ()
    location_ids: tuple[str, ...] = ()
    accrual_rules: tuple[dict[str, Any], ...] = ()
    created_at: Time | None = None
    updated_at: Time | None = None


class Location(Record):
    """https://developer.squareup.com/reference/square/objects/Location"""

    id: str
    merchant_id: str
    name: str = ""
    currency: str = "USD"
    country: str = ""


class Customer(Record):
    """https://developer.squareup.com/reference/square/objects/Customer

    Only what leads to an account: names and addresses are not needed here, so they are not kept.
    """

    id: str
