"""How fast the emulator is, and whether it stays so when its file has grown."""

import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx

from benchmarks.measuring import Promise, medians
from benchmarks.world import ACCOUNT_ID, RICH_PHONE, client_of, grown
from loyalty_helpers.emulator import Emulator

RETRIEVE = Promise("retrieve an account, 1,000,000 events", "with 1,000 events", 1.5)
SEARCH = Promise("30 events of one account, 1,000,000 events", "with 1,000 events", 1.5)
MANY, FEW = 1_000_000, 1_000
ROOT = Path(__file__).parents[1]


def growth(folder: Path) -> Iterator[str]:
    """The same questions to a ledger of a thousand times the size."""
    with grown(folder / "many", MANY) as many, grown(folder / "few", FEW) as few:
        clients = client_of(many), client_of(few)
        yield RETRIEVE.row(*medians(*map(retrieving, clients), 2000))
        yield SEARCH.row(*medians(*map(searching, clients), 1000))


def retrieving(client: httpx.Client) -> Callable[[], object]:
    return lambda: client.get(f"/v2/loyalty/accounts/{ACCOUNT_ID}").raise_for_status()


def searching(client: httpx.Client) -> Callable[[], object]:
    query = {"mappings": [{"phone_number": RICH_PHONE}]}
    found = client.post("/v2/loyalty/accounts/search", json={"query": query}).json()
    account = {"loyalty_account_id": found["loyalty_accounts"][0]["id"]}
    body = {"query": {"filter": {"loyalty_account_filter": account}}}
    return lambda: client.post("/v2/loyalty/events/search", json=body).raise_for_status()


def rates(folder: Path, served: Callable[[Path], AbstractContextManager[str]]) -> Iterator[str]:
    """What it does in a second and how soon it is there, on the machine that runs this."""
    made, opened = opening(folder / "opened")
    yield f"the seed world is made in {made * 1000:.0f} ms, opened again in {opened * 1000:.1f} ms"
    yield f"in process, through httpx: {in_process(folder / 'embedded'):,.0f} adjustments/s"
    with served(folder) as url:
        command = [sys.executable, "-m", "benchmarks.load", url, "8", "4000"]
        runs = [float(subprocess.check_output(command, cwd=ROOT)) for _ in range(3)]
    yield f"served, 8 connections: {statistics.median(runs):,.0f} adjustments/s"
    yield "every adjustment is committed (SQLite, WAL, synchronous=NORMAL)"


def opening(folder: Path) -> list[float]:
    """Making the seed world in a fresh file, and opening a file that has it."""
    fresh = (folder / str(n) for n in itertools.count())
    made = next(fresh)
    Emulator.open(made).close()
    return medians(
        lambda: Emulator.open(next(fresh)).close(), lambda: Emulator.open(made).close(), 20
    )


def in_process(path: Path) -> float:
    with Emulator.open(path) as emulator, client_of(emulator) as client:
        url = f"/v2/loyalty/accounts/{ACCOUNT_ID}/adjust"
        start = time.perf_counter()
        for n in range(3000):
            body = {"idempotency_key": f"{n}", "adjust_points": {"points": 1}}
            client.post(url, json=body).raise_for_status()
        return 3000 / (time.perf_counter() - start)
