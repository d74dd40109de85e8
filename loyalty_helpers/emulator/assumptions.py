"""The rules that Square does not document, each a named switch with the default chosen here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Assumptions:
    """What the emulator assumes where Square's documentation is silent.

    Attributes whose name ends in `_code` hold the error code of a refusal whose wire form
    was never seen, and `_status` its HTTP status; every other attribute is a yes or no, or a
    text. An attribute's comment says why the default was chosen; docs/emulator.md lists them.
    """

    # An example account shows balance -10 beside lifetime points 10: what was earned stays earned.
    negative_adjust_lowers_lifetime: bool = False
    # Points of a promotion are accrued, and lifetime points are all points accrued.
    promotion_points_raise_lifetime: bool = True
    # Points that a deleted reward gives back were earned before.
    returned_points_raise_lifetime: bool = False
    # Points that expire were earned all the same.
    expired_points_lower_lifetime: bool = False
    # Adjusting by nothing is a mistake more often than an intent; no minimum is documented.
    zero_adjust_allowed: bool = False
    # allow_negative_balance speaks of becoming negative; going further down is read the same way.
    negative_balance_may_fall_further: bool = False
    # Examples disagree on whether updated_at moves; the walkthrough shows a later one.
    balance_change_moves_updated_at: bool = True
    # Integers are 32-bit; leaving the range is VALUE_TOO_HIGH or VALUE_TOO_LOW, as for any bound.
    int32_overflow_is_out_of_range: bool = True

    # Square's sample uses one key for two endpoints, never one key for two accounts.
    keys_are_per_account: bool = False
    # Payments keeps the key of a declined request; for Loyalty a repaired request may use it again.
    refused_requests_consume_keys: bool = False
    # The text of the Catalog and Customers APIs; what Loyalty says was never seen.
    key_reused_detail: str = "The idempotency key can only be retried with the same request data."

    # One account per phone number is documented, the refusal of a second one is not.
    duplicate_phone_code: str = "BAD_REQUEST"
    # A customer that the directory does not know cannot be linked.
    unknown_customer_accepted: bool = False
    # That code of Square's is named for it.
    unknown_customer_code: str = "CUSTOMER_NOT_FOUND"
    # A program that does not exist is treated as any resource that does not exist.
    unknown_program_code: str = "NOT_FOUND"

    # One purchase earns once; the sample searches events by order before it accumulates.
    order_earns_once: bool = True
    # Since 2022 an event comes only "if the purchase qualifies"; False answers 400 BAD_REQUEST.
    purchase_that_earns_nothing_succeeds: bool = True
    # That the order must be COMPLETED is documented, the code of the refusal is not.
    order_not_completed_code: str = "BAD_REQUEST"
    # That the location must be the order's is documented, the code of the refusal is not.
    order_location_code: str = "BAD_REQUEST"
    # A purchase cannot be made at a location that the merchant does not have.
    unknown_location_code: str = "INVALID_VALUE"
    # order_id and points exclude each other; the name of the code says just that.
    order_and_points_code: str = "CONFLICTING_PARAMETERS"
    # One of the two is needed to earn or to calculate; a missing field is told by this code.
    neither_order_nor_points_code: str = "MISSING_REQUIRED_PARAMETER"

    # An amount has no items that could earn; False answers 400 BAD_REQUEST.
    amount_earns_nothing_with_item_rules: bool = True
    # The walkthrough's free item earns nothing; a discount on the whole order is on no item.
    order_discount_stops_item_points: bool = False
    # Programs of US sellers count before tax; a promotion's minimum is read the same way.
    minimum_spend_includes_tax: bool = False
    # "Not both", and not with item programs, are documented, the code is not.
    promotion_qualifiers_code: str = "CONFLICTING_PARAMETERS"
    # At most 10 active or scheduled promotions is documented, the code is not.
    too_many_promotions_code: str = "BAD_REQUEST"
    # That ENDED and CANCELED are final is plain; the code is said nowhere.
    promotion_over_code: str = "BAD_REQUEST"

    # "Loyalty API requests fail" without a subscription; the code that fits is named for it.
    inactive_program_code: str = "MERCHANT_SUBSCRIPTION_NOT_FOUND"
    # None is the status that the code has, 403 as for other lacks of a right; 400 fits as well.
    inactive_program_status: int | None = None
    # What is spent first is said nowhere; a buyer loses least when the oldest points go first.
    oldest_points_go_first: bool = True
    # Points come back by an event of their own, and each event's points last from its time on;
    # False gives back the time that they had left when the reward took them.
    returned_points_last_anew: bool = True
    # Times of Loyalty are in UTC, so its months are taken to be; False takes the seller's zone.
    months_are_in_utc: bool = True

    # That the balance must cover the reward goes without saying; the code is said nowhere.
    insufficient_points_code: str = "BAD_REQUEST"
    # A tier that does not exist is treated as any resource that does not exist.
    unknown_tier_code: str = "NOT_FOUND"
    # Which of several lines is free is said nowhere; False takes the one with the highest price.
    first_matching_line_is_free: bool = True
    # REDEEMED and DELETED are final is documented, the code of the refusal is not.
    reward_not_issued_code: str = "BAD_REQUEST"

    # There is no Catalog API here: a line that has an item's name is taken for that item.
    named_lines_are_items: bool = True
    # Only an open order can be discounted or paid is plain; the code is said nowhere.
    order_not_open_code: str = "BAD_REQUEST"
    # A payment that completes an order has to be for its total; the code was never seen.
    payment_differs_code: str = "BAD_REQUEST"
    # That a new customer needs one name, address or number is documented, the code is not.
    empty_customer_code: str = "BAD_REQUEST"

    # "Cannot be combined" is documented, the code is not.
    mappings_and_customers_code: str = "CONFLICTING_PARAMETERS"
    # The maximum of 30 is documented, the code is not.
    array_too_long_code: str = "ARRAY_LENGTH_TOO_LONG"
    # A cursor used with another query would answer a question that nobody asked.
    cursor_bound_to_query: bool = True

    # A request with retired fields was told only of the missing one, so unread fields pass;
    # True refuses them, read-only ones too, with UNKNOWN_BODY_PARAMETER.
    unread_fields_refused: bool = False
    # That code of Square's is named for it.
    malformed_version_code: str = "INVALID_SQUARE_VERSION_FORMAT"
    # Two codes fit; the 400 one is named for it, the other is 415 UNSUPPORTED_MEDIA_TYPE.
    wrong_content_type_code: str = "INVALID_CONTENT_TYPE"
