"""A served emulator that fails on purpose, runs that can be killed, and what the ledger says then.

Children come from a fork server that has loaded everything, so that a run costs no import.
"""

import csv
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loyalty_helpers import connect, runbooks
from loyalty_helpers.api.client import LoyaltyClient
from loyalty_helpers.api.wire import RetryPolicy
from loyalty_helpers.runbooks.apply.journal import JOURNAL
from loyalty_helpers.runbooks.identity import marker_in
from loyalty_helpers.runbooks.limits import Limits
from loyalty_helpers.runbooks.plan import Plan, read_plan
from loyalty_helpers.runbooks.views import Planned, Verified
from loyalty_helpers.settings import Settings
from tests.commands import COMMAND

QUICK = Limits(
    in_flight=8,
    canary=2,
    retry_wait=0.01,
    retry_cap=0.05,
    retries=1000,
    settle=0.05,
    max_errors="0",
)
# What a run is told, and not its verb.
OF_A_RUN = ("approved_plan", "approved_by", "allow_negative_balance", "allow_repeats")
READS = RetryPolicy(attempts=8, base=0.01, cap=0.05)
sys.path.append(str(Path(__file__).parents[1]))  # where children find this module
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["loyalty_helpers.runbooks", "phonenumbers", __name__])


@contextmanager
def served(database: Path, *faults: str) -> Iterator[str]:
    """The URL of an emulator in a process of its own."""
    command = [COMMAND, "emulator", "serve", "--db"]
    options = [option for fault in faults for option in ("--fault", fault)]
    server = subprocess.Popen(
        [*command, str(database), *options], stdout=subprocess.PIPE, text=True
    )
    try:
        yield server.stdout.readline().split()[-1]
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()
        server.stdout.close()


def client_of(url: str) -> LoyaltyClient:
    """A client of a served emulator whose reads are patient with faults, and quick."""
    settings = Settings(loyalty_emulator_url=url)
    return connect("local", settings=settings, policy=READS)


def write_sheet(folder: Path, client: LoyaltyClient, rows: int) -> Path:
    """A file of adjustments: the seeded buyers in turn, several rows each."""
    accounts = [account.id for account in client.search_accounts()]
    path = folder / "adjustments.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row_id", "account_id", "points", "reason"])
        for n in range(rows):
            writer.writerow([f"r{n}", accounts[n % len(accounts)], 1 + n % 7, "Kill test"])
    return path


def plan_by(client: LoyaltyClient, verb: str, *what: Any, run_id: str, **options: Any) -> Planned:
    """`plan_one`, `plan_file` or `plan_undo`, with all that it and its run are told at once."""
    own = {name: options.pop(name) for name in OF_A_RUN if name in options}
    return getattr(runbooks.Run(client, run_id, **own), verb)(*what, **options)


def run_of(client: LoyaltyClient, planned: Planned, **options: Any) -> runbooks.Run:
    """The run of what was planned, in a new kernel; the digest is given back if none is named."""
    approved = {"approved_plan": planned.plan.digest}
    return runbooks.Run(client, planned.plan.header.run_id, **approved | options)


def make_plan(client: LoyaltyClient, sheet: Path, run_id: str = "kills") -> Plan:
    """The plan of a file, in LOYALTY_RUNS."""
    return plan_by(client, "plan_file", str(sheet), run_id=run_id).plan


def apply_in_child(url: str, path: Path, limits: Limits = QUICK) -> None:
    """What a child does: apply the plan as it is on disk."""
    os.environ["LOYALTY_RUNS"] = str(path.parents[1])
    with client_of(url) as client:
        run_of(client, Planned(read_plan(path)), limits=limits).apply()


def start(target: Callable[..., None], *args: Any) -> Any:
    """A child at work; what went wrong stands in the file `errors` when it ends with 1."""
    handle, errors = tempfile.mkstemp(prefix="child-", suffix=".txt")
    os.close(handle)
    child = FORKS.Process(target=_alone, args=(errors, target, args), daemon=True)
    child.errors = errors
    child.start()
    return child


def _alone(errors: str, target: Callable[..., None], args: tuple[Any, ...]) -> None:
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for the life of the process
    try:
        target(*args)
    except BaseException:
        Path(errors).write_text(traceback.format_exc())
        os._exit(1)
    os._exit(0)


def told(child: Any) -> str:
    """What went wrong in a child that has ended."""
    return Path(child.errors).read_text()


def kill(child: Any) -> None:
    """SIGKILL, and wait for the end."""
    child.kill()
    child.join()


def before_commits(act: Callable[[sqlite3.Connection], None]) -> None:
    """From now on, something happens before each commit of a journal in this process."""
    connect = sqlite3.connect

    class Watched(sqlite3.Connection):
        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
            if statement == "COMMIT":
                act(self)
            return super().execute(statement, *values)

    def watched(path: Any, *args: Any, **options: Any) -> sqlite3.Connection:
        factory = {"factory": Watched} if Path(path).name == JOURNAL else {}
        return connect(path, *args, **options | factory)

    sqlite3.connect = watched


def verify(url: str, path: Path, limits: Limits = QUICK) -> Verified:
    """What the ledger says of a plan."""
    with client_of(url) as client:
        return run_of(client, Planned(read_plan(path)), limits=limits).verify()


def times_in_ledger(url: str, plan: Plan) -> Counter[int]:
    """How often rows are in the ledger: times -> rows; by this test's own look at all events."""
    with client_of(url) as client:
        events = list(client.search_events(types=["ADJUST_POINTS"]))
    markers = Counter(marker_in(event.reason) for event in events)
    return Counter(markers[plan.header.identity(row).marker] for row in plan.rows())
