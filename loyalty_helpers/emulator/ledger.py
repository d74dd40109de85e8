"""The state as the rules see it: records, and the SQL that reads and writes them."""
# ruff: noqa: S608 - names of this file make up the statements; every value is bound

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from .assumptions import Assumptions
from .clock import SeededIds, rfc3339, rfc3339_ms
from .validation import WORDS
from .wire import compact_json, not_found, read_json, refusal

Event = dict[str, Any]
"""A loyalty event as it goes over the wire."""

EVENT_FIELDS: Final = {kind: kind.lower() for kind in WORDS["event-type"]} | {
    "OTHER": "other_event"
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

    def enrolled(self, now: str) -> "Account":
        """Return the account with the time of its first purchase or reward."""
        return self._replace(enrolled_at=self.enrolled_at or now)


class Position(NamedTuple):
    """A place in a list that is ordered by time."""

    created_at: str
    seq: int


Bodies = Iterator[tuple[Position, dict[str, Any]]]
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


class World(NamedTuple):
    """What is injected beside the file."""

    clock: Callable[[], datetime]
    ids: SeededIds
    assumptions: Assumptions


class Ledger:
    """Reads and writes through one connection, inside whatever transaction that has."""

    def __init__(self, connection: sqlite3.Connection, world: World) -> None:
        self._execute = connection.execute
        self._clock, self.ids, self.assumptions = world

    @cached_property
    def moment(self) -> datetime:
        """The time, which stands still for a ledger."""
        return self._clock()

    def now(self) -> str:
        """Return the time as Loyalty writes it."""
        return rfc3339(self.moment)

    def now_ms(self) -> str:
        """Return the time as Orders, Payments and Customers write it."""
        return rfc3339_ms(self.moment)

    def run(self, script: str) -> None:
        """Run statements of SQL, each up to its semicolon."""
        for statement in script.split(";"):
            self._execute(statement)

    def program(self, program_id: str = "main") -> dict[str, Any] | None:
        """Return a program, not to be changed, by its id or as the only one that there is."""
        query = "SELECT body FROM record WHERE kind = 'program' AND ? IN (id, 'main')"
        row = self._one(query, program_id)
        return _parsed(row[0]) if row else None

    def the_program(self, program_id: str) -> dict[str, Any]:
        """Return a program by its id or by the keyword `main`, or refuse with 404."""
        program = self.program(program_id)
        if program is None:
            raise not_found("Loyalty program")
        return program

    def record(self, kind: str, record_id: str) -> dict[str, Any] | None:
        """Return a record as Square writes it."""
        row = self._one("SELECT body FROM record WHERE kind = ? AND id = ?", kind, record_id)
        return read_json(row[0]) if row else None

    def the(self, kind: str, record_id: str) -> dict[str, Any]:
        """Return a record, or refuse with 404."""
        record = self.record(kind, record_id)
        if record is None:
            raise not_found("Loyalty reward" if kind == "reward" else kind.capitalize())
        return record

    def the_location(self, location_id: str, field: str) -> None:
        """Refuse a location that the merchant does not have."""
        if self.record("location", location_id) is None:
            code = self.assumptions.unknown_location_code
            raise refusal(code, "The merchant has no such location.", field)

    def zone(self) -> ZoneInfo:
        """Return where the seller is: all locations of the emulator have one time zone."""
        return ZoneInfo(next(location["timezone"] for _, location in self.records("location")))

    def unused(self, kind: str, suffix: str = "") -> str:
        """Return a free id for a new record: seeded ids begin anew on a file that has some."""
        while self.record(kind, new := self.ids.code() + suffix) is not None:
            pass
        return new

    def records(self, kind: str, where: Where | None = None, *page: Any) -> Bodies:
        """Yield the position and the body of records on a page, or of all, the latest first."""
        where = where or Where()
        where.add("kind = ?", kind)
        return self._newest("moment", "record", where, *page)

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

    def account(self, account_id: str) -> Account | None:
        """Return an account."""
        row = self._one(f"SELECT {_ACCOUNT} FROM account WHERE id = ?", account_id)
        return Account._make(row) if row else None

    def the_account(self, account_id: str) -> Account:
        """Return the account, or refuse with 404."""
        account = self.account(account_id)
        if account is None:
            raise not_found("Loyalty account")
        return account

    def accounts(
        self, where: Where, after: Position | None = None, most: int = -1
    ) -> list[tuple[Position, Account]]:
        """Return the accounts on a page, or all, the oldest first."""
        if after:
            where.add("(created_at, seq) > (?, ?)", *after)
        query = f"SELECT seq, {_ACCOUNT} FROM account{where.sql()} ORDER BY created_at, seq"
        rows = self._execute(f"{query} LIMIT ?", (*where.values, most))
        found = ((seq, Account(*row)) for seq, *row in rows)
        return [(Position(account.created_at, seq), account) for seq, account in found]

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

    def events(self, where: Where, *page: Any) -> Bodies:
        """Yield the position and the body of events on a page, or of all, the newest first."""
        return self._newest("created_at", "event", where, *page)

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
        """Yield an account's movements, the oldest first; or none of rewards that were deleted."""
        query = "SELECT created_at, points, type FROM event WHERE account_id = ?"
        if not returned:
            query += _UNLESS_RETURNED
        yield from self._execute(f"{query} ORDER BY created_at, seq", (account_id,))

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
        self, time: str, table: str, where: Where, after: Position | None = None, most: int = -1
    ) -> Bodies:
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
