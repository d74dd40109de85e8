"""A known token and a known phone number go through everything, and are found nowhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from loyalty_helpers import connect
from loyalty_helpers.emulator import Emulator, Server
from loyalty_helpers.redaction import is_test_number
from loyalty_helpers.settings import NOTEBOOKS

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
        command = [Path(sys.executable).with_name("loyalty"), "run", "02_adjust_points"]
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
