"""Sends one request, as often as is safe, and tells apart what an answer can mean.

What can come back: an answer that is JSON (returned, or raised as a SquareError), an answer that
is not Square's (UnexpectedAnswerError), or none (NotSentError, OutcomeUnknownError).
"""

import json
import random
import ssl
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from loyalty_helpers.errors import (
    InsecureConnectionError,
    LoyaltyError,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
    ParameterError,
    UnexpectedAnswerError,
    square_error,
)
from loyalty_helpers.exchange import Exchange
from loyalty_helpers.http import httpx
from loyalty_helpers.network import network
from loyalty_helpers.redaction import mask_body, mask_text
from loyalty_helpers.settings import SQUARE_VERSION, VERSION

LARGEST_ANSWER = 16 * 1024 * 1024  # bytes; a page of 200 accounts has about 100 kB
NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
# 409 may be the first try still at work, 425 asks to come again: with the key, both are safe.
ASK_AGAIN = frozenset({408, 409, 425, 429})  # and every 5xx
# Refused before any work: with these the request was certainly not carried out.
REFUSED_UNDONE = frozenset({429})


@dataclass(frozen=True)
class RetryPolicy:
    """How long to wait and how often to ask. All times in seconds.

    Attributes:
        attempts: tries in all.
        budget: no new try begins later than this after the first.
        base: the first wait; it doubles each time, and a random half of it is taken off.
        cap: the longest wait that we choose ourselves; a `Retry-After` can be longer.
        connect: limit to make a connection.
        read: limit between two pieces of an answer.
        attempt: limit of one try as a whole, however slowly the answer's body drips.
    """

    attempts: int = 5
    budget: float = 60.0
    base: float = 0.5
    cap: float = 8.0
    connect: float = 5.0
    read: float = 30.0
    attempt: float = 45.0


class Pacing(Protocol):
    """Says when a request may go out, and learns from what is answered."""

    def take(self) -> float:
        """Wait for a slot; returns what to hand back with the answer."""

    def seen(self, ticket: float, status: int, retry_after: float | None) -> None:
        """An answer came for the request that took this ticket."""


@dataclass(frozen=True)
class _Answer:
    status: int
    content: bytes
    retry_after: float | None


@dataclass(frozen=True)
class _Failure:
    """One try that failed: whether to try again, and whether it may have been carried out."""

    error: LoyaltyError
    again: bool
    perhaps_done: bool
    retry_after: float | None = None


class Wire:
    """One httpx.Client with the project's rules around it. Threads may share it.

    Args:
        base_url: scheme and host of Square or of an emulator.
        auth: adds the token.
        transport: what answers; None is the network.
        policy: waits and limits.
        sleep, clock, jitter: injected by tests; jitter gives a number from 0 to 1.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: httpx.Auth,
        transport: httpx.BaseTransport | None = None,
        policy: RetryPolicy | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.base_url = base_url
        self.policy = policy or RetryPolicy()
        self._pace: Pacing | None = None
        self._sleep, self._clock, self._jitter = sleep, clock, jitter
        self._http = httpx.Client(
            base_url=base_url,
            auth=auth,
            transport=transport or network(),
            trust_env=False,  # no proxy from the environment
            follow_redirects=False,
            timeout=httpx.Timeout(self.policy.read, connect=self.policy.connect),
            headers={
                "Square-Version": SQUARE_VERSION,
                "User-Agent": f"loyalty-notebooks/{VERSION}",
                "Accept": "application/json",
            },
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def variant(self, *, attempts: int | None = None, pace: Pacing | None = None) -> "Wire":
        """The same connections with another number of tries, or with a pace for every try."""
        other = copy(self)
        if attempts is not None:
            other.policy = replace(self.policy, attempts=attempts)
        if pace is not None:
            other._pace = pace
        return other

    def send(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        writes: bool = False,
        keep: Callable[[Exchange], object] = lambda _: None,
    ) -> Exchange:
        """Send a request that is safe to repeat: a read, or a write that carries its key.

        Args:
            method: `GET` or `POST`.
            path: the path below the base URL.
            body: the JSON body.
            writes: whether the request changes something, so that a lost answer matters.
            keep: called with the last try, whatever came of it.

        Raises:
            SquareError, UnexpectedAnswerError, NotSentError, OutcomeUnknownError.
        """
        content = None if body is None else _encode(body)
        started, perhaps_done, attempt = self._clock(), False, 1
        asked = exchange = Exchange(method, self.base_url, path, body, None, None)
        try:
            while True:
                exchange = replace(asked, attempts=attempt)  # kept if no answer comes to this one
                exchange, failure = self._try(exchange, content)
                if failure is None:
                    return exchange
                perhaps_done = perhaps_done or failure.perhaps_done
                last = not failure.again or attempt == self.policy.attempts
                if last or not self._wait(attempt, failure.retry_after, started):
                    request = f"{method} {path}"
                    raise _verdict(failure.error, perhaps_done and writes, request, attempt)
                attempt += 1
        finally:
            keep(exchange)

    def _try(self, asked: Exchange, content: bytes | None) -> tuple[Exchange, _Failure | None]:
        """Send once: what came of it, and what it means if that is no success."""
        request = f"{asked.method} {asked.path}"
        try:
            answer = self._attempt(asked.method, asked.path, content)
        except NEVER_SENT as error:
            return asked, _not_sent(error, request, self.base_url)
        except httpx.RequestError as error:
            why = f"{request}: {type(error).__name__} after it was sent ({mask_text(str(error))})"
            return asked, _Failure(_unknown(why, request), again=True, perhaps_done=True)
        value = _json_object(answer.content)
        exchange = replace(asked, status=answer.status, answer=value)
        if answer.status == 200 and value is not None and "errors" not in value:
            return exchange, None
        emulated = self.base_url.startswith("http:")
        return exchange, _failure(answer, value, request, emulated=emulated)

    def _attempt(self, method: str, path: str, content: bytes | None) -> _Answer:
        """Send once; the whole try has a limit, however slowly the answer drips."""
        headers = {} if content is None else {"Content-Type": "application/json"}
        ticket = self._pace.take() if self._pace else 0.0
        deadline = self._clock() + self.policy.attempt
        url = self.base_url + path  # a whole one is read once, a path is read twice
        with self._http.stream(method, url, content=content, headers=headers) as response:
            received = bytearray()
            for piece in response.iter_bytes():
                received += piece
                if self._clock() > deadline:
                    raise httpx.ReadTimeout("the answer took too long as a whole")
                if len(received) > LARGEST_ANSWER:
                    raise httpx.ReadError("the answer is too large")
            retry_after = parse_retry_after(response.headers.get("Retry-After"))
            if self._pace:
                self._pace.seen(ticket, response.status_code, retry_after)
            return _Answer(response.status_code, bytes(received), retry_after)

    def _wait(self, attempt: int, retry_after: float | None, started: float) -> bool:
        """Wait before the next try; False when the budget does not hold the wait."""
        chosen = min(self.policy.cap, self.policy.base * 2 ** (attempt - 1))
        pause = max(chosen * (1 - self._jitter() / 2), retry_after or 0)
        if self._clock() - started + pause > self.policy.budget:
            return False
        self._sleep(pause)
        return True


def parse_retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds from now, from seconds or an HTTP date; never negative; None if unreadable."""
    if value is None:
        return None
    try:
        return max(0.0, float(int(value)))
    except (ValueError, OverflowError):
        pass  # no number of seconds: it should be a date
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


