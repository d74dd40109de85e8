"""The rows that undo a run: read from the ledger, linked to the events that they compensate.

Key and marker of such a row name the event, and not the run that undoes it. So an event is undone
once, whoever asks and however often; and since what undoes it is an event as well, that can be
undone in its turn.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain

from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.errors import PlanError
from loyalty_helpers.runbooks.identity import marker_in
from loyalty_helpers.runbooks.ledger import adjustments_of, is_undone
from loyalty_helpers.runbooks.plan import Plan, Row, check_place

# By marker: the events that carry it, each with its account and its points.
Events = dict[str, dict[str, tuple[str, int]]]


def compensating_rows(client: LoyaltyClient, undone: Plan) -> Iterator[Row]:
    """The rows that bring balances back to where they were, the last applied one first.

    Each event of the run has a row of its own, one that was made twice included. A row that the
    ledger does not hold needs no undoing; an event that has been undone is not undone again.

    Raises:
        PlanError: the plan was made for another place, or there is nothing to undo.
    """
    header = undone.header
    check_place(header, client)
    place, count = (header.environment, header.merchant_id), 0
    row_ids, events = _read(client, undone)
    for marker, row_id in reversed(row_ids.items()):
        made = events.get(marker, {})
        standing = [one for one in sorted(made) if not is_undone(one, place, events)]
        count += len(standing)
        yield from undoing_rows(row_id, ((one, *made[one]) for one in standing))
    if not count:
        raise PlanError(
            f"run {header.run_id!r} has nothing to undo: the ledger holds no event of it that has "
            "not been undone."
        )


def undoing_rows(row_id: str, events: Iterable[tuple[str, str, int]]) -> Iterator[Row]:
    """What undoes the events of a row, each given as its id, its account and its points."""
    for times, (event_id, account_id, points) in enumerate(events, 1):
        yield Row(
            row_id=numbered(row_id, times),
            account_id=account_id,
            points=-points,
            reason=f"Undo of event {event_id}",
            undoes=event_id,
        )


def numbered(row_id: str, times: int) -> str:
    """A row id for each event of a row: itself for the first, `row_id+2` for the second."""
    return row_id if times == 1 else f"{row_id[:60]}+{times}"


def _read(client: LoyaltyClient, undone: Plan) -> tuple[dict[str, str], Events]:
    """What the run planned, by marker in its order; and what may be of it, or undo it."""
    header = undone.header
    row_ids: dict[str, str] = {}
    accounts: set[str] = set()
    held: set[str] = set()
    for row in undone.rows():
        row_ids[header.identity(row).marker] = row.row_id
        (held if row.applied else accounts).add(row.account_id)
    accounts |= held
    newer = adjustments_of(client, sorted(accounts), since=header.marks_since)
    events: Events = defaultdict(dict)
    for event in chain(newer, adjustments_of(client, sorted(held))):
        marker, account_id = marker_in(event.reason), event.loyalty_account_id
        if marker in row_ids or (marker and account_id in accounts):
            events[marker].setdefault(event.id, (account_id, event.points))
    return row_ids, events
