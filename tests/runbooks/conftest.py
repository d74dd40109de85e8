"""An embedded emulator behind a client that counts what is sent, and a folder for the runs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from loyalty_helpers.api.client import LoyaltyClient
from loyalty_helpers.emulator import Emulator, Fault
from loyalty_helpers.runbooks.limits import Limits, Time
from loyalty_helpers.runbooks.views import Planned
from tests.doubles import make_client

from .harness import plan_by, run_of

QUICK = Limits(in_flight=4, canary=0, max_errors="0", retry_wait=0.0, retry_cap=0.0, settle=0.0)
SHEET = """row_id,phone_number,points,reason
a,+14155551234,12,Late
b,+14155550101,50,Late
c,+14155550103,-4,Twice
d,+14155550101,-20,Twice
"""


class Counting(httpx.BaseTransport):
    """Passes requests on to the emulator, and keeps their methods and paths."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.paths: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        return self._inner.handle_request(request)

    @property
    def writes(self) -> int:
        """How many adjustments were sent."""
        return sum(path.endswith("/adjust") for path in self.paths)


class World:
    """What a test needs of a run: plan it, apply it, verify it, look at the balances."""

    def __init__(self, folder: Path, emulator: Emulator) -> None:
        self.folder, self.emulator = folder, emulator
        self.wire = Counting(httpx.WSGITransport(emulator))
        self.client: LoyaltyClient = make_client(self.wire)

    def sheet(self, content: str = SHEET) -> str:
        path = self.folder / "sheet.csv"
        path.write_text(content)
        return str(path)

    def plan(self, content: str = SHEET, run_id: str = "run", **options) -> Planned:
        return plan_by(self.client, "plan_file", self.sheet(content), run_id=run_id, **options)

    def apply(self, planned: Planned, limits: Limits = QUICK, **options):
        verb = {n: options.pop(n) for n in ("on_drift", "max_plan_age") if n in options}
        return run_of(self.client, planned, limits=limits, **options).apply(**verb)

    def verify(self, planned: Planned, limits: Limits = QUICK, time: Time | None = None):
        return run_of(self.client, planned, limits=limits, time=time).verify()

    def balances(self) -> dict[str, int]:
        return {account.id: account.balance for account in self.client.search_accounts()}

    def fail(self, text: str) -> None:
        self.emulator.faults.add(Fault.parse(text))

    def adjustments(self) -> list[tuple[int, str]]:
        events = self.client.search_events(types=["ADJUST_POINTS"])
        return [(event.points, event.reason.partition(" [")[0]) for event in events]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("LOYALTY_RUNS", str(tmp_path / "runs"))
    with Emulator.open(tmp_path / "emulator.sqlite3") as emulator:
        yield World(tmp_path, emulator)


@pytest.fixture
def refused() -> Callable[..., str]:
    def text(kind: type[Exception], call: Callable[[], object]) -> str:
        with pytest.raises(kind) as caught:
            call()
        return str(caught.value)

    return text
