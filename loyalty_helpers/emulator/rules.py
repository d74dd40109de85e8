"""What Square's rules make of a request that is well formed."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from .assumptions import Assumptions
from .clock import event_id
from .ledger import EVENT_FIELDS, Account, Event, Ledger, points_of
from .validation import INT32_MAX, INT32_MIN, out_of_range
from .wire_errors import found, refusal
from .wire_json import without_absent
from .world import KeyedRequest, World


def new_event(
    identifier: str,
    account: Account,
    kind: str,
    created_at: str,
    particulars: dict[str, Any],
    *,
    source: str = "LOYALTY_API",
    location_id: str | None = None,
) -> Event:
    """Return an event; what is None in `particulars` is absent."""
    return {
        "id": identifier,
        "type": kind,
        "created_at": created_at,
        EVENT_FIELDS[kind]: {
            "loyalty_program_id": account.program_id,
            **without_absent(particulars),
        },
        "loyalty_account_id": account.id,
        **({"location_id": location_id} if location_id else {}),
        "source": source,
    }


def the_program(ledger: Ledger, program_id: str) -> dict[str, Any]:
    """Return a program by its id or by the keyword `main`, or refuse with 404."""
    return found(ledger.program(program_id), "Loyalty program")


def the_account(ledger: Ledger, account_id: str) -> Account:
    """Return the account, or refuse with 404."""
    return found(ledger.account(account_id), "Loyalty account")


def the_location(world: World, ledger: Ledger, location_id: str, field: str) -> None:
    """Refuse a location that the merchant does not have."""
    if ledger.record("location", location_id) is None:
        code = world.assumptions.unknown_location_code
        raise refusal(code, "The merchant has no such location.", field)


def seller_zone(ledger: Ledger) -> ZoneInfo:
    """Return where the seller is: all locations of the emulator have one time zone."""
    return ZoneInfo(next(location["timezone"] for _, location in ledger.records("location")))


def adjust(
    world: World,
    ledger: Ledger,
    request: KeyedRequest,
    points: int,
    reason: str | None,
    allow_negative: bool,
) -> Event:
    """Add points to an account or take them away, and return the event."""
    account = the_account(ledger, request.target)
    if points < 0 and not allow_negative:
        _refuse_overdraft(world, account, points)
    now = world.now()
    identifier = event_id(request.scope(world.assumptions), request.key)
    particulars = {"points": points, "reason": reason}
    event = new_event(identifier, account, "ADJUST_POINTS", now, particulars)
    post(world, ledger, account, event, "adjust_points.points")
    return event


def _refuse_overdraft(world: World, account: Account, points: int) -> None:
    was_negative = account.balance < 0
    if was_negative and world.assumptions.negative_balance_may_fall_further:
        return
    if account.balance + points < 0:
        raise refusal(
            "BAD_REQUEST",
            f"The balance of {account.balance} cannot be lowered by {-points}: it would be"
            " negative. Set allow_negative_balance to allow that.",
        )


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


def post(
    world: World,
    ledger: Ledger,
    account: Account,
    event: Event,
    field: str | None = None,
    *,
    order_id: str | None = None,
) -> Account:
    """Write the event and what it changes; every balance is the sum of its events."""
    balance = account.balance + points_of(event)
    lifetime = account.lifetime_points + _accrued(world.assumptions, event)
    for value in (balance, lifetime):
        if not INT32_MIN <= value <= INT32_MAX:
            code, _ = out_of_range(world.assumptions, value, INT32_MIN, INT32_MAX)
            raise refusal(code, "The account's points would leave the 32-bit range.", field)
    moves = world.assumptions.balance_change_moves_updated_at
    updated_at = event["created_at"] if moves else account.updated_at
    changed = account._replace(balance=balance, lifetime_points=lifetime, updated_at=updated_at)
    ledger.add_event(event, order_id)
    ledger.update_account(changed)
    return changed
