"""The faults that are planned, and what they do. Time, waits and chance are injected."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from sqlite3 import Connection
from typing import Final

from werkzeug.http import http_date

from .clock import rfc3339
from .database import Database
from .faults import ERROR_CODES, TOKEN_CODES, Fault
from .reply import DRIPS, Reply, json_reply, make_reply
from .wire_errors import refusal
from .world import World

_PAGE: Final = b"<!doctype html><title>Fault</title><p>This page stands in for the answer.\n"
_SEARCH: Final = "/v2/loyalty/events/search"
# What needs LOYALTY_READ alone, or no scope of Loyalty.
_READING: Final = re.compile(r"GET .*|\w+ .*/(search|calculate)|\w+ (?!/v2/loyalty/).*")

Work = Callable[[World], Reply]


class Faults:
    """A plan of faults, which the emulator asks about every request.

    Args:
        seed: What faults with a probability are drawn from.
        sleep: Waits for some seconds, where a fault is slow.
    """

    def __init__(self, seed: int = 0, sleep: Callable[[float], object] = time.sleep) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - the same faults again are wanted
        self._sleep = sleep
        self._planned: tuple[_Planned, ...] = ()
        self._lock = threading.Lock()
        self.keys = Keys()

    def add(self, *faults: Fault) -> None:
        """Plan faults beside those that are planned; the first one planned comes first."""
        with self._lock:
            self._planned += tuple(_Planned(fault) for fault in faults)

    @property
    def slow(self) -> bool:
        """Whether any answer is slow on purpose."""
        return any(each.fault.kind in ("slow", "drip") for each in self._planned)

    def clear(self) -> None:
        """Plan none from now on; keys that were forgotten stay forgotten."""
        self._planned = ()

    def due(self, method: str, path: str, clock: Callable[[], datetime]) -> Sequence[Fault]:
        """Return the faults that strike a request now."""
        if not self._planned:
            return ()
        with self._lock:
            now = clock()
            request = method, path
            return [e.fault for e in self._planned if e.strikes(*request, now, self._chance)]

    def strike(self, faults: Sequence[Fault], world: World, work: Work) -> Reply:
        """Answer a request as `faults` want it; `work` would answer it as it should be.

        Raises:
            ConnectionError: The connection is lost; for httpx it is one of its own errors, too.
        """
        if not faults:
            return work(world)
        fault, *others = faults
        rest = partial(self.strike, others, work=work)
        if fault.kind in ("forget-keys", "late-events"):
            return rest(self._altered(fault, world))
        reply = rest(world) if fault.after_write or fault.kind == "truncate" else None
        if fault.kind in ("refuse", "drop"):
            raise _lost(fault.kind)
        if fault.kind == "slow":
            self._sleep(fault.seconds)
            return reply or rest(world)
        if fault.kind == "drip":
            return rest(world)._replace(pause=partial(self._sleep, fault.seconds / DRIPS))
        if fault.kind == "truncate" and reply:
            return reply._replace(body=reply.body[: len(reply.body) // 2])
        return _instead(fault, world.clock())

    def _altered(self, fault: Fault, world: World) -> World:
        now, age = world.clock(), timedelta(seconds=fault.seconds)
        if fault.kind == "forget-keys":
            return replace(world, salt=partial(self.keys.aged_salt, now, age))
        return replace(world, database=_LateEvents(world.database, rfc3339(now - age)))


class _Planned:
    """A fault, and what is left of it."""

    def __init__(self, fault: Fault) -> None:
        self.fault, self._left = fault, fault.next_n
        self._tokens = float(fault.burst)
        self._filled: datetime | None = None

    def strikes(self, method: str, path: str, now: datetime, chance: random.Random) -> bool:
        fault = self.fault
        if self._left == 0 or not re.search(fault.path, path):
            return False
        if fault.kind == "late-events" and path != _SEARCH:
            return False
        if fault.kind == "read-only" and _READING.fullmatch(f"{method} {path}"):
            return False
        if self._left is not None:
            self._left -= 1
        if fault.probability < 1 and chance.random() >= fault.probability:
            return False
        return fault.kind != "rate-limit" or not self._take(now)

    def _take(self, now: datetime) -> bool:
        """Take a token if there is one; they come back at the rate, up to the burst."""
        gone = (now - self._filled).total_seconds() if self._filled else 0.0
        self._filled = now
        tokens = min(self._tokens + max(gone, 0.0) * self.fault.per_second, self.fault.burst)
        self._tokens = tokens - 1 if tokens >= 1 else tokens
        return tokens >= 1


class Keys:
    """Which idempotency keys were forgotten: each time, a key gets another salt.

    Forgetting lasts as long as the process. The age of a key counts from the first request that
    is seen with it while a fault asks for ages.
    """

    def __init__(self) -> None:
        self._salts: dict[tuple[str, str], tuple[datetime, str]] = {}
        self._newest = ""
        self._lock = threading.Lock()

    def forget(self, now: datetime) -> None:
        """Forget every key that was used so far."""
        with self._lock:
            self._newest += f"\n{rfc3339(now)}"
            self._salts.clear()

    def salt(self, endpoint: str, key: str) -> str:
        """Return what tells a key from the same one before it was forgotten; empty at first."""
        known = self._salts.get((endpoint, key))
        return known[1] if known else self._newest

    def aged_salt(self, now: datetime, age: timedelta, endpoint: str, key: str) -> str:
        """Return the salt of a key, which is forgotten when it has reached the age."""
        with self._lock:
            since, salt = self._salts.get((endpoint, key), (now, self._newest))
            if now - since >= age:
                since, salt = now, f"{salt}\n{rfc3339(now)}"
            self._salts[endpoint, key] = since, salt
            return salt


class _LateEvents(Database):
    """The same file, for a search that does not find the latest events yet; writes find all."""

    def __init__(self, database: Database, until: str) -> None:
        self._whole = database
        older = f"SELECT * FROM main.event WHERE created_at <= '{until}'"  # noqa: S608 - our time
        self._view = f"CREATE TEMP VIEW event AS {older}"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._whole.reading() as connection:
            # A temporary view stands before the table of its name.
            connection.execute(self._view)
            try:
                yield connection
            finally:
                connection.execute("DROP VIEW temp.event")

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self._whole.writing() as connection:
            yield connection


def _instead(fault: Fault, now: datetime) -> Reply:
    headers = {"Date": http_date(now)}
    if fault.kind == "html":
        return make_reply(200, headers, _PAGE, "text/html; charset=utf-8")
    if fault.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after)
    if fault.retry_at is not None:
        headers["Retry-After"] = http_date(now + timedelta(seconds=fault.retry_at))
    status = 429 if fault.kind == "rate-limit" else fault.status
    code = TOKEN_CODES.get(fault.kind) or ERROR_CODES[status]
    error = refusal(code, "This error was asked for: it is a fault on purpose.")
    return json_reply(error.status, headers, error.wire())


def _lost(kind: str) -> ConnectionError:
    """Return an error that is one of httpx as well, since an embedded client knows no others."""
    import httpx

    ours, theirs = (
        (ConnectionRefusedError, httpx.ConnectError)
        if kind == "refuse"
        else (ConnectionResetError, httpx.ReadError)
    )
    name = theirs.__name__
    lost: ConnectionError = type(name, (theirs, ours), {})(f"{kind}: a fault on purpose")
    return lost
