"""Stand-ins for what surrounds the client: time, the network, and an emulator that loses answers.

None of them is a mock: each is a transport that answers, or a clock that somebody moves.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from loyalty_helpers.api.client import LoyaltyClient
from loyalty_helpers.api.wire import RetryPolicy, Wire
from loyalty_helpers.emulator import Emulator, SeededIds
from loyalty_helpers.errors import ProductionGuardError
from loyalty_helpers.transports.network import BearerToken

LOCAL = "http://127.0.0.1:8123"
SQUARE = "https://connect.squareup.com"
TOKEN = SecretStr("local-token")
CANARY_TOKEN = "EAAA" + "canary" * 8  # in two parts: no file of ours holds what looks like a token
CANARY_PHONE = "+14155550123"

ACCOUNT_ID = "1beb38f9-54de-4cb6-8121-718bDexample"
PROGRAM_ID = "93afe66e-3a14-4be6-8d50-02755example"
PHONE = "+14155551234"
ADJUST = f"/v2/loyalty/accounts/{ACCOUNT_ID}/adjust"
ACCOUNT = f"/v2/loyalty/accounts/{ACCOUNT_ID}"

EVENT = {
    "id": "e1",
    "type": "ADJUST_POINTS",
    "created_at": "2026-11-02T09:30:00Z",
    "adjust_points": {"loyalty_program_id": PROGRAM_ID, "points": 12, "reason": "Late order"},
    "loyalty_account_id": ACCOUNT_ID,
    "source": "LOYALTY_API",
}
ACCOUNT_BODY = {
    "id": ACCOUNT_ID,
    "program_id": PROGRAM_ID,
    "balance": 12,
    "lifetime_points": 12,
    "mapping": {"id": "m1", "phone_number": CANARY_PHONE},
    "created_at": "2020-05-11T22:55:18Z",
}


class Clock:
    """Stands still until somebody sleeps; keeps how long each sleep was, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def reply(status: int, body: Any = None, **headers: str) -> Callable[[], httpx.Response]:
    """An answer: JSON, or the bytes as they are; `Retry_After=` stands for `Retry-After`."""
    content = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: httpx.Response(status, content=content, headers=named)


def refused(status: int, code: str = "", **more: str) -> Callable[[], httpx.Response]:
    """Square's error envelope with one error."""
    return reply(status, {"errors": [{"category": "API_ERROR", "code": code, **more}]})


class Answers(httpx.BaseTransport):
    """Gives its answers in turn, then the last one for ever; an exception is raised instead."""

    def __init__(self, *answers: Callable[[], httpx.Response] | BaseException) -> None:
        self._answers = answers
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self._answers[min(len(self.requests), len(self._answers)) - 1]
        if isinstance(answer, BaseException):
            raise answer
        return answer()

    @property
    def bodies(self) -> list[Any]:
        """The JSON bodies of the requests so far."""
        return [json.loads(request.content) for request in self.requests]


class Faulty(httpx.BaseTransport):
    """In front of something that answers: faults in turn, each before or after the request."""

    def __init__(self, inner: httpx.BaseTransport, *faults: tuple[str, Any]) -> None:
        self._inner, self._faults = inner, list(faults)
        self._after: tuple[str, list[tuple[str, Any]]] = ("", [])
        self.requests: list[httpx.Request] = []

    def after(self, path: str, fault: Any) -> None:
        """Let the fault come before each request that follows the first one to such a path."""
        self._after = path, [("before", fault)] * 99

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        when, fault = self._faults.pop(0) if self._faults else ("never", None)
        if request.url.path.endswith(self._after[0]):
            self._faults += self._after[1]
        answer = None if when == "before" else self._inner.handle_request(request)
        if answer is not None and when == "never":
            return answer
        if answer is not None:
            answer.read()
        if isinstance(fault, BaseException):
            raise fault
        return fault()


def make_wire(
    transport: httpx.BaseTransport | None,
    *,
    clock: Clock | None = None,
    token: SecretStr = TOKEN,
    url: str = LOCAL,
    jitter: Callable[[], float] = lambda: 0.0,
    **policy: Any,
) -> Wire:
    """A Wire that never waits for real."""
    time = clock or Clock()
    return Wire(
        url,
        auth=BearerToken(token),
        transport=transport,
        policy=RetryPolicy(**policy),
        sleep=time.sleep,
        clock=time,
        jitter=jitter,
    )


def shut(*_: str) -> None:
    """A gate that no plan opens."""
    raise ProductionGuardError("this gate is shut")


def make_client(
    transport: httpx.BaseTransport | None,
    *,
    may_write: bool = True,
    environment: str = "local",
    **wire: Any,
) -> LoyaltyClient:
    """A client on such a Wire."""
    gate = None if may_write else shut
    return LoyaltyClient(make_wire(transport, **wire), environment=environment, gate=gate)


@contextmanager
def emulator_client(
    folder: Path, *faults: tuple[str, Any]
) -> Iterator[tuple[LoyaltyClient, Faulty]]:
    """A client of a fresh emulator, with faults between the two."""
    with Emulator.open(folder / "emulator.sqlite3", ids=SeededIds(1)) as emulator:
        between = Faulty(httpx.WSGITransport(emulator), *faults)
        with make_client(between) as client:
            yield client, between
