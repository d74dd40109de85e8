"""The journal of a run: what is about to be sent, and what came of it, before anything else.

One SQLite file, one writer. journal_mode=DELETE keeps it one file, so that a copy of it is whole;
synchronous=EXTRA makes a commit outlive a power cut; the exclusive lock is held by the process
that changes points, and the system lets go of it however that process ends. Rows that are in
flight together share a commit.
"""

import os
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path

from loyalty_helpers.errors import JournalError
from loyalty_helpers.files import taken_back
from loyalty_helpers.runbooks.apply.journal_file import (
    FORMAT,
    OWNER,
    TABLES,
    begun,
    connect,
    connect_to_look,
    damaged,
    format_of,
    renew,
    told,
)
from loyalty_helpers.runbooks.apply.rows import COLUMNS, NOTHING, STATES, Code, Entry, Note, begins
from loyalty_helpers.runbooks.plan import JOURNAL, Header, Plan, Row

CHUNK = 500  # rows read at once
PLANNED = "n, row_id, account_id, phone, points, reason, undoes, key, marker"


class Journal:
    """The journal of one run. Only the thread that opened it uses it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db, self._locked = connection, False

    @classmethod
    def open(cls, plan: Plan) -> "Journal":
        """The journal of a plan, made anew if there is none; locked until it is closed.

        Raises:
            JournalError: another process is at work with it, it belongs to another plan, or it
                cannot be read or written.
        """
        path = plan.folder / JOURNAL
        with told(path), taken_back(path):
            journal = cls(path, connect(path))
            try:
                journal._begin(plan)
            except BaseException:
                journal.close()
                raise
        return journal

    @classmethod
    def look(cls, folder: Path) -> "Journal | None":
        """The journal of a run to read from, or None if there is none."""
        path = folder / JOURNAL
        with told(path):
            return cls(path, connect_to_look(path)) if begun(path) else None

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
        if self._locked:
            self.path.with_name(OWNER).unlink(missing_ok=True)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def commit(self) -> Iterator[None]:
        """What is written in this block is on the disk, all of it, when the block ends."""
        with told(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _begin(self, plan: Plan) -> None:
        with self.commit():  # the first write takes the lock, for as long as the file is open
            found = format_of(self._db)
            if not found:
                self._create(plan)
            elif found < FORMAT:
                renew(self._db)
            digest = self.meta("digest")
            if digest != plan.digest:
                raise JournalError(
                    f"{self.path} is the journal of another plan, with the digest {digest[:12]}: "
                    "its run id has been applied with other rows. Take a new run id for a new "
                    "intent."
                )
            if found:
                self._check_rows(plan)
            self.set_meta("opened", str(time.time()))
        self._locked = True
        self.path.with_name(OWNER).write_text(f"{os.getpid()} {time.ctime()}", encoding="utf-8")

    def _create(self, plan: Plan) -> None:
        for statement in TABLES.split(";"):
            self._db.execute(statement)
        self._db.execute("INSERT INTO meta VALUES ('digest', ?)", (plan.digest,))
        for row in plan.rows():
            self._db.execute(
                "INSERT OR IGNORE INTO account (id, customer_id, planned) VALUES (?, ?, ?)",
                (row.account_id, row.customer_id, row.before),
            )
            state, note = begins(plan.header, row)
            self._db.execute(
                f"INSERT INTO row ({PLANNED}, state, code, detail)"  # noqa: S608 - no text from outside
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*_planned(plan.header, row), state, *note),
            )

    def _check_rows(self, plan: Plan) -> None:
        """What is sent was approved: nobody has changed the rows since they were entered."""
        held = self._db.execute(f"SELECT {PLANNED} FROM row ORDER BY n")  # noqa: S608 - as above
        planned = (_planned(plan.header, row) for row in plan.rows())
        if any(here != there for here, there in zip_longest(held, planned)):
            raise damaged(self.path, "its rows are not those of its plan")

    # What is known

    def meta(self, name: str) -> str:
        """A fact of the whole run, or an empty text."""
        found = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else ""

    def counts(self) -> dict[str, int]:
        """How many rows are in each state; states without rows are left out."""
        found = dict(self._db.execute("SELECT state, count(*) FROM row GROUP BY state"))
        return {state: found[state] for state in STATES if state in found}

    def entries(self, *states: str, after: int = 0) -> Iterator[Entry]:
        """The rows in these states (all, if none is given), in order, a chunk at a time."""
        wanted = f"AND state IN ({_places(states)})" if states else ""
        while rows := self._select(f"n > ? {wanted} ORDER BY n LIMIT {CHUNK}", after, *states):
            yield from rows
            after = rows[-1].n

    def row(self, n: int) -> Entry:
        """The row with this place in the plan."""
        [entry] = self._select("n = ?", n)
        return entry

    def with_marker(self, marker: str) -> Entry | None:
        """The row that carries a marker."""
        return next(iter(self._select("marker = ?", marker)), None)

    def rows_of(self, event_ids: Collection[str]) -> Iterator[tuple[str, str]]:
        """The events among these that rows of this run made, each with its row's id."""
        with told(self.path):
            for entry in self._select(f"event_id IN ({_places(event_ids)})", *event_ids):
                yield entry.event_id, entry.row_id

    def accounts(self, *never_sent: str) -> list[str]:
        """The ids of all accounts, or of those with rows in these states that were never sent."""
        query = "SELECT id FROM account ORDER BY id"
        if never_sent:
            query = (
                "SELECT DISTINCT account_id FROM row WHERE attempts = 0"  # noqa: S608 - no text from outside
                f" AND state IN ({_places(never_sent)}) ORDER BY account_id"
            )
        return [account_id for (account_id,) in self._db.execute(query, never_sent)]

    def planned(self, account_id: str, points: int) -> list[Entry]:
        """The rows of an account with these points that were not carried out."""
        wanted = "state = 'PLANNED' AND account_id = ? AND points = ?"
        return self._select(wanted, account_id, points)

    def _select(self, wanted: str, *values: str | int) -> list[Entry]:
        query = f"SELECT {COLUMNS} FROM row WHERE {wanted}"  # noqa: S608 - no text from outside
        return [Entry(*row) for row in self._db.execute(query, values)]

    def points(self) -> dict[str, int]:
        """The points of all rows in each state together."""
        return dict(self._db.execute("SELECT state, sum(points) FROM row GROUP BY state"))

    def moved(self) -> int:
        """How many rows were applied to another balance than the one that was planned with."""
        query = (
            "SELECT count(*) FROM row JOIN account ON id = account_id"
            " WHERE state = 'APPLIED' AND found != planned"
        )
        return int(self._db.execute(query).fetchone()[0])

    def balances(self, account_ids: Sequence[str]) -> dict[str, tuple[str, int, int | None]]:
        """Customer id, planned balance and balance found before the first change, by account."""
        query = "SELECT customer_id, planned, found FROM account WHERE id = ?"
        known = dict.fromkeys(account_ids)
        return {one: self._db.execute(query, (one,)).fetchone() for one in known}

    def last_sent(self) -> float:
        """When anything was last sent, as a Unix time; 0 if nothing was."""
        return float(self._db.execute("SELECT max(last_sent) FROM row").fetchone()[0] or 0)

    # What is written, inside `commit()`

    def set_meta(self, name: str, value: str) -> None:
        """Write a fact of the whole run."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def balances_found(self, found: Iterable[tuple[int, str]]) -> None:
        """Write balances (with their account ids) as they were before the first change."""
        self._db.executemany("UPDATE account SET found = ? WHERE id = ?", found)

    def sent(self, n: int, moment: float) -> None:
        """The row is about to be sent: this is on the disk before its first byte goes out."""
        self._db.execute(
            "UPDATE row SET state = 'SENT', attempts = attempts + 1, last_sent = ?,"
            " first_sent = coalesce(first_sent, ?) WHERE n = ?",
            (moment, moment, n),
        )

    def not_sent(self, entry: Entry) -> None:
        """The row was about to be sent, and for sure was not: it is as it was before."""
        self._db.execute(
            "UPDATE row SET state = ?, attempts = ?, first_sent = ?, last_sent = ? WHERE n = ?",
            (entry.state, entry.attempts, entry.first_sent, entry.last_sent, entry.n),
        )

    def settle(
        self,
        n: int,
        state: str,
        *,
        event: tuple[str, str] = ("", ""),
        applied: str = "",
        note: Note = NOTHING,
    ) -> None:
        """What came of a row."""
        self._db.execute(
            "UPDATE row SET state = ?, event_id = ?, event_at = ?, applied = ?, code = ?,"
            " detail = ? WHERE n = ?",
            (state, *event, applied, *note, n),
        )

    def doubled(self, entry: Entry, event_ids: Iterable[str]) -> None:
        """The ledger holds a row more than once: only a person can tell what is meant."""
        event, note = (entry.event_id, entry.event_at), Note(Code.DOUBLED, ", ".join(event_ids))
        self.settle(entry.n, "REVIEW", event=event, applied=entry.applied, note=note)

    def release(self, code: Code, moment: float) -> None:
        """Rows for REVIEW with this code may be sent again, as if they had first been sent now."""
        self._db.execute(
            "UPDATE row SET state = 'UNKNOWN', first_sent = ? WHERE state = 'REVIEW' AND code = ?",
            (moment, code),
        )


def _planned(header: Header, row: Row) -> tuple[int | str, ...]:
    """What a row is for good, in the order of PLANNED."""
    identity = header.identity(row)
    known = (row.n, row.row_id, row.account_id, row.phone, row.points)
    return (*known, identity.marked(row.reason), row.undoes, identity.key, identity.marker)


def _places(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
