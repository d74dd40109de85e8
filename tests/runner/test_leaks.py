"""A known token and a known phone number go through everything, and are found nowhere."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from loyalty_helpers import connect
from loyalty_helpers.emulator import Emulator, Server
from loyalty_helpers.redaction import is_test_number
from loyalty_helpers.runbooks import list_runs, write_index
from loyalty_helpers.settings import NOTEBOOKS
from tests.commands import COMMAND

from .canaries import NUMBERS, REASON, TOKENS, Canaries, flown, secrets_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("canaries")]

TOKEN = "canary-" + "token-5d1f"
SQUARE_TOKEN = "EAAA" + "canary-square-token"
PHONE = "+14155550177"
SECRETS = (TOKEN, SQUARE_TOKEN, PHONE, PHONE[1:])


def leaks(folder: Path, *texts: str) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    found = [f"{path.name}: {s}" for path in files for s in SECRETS if s in path.read_text()]
    return found + [secret for text in texts for secret in SECRETS if secret in text]


@pytest.mark.parametrize("outcome", ["verified", "failed"])
def test_a_run_leaks_neither_token_nor_phone_number(tmp_path: Path, outcome: str) -> None:
    """The failing run ends in a traceback, inside the notebook and out of it."""
    with (
        Emulator.open(tmp_path / "state" / "served.sqlite3", token=TOKEN) as emulator,
        Server(emulator) as server,
    ):
        variables = {
            "LOYALTY_EMULATOR_URL": server.url,
            "LOYALTY_EMULATOR_TOKEN": TOKEN,
            "SQUARE_ACCESS_TOKEN": SQUARE_TOKEN,
        }
        if outcome == "verified":
            enrol(variables)
        command = [COMMAND, "run", "02_adjust_points"]
        result = subprocess.run(
            [*command, "-p", "phone_number", PHONE, "-p", "reason", f"asked by {PHONE}"],
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    assert result.stdout.startswith("verified") == (outcome == "verified"), result.stderr
    assert [] == leaks(Path("runs"), result.stdout, result.stderr)


def enrol(variables: dict[str, str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        with connect("local") as client:
            program = client.retrieve_program()
            client.create_account(PHONE, program_id=program.id, idempotency_key="enrol")


def test_no_committed_file_holds_a_token_or_a_phone_number() -> None:
    """Made-up 555 numbers aside."""
    for path in NOTEBOOKS.rglob("*"):
        if path.is_file() and ".ipynb_checkpoints" not in path.parts:
            text = path.read_text(encoding="utf-8")
            numbers = set(re.findall(r"\+\d{8,15}", text))
            assert {number for number in numbers if not is_test_number(number)} == set()
            assert not re.search(r"EAAA[\w-]{8}|sq0[a-z]{3}-", text)


@pytest.fixture(scope="module")
def canaries(tmp_path_factory: pytest.TempPathFactory) -> Canaries:
    """What is left after every path was taken with a token and a number that is no 555 number."""
    return flown(tmp_path_factory.mktemp("canaries"))


def files_with_secrets(folder: Path, *but: str) -> dict[str, list[str]]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in but]
    found = {str(path.relative_to(folder)): secrets_in(path.read_bytes()) for path in files}
    return {name: secrets for name, secrets in found.items() if secrets}


# 02, plan and apply of one; problems; plan of a file, wrong digest, who is a number; stopped,
# resumed; undo planned and applied; reconciled; six refusals.
CODES = [0, 0, 0, 1, 0, 2, 2, 1, 0, 0, 0, 0, *[2] * 6]


def test_the_canaries_took_every_path(canaries: Canaries) -> None:
    assert CODES == canaries.codes, canaries.said


def test_nothing_that_was_said_holds_a_secret(canaries: Canaries) -> None:
    assert [] == [text for text in canaries.said if secrets_in(text)]


def test_no_file_of_a_run_holds_a_secret_but_a_reason_that_is_sent(canaries: Canaries) -> None:
    """Plan and journal hold what is applied, a number in a reason included, for the owner only."""
    assert {} == files_with_secrets(canaries.runs, "plan.json", "journal.sqlite3")


def test_plan_and_journal_hold_the_reason_as_it_is_sent_and_no_token(canaries: Canaries) -> None:
    for name in ("plan.json", "journal.sqlite3"):
        path = canaries.runs / "example-bulk" / name
        content = path.read_bytes()

        assert [] == secrets_in(content, TOKENS)
        assert REASON.encode() in content
        assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def test_the_list_of_all_runs_holds_no_secret(canaries: Canaries) -> None:
    found = list_runs(canaries.runs)
    page = write_index(canaries.runs, found).read_text(encoding="utf-8")
    told = json.dumps([run.as_json() for run in found])

    assert ([], []) == (secrets_in(page), secrets_in(told))


def test_nothing_is_left_in_the_folder_for_temporary_files(canaries: Canaries) -> None:
    assert [] == list(canaries.temporary.iterdir())


def test_nothing_in_the_home_holds_a_secret_but_perhaps_a_history(canaries: Canaries) -> None:
    assert {} == files_with_secrets(canaries.home, "history.sqlite")


def test_no_process_that_a_command_starts_is_called_by_a_secret(canaries: Canaries) -> None:
    assert any(b"ipykernel" in called for called in canaries.called) or sys.platform != "linux"
    assert [] == [called for called in canaries.called if secrets_in(called)]


def test_a_mask_is_what_stands_in_place_of_a_number(canaries: Canaries) -> None:
    results = (canaries.runs / "example-bulk" / "results.csv").read_text(encoding="utf-8-sig")

    assert "asked by ***0187 or ***0187" in results
    assert [] == secrets_in(results, NUMBERS)


def test_no_history_in_the_home_holds_a_secret(canaries: Canaries) -> None:
    """IPython keeps what was run in a database that everybody on the machine may read."""
    assert {} == files_with_secrets(canaries.home)
