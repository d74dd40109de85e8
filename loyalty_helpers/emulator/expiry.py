"""Points that expire, and programs that are not in force.

Points last to the end of a month: earned on 6 July 2020 under P12M, they expire on 1 August 2021.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import Any

from .clock import event_id, parse_rfc3339, rfc3339
from .ledger import Account, Ledger, Movement, Where
from .rules import new_event, post, seller_zone
from .wire_errors import refusal
from .world import World

Lots = dict[str, int]
"""Points by the time when they expire, the earliest first."""


def make_ready(world: World) -> None:
    """Refuse while the program is not in force; expire what has come due since last time.

    Nothing comes due but at the beginning of a month, so that one look a month is enough.
    """
    with world.database.reading() as connection:
        ledger = Ledger(connection)
        program = ledger.program() or {"status": "ACTIVE"}
        if program["status"] != "ACTIVE":
            code = world.assumptions.inactive_program_code
            status = world.assumptions.inactive_program_status
            detail = "The seller has no subscription to Square Loyalty."
            raise refusal(code, detail, status=status)
        if "expiration_policy" not in program or _is_done(world, ledger):
            return
    with world.database.writing() as connection:
        ledger = Ledger(connection)
        if not _is_done(world, ledger):
            for _, account in ledger.accounts(Where(["balance > 0"]), None, -1):
                _expire(world, ledger, account)
            ledger.keep("expired", {"id": "month", "month": _month(world, ledger)})


def deadlines(world: World, ledger: Ledger, account: Account) -> list[dict[str, Any]] | None:
    """Return when which points expire: in sum the balance, or None when none will."""
    lots = _lots(world, ledger, account)
    return [{"points": points, "expires_at": at} for at, points in lots.items()] or None


def _is_done(world: World, ledger: Ledger) -> bool:
    done = ledger.record("expired", "month") or {"month": ""}
    return bool(done["month"] == _month(world, ledger))


def _month(world: World, ledger: Ledger) -> str:
    """Return the month that it is where months are counted."""
    return f"{world.clock().astimezone(_zone(world, ledger)):%Y-%m}"


def _zone(world: World, ledger: Ledger) -> tzinfo:
    return UTC if world.assumptions.months_are_in_utc else seller_zone(ledger)


def _expire(world: World, ledger: Ledger, account: Account) -> None:
    for expires_at, points in _lots(world, ledger, account).items():
        if expires_at > world.now():
            break
        # A policy that is new can find points due at a time before later events.
        ((last, _),) = ledger.events(Where(["account_id = ?"], [account.id]), None, 1)
        event = new_event(
            event_id("ExpirePoints", f"{account.id} {expires_at} {last.seq}"),
            account,
            "EXPIRE_POINTS",
            max(expires_at, last.created_at),
            {"points": -points},
            source="SQUARE",
        )
        account = post(world, ledger, account, event)


def _lots(world: World, ledger: Ledger, account: Account) -> Lots:
    policy = (ledger.program(account.program_id) or {}).get("expiration_policy")
    if policy is None or account.balance <= 0:
        return {}
    months = _months(policy["expiration_duration"])
    left = _last_earned if world.assumptions.oldest_points_go_first else _first_earned
    anew = world.assumptions.returned_points_last_anew
    zone = _zone(world, ledger)
    lots: Lots = {}
    for earned_at, points in left(ledger.movements(account.id, returned=anew), account.balance):
        expires_at = _deadline(earned_at, months, zone)
        lots[expires_at] = lots.get(expires_at, 0) + points
    return dict(sorted(lots.items()))


def _last_earned(movements: Iterable[Movement], left: int) -> Iterable[tuple[str, int]]:
    """Yield what is left when the oldest points go first: the last ones, as many as there are."""
    for earned_at, points, _ in movements:
        if points > 0 and left > 0:
            yield earned_at, min(points, left)
            left -= points
        if left <= 0:
            return


def _first_earned(movements: Iterable[Movement], _: int) -> Iterable[tuple[str, int]]:
    """Return what is left when the newest points go first; those that expire are the oldest."""
    lots: deque[tuple[str, int]] = deque()
    debt = 0
    for earned_at, points, kind in reversed(list(movements)):
        if points > 0:
            paid = min(points, debt)
            debt -= paid
            lots.append((earned_at, points - paid))
            continue
        debt -= points
        while debt and lots:
            at, there = lots.popleft() if kind == "EXPIRE_POINTS" else lots.pop()
            paid = min(there, debt)
            debt -= paid
            if there > paid:
                (lots.appendleft if kind == "EXPIRE_POINTS" else lots.append)((at, there - paid))
    return [lot for lot in lots if lot[1]]


def _months(duration: str) -> int:
    match = re.fullmatch(r"P(?:(\d+)Y)?(?:(\d+)M)?", duration)
    years, months = match.groups(default="0") if match else ("0", "0")
    return int(years) * 12 + int(months)


def _deadline(earned_at: str, months: int, zone: tzinfo) -> str:
    earned = parse_rfc3339(earned_at).astimezone(zone)
    year, month = divmod(earned.year * 12 + earned.month + months, 12)
    return rfc3339(datetime(year, month + 1, 1, tzinfo=zone))
