"""What Square answers, as records, and how they look in a notebook and in a terminal."""

from loyalty_helpers.records.models import (
    Customer,
    ImpossibleTime,
    Location,
    LoyaltyAccount,
    LoyaltyEvent,
    LoyaltyProgram,
    Record,
    RewardTier,
    Time,
)
from loyalty_helpers.records.orders import EarnedPoints, LoyaltyReward, Money, Order, Payment
from loyalty_helpers.records.page import POLICY, STYLE, environment_html, html_page
from loyalty_helpers.records.show import (
    TIME_FORMAT,
    VERIFICATION_MIME,
    Bundle,
    Shown,
    Table,
    Tabled,
    card,
    plain,
    points_text,
    table,
)
from loyalty_helpers.records.tables import EVENT_COLUMNS, EventTable, event_row

__all__ = [
    "EVENT_COLUMNS",
    "POLICY",
    "STYLE",
    "TIME_FORMAT",
    "VERIFICATION_MIME",
    "Bundle",
    "Customer",
    "EarnedPoints",
    "EventTable",
    "ImpossibleTime",
    "Location",
    "LoyaltyAccount",
    "LoyaltyEvent",
    "LoyaltyProgram",
    "LoyaltyReward",
    "Money",
    "Order",
    "Payment",
    "Record",
    "RewardTier",
    "Shown",
    "Table",
    "Tabled",
    "Time",
    "card",
    "environment_html",
    "event_row",
    "html_page",
    "plain",
    "points_text",
    "table",
]
