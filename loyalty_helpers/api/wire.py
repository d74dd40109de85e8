"""Sends one request, as often as is safe, and tells apart what an answer can mean.

What can come back: an answer that is JSON (returned, or raised as a SquareError), an answer that
is not Square's (UnexpectedAnswerError), or none (NotSentError, OutcomeUnknownError).
"""

import json
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from loyalty_helpers.api.exchange import Exchange
from loyalty_helpers.api.verdicts import (
    error_of,
    is_passing,
    is_perhaps_done,
    never_failed,
    not_sent,
    unknown,
)
from loyalty_helpers.errors import LoyaltyError, ParameterError
from loyalty_helpers.plain import plain
from loyalty_helpers.redaction import mask_text
from loyalty_helpers.settings import SQUARE_VERSION, VERSION
from loyalty_helpers.transports import (
    ATTEMPT,
    LONGEST_ATTEMPT,
    Answer,
    Network,
    httpx,
    read_answer,
)

KEPT_EXCHANGES = 100
NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


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
        attempt: limit of one try as a whole, however slowly anything of it drips.
        pages: the most pages of one search.
    """

    attempts: int = 5
    budget: float = 60.0
    base: float = 0.5
    cap: float = 8.0
    connect: float = 5.0
    read: float = 30.0
    attempt: float = LONGEST_ATTEMPT
    pages: int = 100_000


class Pacing(Protocol):
    """Says when a request may go out, and learns from what is answered."""

    def take(self) -> float:
        """Wait for a slot; returns what to hand back with the answer."""

    def seen(self, ticket: float, status: int, retry_after: float | None) -> None:
        """An answer came for the request that took this ticket."""


class Wire:
    """One httpx.Client with the project's rules around it. Threads may share it.

    Args:
        base_url: scheme and host of Square or of an emulator.
        auth: adds the token.
        transport: what answers; None is the network.
        policy: waits and limits.
        sleep, clock, jitter: injected by tests; jitter gives a number from 0 to 1.

    Attributes:
        exchanges: the last requests with the last try of each, whatever came of it; oldest first.
        pace: says when a try may go out; without one, at once.
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
        self.pace: Pacing | None = None
        self.exchanges: deque[Exchange] = deque(maxlen=KEPT_EXCHANGES)
        self._sleep, self._clock, self._jitter = sleep, clock, jitter
        self._http = httpx.Client(
            base_url=base_url,
            auth=auth,
            transport=transport or Network(),
            trust_env=False,  # no proxy from the environment
            follow_redirects=False,
            timeout=httpx.Timeout(self.policy.read, connect=self.policy.connect),
            headers={
                "Square-Version": SQUARE_VERSION,
                "User-Agent": f"loyalty-notebooks/{VERSION}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",  # a few bytes can be decoded to gigabytes
            },
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, writes: bool = False
    ) -> Exchange:
        """Send a request that is safe to repeat: a read, or a write that carries its key.

        Args:
            method: `GET` or `POST`.
            path: the path below the base URL.
            body: the JSON body.
            writes: whether the request changes something, so that a lost answer matters.

        Raises:
            SquareError, UnexpectedAnswerError, NotSentError, OutcomeUnknownError.
        """
        content = None if body is None else _encode(body)
        started, attempt, perhaps_done = self._clock(), 1, False
        asked = exchange = Exchange(method, self.base_url, path, body, None, None)
        try:
            while True:
                exchange = replace(asked, attempts=attempt)  # kept if no answer comes to this one
                exchange, error = self._try(exchange, content)
                if error is None:
                    return exchange
                perhaps_done = perhaps_done or is_perhaps_done(error)
                if not is_passing(error) or not self._wait(attempt, error, started):
                    raise never_failed(error, exchange) if perhaps_done and writes else error
                attempt += 1
        finally:
            self.exchanges.append(exchange)

    def _try(self, asked: Exchange, content: bytes | None) -> tuple[Exchange, LoyaltyError | None]:
        """Send once: what came of it, and its error if that is no success."""
        try:
            answer = self._attempt(asked.method, asked.path, content)
        except NEVER_SENT as error:
            return asked, not_sent(error, asked)
        except httpx.RequestError as error:
            told = plain(mask_text(str(error)))
            return asked, unknown(f": {type(error).__name__} after it was sent ({told})", asked)
        exchange = replace(asked, status=answer.status, answer=answer.value)
        return exchange, None if answer.is_success else error_of(answer, asked)

    def _attempt(self, method: str, path: str, content: bytes | None) -> Answer:
        """Send once; the network ends the whole try after its time, however slowly it drips."""
        headers = {} if content is None else {"Content-Type": "application/json"}
        ticket = self.pace.take() if self.pace else 0.0
        limits = {ATTEMPT: self.policy.attempt}
        url = self.base_url + path  # a whole one is read once, a path is read twice
        with self._http.stream(
            method, url, content=content, headers=headers, extensions=limits
        ) as response:
            answer = read_answer(response)
        if self.pace:
            self.pace.seen(ticket, answer.status, answer.retry_after)
        return answer

    def _wait(self, attempt: int, error: LoyaltyError, started: float) -> bool:
        """Wait before the next try; False when that was the last, or the budget has no room."""
        if attempt >= self.policy.attempts:
            return False
        chosen = min(self.policy.cap, self.policy.base * 2 ** (attempt - 1))
        asked = getattr(error, "retry_after", None) or 0.0
        pause: float = max(chosen * (1 - self._jitter() / 2), asked)
        if self._clock() - started + pause > self.policy.budget:
            return False
        self._sleep(pause)
        return True


def _encode(body: dict[str, Any]) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise ParameterError("the request holds a lone surrogate, which is no valid text") from None
