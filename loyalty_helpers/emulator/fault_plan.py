"""The faults that are planned, as wrappers around the application they strike.

Time, waits and chance are injected.
"""

import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from werkzeug.http import http_date

from .clock import rfc3339
from .faults import ERROR_CODES, TOKEN_CODES, Fault
from .wire import Environ, compact_json, refusal, respond

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

SALT: Final = "loyalty.salt"
"""Where a request's environment tells keys from the same ones that were forgotten."""
FOUND_UNTIL: Final = "loyalty.found_until"
"""Where it says when the latest event that is found was written."""
_DRIPS: Final = 10
_PAGE: Final = b"<!doctype html><title>Fault</title><p>This page stands in for the answer.\n"
_SEARCH: Final = "/v2/loyalty/events/search"
# What needs LOYALTY_READ alone, or no scope of Loyalty.
_READING: Final = re.compile(r"GET .*|\w+ .*/(search|calculate)|\w+ (?!/v2/loyalty/).*")


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

    def around(
        self, app: "WSGIApplication", environ: Environ, clock: Callable[[], datetime]
    ) -> "WSGIApplication":
        """Return the application as a request finds it, with the faults that strike it now.

        It raises ConnectionError where the connection is lost; for httpx that is one of its own
        errors, too.
        """
        if not self._planned:
            return app
        with self._lock:
            now = clock()
            request = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
            struck = [e.fault for e in self._planned if e.strikes(*request, now, self._chance)]
        for fault in reversed(struck):
            app = partial(self._strike, fault, now, app)
        return app

    def _strike(
        self,
        fault: Fault,
        now: datetime,
        app: "WSGIApplication",
        environ: Environ,
        start_response: "StartResponse",
    ) -> Iterable[bytes]:
        """Answer a request as a fault wants it; `app` answers it as it should be."""
        age = timedelta(seconds=fault.seconds)
        match fault.kind:
            case "forget-keys":
                salt = partial(self.keys.aged_salt, now, age)
                return app({**environ, SALT: salt}, start_response)
            case "late-events":
                return app({**environ, FOUND_UNTIL: rfc3339(now - age)}, start_response)
            case "slow" if fault.after_write:
                answer = app(environ, start_response)
                self._sleep(fault.seconds)
                return answer
            case "slow":
                self._sleep(fault.seconds)
                return app(environ, start_response)
            case "drip":
                pause = partial(self._sleep, fault.seconds / _DRIPS)
                return _dripping(app(environ, start_response), pause)
            case "truncate":
                body = b"".join(app(environ, start_response))
                return [body[: len(body) // 2]]
        if fault.after_write:
            app(environ, lambda *_: bytes)
        if fault.kind in ("refuse", "drop"):
            raise _lost(fault.kind)
        return _instead(fault, now, start_response)


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


def _dripping(answer: Iterable[bytes], pause: Callable[[], object]) -> Iterator[bytes]:
    body = b"".join(answer)
    size = -(-len(body) // _DRIPS) or 1
    for start in range(0, len(body), size):
        pause()
        yield body[start : start + size]


def _instead(fault: Fault, now: datetime, start_response: "StartResponse") -> list[bytes]:
    headers = {"Date": http_date(now)}
    if fault.kind == "html":
        return respond(start_response, 200, headers, _PAGE, "text/html; charset=utf-8")
    if fault.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after)
    if fault.retry_at is not None:
        headers["Retry-After"] = http_date(now + timedelta(seconds=fault.retry_at))
    status = 429 if fault.kind == "rate-limit" else fault.status
    code = TOKEN_CODES.get(fault.kind) or ERROR_CODES[status]
    error = refusal(code, "This error was asked for: it is a fault on purpose.")
    body = compact_json(error.envelope).encode()
    return respond(start_response, error.status, headers, body)


def _lost(kind: str) -> ConnectionError:
    # A client in the same process knows no others than httpx's, whose names they bear; it has
    # loaded httpx, which takes long.
    import httpx

    class ConnectError(httpx.ConnectError, ConnectionRefusedError):
        """The connection was refused."""

    class ReadError(httpx.ReadError, ConnectionResetError):
        """The connection was lost before the answer came."""

    error = ConnectError if kind == "refuse" else ReadError
    return error(f"{kind}: a fault on purpose")
