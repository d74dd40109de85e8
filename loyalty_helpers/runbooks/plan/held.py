"""What the ledger holds already of the rows that are planned: by their marks, and by content.

A mark is looked for in all that an account ever had, since an intent is known for ever. Content
(account, points, and the words of the reason) is compared with what is young enough to be the
same wish, whoever made it: another run id, a person, another program. What was undone since is
not held any more.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from loyalty_helpers.api import same_words
from loyalty_helpers.records import LoyaltyEvent
from loyalty_helpers.runbooks.identity import marker_in
from loyalty_helpers.runbooks.ledger import is_since, is_undone
from loyalty_helpers.runbooks.plan.guards import Place

REPEAT_DAYS = 90  # before the newest event, in which the same content counts as a repeat

_TABLES = """
CREATE TABLE event (
    id TEXT PRIMARY KEY, account_id TEXT, points INTEGER, words TEXT, marker TEXT, recent INTEGER
) WITHOUT ROWID;
CREATE INDEX by_marker ON event (marker);
CREATE INDEX by_content ON event (account_id, points, words);
"""


@dataclass(frozen=True)
class Held:
    """An adjustment that the ledger holds.

    Attributes:
        event_id, account_id, points: of the event.
        words: of its reason, as they are compared.
    """

    event_id: str
    account_id: str
    points: int
    words: str


class Holdings:
    """The adjustments of the accounts of a plan, in a table on disk.

    Args:
        database: that of the plan in the making.
        place: where the plan is for; marks depend on it.
        newest: when the newest event of all was made, by the service's own clock.
    """

    def __init__(self, database: sqlite3.Connection, place: Place, newest: datetime | None) -> None:
        self._db, self._place = database, place
        self._since = newest - timedelta(days=REPEAT_DAYS) if newest else None
        database.executescript(_TABLES)

    def fill(self, events: Iterable[LoyaltyEvent]) -> None:
        """Keep what was read; an event that comes twice is kept once."""
        self._db.executemany(
            "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?)", map(self._facts, events)
        )

    def _facts(self, event: LoyaltyEvent) -> tuple[object, ...]:
        reason = event.reason
        content = (event.loyalty_account_id, event.points, same_words(reason))
        return (event.id, *content, marker_in(reason), self._is_recent(event))

    def _is_recent(self, event: LoyaltyEvent) -> bool:
        return self._since is None or is_since(event, self._since)

    def marked(self, marker: str) -> list[Held]:
        """The events that carry a mark: one, if the row was applied; more, if it was doubled."""
        query = "SELECT id, account_id, points, words FROM event WHERE marker = ? ORDER BY id"
        return [Held(*found) for found in self._db.execute(query, (marker,))]

    def event(self, event_id: str) -> Held | None:
        """An event by its id."""
        query = "SELECT id, account_id, points, words FROM event WHERE id = ?"
        found = self._db.execute(query, (event_id,)).fetchone()
        return Held(*found) if found else None

    def alike(self, account_id: str, points: int, reason: str) -> list[str]:
        """Ids of recent events with this content that were not undone."""
        query = (
            "SELECT id FROM event WHERE account_id = ? AND points = ? AND words = ? AND recent"
            " ORDER BY id"
        )
        content = (account_id, points, same_words(reason))
        place = (self._place.environment, self._place.merchant_id)
        found = [one for (one,) in self._db.execute(query, content)]
        return [one for one in found if not is_undone(one, *place, self._carrying)]

    def _carrying(self, marker: str) -> list[str]:
        return [held.event_id for held in self.marked(marker)]
