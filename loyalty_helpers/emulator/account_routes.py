"""Accounts and their events: enrol, find, adjust, accumulate."""

from __future__ import annotations

from typing import Any, Final

from .accrual import accumulate
from .clock import next_whole_second, rfc3339
from .enrolment import enrol, normal_phone
from .expiry import deadlines
from .handling import KEY_LENGTH, Call, past_time, time_range
from .ledger import EVENT_FIELDS, Account, Ledger, Where
from .rules import adjust, the_account
from .validation import INT32_MAX, INT32_MIN, Reader
from .wire_errors import refusal
from .wire_json import without_absent
from .world import Answer, KeyedRequest, World

_REASON_LENGTH: Final = 3500
_MOST_ALTERNATIVES: Final = 30
_MANY_EVENTS_SINCE: Final = "2022-08-17"


def retrieve_loyalty_account(call: Call) -> Answer:
    """Return one account."""
    with call.reading() as ledger:
        return {"loyalty_account": _shown(call.world, ledger, the_account(ledger, call.target))}


def create_loyalty_account(call: Call) -> Answer:
    """Enrol a buyer by phone number."""
    body = call.body.fields
    key = body.required_text("idempotency_key", longest=KEY_LENGTH)
    sent = body.required_object("loyalty_account")
    program_id = sent.required_text("program_id", longest=36)
    customer_id = sent.text("customer_id")
    enrolled_at = past_time(call.world, sent, "enrolled_at")
    mapping = sent.object("mapping")
    phone_number = mapping.text("phone_number") if mapping else None
    body.finish()
    if phone_number is None:
        raise refusal("BAD_REQUEST", "Must provide phone_number in the mapping field")
    phone_number = normal_phone(phone_number, "loyalty_account.mapping.phone_number")

    def work(ledger: Ledger, _: KeyedRequest) -> Answer:
        account = enrol(call.world, ledger, program_id, phone_number, customer_id, enrolled_at)
        return {"loyalty_account": _shown(call.world, ledger, account)}

    return call.once("CreateLoyaltyAccount", key, work)


def search_loyalty_accounts(call: Call) -> Answer:
    """Find accounts by phone numbers or customers, oldest first."""
    body = call.body.fields
    limit = body.integer("limit", 1, 200) or 30
    where = _accounts_where(call.world, body.object("query"))

    def rows(ledger: Ledger, after: Any, most: int) -> Any:
        found = ledger.accounts(where, after, most)
        return [(place, _shown(call.world, ledger, account)) for place, account in found]

    return call.page("SearchLoyaltyAccounts", "loyalty_accounts", limit, rows)


def adjust_loyalty_points(call: Call) -> Answer:
    """Add points or take them away by hand; the answer is the event alone."""
    body = call.body.fields
    key = body.required_text("idempotency_key", longest=KEY_LENGTH)
    allow_negative = body.boolean("allow_negative_balance")
    sent = body.required_object("adjust_points")
    points = sent.required_integer("points", INT32_MIN, INT32_MAX)
    reason = sent.free_text("reason", longest=_REASON_LENGTH)
    body.finish()
    if points == 0 and not call.world.assumptions.zero_adjust_allowed:
        raise refusal("INVALID_VALUE", "The points must not be 0.", "adjust_points.points")

    def work(ledger: Ledger, request: KeyedRequest) -> Answer:
        event = adjust(call.world, ledger, request, points, reason, allow_negative)
        return {"event": event}

    return call.once("AdjustLoyaltyPoints", key, work)


def accumulate_loyalty_points(call: Call) -> Answer:
    """Add the points of a purchase, given by its order or as a number."""
    body = call.body.fields
    key = body.required_text("idempotency_key", longest=KEY_LENGTH)
    location_id = body.required_text("location_id")
    sent = body.required_object("accumulate_points")
    order_id, points = sent.text("order_id"), sent.integer("points", 1, INT32_MAX)
    body.finish()
    if order_id is not None and points is not None:
        code = call.world.assumptions.order_and_points_code
        raise refusal(code, "Send order_id or points, not both.", "accumulate_points")
    if order_id is None and points is None:
        field = "accumulate_points.points"
        code = call.world.assumptions.neither_order_nor_points_code
        raise refusal(code, "Field must be set", field)

    def work(ledger: Ledger, request: KeyedRequest) -> Answer:
        events = accumulate(call.world, ledger, request, location_id, order_id, points)
        return {"events": events} if events else {}

    answer = call.once("AccumulateLoyaltyPoints", key, work)
    if answer and call.version < _MANY_EVENTS_SINCE:
        return {"event": answer["events"][0]}
    return answer


def search_loyalty_events(call: Call) -> Answer:
    """Find events by any of five filters, newest first."""
    body = call.body.fields
    limit = body.integer("limit", 1, 30) or 30
    sent = body.object("query")
    where = _events_where(sent.object("filter") if sent else None)

    return call.page(
        "SearchLoyaltyEvents", "events", limit, lambda ledger, *page: ledger.events(where, *page)
    )


def _accounts_where(world: World, query: Reader | None) -> Where:
    where = Where()
    if query is None:
        return where
    mappings = query.objects("mappings", most=_MOST_ALTERNATIVES)
    customer_ids = query.texts("customer_ids", most=_MOST_ALTERNATIVES)
    if mappings is not None and customer_ids is not None:
        code = world.assumptions.mappings_and_customers_code
        query.report("customer_ids", code, "mappings and customer_ids cannot be combined.")
    if mappings is not None:
        where.among("phone_number", [m.required_text("phone_number") for m in mappings])
    where.among("customer_id", customer_ids)
    return where


def _events_where(sent: Reader | None) -> Where:
    where = Where()
    if sent is None:
        return where
    if account := sent.object("loyalty_account_filter"):
        where.among("account_id", [account.required_text("loyalty_account_id")])
    if order := sent.object("order_filter"):
        where.among("order_id", [order.required_text("order_id")])
    if kind := sent.object("type_filter"):
        where.among("type", kind.words("types", EVENT_FIELDS))
    if location := sent.object("location_filter"):
        location.required("location_ids")
        where.among("location_id", location.texts("location_ids"))
    if time := sent.object("date_time_filter"):
        _add_time_range(where, time)
    return where


def _add_time_range(where: Where, sent: Reader) -> None:
    sent.required("created_at")
    start, end = time_range(sent, "created_at")
    for operator, name, moment in ((">=", "start_at", start), ("<", "end_at", end)):
        try:
            if moment:
                where.add(f"created_at {operator} ?", rfc3339(next_whole_second(moment)))
        except OverflowError:
            detail = "The time is after the year 9999."
            sent.report(f"created_at.{name}", "INVALID_TIME", detail)


def _shown(world: World, ledger: Ledger, account: Account) -> dict[str, Any]:
    mapping = {
        "id": account.mapping_id,
        "created_at": account.created_at,
        "phone_number": account.phone_number,
    }
    shown = {
        "id": account.id,
        "program_id": account.program_id,
        "balance": account.balance,
        "lifetime_points": account.lifetime_points,
        "customer_id": account.customer_id,
        "enrolled_at": account.enrolled_at,
        "created_at": account.created_at,
        "updated_at": account.updated_at,
        "mapping": without_absent(mapping),
        "expiring_point_deadlines": deadlines(world, ledger, account),
    }
    return without_absent(shown)
