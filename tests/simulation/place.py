"""Machines on one seller: each has its own folder of runs, its own clock, and an unsafe line."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import httpx

from loyalty_helpers.emulator import Emulator, Fault
from loyalty_helpers.runbooks.limits import Limits, Time
from tests.doubles import make_client

BEGIN = datetime(2027, 1, 4, 9, tzinfo=UTC).timestamp()
LIMITS = Limits(in_flight=1, canary=2, max_errors="100%", retries=1000)
KEYS_KNOWN = int(LIMITS.resend_limit) + 60  # seconds
LATE = 20  # seconds after which an event can be found at the latest


class Hours:
    """The true time, in seconds; it passes only when somebody waits, and never goes back."""

    def __init__(self) -> None:
        self.now = BEGIN
        self._lock = threading.Lock()

    def pass_by(self, seconds: float) -> None:
        with self._lock:
            self.now += max(seconds, 0.0)

    def utc(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)


class Machine(httpx.BaseTransport):
    """One machine of the seller's people, and the line from it to the service."""

    def __init__(self, folder: Path, emulator: Emulator, hours: Hours) -> None:
        self.runs, self.hours, self.off = folder, hours, 0.0
        self._inner = httpx.WSGITransport(emulator)
        self._mishap: Callable[[httpx.Request], httpx.Response | None] | None = None
        self._in = 0
        self.client = make_client(self)
        self.time = Time(self.wall, lambda: hours.now, hours.pass_by)

    def wall(self) -> float:
        """What the clock on this machine's wall says."""
        return self.hours.now + self.off

    def mishap(self, act: Callable[[httpx.Request], httpx.Response | None], after: int) -> None:
        """Something happens to the adjustment that goes out after so many others."""
        self._mishap, self._in = act, after

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/adjust") and self._mishap is not None:
            self._in -= 1
            if self._in < 0:
                act, self._mishap = self._mishap, None
                if (answer := act(request)) is not None:
                    return answer
        return self._inner.handle_request(request)

    def passed_on(self, request: httpx.Request) -> httpx.Response:
        return self._inner.handle_request(request)

    @contextmanager
    def at(self) -> Iterator[None]:
        """Commands given in this block are given on this machine."""
        with mock.patch.dict(os.environ, {"LOYALTY_RUNS": str(self.runs)}):
            yield
        self._mishap = None


def lost_before(_: Machine) -> Callable[[httpx.Request], httpx.Response | None]:
    def act(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("no answer")

    return act


def lost_after(machine: Machine) -> Callable[[httpx.Request], httpx.Response | None]:
    def act(request: httpx.Request) -> httpx.Response:
        machine.passed_on(request).read()
        raise httpx.ReadError("the connection broke")

    return act


def unavailable(_: Machine) -> Callable[[httpx.Request], httpx.Response | None]:
    return lambda _: httpx.Response(503, json={"errors": []})


def interrupted(_: Machine) -> Callable[[httpx.Request], httpx.Response | None]:
    return lambda _: os.kill(os.getpid(), signal.SIGINT)


def slept(machine: Machine) -> Callable[[httpx.Request], httpx.Response | None]:
    """The answer is lost, and it is three hours later when the machine goes on."""

    def act(request: httpx.Request) -> httpx.Response:
        machine.passed_on(request).read()
        machine.hours.pass_by(3 * 3600)
        raise httpx.ReadError("the connection broke")

    return act


def slept_unheard(machine: Machine) -> Callable[[httpx.Request], httpx.Response | None]:
    """As above, but the request never arrived: only a person can say so after that time."""

    def act(_: httpx.Request) -> httpx.Response:
        machine.hours.pass_by(3 * 3600)
        raise httpx.ReadTimeout("no answer")

    return act


def clock_set_back(machine: Machine) -> Callable[[httpx.Request], httpx.Response | None]:
    def act(request: httpx.Request) -> None:
        machine.off -= 2 * 3600

    return act


MISHAPS = (
    lost_before,
    lost_after,
    unavailable,
    interrupted,
    slept,
    slept_unheard,
    clock_set_back,
)


FOR_A_PERSON = (slept_unheard, clock_set_back)


def as_little_as_square_may(emulator: Emulator) -> None:
    """Events are found late, and a key is known for no longer than a run trusts it."""
    emulator.faults.add(Fault.parse(f"late-events:seconds={LATE}"))
    emulator.faults.add(Fault.parse(f"forget-keys:seconds={KEYS_KNOWN}"))
