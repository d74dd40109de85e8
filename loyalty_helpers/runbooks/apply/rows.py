"""What a journal holds: its rows, their states, and the tables they are kept in."""

import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from loyalty_helpers.api import same_words
from loyalty_helpers.records import LoyaltyEvent
from loyalty_helpers.runbooks.plan import Header, Row

FORMAT = 2  # 1 had the text of a note where its code and its detail are now
RESULTS = "results.csv"  # where people see what came of each row

# PLANNED: not sent. SENT: it may be on its way. UNKNOWN: it was sent, and no answer can be
# trusted. The others are final; REVIEW means that only a person can tell.
STATES = ("PLANNED", "SENT", "UNKNOWN", "APPLIED", "FAILED", "SKIPPED", "REVIEW")
OPEN = ("PLANNED", "SENT", "UNKNOWN")


class Code(StrEnum):
    """Why a row is in its state; what people read is made of it."""

    NONE = ""
    ANSWERED = "ANSWERED"  # not as an adjustment is: status and code are the detail
    REFUSED = "REFUSED"  # after a try whose answer was lost: FAILED, unless the ledger holds it
    DOUBTFUL = "DOUBTFUL"  # asking again cannot help: only the ledger, or a person, can tell
    NOT_FOUND = "NOT_FOUND"
    AMISS = "AMISS"  # the ledger has it otherwise than it was planned: how, is the detail
    DOUBLED = "DOUBLED"
    REPEATED = "REPEATED"
    MOVED = "MOVED"


TEXTS = {  # what stands before the detail
    Code.NONE: "",
    Code.ANSWERED: "",
    Code.REFUSED: "refused: ",
    Code.DOUBTFUL: "doubtful: ",
    Code.NOT_FOUND: "sent, not answered, and not found in the ledger",
    Code.AMISS: "",
    Code.DOUBLED: "more than once in the ledger: events ",
    Code.REPEATED: "the ledger holds the same points with the same reason already: event ",
    Code.MOVED: "the balance has moved since the plan was made",
}


class Note(NamedTuple):
    """What a reader should know of a row: a code, and what it leaves open."""

    code: Code = Code.NONE
    detail: str = ""

    def __str__(self) -> str:
        return TEXTS[self.code] + self.detail


NOTHING = Note()

TABLES = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE account (
    id TEXT PRIMARY KEY, customer_id TEXT NOT NULL, planned INTEGER NOT NULL, found INTEGER
) WITHOUT ROWID;
CREATE TABLE row (
    n INTEGER PRIMARY KEY, row_id TEXT NOT NULL, account_id TEXT NOT NULL, phone TEXT NOT NULL,
    points INTEGER NOT NULL, reason TEXT NOT NULL, undoes TEXT NOT NULL,
    key TEXT NOT NULL, marker TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL DEFAULT 'PLANNED', attempts INTEGER NOT NULL DEFAULT 0,
    first_sent REAL, last_sent REAL,
    event_id TEXT NOT NULL DEFAULT '', event_at TEXT NOT NULL DEFAULT '',
    applied TEXT NOT NULL DEFAULT '',
    code TEXT NOT NULL DEFAULT '', detail TEXT NOT NULL DEFAULT ''
);
CREATE INDEX unfinished ON row (state, n) WHERE state IN {OPEN};
CREATE INDEX by_account ON row (account_id);
PRAGMA user_version = {FORMAT};
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row as the journal holds it.

    Attributes:
        n, row_id, account_id, phone, points, reason, undoes: as in the plan.
        key, marker: its identity.
        state: one of STATES.
        attempts: how often it was sent.
        first_sent, last_sent: Unix times in seconds, or None.
        event_id, event_at: the event that it made.
        applied: `now`, or `before` when an earlier run had done it, or `found` when the answer
            was lost and the ledger showed it.
        code, detail: why it is in its state; `note` is the text of both.
    """

    n: int
    row_id: str
    account_id: str
    phone: str
    points: int
    reason: str
    undoes: str
    key: str
    marker: str
    state: str
    attempts: int
    first_sent: float | None
    last_sent: float | None
    event_id: str
    event_at: str
    applied: str
    code: str
    detail: str

    @property
    def note(self) -> str:
        """What a reader should know."""
        return str(Note(Code(self.code), self.detail))


COLUMNS = ", ".join(Entry.__slots__)


def renew(journal: sqlite3.Connection) -> None:
    """Give the journal of an older program, which wrote texts, the codes of today."""
    journal.execute("DROP TABLE IF EXISTS sighting")  # what verifying saw
    journal.execute("ALTER TABLE row RENAME COLUMN note TO detail")
    journal.execute("ALTER TABLE row ADD COLUMN code TEXT NOT NULL DEFAULT ''")
    for code, text in TEXTS.items():
        journal.execute(
            "UPDATE row SET code = ?, detail = substr(detail, ?)"
            " WHERE ? != '' AND substr(detail, 1, ?) = ?",
            (code, len(text) + 1, text, len(text), text),
        )
    journal.execute(
        "UPDATE row SET code = CASE state WHEN 'REVIEW' THEN ? ELSE ? END"
        " WHERE code = '' AND detail != ''",
        (Code.AMISS, Code.ANSWERED),
    )
    journal.execute(f"PRAGMA user_version = {FORMAT}")


def begins(header: Header, row: Row) -> tuple[str, Note]:
    """The state of a row before anything is done, and why.

    A row whose mark the ledger held while planning was sent once, by whomever: the ledger has to
    tell about it. One whose content it held is left out.
    """
    if header.sends(row):
        return "PLANNED", NOTHING
    return ("UNKNOWN", NOTHING) if row.applied else ("SKIPPED", Note(Code.REPEATED, row.repeats))


def amiss(entry: Entry, event: LoyaltyEvent) -> str:
    """What an event holds other than its row, as one text; empty when they agree."""
    found = []
    if event.loyalty_account_id != entry.account_id:
        found.append(f"it is on account {event.loyalty_account_id}")
    if event.points != entry.points:
        found.append(f"it has {event.points:+d} points")
    if same_words(event.reason) != same_words(entry.reason):
        found.append("it has another reason")
    if entry.event_id and event.id != entry.event_id:
        found.append(f"it is event {event.id}, and not the one that was answered")
    return "; ".join(found)
