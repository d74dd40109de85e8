"""The rows of a run as the ledger shows them: the only proof of what was applied."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from loyalty_helpers.client import LoyaltyClient
from loyalty_helpers.errors import SquareError
from loyalty_helpers.models import ImpossibleTime, LoyaltyEvent
from loyalty_helpers.rendering import plain
from loyalty_helpers.runbooks.identity import marker_in
from loyalty_helpers.runbooks.journal import Entry

READINGS = 3
RecordT = TypeVar("RecordT")


def newest_event(client: LoyaltyClient) -> LoyaltyEvent | None:
    """The newest event of all, by the service's own clock: no clock of ours is compared."""
    return next(client.search_events(page_size=1), None)


def all_events(
    client: LoyaltyClient, *, account_id: str = "", types: Sequence[str] = (), **period: Any
) -> Iterator[LoyaltyEvent]:
    """All events that fit, newest first; an event can be given twice, and its id tells."""
    return over_again(lambda: client.search_events(account_id=account_id, types=types, **period))


def over_again(search: Callable[[], Iterator[RecordT]]) -> Iterator[RecordT]:
    """What a search finds, begun again when its page cursor has become invalid.

    New records may come meanwhile and shift the pages. One can be given twice; none is missed.
    """
    for attempt in range(1, READINGS + 1):
        try:
            yield from search()
            return
        except SquareError as error:
            if error.code != "INVALID_CURSOR" or attempt == READINGS:
                raise


def marked_events(
    client: LoyaltyClient, *, since: datetime | None = None, account_id: str = ""
) -> Iterator[tuple[str, LoyaltyEvent]]:
    """The adjustments that carry a marker of a run, with it; an event can be given twice."""
    events = all_events(client, account_id=account_id, types=["ADJUST_POINTS"], start_at=since)
    for event in events:
        if marker := marker_in(event.reason):
            yield marker, event


def amiss(entry: Entry, event: LoyaltyEvent) -> str:
    """What an event holds other than its row, as one text; empty when they agree."""
    found = []
    if event.loyalty_account_id != entry.account_id:
        found.append(f"it is on account {event.loyalty_account_id}")
    if event.points != entry.points:
        found.append(f"it has {event.points:+d} points")
    if entry.event_id and event.id != entry.event_id:
        found.append(f"it is event {event.id}, and not the one that was answered")
    return "; ".join(found)


def moment(event: LoyaltyEvent) -> str:
    """When the event was made, as text; a time that cannot exist is kept as Square sent it."""
    return plain(event.created_at)


def is_older(event: LoyaltyEvent, than: LoyaltyEvent | None) -> bool:
    """Whether the event was there before another one, as far as their times can tell."""
    if than is None or isinstance(event.created_at, ImpossibleTime):
        return False
    limit = than.created_at
    return not isinstance(limit, ImpossibleTime) and event.created_at < limit