def _encode(body: dict[str, Any]) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise ParameterError("the request holds a lone surrogate, which is no valid text") from None


def _failure(
    answer: _Answer, value: dict[str, Any] | None, request: str, *, emulated: bool
) -> _Failure:
    """What an answer that is not a success means for the request and for the next try."""
    status = answer.status
    errors = value.get("errors") if value else None
    if status >= 400:
        listed = errors if isinstance(errors, list) else []
        found = [mask_body(e) for e in listed if isinstance(e, dict)]
        again = status >= 500 or status in ASK_AGAIN
        return _Failure(
            square_error(status, found, request=request, emulated=emulated),
            again=again,
            perhaps_done=again and status not in REFUSED_UNDONE,
            retry_after=answer.retry_after,
        )
    error = UnexpectedAnswerError(
        f"{request} -> {status}, and the answer is not what Square documents: "
        f"{_describe(status, value)}",
        request=request,
        status=status,
    )
    redirect = 300 <= status < 400
    return _Failure(error, again=not redirect, perhaps_done=not redirect)


def _json_object(content: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _describe(status: int, value: dict[str, Any] | None) -> str:
    if 300 <= status < 400:
        return "a redirect, which is never followed, so that body and token stay here"
    return "no JSON object" if value is None else f"the fields {', '.join(sorted(value)) or 'none'}"


def _certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """The refused certificate behind a connection error, if that is what it was."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return cause


def _not_sent(error: Exception, request: str, url: str) -> _Failure:
    insecure = _certificate_error(error)
    why = f"the connection was not secure: {insecure}" if insecure else str(error)
    text = (
        f"{request}: no connection to {url} ({why}). Nothing was sent, so nothing was changed. "
        "Check the network, then run it again with the same run id."
    )
    kind = InsecureConnectionError if insecure else NotSentError
    return _Failure(kind(text, request=request, attempts=1), again=not insecure, perhaps_done=False)


def _unknown(why: str, request: str) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        f"{why}. If it changes something, it may have done so. Run it again with the same run "
        "id: the same key takes effect once, and the events of the account show what happened.",
        request=request,
        attempts=1,
    )


def _verdict(error: LoyaltyError, perhaps_done: bool, request: str, attempts: int) -> LoyaltyError:
    """The error to raise: a write that may have been carried out is never called failed."""
    verdict = error
    if perhaps_done and not isinstance(error, OutcomeUnknownError):
        verdict = _unknown(f"{request}: no answer to trust, the last was: {error}", request)
        verdict.__cause__ = error
    if isinstance(verdict, NoAnswerError):
        verdict.attempts = attempts
    return verdict
