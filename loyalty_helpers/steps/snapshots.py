"""An account and the newest of its events, read so that they belong together.

What is read does not grow with an account's history: one page before a change, and after it as
far down as the first event that was known. No clock of this machine is compared.
"""

from collections.abc import Iterator, Sequence
from datetime import MAXYEAR, datetime, timedelta
from itertools import islice

from loyalty_helpers.api import EVENTS_PER_PAGE, LoyaltyClient
from loyalty_helpers.records import LoyaltyAccount, LoyaltyEvent, Time, points_text

SNAPSHOT_READS = 3

Events = Sequence[LoyaltyEvent]


def snapshot(
    client: LoyaltyClient, account_id: str, *, known: Events | None = None
) -> tuple[LoyaltyAccount, list[LoyaltyEvent]]:
    """An account and its newest events, newest first, that belong together.

    A purchase between the two reads would look like a wrong balance; so they are read again
    while the balance moves, up to three times.

    Args:
        client: answers.
        account_id: the account's id.
        known: events of an earlier snapshot: all that came since are read. None: one page.
    """
    account = client.retrieve_account(account_id)
    for _ in range(SNAPSHOT_READS):
        events = list(_newest(client, account_id, known))
        balance, account = account.balance, client.retrieve_account(account_id)
        if account.balance == balance:
            break
    return account, events


def _newest(client: LoyaltyClient, account_id: str, known: Events | None) -> Iterator[LoyaltyEvent]:
    """The newest page; or the pages down to the one with the first event that is known."""
    events = iter(client.search_events(account_id=account_id))
    ids = ids_of(known or ())
    for number, event in enumerate(events, start=1):
        yield event
        if known is None or event.id in ids:
            yield from islice(events, -number % EVENTS_PER_PAGE)  # the rest of its page
            return


def ids_of(events: Events) -> frozenset[str]:
    """The ids of events."""
    return frozenset(event.id for event in events)


def is_all(known: Events) -> bool:
    """Whether a snapshot's page holds all that the account had."""
    return len(known) < EVENTS_PER_PAGE


def was_there(client: LoyaltyClient, event: LoyaltyEvent, known: Events) -> bool:
    """Whether an event is older than a snapshot; asks only where its page cannot tell.

    Args:
        client: answers, where the event is of the same second as the oldest one known, or has a
            time that cannot exist.
        event: as it was answered after the snapshot.
        known: the snapshot's events.
    """
    ids = ids_of(known)
    if is_all(known) or event.id in ids:
        return event.id in ids
    made, oldest = event.created_at, known[-1].created_at
    if isinstance(made, datetime) and isinstance(oldest, datetime) and made != oldest:
        return made < oldest
    met_known = False
    for each in around(client, event):  # newest first
        if each.id == event.id:
            return met_known
        met_known = met_known or each.id in ids
    return False


def around(client: LoyaltyClient, event: LoyaltyEvent) -> Iterator[LoyaltyEvent]:
    """The events of an event's account in its second; all, where its time cannot exist."""
    return between(client, event.loyalty_account_id, event.created_at, event.created_at)


def between(
    client: LoyaltyClient, account_id: str, first: Time | None, last: Time | None
) -> Iterator[LoyaltyEvent]:
    """An account's events from one second to another; a time that cannot exist is no bound."""
    start = first.replace(microsecond=0) if isinstance(first, datetime) else None
    end = None
    if isinstance(last, datetime) and last.year < MAXYEAR:
        end = last.replace(microsecond=0) + timedelta(seconds=1)
    return iter(client.search_events(account_id=account_id, start_at=start, end_at=end))


def balance_problems(
    before: LoyaltyAccount, known: Events, after: LoyaltyAccount, events: Events
) -> list[str]:
    """The balance must have moved by just the events that came since."""
    ids = ids_of(known)
    new = [event for event in events if event.id not in ids]
    moved = after.balance - before.balance
    told = sum(event.points for event in new)
    if moved == told:
        return []
    return [
        f"the balance moved by {points_text(moved)}, but the events since then ({len(new)}) make "
        + points_text(told)
    ]
