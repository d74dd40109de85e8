"""Adjusts many rows in a process of its own, and prints what that took as one line of JSON.

`python -m benchmarks.adjusting runbook URL ROWS FOLDER` plans, applies and verifies a file;
`python -m benchmarks.adjusting sdk URL ROWS FOLDER` is a loop over the official SDK.
"""

import csv
import json
import os
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

SETTLE = 0.1  # seconds; the emulator shows events at once


def runbook(url: str, rows: int, folder: Path) -> dict[str, float]:
    from loyalty_helpers import connect, runbooks
    from loyalty_helpers.runbooks.apply.journal import Journal
    from loyalty_helpers.settings import Settings

    os.environ["LOYALTY_RUNS"] = str(folder)
    settings, counting = Settings(loyalty_emulator_url=url), _counting()
    with connect("local", settings=settings, transport=counting) as client:
        sheet = _sheet(folder, rows, [a.mapping for a in client.search_accounts()])
        asked_before = counting.requests
        start = time.perf_counter()
        run_id = uuid4().hex
        planned = runbooks.Run(client, run_id).plan_file(str(sheet))
        begun = time.perf_counter()
        run = runbooks.Run(client, run_id, approved_plan=planned.plan.digest)
        run.apply(settle=SETTLE)
        applied = time.perf_counter()
        asked = counting.requests - asked_before - rows
        assert run.verify().ok
        end = time.perf_counter()
    journal = Journal.look(planned.plan.folder)
    assert journal
    with journal:
        sent = sum(entry.attempts for entry in journal.entries())
    return {
        "apply": (applied - begun) / rows,
        "all": (end - start) / rows,
        "until applied": (applied - start) / rows,
        "reads": asked,
        "accounts": planned.plan.header.accounts,
        "refused": (sent - rows) / sent,
        "peak": _peak(),
    }


def _counting() -> Any:
    """The network, and how often it was used."""
    import httpx

    from loyalty_helpers.transports import Network

    class Counting(Network):
        requests = 0

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            self.requests += 1  # one more or less of two threads at once is no matter here
            return super().handle_request(request)

    return Counting()


def _peak() -> float:
    """MB at most. ru_maxrss would not do: it begins with what the parent process had."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _sheet(folder: Path, rows: int, mappings: list) -> Path:  # type: ignore[type-arg]
    phones = [mapping.phone_number for mapping in mappings if mapping and mapping.phone_number]
    path = folder / f"{uuid4().hex}.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row_id", "phone_number", "points", "reason"])
        # Neither the reason of the other side nor of a run before: the rows would be repeats.
        reason = f"Row of {path.stem}"
        writer.writerows([n, phones[n % len(phones)], 1, reason] for n in range(rows))
    return path


def sdk(url: str, rows: int, _: Path) -> dict[str, float]:
    from square import Square

    square = Square(token="local-token", base_url=url)
    accounts = [str(a.id) for a in square.loyalty.accounts.search(limit=200).loyalty_accounts or []]
    start = time.perf_counter()
    for n in range(rows):
        square.loyalty.accounts.adjust(
            accounts[n % len(accounts)],
            adjust_points={"points": 1, "reason": "Bench"},
            idempotency_key=uuid4().hex,
        )
    return {"apply": (time.perf_counter() - start) / rows}


if __name__ == "__main__":
    work = {"runbook": runbook, "sdk": sdk}[sys.argv[1]]
    print(json.dumps(work(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))))
