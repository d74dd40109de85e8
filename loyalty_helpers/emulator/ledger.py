"""The state as the rules see it: records, and the SQL that reads and writes them."""
# ruff: noqa: S608 - names of this file make up the statements; every value is bound

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple

from .clock import unused
from .wire_json import compact_json, read_json

# Times are RFC 3339 text in UTC, so that they compare as text. An index ends in the row number
# by nature: (created_at, seq) is the order of every page.
_SCHEMA: Final = (
    # Whatever is looked up by id, or by who owns it in order of time, and goes over the wire whole.
    """CREATE TABLE record (
        seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, owner TEXT,
        moment TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (kind, id))""",
    "CREATE INDEX record_owner ON record (kind, owner, moment)",
    "CREATE INDEX record_moment ON record (kind, moment)",
    """CREATE TABLE account (
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, program_id TEXT NOT NULL,
        mapping_id TEXT NOT NULL, phone_number TEXT, customer_id TEXT,
        balance INTEGER NOT NULL, lifetime_points INTEGER NOT NULL,
        enrolled_at TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
        UNIQUE (program_id, phone_number))""",
    "CREATE INDEX account_phone ON account (phone_number, created_at)",
    "CREATE INDEX account_customer ON account (customer_id, created_at)",
    "CREATE INDEX account_created ON account (created_at)",
    """CREATE TABLE event (
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL,
        type TEXT NOT NULL, created_at TEXT NOT NULL, location_id TEXT, order_id TEXT,
        points INTEGER NOT NULL, body TEXT NOT NULL)""",
    "CREATE INDEX event_account ON event (account_id, created_at)",
    "CREATE INDEX event_created ON event (created_at)",
    "CREATE INDEX event_order ON event (order_id, created_at) WHERE order_id IS NOT NULL",
    """CREATE TABLE answered (
        endpoint TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL, answer TEXT NOT NULL,
        PRIMARY KEY (endpoint, key)) WITHOUT ROWID""",
)
_TABLES: Final = ("record", "account", "event", "answered")

Event = dict[str, Any]
"""A loyalty event as it goes over the wire."""

EVENT_FIELDS: Final = {
    "ACCUMULATE_POINTS": "accumulate_points",
    "ACCUMULATE_PROMOTION_POINTS": "accumulate_promotion_points",
    "ADJUST_POINTS": "adjust_points",
    "CREATE_REWARD": "create_reward",
    "REDEEM_REWARD": "redeem_reward",
    "DELETE_REWARD": "delete_reward",
    "EXPIRE_POINTS": "expire_points",
    "OTHER": "other_event",
}
"""The field of an event that holds what is particular to its type."""


def points_of(event: Event) -> int:
    """Return what an event moves the balance by."""
    return int(event[EVENT_FIELDS[event["type"]]].get("points", 0))


class Account(NamedTuple):
    """A loyalty account."""

    id: str
    program_id: str
    mapping_id: str
    phone_number: str | None
    customer_id: str | None
    created_at: str
    updated_at: str
    enrolled_at: str | None = None
    balance: int = 0
    lifetime_points: int = 0

    def enrolled(self, now: str) -> Account:
        """Return the account with the time of its first purchase or reward."""
        return self._replace(enrolled_at=self.enrolled_at or now)


class Position(NamedTuple):
    """A place in a list that is ordered by time."""

    created_at: str
    seq: int


Movement = tuple[str, int, str]
"""Time, points and type of an event."""

_UNLESS_RETURNED: Final = """ AND type <> 'DELETE_REWARD' AND NOT (
    type = 'CREATE_REWARD' AND EXISTS (
        SELECT 1 FROM record WHERE kind = 'reward' AND json_extract(body, '$.status') = 'DELETED'
        AND id = json_extract(event.body, '$.create_reward.reward_id')))"""
_ACCOUNT: Final = ", ".join(Account._fields)
_EVENT: Final = "id, account_id, type, created_at, location_id, order_id, points, body"


@dataclass
class Where:
    """Conditions that all must hold."""

    clauses: list[str] = field(default_factory=list)
    values: list[str | int] = field(default_factory=list)

    def add(self, clause: str, *values: str | int) -> None:
        """Add one condition; each `?` in it stands for one of `values`."""
        self.clauses.append(clause)
        self.values.extend(values)

    def among(self, column: str, values: Sequence[str] | None) -> None:
        """Add that `column` is one of `values`; None allows all."""
        if values is not None:
            self.add(f"{column} IN ({', '.join('?' * len(values))})", *values)

    def sql(self) -> str:
        """Return the WHERE clause, or nothing."""
        return f" WHERE {' AND '.join(self.clauses)}" if self.clauses else ""


