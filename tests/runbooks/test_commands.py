"""`loyalty run` of a runbook: what it says, what it leaves, and how it stops."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest

from loyalty_helpers.runbooks.apply.applying import LAST_ANSWERS
from loyalty_helpers.runbooks.plan import read_plan
from tests.commands import COMMAND, Left, Result, loyalty

from .harness import client_of, served, times_in_ledger, write_sheet

pytestmark = pytest.mark.slow

APPLIED = ("run bulk_adjust", "run bulk_adjust -p approved_plan DIGEST -p approved_by me")


def run(*options: str) -> Result:
    return loyalty("run", *options)


def command_in(text: str) -> list[str]:
    return re.search(r"loyalty (run .*)", text)[1].replace("YOUR_NAME", "me").split()


def test_plan_apply_undo_by_the_commands_that_are_printed(tmp_path: Path, left_by: Left) -> None:
    planned = left_by("run bulk_adjust")
    applied = run(*command_in(planned.stdout)[1:])
    again = run(*command_in(planned.stdout)[1:])
    undo = run("undo_adjustments")
    undone = run(*command_in(undo.stdout)[1:])

    assert planned.stdout.startswith("planned: 6 rows, +122 and -4 points, nothing was changed\n")
    assert [0, 0, 0, 0, 0] == [r.returncode for r in (planned, applied, again, undo, undone)]
    assert applied.stdout.startswith("verified: 6 APPLIED of 6 rows")
    assert undone.stdout.startswith("verified: 6 APPLIED of 6 rows")
    receipt = json.loads((tmp_path / "runs/example-bulk/receipt.json").read_text())
    assert ({"APPLIED": 6}, "me", None) == tuple(
        receipt[name] for name in ("rows", "approved_by", "next")
    )
    left = {path.name for path in (tmp_path / "runs/example-bulk").iterdir()}
    assert left >= {"plan.json", "results.csv", "undo.csv", "receipt.json", "bulk_adjust.html"}


def test_reconcile_tells_in_one_line_and_compares_a_run(tmp_path: Path, left_by: Left) -> None:
    applied = left_by(*APPLIED)
    audit = run("reconcile", "-p", "check_run_id", "example-bulk")

    assert (0, 0) == (applied.returncode, audit.returncode), audit.stderr
    assert audit.stdout.startswith("verified: 45 accounts, ")
    assert {"differences.csv", "adjustments.csv", "receipt.json", "reconcile.html"} <= {
        path.name for path in (tmp_path / "runs/example-reconcile").iterdir()
    }


@pytest.mark.parametrize(
    ("notebook", "options", "told"),
    [
        ("reconcile", ["check_run_id", "never"], "there is no plan in"),
        ("reconcile", ["run_id", "planned"], "is a run with a plan"),
        ("02_adjust_points", ["run_id", "planned"], "is a run with a plan"),
    ],
)
def test_the_folder_of_a_run_with_a_plan_is_left_alone(
    tmp_path: Path, notebook: str, options: list[str], told: str
) -> None:
    (tmp_path / "runs" / "planned").mkdir(parents=True)
    (tmp_path / "runs" / "planned" / "plan.json").write_text("{}")
    refused = run(notebook, "-p", *options)

    assert (2, True) == (refused.returncode, told in refused.stderr), refused.stderr
    assert ["plan.json"] == [p.name for p in (tmp_path / "runs" / "planned").iterdir()]


def test_another_digest_is_refused_before_a_kernel_starts(left_by: Left) -> None:
    left_by("run bulk_adjust")
    refused = run("bulk_adjust", "-p", "approved_plan", "0" * 12, "-p", "approved_by", "me")

    assert 2 == refused.returncode
    assert "is not this plan's digest" in refused.stderr


def test_an_old_plan_is_refused_before_a_kernel_starts_unless_that_is_allowed(
    tmp_path: Path, left_by: Left
) -> None:
    planned = left_by("run bulk_adjust")
    apply, plan = command_in(planned.stdout)[1:], tmp_path / "runs/example-bulk/plan.json"
    moment = plan.stat().st_mtime - 30 * 3600
    os.utime(plan, (moment, moment))
    refused = run(*apply)
    allowed = run(*apply, "-p", "max_plan_age", "31")

    assert (2, "") == (refused.returncode, refused.stdout)
    assert "made 30 hours ago, and max_plan_age allows 24" in refused.stderr
    assert 0 == allowed.returncode


def test_a_plan_that_was_never_made_is_refused() -> None:
    refused = run("bulk_adjust", "-p", "approved_plan", "0" * 12)

    assert (2, True) == (refused.returncode, "there is no plan" in refused.stderr)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_ends_at_the_border_of_rows_and_says_how_to_go_on(tmp_path: Path, stop: int) -> None:
    slow = "slow:path=/adjust,seconds=0.2"
    with served(tmp_path / "e.sqlite3", slow) as url:
        with client_of(url) as client:
            sheet = write_sheet(tmp_path, client, 60)
        os.environ["LOYALTY_EMULATOR_URL"] = url
        try:
            planned = run("bulk_adjust", "-p", "adjustments_file", str(sheet))
            command = [COMMAND, *command_in(planned.stdout), "-p", "in_flight", "2"]
            process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
            journal = tmp_path / "runs/example-bulk/progress.json"
            while not journal.exists() or json.loads(journal.read_text())["done"] < 3:
                assert process.poll() is None, "the run ended before it was stopped"
                time.sleep(0.05)  # a real run of a real kernel: it is waited for
            process.send_signal(stop)
            _, told = process.communicate(timeout=100)
            receipt = json.loads((tmp_path / "runs/example-bulk/receipt.json").read_text())
            resumed = run(*command_in(receipt["next"])[1:])
            plan = read_plan(tmp_path / "runs/example-bulk/plan.json")
            found = times_in_ledger(url, plan)
        finally:
            del os.environ["LOYALTY_EMULATOR_URL"]

    assert 1 == process.returncode
    assert "loyalty run bulk_adjust" in told
    assert set(receipt["rows"]) == {"PLANNED", "APPLIED"}, "no row is left in between"
    assert 0 == resumed.returncode, resumed.stderr
    assert {1: 60} == found


@contextmanager
def dripping(url: str) -> Iterator[tuple[str, Event]]:
    """In front of an emulator: answers to adjustments begin, and then drip for ever."""
    began = Event()

    class Between(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path.endswith("/adjust"):
                self.drip()
                return
            token = {"Authorization": self.headers["Authorization"]}
            method, there = self.command, url + self.path
            answer = httpx.request(method, there, content=body, headers=token, trust_env=False)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST  # noqa: N815 - named by http.server

        def drip(self) -> None:
            self.close_connection = True
            began.set()
            with suppress(OSError):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while True:
                    self.wfile.write(b"a")
                    time.sleep(0.1)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Between)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", began
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("presses", "most"),
    [([signal.SIGTERM], 25), ([signal.SIGINT, signal.SIGINT], LAST_ANSWERS)],
    ids=["once", "twice"],
)
def test_a_stop_does_not_wait_for_answers_that_drip(
    tmp_path: Path, presses: list[int], most: float
) -> None:
    """Once it waits for what may still come; the second time it waits for nothing."""
    with served(tmp_path / "e.sqlite3") as url, dripping(url) as (slow, began):
        with client_of(url) as client:
            sheet = write_sheet(tmp_path, client, 8)
        there = os.environ | {"LOYALTY_EMULATOR_URL": slow}
        os.environ["LOYALTY_EMULATOR_URL"] = url
        try:
            planned = run("bulk_adjust", "-p", "adjustments_file", str(sheet))
            command = [COMMAND, *command_in(planned.stdout)]
            process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=there)
            assert began.wait(60)
            stopped_at = time.monotonic()
            for number in presses:
                process.send_signal(number)
                time.sleep(1)  # people do not press it twice at the same moment
            _, told = process.communicate(timeout=100)
            took = time.monotonic() - stopped_at
            resumed = run(*command_in(told)[1:])
            plan = read_plan(tmp_path / "runs/example-bulk/plan.json")
            found = times_in_ledger(url, plan)
        finally:
            del os.environ["LOYALTY_EMULATOR_URL"]

    assert (1, False) == (process.returncode, "Traceback" in told), told
    assert took < most, "waited for what drips"
    assert 0 == resumed.returncode, resumed.stderr
    assert {1: 8} == found
