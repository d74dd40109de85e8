"""The rows that undo a run: read from the ledger, linked to the events that they compensate.

Key and marker of such a row name the event, and not the run that undoes it. So an event is undone
once, whoever asks and however often; and since what undoes it is an event as well, that can be
undone in its turn.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import chain

from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.errors import PlanError
from loyalty_helpers.runbooks.identity import marker_in
from loyalty_helpers.runbooks.ledger import adjustments_of, is_undone
from loyalty_helpers.runbooks.plan.document import Plan
from loyalty_helpers.runbooks.plan.guards import check_place, place_of
from loyalty_helpers.runbooks.plan.row_checks import SheetRow
from loyalty_helpers.runbooks.results import numbered

_TABLES = """
CREATE TABLE event (
    marker TEXT, id TEXT PRIMARY KEY, account_id TEXT, points INTEGER
) WITHOUT ROWID;
CREATE INDEX by_marker ON event (marker);
CREATE TABLE planned (n INTEGER PRIMARY KEY, row_id TEXT, marker TEXT);
"""


def compensating_rows(client: LoyaltyClient, undone: Plan) -> Iterator[SheetRow]:
    """The rows that bring balances back to where they were, the last applied one first.

    Each event of the run has a row of its own, one that was made twice included. A row that the
    ledger does not hold needs no undoing; an event that has been undone is not undone again.

    Raises:
        PlanError: the plan was made for another place, or there is nothing to undo.
    """
    header = undone.header
    check_place(header, place_of(client))
    place, times = (header.environment, header.merchant_id), Counter[str]()
    with closing(sqlite3.connect("")) as events:
        events.executescript(_TABLES)
        _read(client, undone, events)
        for row_id, event_id, account_id, points in _applied(events):
            if is_undone(event_id, *place, lambda marker: _carrying(events, marker)):
                continue
            own_id, reason = numbered(row_id, times), f"Undo of event {event_id}"
            yield SheetRow(0, own_id, "", "", account_id, -points, reason, undoes=event_id)
    if not times:
        raise PlanError(
            f"run {header.run_id!r} has nothing to undo: the ledger holds no event of it that has "
            "not been undone."
        )


def _read(client: LoyaltyClient, undone: Plan, events: sqlite3.Connection) -> None:
    """What the run planned, and the adjustments of its accounts."""
    header = undone.header
    accounts: set[str] = set()
    held: set[str] = set()
    for row in undone.rows():
        planned = (row.n, row.row_id, header.identity(row).marker)
        events.execute("INSERT INTO planned VALUES (?, ?, ?)", planned)
        (held if row.applied else accounts).add(row.account_id)
    newer = adjustments_of(client, sorted(accounts | held), since=header.marks_since)
    for event in chain(newer, adjustments_of(client, sorted(held))):
        if marker := marker_in(event.reason):
            facts = (marker, event.id, event.loyalty_account_id, event.points)
            events.execute("INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?)", facts)


def _applied(events: sqlite3.Connection) -> Iterator[tuple[str, str, str, int]]:
    """The events of a run, backwards, so that no balance falls below where it began."""
    return events.execute(
        "SELECT row_id, id, account_id, points FROM planned JOIN event USING (marker)"
        " ORDER BY n DESC, id"
    )


def _carrying(events: sqlite3.Connection, marker: str) -> list[str]:
    found = events.execute("SELECT id FROM event WHERE marker = ?", (marker,))
    return [event_id for (event_id,) in found]
