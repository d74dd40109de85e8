"""What the functions of all operations share: the request, its key, its page, and its refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from .clock import rfc3339
from .ledger import Ledger, Position
from .paging import make_cursor, read_cursor
from .pricing import CURRENCY
from .validation import Body, Reader
from .world import Answer, KeyedRequest, World, once

KEY_LENGTH: Final = 128
_MOST_CENTS: Final = 10**12

Rows = Callable[[Ledger, Position | None, int], Iterable[tuple[Position, Any]]]
"""Gives the rows after a position, so many at most."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was matched: the world, the ids in its path, its body and its version."""

    world: World
    ids: dict[str, str]
    body: Body
    version: str

    @property
    def target(self) -> str:
        """The id of what the request is about, or an empty text."""
        return self.ids.get("id", "")

    @contextmanager
    def reading(self) -> Iterator[Ledger]:
        """Lend the ledger for reading."""
        with self.world.database.reading() as connection:
            yield Ledger(connection)

    @contextmanager
    def writing(self) -> Iterator[Ledger]:
        """Lend the ledger inside one write transaction, for operations that take no key."""
        with self.world.database.writing() as connection:
            yield Ledger(connection)

    def once(
        self, endpoint: str, key: str | None, work: Callable[[Ledger, KeyedRequest], Answer]
    ) -> Answer:
        """Do `work` for the first request with this key; answer it again to the same ones."""
        salt = self.world.salt(endpoint, key) if key else ""
        request = KeyedRequest(endpoint, key or "", self.target, self.body.canonical, salt)
        if key is None:
            with self.writing() as ledger:
                return work(ledger, request)
        return once(self.world, request, lambda ledger: work(ledger, request))

    def page(self, endpoint: str, name: str, limit: int, rows: Rows, asked: Any = None) -> Answer:
        """Answer with a page of `rows`, once all else was read; the cursor is bound to `asked`."""
        cursor = self.body.fields.text("cursor")
        self.body.fields.finish()
        query = [endpoint, asked or self.body.data.get("query")]
        after = read_cursor(self.world.assumptions, query, cursor) if cursor else None
        with self.reading() as ledger:
            # One row more than asked for tells that another page follows.
            found = list(rows(ledger, after, limit + 1))
        answer: Answer = {name: [item for _, item in found[:limit]]} if found else {}
        if len(found) > limit:
            answer["cursor"] = make_cursor(self.world.assumptions, query, found[limit - 1][0])
        return answer


def retrieving(name: str, find: Callable[[Ledger, str], Any]) -> Callable[[Call], Answer]:
    """Return what answers with the one thing that has the id in the path."""

    def handle(call: Call) -> Answer:
        with call.reading() as ledger:
            return {name: find(ledger, call.target)}

    return handle


def past_time(world: World, sent: Reader, name: str) -> str | None:
    """Read a time that must not be in the future."""
    moment = sent.time(name)
    if moment and moment > world.clock():
        sent.report(name, "INVALID_TIME", "The time must not be in the future.")
    return rfc3339(moment) if moment else None


def time_range(sent: Reader, name: str) -> tuple[datetime | None, datetime | None]:
    """Read a range of time: its start is inside it, its end is not; either may be missing."""
    period = sent.object(name)
    if period is None:
        return None, None
    start, end = period.time("start_at"), period.time("end_at")
    if start and end and start > end:
        sent.report(name, "INVALID_TIME_RANGE", "start_at must not be later than end_at.")
    return start, end


def cents(sent: Reader, name: str, lowest: int = 0) -> int | None:
    """Read an amount of money; all locations have one currency."""
    amount = sent.object(name)
    if amount is None:
        return None
    value = amount.required_integer("amount", lowest, _MOST_CENTS)
    if amount.required_text("currency") not in ("", CURRENCY):
        amount.report("currency", "INVALID_VALUE", f"The currency is {CURRENCY} here.")
    return value


def required_cents(sent: Reader, name: str, lowest: int = 0) -> int:
    """Read an amount of money that must be there."""
    sent.required(name)
    return cents(sent, name, lowest) or 0
