"""A place that answers: the emulator, a recording, or Square's Sandbox; cases know no more."""

import os
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
from pydantic import SecretStr

from loyalty_helpers.emulator import Assumptions, Emulator, SeededIds, SettableClock
from loyalty_helpers.settings import SQUARE_HOSTS, SQUARE_VERSION
from loyalty_helpers.transports.network import BearerToken, Network
from loyalty_helpers.transports.recordings import RecordingTransport, ReplayTransport

LOCAL, RECORDED, SANDBOX = "local", "recorded", "sandbox"
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
LATE, AGAIN = 60, 2  # seconds that Square may take until a search finds an event; between looks
PAUSES = (1, 2, 4, 8, 16)  # seconds before a request that met a rate limit is sent again
Wait = Callable[[float], object]


class Answer(NamedTuple):
    """A status and a JSON body."""

    status: int
    body: dict[str, Any]

    @property
    def first(self) -> dict[str, Any]:
        """The first error."""
        return dict(self.body["errors"][0])

    def __str__(self) -> str:
        """`200`, or status, code and field of the first error."""
        if "errors" not in self.body:
            return str(self.status)
        return " ".join(
            filter(None, [str(self.status), self.first["code"], self.first.get("field")])
        )


class Place:
    """Sends requests as they are, and knows how to come by a buyer.

    A rate limit says nothing of what was asked: such a request is sent again, a little later.

    Attributes:
        name: `local`, `recorded` or `sandbox`.
        run: part of every key, so that a run on the Sandbox is not answered as the last one was.
        wait: lets seconds pass; where a clock stands still, it is moved.
        last: the last answer.
        limited: the headers of the last answer that told of a rate limit.
    """

    def __init__(self, name: str, http: httpx.Client, run: str, wait: Wait) -> None:
        self.name, self.run, self.wait = name, run, wait
        self.last: Answer | None = None
        self.limited: dict[str, str] = {}
        self._http = http

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """One request, answered by whatever but a rate limit."""
        for pause in (*PAUSES, None):
            sent = self._http.request(method, path, json=body, **more)
            if sent.status_code != 429 or pause is None:
                break
            self.limited = dict(sent.headers)
            self.wait(pause)
        self.last = Answer(sent.status_code, sent.json())
        return self.last

    def as_stranger(self, path: str) -> Answer:
        """A GET below /v2/loyalty with a token that is nobody's."""
        return self.send("GET", f"/v2/loyalty/{path}", auth=BearerToken(SecretStr("nobody")))

    def without_token(self, path: str) -> Answer:
        """A GET below /v2/loyalty without a token."""
        return self.send("GET", f"/v2/loyalty/{path}", auth=None)

    def post(self, path: str, body: Any) -> Answer:
        """A POST below /v2/loyalty."""
        return self.send("POST", f"/v2/loyalty/{path}", body)

    def get(self, path: str) -> Answer:
        """A GET below /v2/loyalty."""
        return self.send("GET", f"/v2/loyalty/{path}")

    def key(self, name: str) -> str:
        """An idempotency key of this run."""
        return f"{self.run}-{name}"

    # Buyers

    def phone(self, name: str) -> str:
        """A made-up number for a name: the Sandbox takes +1, an area code, 555 and four digits."""
        return f"+1415555{zlib.crc32(name.encode()) % 10_000:04d}"

    def program(self) -> dict[str, Any]:
        return dict(self.get("programs/main").body["program"])

    def enrol(self, phone: str, key: str, **more: Any) -> Answer:
        """CreateLoyaltyAccount."""
        mapping = {"mapping": {"phone_number": phone}}
        account = {"program_id": self.program()["id"], **mapping, **more}
        body = {"loyalty_account": account, "idempotency_key": self.key(key)}
        return self.post("accounts", body)

    def search(self, **query: Any) -> Answer:
        return self.post("accounts/search", {"query": query} if query else {})

    def enrolled(self, phone: str) -> list[dict[str, Any]]:
        """The accounts of a phone number."""
        found = self.search(mappings=[{"phone_number": phone}]).body
        return list(found.get("loyalty_accounts", []))

    def buyer(self, name: str) -> dict[str, Any]:
        """The buyer of a case; an earlier run on the Sandbox may have enrolled them."""
        phone = self.phone(name)
        found = self.enrolled(phone) or [self.enrol(phone, name).body["loyalty_account"]]
        return dict(found[0])

    def unused_phone(self, name: str) -> str:
        """A number that nobody has enrolled before."""
        numbers = (self.phone(f"{self.run} {name} {n}") for n in range(20))
        return next(number for number in numbers if not self.enrolled(number))

    def new_buyer(self, name: str) -> dict[str, Any]:
        """A buyer whom nobody has enrolled before."""
        return dict(self.enrol(self.unused_phone(name), name).body["loyalty_account"])

    def account(self, account_id: str) -> dict[str, Any]:
        return dict(self.get(f"accounts/{account_id}").body["loyalty_account"])

    def balance(self, account_id: str) -> int:
        return int(self.account(account_id)["balance"])

    # Points

    def adjust(self, account_id: str, points: Any, key: str, **more: Any) -> Answer:
        """AdjustLoyaltyPoints; `reason` is one of the adjustment's own fields."""
        adjustment = {"points": points}
        if "reason" in more:
            adjustment["reason"] = more.pop("reason")
        body = {"adjust_points": adjustment, "idempotency_key": self.key(key), **more}
        return self.post(f"accounts/{account_id}/adjust", body)

    def accumulate(self, account_id: str, key: str, location: str = "", **earned: Any) -> Answer:
        """AccumulateLoyaltyPoints."""
        body = {
            "accumulate_points": earned,
            "location_id": location or self.location(),
            "idempotency_key": self.key(key),
        }
        return self.post(f"accounts/{account_id}/accumulate", body)

    def events(self, account_id: str, limit: int = 30, cursor: str = "", **filters: Any) -> Answer:
        """SearchLoyaltyEvents of one account."""
        wanted = {"loyalty_account_filter": {"loyalty_account_id": account_id}, **filters}
        body = {"query": {"filter": wanted}, "limit": limit}
        return self.post("events/search", body | ({"cursor": cursor} if cursor else {}))

    def events_with(self, account_id: str, event_id: str) -> list[dict[str, Any]]:
        """The newest events, once this one is among them; Square may show it a little later."""
        for _ in range(LATE // AGAIN):
            found = self.events(account_id).body.get("events", [])
            if any(event["id"] == event_id for event in found):
                break
            self.wait(AGAIN)
        return list(found)

    # Purchases

    def locations(self) -> list[dict[str, Any]]:
        return list(self.send("GET", "/v2/locations").body["locations"])

    def location(self) -> str:
        """The first location of the program."""
        return str(self.program()["location_ids"][0])

    def order(self, key: str, cents: int = 1200) -> dict[str, Any]:
        """An open order of one line."""
        money = {"amount": cents, "currency": self.locations()[0]["currency"]}
        lines = [{"name": "Lunch", "quantity": "1", "base_price_money": money}]
        order = {"location_id": self.location(), "line_items": lines}
        sent = {"order": order, "idempotency_key": self.key(key)}
        return dict(self.send("POST", "/v2/orders", sent).body["order"])

    def pay(self, order: dict[str, Any], key: str) -> Answer:
        """CreatePayment of an order's total."""
        body = {
            "source_id": "cnon:card-nonce-ok",
            "idempotency_key": self.key(key)[-45:],
            "amount_money": order["total_money"],
            "order_id": order["id"],
            "location_id": order["location_id"],
        }
        return self.send("POST", "/v2/payments", body)

    def bought(self, key: str, cents: int = 1200) -> dict[str, Any]:
        """An order that is paid."""
        order = self.order(f"{key}-order", cents)
        paid = self.pay(order, f"{key}-pay")
        assert paid.status == 200, f"an order of {cents} cents could not be paid: {paid}"
        return order


class Door(NamedTuple):
    """What the Sandbox takes. The token is read before the tests empty the environment."""

    token: SecretStr
    wanted: bool

    @classmethod
    def of_environment(cls) -> "Door":
        token = SecretStr(os.environ.get("SQUARE_ACCESS_TOKEN", ""))
        return cls(token, os.environ.get("LOYALTY_TEST_SANDBOX") == "1")

    @property
    def open(self) -> bool:
        """Both variables are needed: a token alone may be there for other work."""
        return self.wanted and bool(self.token.get_secret_value())


@contextmanager
def local(
    folder: Path, recording: Path | None = None, assumptions: Assumptions | None = None
) -> Iterator[Place]:
    """A fresh emulator whose clock stands still; `recording` is the file to write down to."""
    clock = SettableClock(NOON)
    path = folder / "contract.sqlite3"
    with Emulator.open(path, ids=SeededIds(1), clock=clock, assumptions=assumptions) as emulator:
        transport: httpx.BaseTransport = httpx.WSGITransport(emulator)
        if recording:
            name = recording.stem
            transport = RecordingTransport(transport, recording, notebook=name, source="emulator")
        with _client(transport, "http://emulator", SecretStr("local-token")) as http:
            yield Place(LOCAL, http, "contract", moving(clock))


def moving(clock: SettableClock) -> Wait:
    """Waits by moving a clock."""
    return lambda seconds: clock.advance(timedelta(seconds=seconds))


@contextmanager
def recorded(path: Path) -> Iterator[Place]:
    """What a recording holds."""
    transport = ReplayTransport.load(path)
    with _client(transport, "http://recording", SecretStr("none")) as http:
        yield Place(RECORDED, http, "contract", lambda seconds: None)


@contextmanager
def sandbox(
    door: Door, transport: httpx.BaseTransport | None = None, wait: Wait = time.sleep
) -> Iterator[Place]:
    """Square's Sandbox, with keys that no earlier run has used; a rehearsal gives the rest."""
    with _client(transport or Network(), SQUARE_HOSTS["sandbox"], door.token) as http:
        yield Place(SANDBOX, http, f"c{uuid4().hex[:12]}", wait)


def _client(transport: httpx.BaseTransport, url: str, token: SecretStr) -> httpx.Client:
    return httpx.Client(
        base_url=url,
        transport=transport,
        auth=BearerToken(token),
        headers={"Square-Version": SQUARE_VERSION},
        trust_env=False,
        timeout=30,
    )
