"""The rows of a run as the ledger shows them: the only proof of what was applied."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from itertools import chain, islice
from typing import Any, TypeVar

from loyalty_helpers.api import EVENTS_PER_PAGE, LoyaltyClient
from loyalty_helpers.errors import NotFoundError, SquareError
from loyalty_helpers.records import ImpossibleTime, LoyaltyEvent, plain
from loyalty_helpers.runbooks.identity import undo_identity

READINGS = 3
ACCOUNTS_AT_ONCE = 8
ItemT = TypeVar("ItemT")


def batches(items: Iterable[ItemT], size: int) -> Iterator[list[ItemT]]:
    """The items in lists of up to `size`, read as they are asked for."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def newest_moment(client: LoyaltyClient) -> datetime | None:
    """When the newest event of all was made, by the service's own clock: none of ours is compared.

    None if there is no event, or if its time cannot exist.
    """
    newest = next(client.search_events(page_size=1), None)
    moment = newest.created_at if newest else None
    return moment if isinstance(moment, datetime) else None


def over_again(search: Callable[[], Iterator[ItemT]]) -> Iterator[ItemT]:
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


def adjustments_of(
    client: LoyaltyClient, accounts: Sequence[str], *, since: datetime | None = None
) -> Iterator[LoyaltyEvent]:
    """All adjustments of these accounts; others among them, or one twice, do no harm.

    There are two ways: a walk through everybody's adjustments is one request for thirty, and
    account by account it is one request an account at least. Which takes fewer shows itself on
    the way: the walk gives up when it has taken as many requests as there are accounts.
    """
    if len(accounts) > 1:
        walk = _adjustments(client, start_at=since)
        yield from islice(walk, len(accounts) * EVENTS_PER_PAGE)
        beyond = next(walk, None)
        if beyond is None:
            return
        yield beyond
    with ThreadPoolExecutor(ACCOUNTS_AT_ONCE) as pool:
        for some in batches(accounts, ACCOUNTS_AT_ONCE):
            walks = [adjustments_on(client, one, since=since) for one in some]
            while walks:  # a page of each in turn: no history is ever in memory as a whole
                pages = list(pool.map(lambda walk: list(islice(walk, EVENTS_PER_PAGE)), walks))
                yield from chain.from_iterable(pages)
                walks = [walk for walk, page in zip(walks, pages, strict=True) if page]


def adjustments_on(
    client: LoyaltyClient, account_id: str, *, since: datetime | None = None
) -> Iterator[LoyaltyEvent]:
    """The adjustments of one account, newest first; none if the account does not exist.

    An event can be given twice, and its id tells.
    """
    with suppress(NotFoundError):
        yield from _adjustments(client, account_id=account_id, start_at=since)


def _adjustments(client: LoyaltyClient, **which: Any) -> Iterator[LoyaltyEvent]:
    return over_again(lambda: client.search_events(types=["ADJUST_POINTS"], **which))


def is_undone(event_id: str, place: tuple[str, str], marked: Mapping[str, Collection[str]]) -> bool:
    """Whether what undoes an event is there, and was not undone in its turn.

    Args:
        event_id: of the event.
        place: environment and merchant that it belongs to.
        marked: the ids of the events that carry a mark, by mark.
    """
    undoing = marked.get(undo_identity(*place, event_id).marker, ())
    return any(not is_undone(one, place, marked) for one in undoing)


def is_since(event: LoyaltyEvent, limit: datetime) -> bool:
    """Whether the event is from that time on; one whose time cannot exist may be."""
    return isinstance(event.created_at, ImpossibleTime) or event.created_at >= limit


def facts(event: LoyaltyEvent) -> tuple[str, str]:
    """Its id, and when it was made: a time that cannot exist is kept as Square sent it."""
    return event.id, plain(event.created_at)
