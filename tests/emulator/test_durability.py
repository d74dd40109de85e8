"""Kills under load, and many at once: nothing acknowledged is lost, nothing happens twice."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest

from loyalty_helpers.emulator import Emulator
from tests.sampling import rest
from tests.seed_world import ACCOUNT_ID

from .conftest import TOKEN
from .test_database import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("durability")]
KILLS = 50
WORKERS = 4
# Forked from a process that has loaded everything, servers start in milliseconds.
FORKING = """
import os, sys
import waitress
from loyalty_helpers.emulator import Emulator, serve
for path in sys.stdin:
    pid = os.fork()
    if not pid:
        with Emulator.open(path.strip()) as emulator:
            serve(emulator, on_ready=lambda url: print(os.getpid(), url, flush=True))
    os.waitpid(pid, 0)
"""


class Load:
    """Adjusts by one point from several threads, until the server is killed by one of them."""

    def __init__(self, path):
        self.path = path
        self.acknowledged = set()
        self._unanswered = [f"{worker} 0" for worker in range(WORKERS)]
        self._lock = threading.Lock()
        command = [sys.executable, "-c", FORKING]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.parent = subprocess.Popen(command, cwd=ROOT, **pipes)

    def until_killed(self, acknowledgements):
        """Serve, adjust, and kill the server when so many adjustments were acknowledged."""
        print(self.path, file=self.parent.stdin, flush=True)
        pid, url = self.parent.stdout.readline().split()
        self._goal = len(self.acknowledged) + acknowledgements
        with ThreadPoolExecutor(WORKERS) as pool:
            working = [pool.submit(self._adjust, i, int(pid), url) for i in range(WORKERS)]
        for each in working:
            each.result()

    def _adjust(self, worker, pid, url):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=url, headers=headers, trust_env=False) as client:
            while True:
                # What was not answered before the kill is sent again with its key.
                key = self._unanswered[worker]
                body = {"idempotency_key": key, "adjust_points": {"points": 1, "reason": key}}
                try:
                    answer = client.post(f"/v2/loyalty/accounts/{ACCOUNT_ID}/adjust", json=body)
                except httpx.TransportError:
                    return
                assert answer.status_code == 200
                self._unanswered[worker] = f"{worker} {int(key.split()[1]) + 1}"
                self._acknowledge(key, pid)

    def _acknowledge(self, key, pid):
        with self._lock:
            self.acknowledged.add(key)
            if len(self.acknowledged) == self._goal:
                os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    load = Load(tmp_path_factory.mktemp("kills") / "world.db")
    yield load
    load.parent.kill()
    load.parent.communicate()


def look(path):
    """Open the file as its next user does, and return what the account and its ledger say."""
    Emulator.open(path).close()
    query = "SELECT body FROM event WHERE account_id = ?"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA quick_check").fetchone()[0] == "ok"
        events = [json.loads(body) for (body,) in connection.execute(query, (ACCOUNT_ID,))]
        account = connection.execute(
            "SELECT balance, lifetime_points FROM account WHERE id = ?", (ACCOUNT_ID,)
        ).fetchone()
    return account, Counter(event["adjust_points"]["reason"] for event in events)


@pytest.mark.parametrize("kill", [*range(8), *rest(range(8, KILLS))])
def test_kill_under_load_loses_nothing_and_doubles_nothing(load, kill):
    load.until_killed(acknowledgements=10 + 7 * kill % 60)
    account, found = look(load.path)

    assert load.acknowledged <= found.keys()
    assert set(found.values()) == {1}
    assert account == (len(found), len(found))
    assert len(found) - len(load.acknowledged) <= WORKERS


MIXED = """
import sys
from concurrent.futures import ThreadPoolExecutor
import httpx
from loyalty_helpers.emulator import Emulator
path, account, program, name = sys.argv[1:]
client = httpx.Client(
    transport=httpx.WSGITransport(Emulator.open(path)),
    base_url="http://e", headers={"Authorization": "Bearer local-token"},
)
def post(path, **body):
    return client.post("/v2/loyalty/" + path, json=body).status_code
def work(n):
    key = f"{name} {n}"
    found = {"loyalty_account_filter": {"loyalty_account_id": account}}
    mapping = {"phone_number": f"+1775555{n:03}{name}"}
    enrolled = {"program_id": program, "mapping": mapping}
    return [
        post(f"accounts/{account}/adjust", idempotency_key=key, adjust_points={"points": 2}),
        post("events/search", query={"filter": found}),
        post("accounts", idempotency_key=key, loyalty_account=enrolled),
        post(f"accounts/{account}/accumulate", idempotency_key=key,
             location_id="L88917AVBK2S5", accumulate_points={"points": 1}),
        client.get(f"/v2/loyalty/accounts/{account}").status_code,
        post("accounts/search"),
    ]
with ThreadPoolExecutor(4) as pool:
    print(*{status for each in pool.map(work, range(40)) for status in each})
"""


def test_threads_and_processes_at_once_get_no_error_and_lose_nothing(api, tmp_path):
    program = api.account()["program_id"]
    command = [sys.executable, "-c", MIXED, tmp_path / "world-0.db", ACCOUNT_ID, program]
    processes = [
        subprocess.Popen([*command, name], cwd=ROOT, stdout=subprocess.PIPE) for name in "123"
    ]

    assert [b"200\n"] * 3 == [process.communicate(timeout=60)[0] for process in processes]
    assert api.account()["balance"] == 3 * 40 * 3
