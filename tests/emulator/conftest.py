"""An emulator on a fresh file with a clock that stands still, and a client that talks to it."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from loyalty_helpers.emulator import Assumptions, Emulator, Faults, SeededIds, Server, SettableClock
from tests.seed_world import ACCOUNT_ID, COFFEE_TIER_ID, PROGRAM_ID

from .square_schema import check_answer

TOKEN = "local-token"


class Api:
    """Asks an emulator as any client would, in process; Square's SDK judges every answer."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.client = httpx.Client(
            transport=httpx.WSGITransport(emulator),
            base_url="http://emulator",
            headers={"Authorization": f"Bearer {TOKEN}"},
            event_hooks={"response": [check_answer]},
        )

    def adjust(self, points: Any, key: str = "key", account: str = ACCOUNT_ID, **more: Any):
        body = {"idempotency_key": key, "adjust_points": {"points": points}, **more}
        return self.client.post(f"/v2/loyalty/accounts/{account}/adjust", json=body)

    def accumulate(self, key: str = "key", location: str = "L88917AVBK2S5", **sent: Any):
        body = {"idempotency_key": key, "location_id": location, "accumulate_points": sent}
        return self.client.post(f"/v2/loyalty/accounts/{ACCOUNT_ID}/accumulate", json=body)

    def create(self, phone: str | None = "+14155559876", key: str = "key", **more: Any):
        mapping = {"mapping": {"phone_number": phone}} if phone else {}
        account = {"program_id": PROGRAM_ID, **mapping, **more}
        body = {"idempotency_key": key, "loyalty_account": account}
        return self.client.post("/v2/loyalty/accounts", json=body)

    def reward(self, account: str = ACCOUNT_ID, key: str = "key", **more: Any):
        reward = {"loyalty_account_id": account, "reward_tier_id": COFFEE_TIER_ID, **more}
        body = {"idempotency_key": key, "reward": reward}
        return self.client.post("/v2/loyalty/rewards", json=body)

    def redeem(self, reward: str, key: str = "key", location: str = "L88917AVBK2S5"):
        body = {"idempotency_key": key, "location_id": location}
        return self.client.post(f"/v2/loyalty/rewards/{reward}/redeem", json=body)

    def rewards(self, account: str = ACCOUNT_ID, status: str | None = None, **more: Any):
        body = {"query": {"loyalty_account_id": account, "status": status}, **more}
        return self.client.post("/v2/loyalty/rewards/search", json=body)

    def delete(self, reward: str):
        return self.client.delete(f"/v2/loyalty/rewards/{reward}")

    def order(self, *lines: dict[str, Any], key: str | None = None, **more: Any):
        """Open an order; a line without a price is one of the catalog."""
        order = {"location_id": "L88917AVBK2S5", "line_items": list(lines), **more}
        body = {"idempotency_key": key, "order": order}
        return self.client.post("/v2/orders", json=body)

    def pay(self, amount: int, key: str = "key", **more: Any):
        money = {"amount": amount, "currency": "USD"}
        body = {"source_id": "cnon:card-nonce-ok", "idempotency_key": key, "amount_money": money}
        return self.client.post("/v2/payments", json={**body, **more})

    def bought(self, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Open an order, pay it, and return it."""
        order = self.order(*lines, **more).json()["order"]
        self.pay(order["total_money"]["amount"], f"pay {order['id']}", order_id=order["id"])
        return self.found_order(order["id"])

    def found_order(self, order: str) -> dict[str, Any]:
        return self.client.get(f"/v2/orders/{order}").json()["order"]

    def promote(self, key: str = "key", **more: Any):
        """Make a promotion that is on at the clock's time: twice the points, for ever."""
        multiplier = {"type": "POINTS_MULTIPLIER", "points_multiplier_data": {"multiplier": "2"}}
        always = "DTSTART:20261101T000000\nDURATION:P1D\nRRULE:FREQ=DAILY"
        promotion = {
            "name": "Double points",
            "incentive": multiplier,
            "available_time": {"time_periods": [always]},
            **more,
        }
        body = {"idempotency_key": key, "loyalty_promotion": promotion}
        return self.client.post(f"/v2/loyalty/programs/{PROGRAM_ID}/promotions", json=body)

    def calculate(self, **sent: Any):
        return self.client.post(f"/v2/loyalty/programs/{PROGRAM_ID}/calculate", json=sent)

    def account(self, account: str = ACCOUNT_ID) -> dict[str, Any]:
        return self.client.get(f"/v2/loyalty/accounts/{account}").json()["loyalty_account"]

    def accounts(self, query: Any = None, **more: Any):
        body = {"query": query, **more}
        return self.client.post("/v2/loyalty/accounts/search", json=body)

    def account_by_phone(self, phone: str) -> dict[str, Any]:
        found = self.accounts({"mappings": [{"phone_number": phone}]}).json()
        return found["loyalty_accounts"][0]

    def events(self, filters: Any = None, **more: Any):
        body = {"query": {"filter": filters}, **more}
        return self.client.post("/v2/loyalty/events/search", json=body)

    def all_events(self, filters: Any = None, limit: int = 30) -> list[dict[str, Any]]:
        page = self.events(filters, limit=limit).json()
        found = page.get("events", [])
        while "cursor" in page:
            page = self.events(filters, limit=limit, cursor=page["cursor"]).json()
            found += page["events"]
        return found


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(datetime(2026, 11, 2, 9, 30, tzinfo=UTC))


@pytest.fixture(scope="session")
def seed_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the seed world, to be copied: making it is most of what a short test takes."""
    path = tmp_path_factory.mktemp("seed") / "world.db"
    Emulator.open(path).close()
    return path


@pytest.fixture
def open_api(tmp_path: Path, clock: SettableClock, seed_file: Path) -> Iterator[Callable[..., Api]]:
    """Opens an emulator under the given assumptions, with the given faults."""
    opened: list[Api] = []

    def open_(
        program: dict[str, Any] | None = None, *, faults: Faults | None = None, **assumptions: Any
    ) -> Api:
        path = shutil.copy(seed_file, tmp_path / f"world-{len(opened)}.db")
        emulator = Emulator.open(
            path,
            clock=clock,
            ids=SeededIds(1),
            assumptions=Assumptions(**assumptions),
            faults=faults,
            program=program,
        )
        opened.append(Api(emulator))
        return opened[-1]

    yield open_
    for api in opened:
        api.client.close()
        api.emulator.close()


@pytest.fixture
def api(open_api: Callable[..., Api]) -> Api:
    return open_api()


def line(name: str, cents: int, quantity: str = "1") -> dict[str, Any]:
    """Return a line of an order that has no item in the catalog."""
    price = {"amount": cents, "currency": "USD"}
    return {"name": name, "quantity": quantity, "base_price_money": price}


def problem(response: httpx.Response) -> tuple[Any, ...]:
    """Return status, category, code and field of a refusal's first problem."""
    first = response.json()["errors"][0]
    return response.status_code, first["category"], first["code"], first.get("field")


def refused(code: str, field: str | None = None, status: int = 400) -> tuple[Any, ...]:
    """Return what `problem` returns for an invalid request."""
    return status, "INVALID_REQUEST_ERROR", code, field


@pytest.fixture
def connected(api):
    """Sets the SDK up as anyone would, but that its answers are judged on their way."""
    from square import Square

    with (
        Server(api.emulator) as server,
        httpx.Client(event_hooks={"response": [check_answer]}, trust_env=False) as client,
    ):
        yield lambda token: Square(token=token, base_url=server.url, httpx_client=client)


@pytest.fixture
def square(connected):
    return connected(TOKEN)