class Ledger:
    """Reads and writes through one connection, inside whatever transaction that has."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute

    def create(self) -> None:
        """Make the tables."""
        for statement in _SCHEMA:
            self._execute(statement)

    def clear(self) -> None:
        """Empty the tables."""
        for table in _TABLES:
            self._execute(f"DELETE FROM {table}")

    @contextmanager
    def undone_by(self, error: type[Exception]) -> Iterator[None]:
        """Take back what was written inside when that error comes out."""
        self._execute("SAVEPOINT attempt")
        try:
            yield
        except error:
            self._execute("ROLLBACK TO attempt")
            raise

    def program(self, program_id: str = "main") -> dict[str, Any] | None:
        """Return a program, not to be changed, by its id or as the only one that there is."""
        query = "SELECT body FROM record WHERE kind = 'program' AND ? IN (id, 'main')"
        row = self._one(query, program_id)
        return _parsed(row[0]) if row else None

    def record(self, kind: str, record_id: str) -> dict[str, Any] | None:
        """Return a record as Square writes it."""
        row = self._one("SELECT body FROM record WHERE kind = ? AND id = ?", kind, record_id)
        return read_json(row[0]) if row else None

    def unused(self, kind: str, make: Callable[[], str]) -> str:
        """Return the first id that no record of the kind has."""
        return unused(make, lambda new: self.record(kind, new))

    def records(
        self, kind: str, where: Where | None = None, after: Position | None = None, most: int = -1
    ) -> Iterator[tuple[Position, dict[str, Any]]]:
        """Yield the position and the body of records, the latest first; -1 is all."""
        where = where or Where()
        where.add("kind = ?", kind)
        return self._newest("moment", "record", where, after, most)

    def keep(
        self, kind: str, body: dict[str, Any], *, owner: str | None = None, moment: str = ""
    ) -> None:
        """Add a record, or replace the one with its id."""
        self._execute(
            "INSERT INTO record (kind, id, owner, moment, body) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET owner = excluded.owner,"
            " moment = excluded.moment, body = excluded.body",
            (kind, body["id"], owner, moment, compact_json(body)),
        )

    def forget(self, kind: str) -> None:
        """Remove all records of a kind."""
        self._execute("DELETE FROM record WHERE kind = ?", (kind,))

    def account(self, account_id: str) -> Account | None:
        """Return an account."""
        row = self._one(f"SELECT {_ACCOUNT} FROM account WHERE id = ?", account_id)
        return Account._make(row) if row else None

    def account_with_phone(self, program_id: str, phone_number: str) -> Account | None:
        """Return the account that a phone number maps to."""
        query = f"SELECT {_ACCOUNT} FROM account WHERE program_id = ? AND phone_number = ?"
        row = self._one(query, program_id, phone_number)
        return Account._make(row) if row else None

    def accounts(
        self, where: Where, after: Position | None, most: int
    ) -> list[tuple[Position, Account]]:
        """Return accounts in order of creation, oldest first."""
        if after:
            where.add("(created_at, seq) > (?, ?)", *after)
        query = f"SELECT {_ACCOUNT}, seq FROM account{where.sql()} ORDER BY created_at, seq"
        rows = self._execute(f"{query} LIMIT ?", (*where.values, most))
        accounts = ((Account._make(row[:-1]), row[-1]) for row in rows)
        return [(Position(account.created_at, seq), account) for account, seq in accounts]

    def add_account(self, account: Account) -> None:
        """Add an account."""
        marks = ", ".join("?" * len(account))
        self._execute(f"INSERT INTO account ({_ACCOUNT}) VALUES ({marks})", account)

    def update_account(self, account: Account) -> None:
        """Keep what an event changed of an account."""
        self._execute(
            "UPDATE account SET balance = :balance, lifetime_points = :lifetime_points,"
            " enrolled_at = :enrolled_at, updated_at = :updated_at WHERE id = :id",
            account._asdict(),
        )

    def events(
        self, where: Where, after: Position | None = None, most: int = -1
    ) -> Iterator[tuple[Position, dict[str, Any]]]:
        """Yield the position and the body of events, the newest first; -1 is all."""
        return self._newest("created_at", "event", where, after, most)

    def add_event(self, event: Event, order_id: str | None = None) -> None:
        """Add an event, which nothing ever changes or removes.

        It is found by its order, which its particulars name, or which is given.
        """
        order_id = event[EVENT_FIELDS[event["type"]]].get("order_id", order_id)
        row = (
            *(event[name] for name in ("id", "loyalty_account_id", "type", "created_at")),
            *(event.get("location_id"), order_id, points_of(event), compact_json(event)),
        )
        self._execute(f"INSERT INTO event ({_EVENT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def movements(self, account_id: str, *, returned: bool) -> Iterator[Movement]:
        """Yield an account's movements, the newest first; or none of rewards that were deleted."""
        query = "SELECT created_at, points, type FROM event WHERE account_id = ?"
        if not returned:
            query += _UNLESS_RETURNED
        yield from self._execute(f"{query} ORDER BY created_at DESC, seq DESC", (account_id,))

    def has_earned(self, order_id: str) -> bool:
        """Tell whether points were accumulated for the order."""
        query = "SELECT 1 FROM event WHERE order_id = ? AND type = 'ACCUMULATE_POINTS'"
        return self._one(query, order_id) is not None

    def answered(self, endpoint: str, key: str) -> tuple[bytes, dict[str, Any]] | None:
        """Return the digest of the request that first used the key, and its answer."""
        query = "SELECT digest, answer FROM answered WHERE endpoint = ? AND key = ?"
        row = self._one(query, endpoint, key)
        return (row[0], read_json(row[1])) if row else None

    def keep_answer(self, endpoint: str, key: str, digest: bytes, answer: dict[str, Any]) -> None:
        """Keep the answer that the key will give from now on."""
        row = (endpoint, key, digest, compact_json(answer))
        self._execute("INSERT INTO answered VALUES (?, ?, ?, ?)", row)

    def _newest(
        self, time: str, table: str, where: Where, after: Position | None, most: int
    ) -> Iterator[tuple[Position, dict[str, Any]]]:
        if after:
            where.add(f"({time}, seq) < (?, ?)", *after)
        query = f"SELECT {time}, seq, body FROM {table}{where.sql()}"
        order = f" ORDER BY {time} DESC, seq DESC LIMIT ?"
        for moment, seq, body in self._execute(query + order, (*where.values, most)):
            yield Position(moment, seq), read_json(body)

    def _one(self, query: str, *values: str) -> Any:
        return self._execute(query, values).fetchone()


@lru_cache(maxsize=8)
def _parsed(text: str) -> Any:
    """Read the program, which is asked for with every request and hardly ever changes."""
    return read_json(text)
