"""Points that expire.

Points last to the end of a month: earned on 6 July 2020 under P12M, they expire on 1 August 2021.
"""

import re
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from .clock import event_id, parse_rfc3339, rfc3339
from .database import Database
from .events import post
from .ledger import Account, Ledger, Movement, Where, World

_DURATION: Final = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?")
Lots = dict[str, int]
"""Points by the time when they expire, the earliest first."""


def expire_due(database: Database, world: World) -> None:
    """Expire what has come due since last time.

    Nothing comes due but at the beginning of a month, so that one look a month is enough.
    """
    with database.reading() as connection:
        ledger = Ledger(connection, world)
        done = {"id": "month", "month": f"{ledger.moment.astimezone(_zone(ledger)):%Y-%m}"}
        if ledger.record("expired", "month") == done:
            return
    with database.writing() as connection:
        ledger = Ledger(connection, world)
        if ledger.record("expired", "month") != done:
            for _, account in ledger.accounts(Where(["balance > 0"])):
                _expire(ledger, account)
            ledger.keep("expired", done)


def deadlines(ledger: Ledger, account: Account) -> list[dict[str, Any]] | None:
    """Return when which points expire: in sum the balance, or None when none will."""
    lots = _lots(ledger, account)
    return [{"points": points, "expires_at": at} for at, points in lots.items()] or None


def _zone(ledger: Ledger) -> tzinfo:
    return UTC if ledger.assumptions.months_are_in_utc else ledger.zone()


def _expire(ledger: Ledger, account: Account) -> None:
    for expires_at, points in _lots(ledger, account).items():
        if expires_at > ledger.now():
            break
        # A policy that is new can find points due at a time before later events.
        ((last, _),) = ledger.events(Where(["account_id = ?"], [account.id]), None, 1)
        identifier = event_id("ExpirePoints", f"{account.id} {expires_at} {last.seq}")
        at = max(expires_at, last.created_at)
        lost = {"points": -points}
        account, _ = post(
            ledger, account, "EXPIRE_POINTS", identifier, lost, at=at, source="SQUARE"
        )


def _lots(ledger: Ledger, account: Account) -> Lots:
    policy = (ledger.program(account.program_id) or {}).get("expiration_policy")
    if policy is None or account.balance <= 0:
        return {}
    duration = _DURATION.fullmatch(policy["expiration_duration"])
    years, months = map(int, duration.groups(default="0")) if duration else (0, 0)
    first = ledger.assumptions.oldest_points_go_first
    movements = ledger.movements(account.id, returned=ledger.assumptions.returned_points_last_anew)
    zone = _zone(ledger)
    lots: Lots = {}
    for earned_at, points in _left(movements, oldest_go_first=first):
        expires_at = _deadline(earned_at, years * 12 + months, zone)
        lots[expires_at] = lots.get(expires_at, 0) + points
    return dict(sorted(lots.items()))


def _left(movements: Iterable[Movement], *, oldest_go_first: bool) -> Iterable[tuple[str, int]]:
    """Return what is left of what was earned when; what expires is the oldest in any case."""
    lots: deque[tuple[str, int]] = deque()
    debt = 0
    for earned_at, points, kind in movements:
        if points > 0:
            paid = min(points, debt)
            debt -= paid
            lots.append((earned_at, points - paid))
            continue
        debt -= points
        first = oldest_go_first or kind == "EXPIRE_POINTS"
        while debt and lots:
            at, there = lots.popleft() if first else lots.pop()
            paid = min(there, debt)
            debt -= paid
            if there > paid:
                (lots.appendleft if first else lots.append)((at, there - paid))
    return [lot for lot in lots if lot[1]]


def _deadline(earned_at: str, months: int, zone: tzinfo) -> str:
    earned = parse_rfc3339(earned_at).astimezone(zone)
    year, month = divmod(earned.year * 12 + earned.month + months, 12)
    return rfc3339(datetime(year, month + 1, 1, tzinfo=zone))
