"""Events: what moves the points of an account, and how events are found."""

from datetime import timedelta
from typing import Any

from .assumptions import Assumptions
from .call import Call
from .clock import rfc3339
from .ledger import EVENT_FIELDS, Account, Event, Ledger, Where, points_of
from .validation import INT32_MAX, INT32_MIN, Sent, out_of_range
from .wire import Answer, refusal, without_absent


def adjust(call: Call) -> Answer:
    """Add points or take them away by hand; the answer is the event alone."""
    call.sent.finish()
    sent, allow_negative = call.sent["adjust_points"], call.sent["allow_negative_balance"]
    points: int = sent["points"]
    if points == 0 and not call.world.assumptions.zero_adjust_allowed:
        raise refusal("INVALID_VALUE", "The points must not be 0.", "adjust_points.points")
    ledger = call.once("AdjustLoyaltyPoints")
    account = ledger.the_account(call.target)
    may_fall = account.balance < 0 and ledger.assumptions.negative_balance_may_fall_further
    if points < 0 and not allow_negative and not may_fall and account.balance + points < 0:
        raise refusal(
            "BAD_REQUEST",
            f"The balance of {account.balance} cannot be lowered by {-points}: it would be"
            " negative. Set allow_negative_balance to allow that.",
        )
    field = "adjust_points.points"
    _, event = post(ledger, account, "ADJUST_POINTS", call.event_id(), sent, field=field)
    return {"event": event}


def search(call: Call) -> Answer:
    """Find events by any of five filters, newest first."""
    query = call.sent["query"]
    where = _where(query["filter"] if query else None)
    if call.found_until:
        where.add("created_at <= ?", call.found_until)
    return call.page(
        "SearchLoyaltyEvents", "events", lambda ledger, *page: ledger.events(where, *page)
    )


def post(
    ledger: Ledger,
    account: Account,
    kind: str,
    identifier: str,
    particulars: dict[str, Any],
    *,
    at: str | None = None,
    source: str = "LOYALTY_API",
    location_id: str | None = None,
    order_id: str | None = None,
    field: str | None = None,
) -> tuple[Account, Event]:
    """Write an event and what it changes; every balance is the sum of its events.

    What is None in `particulars` is absent. It is found by the order that they name, or by
    `order_id`; it happened `at` a time, if not now. `field` is what a refusal names.
    """
    event: Event = {
        "id": identifier,
        "type": kind,
        "created_at": at or ledger.now(),
        EVENT_FIELDS[kind]: {
            "loyalty_program_id": account.program_id,
            **without_absent(particulars),
        },
        "loyalty_account_id": account.id,
        **({"location_id": location_id} if location_id else {}),
        "source": source,
    }
    changed = _moved(ledger.assumptions, account, event, field)
    ledger.add_event(event, order_id)
    ledger.update_account(changed)
    return changed, event


def _moved(assumptions: Assumptions, account: Account, event: Event, field: str | None) -> Account:
    balance = account.balance + points_of(event)
    lifetime = account.lifetime_points + _accrued(assumptions, event)
    for value in (balance, lifetime):
        if not INT32_MIN <= value <= INT32_MAX:
            code, _ = out_of_range(assumptions, value, INT32_MIN, INT32_MAX)
            raise refusal(code, "The account's points would leave the 32-bit range.", field)
    moves = assumptions.balance_change_moves_updated_at
    updated_at = event["created_at"] if moves else account.updated_at
    return account._replace(balance=balance, lifetime_points=lifetime, updated_at=updated_at)


def _accrued(assumptions: Assumptions, event: Event) -> int:
    """Return what an event adds to the lifetime points."""
    points = points_of(event)
    counts = {
        "ACCUMULATE_POINTS": True,
        "ACCUMULATE_PROMOTION_POINTS": assumptions.promotion_points_raise_lifetime,
        "ADJUST_POINTS": points > 0 or assumptions.negative_adjust_lowers_lifetime,
        "DELETE_REWARD": assumptions.returned_points_raise_lifetime,
        "EXPIRE_POINTS": assumptions.expired_points_lower_lifetime,
    }
    return points if counts.get(event["type"]) else 0


def _where(sent: Sent | None) -> Where:
    where = Where()
    if sent is None:
        return where
    if account := sent["loyalty_account_filter"]:
        where.among("account_id", [account["loyalty_account_id"]])
    if order := sent["order_filter"]:
        where.among("order_id", [order["order_id"]])
    if kind := sent["type_filter"]:
        where.among("type", kind["types"])
    if location := sent["location_filter"]:
        where.among("location_id", location["location_ids"])
    if time := sent["date_time_filter"]:
        period = zip((">=", "<"), ("start_at", "end_at"), time.period("created_at"), strict=True)
        for operator, name, moment in period:
            try:
                if moment:
                    # Events have no finer time than whole seconds.
                    whole = moment + timedelta(microseconds=999_999)
                    where.add(f"created_at {operator} ?", rfc3339(whole))
            except OverflowError:
                detail = "The time is after the year 9999."
                time.report(f"created_at.{name}", "INVALID_TIME", detail)
    return where
