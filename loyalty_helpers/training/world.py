"""A learner's world: an emulator of its own, and a journal of all that was sent to change it.

A world follows from a lesson's setup, a seed, and the requests that came after. Sent anew in the
same order they make the same world: that is how a grader sees it, without believing anybody.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from shutil import rmtree
from threading import Lock
from typing import Any

from pydantic import SecretStr

from loyalty_helpers.api import LoyaltyClient, RetryPolicy, Wire
from loyalty_helpers.emulator import Emulator, Fault, Faults, SeededIds, SettableClock
from loyalty_helpers.errors import ParameterError
from loyalty_helpers.files import write_text
from loyalty_helpers.records import LoyaltyEvent
from loyalty_helpers.transports import BearerToken, httpx

START = datetime(2026, 11, 2, 9, tzinfo=UTC)  # what happened before it was there when one came
TICK = timedelta(minutes=1)
JOURNAL, BEGUN = "requests.jsonl", "begun"
URL = "http://127.0.0.1:8123"  # as in every curl command of an embedded emulator
PATIENCE = RetryPolicy(base=0.05, cap=0.2)  # a lesson is no place to wait
TOKEN = SecretStr("local-token")
READS = ("/search", "/calculate")

Setup = Callable[["World"], object]
Entry = Mapping[str, Any]


class _Ids(SeededIds):
    """Ids that follow from the number of a request, whichever kernel sends it."""

    def restart(self, seed: int) -> None:
        super().__init__(seed)


class World:
    """What a lesson happens in.

    Attributes:
        client: the learner's; what it sends to change something is written down, and may fail on
            purpose.
        quiet: reads for a checker, and writes for a setup; nothing of it is written down.
        seed: what is different from learner to learner.
    """

    def __init__(self, folder: Path, seed: int, setup: Setup) -> None:
        self.folder, self.seed = folder, seed
        self._journal = folder / JOURNAL
        fresh = not self._journal.exists()
        if fresh:  # or what a setup left that was cut off
            rmtree(folder, ignore_errors=True)
        self._ids, self._clock, self._lock = _Ids(seed), SettableClock(START), Lock()
        file = folder / "emulator.sqlite3"
        self._emulator = Emulator.open(file, clock=self._clock, ids=self._ids)
        self._faults = Faults()
        self.client, self.quiet = _client(self), _client(self._emulator)
        if fresh:
            self.at(START - timedelta(days=1))
            setup(self)
            write_text(folder / BEGUN, datetime.now(UTC).isoformat())
            self._journal.touch(mode=0o600)
        self.at(START)

    @classmethod
    def replayed(cls, folder: Path, seed: int, setup: Setup, entries: Iterable[Entry]) -> "World":
        """The world that a journal leads to."""
        with ExitStack() as failing:
            world = cls(folder, seed, setup)
            failing.callback(world.close)
            for entry in entries:
                world._again(entry)
            failing.pop_all()
        return world

    def _again(self, entry: Entry) -> None:
        if "days" in entry:
            self.turn(int(entry["days"]))
            return
        method, path, body = (str(entry[name]) for name in ("method", "path", "body"))
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "HTTP_AUTHORIZATION": f"Bearer {TOKEN.get_secret_value()}",
            "CONTENT_LENGTH": str(len(body.encode())),
            "wsgi.input": BytesIO(body.encode()),
            "wsgi.input_terminated": True,
        }
        for _ in self._kept(environ, lambda *_: bytes):
            pass

    @property
    def entries(self) -> list[dict[str, Any]]:
        """What was written down so far: requests that reached the world, and turns of the clock."""
        return read_journal(self._journal)

    @property
    def minutes(self) -> list[float]:
        """How long after the learner began each request was sent."""
        begun = datetime.fromisoformat((self.folder / BEGUN).read_text(encoding="utf-8"))
        sent = (datetime.fromisoformat(entry["on"]) for entry in self.entries)
        return [(moment - begun).total_seconds() / 60 for moment in sent]

    def set_program(self, program: dict[str, Any]) -> None:
        """Change the program, in a setup, as a seller does in the Dashboard."""
        self._emulator.set_program(program)

    def at(self, moment: datetime) -> None:
        """Set the clock, in a setup; afterwards it goes on by a minute with each request."""
        self._clock.set(moment)

    def turn(self, days: int) -> datetime:
        """Let days pass: points expire, promotions begin."""
        if days < 0:
            raise ParameterError(f"found {days} days; allowed: 0 or more: a ledger has no way back")
        with self._lock:
            return self._write_down({"days": days})

    def trouble(self, *faults: str) -> None:
        """What goes wrong from now on, as docs/emulator.md writes it; nothing ends all trouble."""
        self._faults.clear()
        try:
            self._faults.add(*map(Fault.parse, faults))
        except ValueError as error:
            raise ParameterError(f"no such trouble: {error}") from None

    def events(self) -> list[LoyaltyEvent]:
        """What the learner brought about, oldest first."""
        self._clock.set(self._now(self.entries))
        return [*self.quiet.search_events(start_at=START)][::-1]

    def doubled(self) -> int:
        """How many credits repeat another one: same account, same points, same words."""
        given = (e for e in self.events() if e.points > 0 and e.type == "ADJUST_POINTS")
        same = Counter((e.loyalty_account_id, e.points, e.reason) for e in given)
        return sum(same.values()) - len(same)

    def close(self) -> None:
        """Close the emulator's file."""
        self.client.close()
        self.quiet.close()
        self._emulator.close()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request of the learner, with whatever goes wrong on purpose around it."""
        app = self._faults.around(self._kept, environ, self._clock)
        return app(environ, start_response)

    def _kept(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        with self._lock:
            if method == "GET" or path.endswith(READS):
                self._clock.set(self._now(self.entries))
            else:
                body = environ["wsgi.input"].read()
                environ = {**environ, "wsgi.input": BytesIO(body)}
                text = body.decode("utf-8", "replace")
                self._write_down({"method": method, "path": path, "body": text})
            return self._emulator(environ, start_response)

    def _write_down(self, entry: Entry) -> datetime:
        entries = [*self.entries, entry]
        self._ids.restart(self.seed * 100_000 + len(entries))
        self._clock.set(self._now(entries))
        line = json.dumps({"on": datetime.now(UTC).isoformat(), **entry})
        with self._journal.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        return self._clock()

    def _now(self, entries: list[Any]) -> datetime:
        days = sum(int(entry.get("days", 0)) for entry in entries)
        return START + len(entries) * TICK + timedelta(days=days)


def read_journal(path: Path) -> list[dict[str, Any]]:
    """The lines of a journal; none where there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _client(app: Any) -> LoyaltyClient:
    transport = httpx.WSGITransport(app=app)
    wire = Wire(URL, auth=BearerToken(TOKEN), transport=transport, policy=PATIENCE)
    return LoyaltyClient(wire, environment="local")
