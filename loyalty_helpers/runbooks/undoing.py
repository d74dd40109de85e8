"""The rows that undo a run: read from the ledger, linked to the events that they compensate.

Key and marker of such a row name the event, and not the run that undoes it. So an event is undone
once, whoever asks and however often; and since what undoes it is an event as well, that can be
undone in its turn.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from loyalty_helpers.client import LoyaltyClient
from loyalty_helpers.errors import PlanError
from loyalty_helpers.runbooks.guards import check_place, place_of
from loyalty_helpers.runbooks.identity import undo_identity
from loyalty_helpers.runbooks.ledger import marked_events
from loyalty_helpers.runbooks.plan import Plan
from loyalty_helpers.runbooks.row_checks import Problem, SheetRow

_TABLES = """
CREATE TABLE event (
    marker TEXT, id TEXT PRIMARY KEY, account_id TEXT, points INTEGER
) WITHOUT ROWID;
CREATE INDEX by_marker ON event (marker);
"""


def compensating_rows(client: LoyaltyClient, undone: Plan) -> Iterator[SheetRow | Problem]:
    """The rows that bring balances back to where they were, the last applied one first.

    A row that the ledger does not hold needs no undoing. An event that has been undone already
    is left out, and so is not undone again.

    Raises:
        PlanError: the plan was made for another place, or there is nothing to undo.
    """
    check_place(undone.header, place_of(client))
    with closing(sqlite3.connect("")) as events:
        events.executescript(_TABLES)
        for marker, event in marked_events(client, since=undone.header.ledger_since):
            facts = (marker, event.id, event.loyalty_account_id, event.points)
            events.execute("INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?)", facts)
        count = 0
        for row_id, event_id, account_id, points in _applied(events, undone):
            if _is_undone(events, undone, event_id):
                continue
            count += 1
            reason = f"Undo of event {event_id}"
            yield SheetRow(count, row_id, "", "", account_id, -points, reason, undoes=event_id)
    if not count:
        raise PlanError(
            f"run {undone.header.run_id!r} has nothing to undo: the ledger holds no event of it "
            "that has not been undone."
        )


def _applied(events: sqlite3.Connection, undone: Plan) -> Iterator[tuple[str, str, str, int]]:
    """The events of a run, backwards, so that no balance falls below where it began."""
    events.execute("CREATE TABLE planned (n INTEGER PRIMARY KEY, row_id TEXT, marker TEXT)")
    header = undone.header
    events.executemany(
        "INSERT INTO planned VALUES (?, ?, ?)",
        ((row.n, row.row_id, header.identity(row).marker) for row in undone.rows()),
    )
    yield from events.execute(
        "SELECT row_id, id, account_id, points FROM planned JOIN event USING (marker)"
        " ORDER BY n DESC"
    )


def _is_undone(events: sqlite3.Connection, undone: Plan, event_id: str) -> bool:
    header = undone.header
    marker = undo_identity(header.environment, header.merchant_id, event_id).marker
    found = events.execute("SELECT 1 FROM event WHERE marker = ?", (marker,)).fetchone()
    return found is not None
