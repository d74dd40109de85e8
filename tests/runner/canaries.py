"""Two canary secrets go through every headless path, with a home and a TMPDIR of their own.

Only IPython's history and the user's own file are left to the tests to judge. The command itself
shows its own parameters in the list of processes; what it starts must not.
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from loyalty_helpers import connect
from loyalty_helpers.emulator import Emulator, Fault, Server
from tests.commands import COMMAND

# In two parts, as everywhere: no file of ours holds what looks like a token or a real number.
TOKEN = "canary-" + "token-5d1f"
SQUARE_TOKEN = "EAAA" + "canary-square-token"
PHONE = "+44207946" + "0187"  # kept for fiction, and no 555 number
NATIONAL = "020 7946" + " 0187"
TOKENS = (TOKEN, SQUARE_TOKEN)
NUMBERS = (PHONE[3:], NATIONAL)  # in E.164 or bare, and at home
REASON = f"asked by {PHONE[1:]} or {NATIONAL}"
SHEET = f"row_id,phone_number,points,reason\na,{PHONE},2,{REASON}\nb,{PHONE},3,by {PHONE}\n"
WRONG = (
    "row_id,account_id,phone_number,points,reason\n"
    f"a,,{PHONE},2,paid with {SQUARE_TOKEN}\n"
    f"{PHONE},,{PHONE},2,Late\n"
    f"c,{PHONE[1:]},,{SQUARE_TOKEN},{REASON}\n"
    f"d,,{NATIONAL},{PHONE},\n"
)


def secrets_in(content: str | bytes, secrets: tuple[str, ...] = (*TOKENS, *NUMBERS)) -> list[str]:
    """Those of the secrets that a text or a file's bytes hold."""
    raw = content.encode() if isinstance(content, str) else content
    return [secret for secret in secrets if secret.encode() in raw]


@dataclass
class Canaries:
    """Runs commands, and keeps what they said, and what the processes below them were called."""

    folder: Path
    url: str
    said: list[str] = field(default_factory=list)
    called: set[bytes] = field(default_factory=set)
    codes: list[int] = field(default_factory=list)

    @property
    def runs(self) -> Path:
        return self.folder / "work" / "runs"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    def run(self, *options: str, stop_at: Path | None = None, number: int = signal.SIGINT) -> str:
        """Run a notebook, stopped once a file is there; gives what it said.

        SIGKILL strikes everything that it has started as well.
        """
        process = subprocess.Popen(
            [COMMAND, "run", *options],
            env=self._variables(),
            cwd=self.runs.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while process.poll() is None:
            self.called |= set(commands_below(process.pid))
            if stop_at and stop_at.exists():
                struck = [*below(process.pid)] if number == signal.SIGKILL else []
                for one in (process.pid, *struck):
                    os.kill(one, number)
                stop_at = None
            time.sleep(0.05)  # a real run of a real kernel: it is waited for
        self.said += process.communicate()
        self.codes.append(process.returncode)
        return "".join(self.said[-2:])

    def apply(self, told: str, *options: str, **stop: Any) -> str:
        """Run the command that a plan printed; `stop` as of `run`."""
        command = re.search(r"loyalty run (.*)", told)[1].replace("YOUR_NAME", "somebody")
        return self.run(*command.split(), *options, **stop)

    def sheet(self, name: str, content: str) -> str:
        """The user's own file, outside of what is searched."""
        path = self.folder / name
        path.write_text(content)
        return str(path)

    def _variables(self) -> dict[str, str]:
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("LOYALTY_", "SQUARE_"))}
        own = {"HOME": str(self.home), "TMPDIR": str(self.temporary)}
        tokens = {"LOYALTY_EMULATOR_TOKEN": TOKEN, "SQUARE_ACCESS_TOKEN": SQUARE_TOKEN}
        return kept | own | tokens | {"LOYALTY_EMULATOR_URL": self.url}


def commands_below(process: int) -> Iterator[bytes]:
    """The command lines of what a process started, as the list of processes shows them.

    For a moment a child still has the line of who started it, which that one has to answer for.
    """
    with suppress(OSError):  # it ended meanwhile, or this is no Linux
        own = Path(f"/proc/{process}/cmdline").read_bytes()
        for child in children(process):
            line = Path(f"/proc/{child}/cmdline").read_bytes()
            yield from [line] if line != own else []
            yield from commands_below(child)


def children(process: int) -> Iterator[int]:
    """What a process has started, by number; an OSError if it ended meanwhile."""
    for file in Path(f"/proc/{process}/task").glob("*/children"):
        yield from map(int, file.read_text().split())


def below(process: int) -> Iterator[int]:
    """What a process has started, and what that has started in its turn."""
    with suppress(OSError):
        for child in children(process):
            yield child
            yield from below(child)


def everything(canaries: Canaries, emulator: Emulator) -> None:
    """Every path: good ones, refusals, wrong digests, a stop."""
    run = canaries.run
    buyer = ("-p", "phone_number", PHONE, "-p", "reason", REASON)
    run("02_adjust_points", *buyer)
    one = (*buyer, "-p", "points", "7")
    canaries.apply(run("adjust_points", *one, "-p", "run_id", "one"), *one)
    bulk = ("bulk_adjust", "-p", "adjustments_file")
    run(*bulk, canaries.sheet("wrong.csv", WRONG), "-p", "run_id", "wrong")
    planned = run(*bulk, canaries.sheet("good.csv", SHEET))
    run("bulk_adjust", "-p", "approved_plan", "0" * 12)
    run("bulk_adjust", "-p", "approved_plan", "0" * 12, "-p", "approved_by", PHONE)
    emulator.faults.add(Fault.parse("slow:path=/adjust,seconds=2,next=1"))
    stop = canaries.runs / "example-bulk" / "journal.sqlite3"
    canaries.apply(planned, "-p", "in_flight", "1", stop_at=stop)
    canaries.apply(planned)
    canaries.apply(run("undo_adjustments"))
    run("reconcile", "-p", "check_run_id", "example-bulk")
    for name, value in {
        "reason": f"paid with {SQUARE_TOKEN}",
        "account_id": PHONE[1:],
        "customer_id": PHONE[1:],
        "approved_by": f"Ann, {NATIONAL}",
        "points": PHONE,
        SQUARE_TOKEN: "1",
    }.items():
        run("adjust_points", "-p", name, value)


def enrol(url: str, folder: Path) -> None:
    """A loyalty account with the canary's phone number."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOYALTY_EMULATOR_URL", url)
        patch.setenv("LOYALTY_EMULATOR_TOKEN", TOKEN)
        patch.setenv("LOYALTY_ENV_FILE", os.devnull)
        with connect("local") as client:
            program = client.retrieve_program()
            client.create_account(PHONE, program_id=program.id, idempotency_key="enrol")


def flown(folder: Path) -> Canaries:
    """The canaries after everything."""
    for name in ("work", "home", "tmp"):
        (folder / name).mkdir()
    with (
        Emulator.open(folder / "state.sqlite3", token=TOKEN) as emulator,
        Server(emulator) as server,
    ):
        enrol(server.url, folder)
        canaries = Canaries(folder, server.url)
        everything(canaries, emulator)
    return canaries
