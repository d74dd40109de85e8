"""Square's Loyalty API as one client: its calls, their checks, their keys, the wire below them."""

from loyalty_helpers.api.calls import Gate
from loyalty_helpers.api.checks import (
    CLEAN,
    ID_PATTERN,
    LARGEST_POINTS,
    REASON_LENGTH,
    check_approver,
    check_id,
    check_phone_number,
    check_points,
    check_reason,
    event_types,
    given_number,
    is_name,
    reason_length,
    refusal,
    start_of_day,
    whole_number,
    yes_or_no,
)
from loyalty_helpers.api.client import (
    ACCOUNTS_PER_PAGE,
    EVENTS_PER_PAGE,
    PER_SEARCH,
    LoyaltyClient,
)
from loyalty_helpers.api.keys import MARKER, adjustment_key, check_run_id, purchase_key, same_words
from loyalty_helpers.api.verdicts import square_error
from loyalty_helpers.api.wire import RetryPolicy, Wire

__all__ = [
    "ACCOUNTS_PER_PAGE",
    "CLEAN",
    "EVENTS_PER_PAGE",
    "ID_PATTERN",
    "LARGEST_POINTS",
    "MARKER",
    "PER_SEARCH",
    "REASON_LENGTH",
    "Gate",
    "LoyaltyClient",
    "RetryPolicy",
    "Wire",
    "adjustment_key",
    "check_approver",
    "check_id",
    "check_phone_number",
    "check_points",
    "check_reason",
    "check_run_id",
    "event_types",
    "given_number",
    "is_name",
    "purchase_key",
    "reason_length",
    "refusal",
    "same_words",
    "square_error",
    "start_of_day",
    "whole_number",
    "yes_or_no",
]
