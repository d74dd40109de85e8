"""What a run that is killed (SIGKILL) leaves behind holds neither a token nor a phone number."""

import re
import signal
from pathlib import Path

import pytest

from loyalty_helpers.emulator import Emulator, Fault, Server

from .canaries import PHONE, REASON, TOKEN, Canaries, enrol, secrets_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("killed")]

# The number finds the buyer and is in no reason, so that not even plan and journal may hold it.
SHEET = "row_id,phone_number,points,reason\n" + "".join(
    f"r{n},{PHONE},{n},Late\n" for n in range(1, 9)
)


def killed_at(canaries: Canaries, run_id: str, moment: str, *command: str) -> None:
    """Run a command until the file is there, and kill it with everything that it started."""
    at = canaries.runs / run_id / moment
    at.unlink(missing_ok=True)  # of the one that was killed before
    canaries.run(*command, "-p", "run_id", run_id, stop_at=at, number=signal.SIGKILL)


def killed(canaries: Canaries) -> None:
    """While it plans; on the way of its only adjustment; as it begins to apply; among its rows."""
    sheet = ("bulk_adjust", "-p", "adjustments_file", canaries.sheet("rows.csv", SHEET))
    killed_at(canaries, "planning", "plan.lock", *sheet)
    buyer = ("-p", "phone_number", PHONE, "-p", "reason", REASON)
    killed_at(canaries, "one", "intent.json", "02_adjust_points", *buyer)
    digest = re.search(
        "approved_plan ([0-9a-f]{12})", canaries.run(*sheet, "-p", "run_id", "rows")
    )[1]
    apply = ("bulk_adjust", "-p", "approved_plan", digest, "-p", "in_flight", "1")
    for moment in ("journal.owner", "progress.json"):
        killed_at(canaries, "rows", moment, *apply)


@pytest.fixture(scope="module")
def canaries(tmp_path_factory: pytest.TempPathFactory) -> Canaries:
    folder = tmp_path_factory.mktemp("killed")
    for name in ("work", "home", "tmp"):
        (folder / name).mkdir()
    with Emulator.open(folder / "state.sqlite3", token=TOKEN) as emulator:
        emulator.faults.add(Fault.parse("slow:path=/adjust,seconds=1"))
        with Server(emulator) as server:
            enrol(server.url, folder)
            canaries = Canaries(folder, server.url)
            killed(canaries)
    return canaries


def holding_secrets(folder: Path) -> dict[str, list[str]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    found = {str(path.relative_to(folder)): secrets_in(path.read_bytes()) for path in files}
    return {name: secrets for name, secrets in found.items() if secrets}


def test_each_run_was_killed_when_it_had_begun(canaries: Canaries) -> None:
    killed_or_planned = [-signal.SIGKILL, -signal.SIGKILL, 0, -signal.SIGKILL, -signal.SIGKILL]

    assert killed_or_planned == canaries.codes, canaries.said
    assert (canaries.runs / "rows" / "journal.sqlite3").stat().st_size > 0


@pytest.mark.parametrize("place", ["runs", "home", "temporary"])
def test_nothing_that_killed_runs_leave_holds_a_secret(canaries: Canaries, place: str) -> None:
    assert {} == holding_secrets(getattr(canaries, place))


def test_nothing_that_killed_runs_said_holds_a_secret(canaries: Canaries) -> None:
    assert [] == [text for text in canaries.said if secrets_in(text)]
