"""The `loyalty` command but for `run`, which has a folder of its own."""

import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from loyalty_helpers import connect
from loyalty_helpers.settings import RECORDINGS, Settings
from tests.commands import COMMAND, loyalty
from tests.doubles import ACCOUNT_ID

pytestmark = pytest.mark.slow

WALKTHROUGH = "1beb38f9-54de-4cb6-8121-718bDexample"


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RECORDINGS, tmp_path / "recordings"))


def test_help_comes_without_loading_anything_heavy() -> None:
    code = "import sys, loyalty_helpers.cli; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()

    assert {"httpx", "pydantic", "papermill", "werkzeug"} & set(loaded) == set()


def test_recording_anew_on_the_emulator_gives_the_committed_files(recordings: Path) -> None:
    """So a recording that was edited by hand, or is older than the emulator, is found out."""
    for name in ("01_search_accounts", "02_adjust_points"):
        (recordings / f"{name}.json").unlink()
        result = loyalty("record", name, LOYALTY_RECORDINGS=str(recordings))

        assert result.returncode == 0, result.stderr
        assert (RECORDINGS / f"{name}.json").read_text() == (
            recordings / f"{name}.json"
        ).read_text()


def test_recordings_hold_the_published_answers_to_the_letter() -> None:
    published = json.loads((RECORDINGS / "documented.json").read_text())
    recorded = json.loads((RECORDINGS / "02_adjust_points.json").read_text())["exchanges"]
    documented = [e for e in recorded if e["provenance"]["source"] == "documented"]

    pages = {example["page"]: example["body"] for example in published}
    assert set(pages) == {e["provenance"]["page"] for e in documented}
    for exchange in documented:
        assert pages[exchange["provenance"]["page"]] == exchange["response"]["body"]
    assert "2020-05-11T25:11:07Z" in json.dumps(documented)


def test_a_recording_of_a_notebook_that_fails_is_not_kept(recordings: Path) -> None:
    """The sandbox cannot be reached from a test, so the run fails in its first request."""
    before = (recordings / "00_start_here.json").read_text()
    result = loyalty(
        "record",
        "00_start_here",
        "--environment",
        "sandbox",
        LOYALTY_RECORDINGS=str(recordings),
        SQUARE_ACCESS_TOKEN="not-a-token",
    )

    assert result.returncode == 1
    assert "is unchanged" in result.stderr
    assert before == (recordings / "00_start_here.json").read_text()


def test_missing_examples_are_told_before_anything_is_recorded(recordings: Path) -> None:
    (recordings / "documented.json").unlink()
    result = loyalty("record", "00_start_here", LOYALTY_RECORDINGS=str(recordings))

    assert "published examples" in result.stderr
    assert (RECORDINGS / "00_start_here.json").read_text() == (
        recordings / "00_start_here.json"
    ).read_text()


def test_drift_finds_none_on_the_emulator_that_was_recorded() -> None:
    result = loyalty("drift", "02_adjust_points")

    assert result.returncode == 0, result.stdout
    told = "02_adjust_points: 0 of 11 answers differ from the recording, environment local\n"
    assert result.stdout == told


def test_drift_names_the_field_and_both_values(recordings: Path) -> None:
    changed = recordings / "03_retrieve_account.json"
    changed.write_text(changed.read_text().replace('"balance": 0', '"balance": 5'))
    result = loyalty("drift", "03_retrieve_account", LOYALTY_RECORDINGS=str(recordings))

    assert result.returncode == 1
    assert "body.loyalty_account.balance: recorded 5, found 0" in result.stdout


def test_a_corrupt_recording_is_refused_with_the_way_out(recordings: Path) -> None:
    (recordings / "03_retrieve_account.json").write_text("{")
    result = loyalty("drift", "03_retrieve_account", LOYALTY_RECORDINGS=str(recordings))

    assert result.returncode == 2
    assert "loyalty record 03_retrieve_account" in result.stderr


@contextmanager
def serving(file: Path, *options: str) -> Iterator[str]:
    arguments = ["emulator", "serve", "--db", str(file), "--token", "tok-1", *options]
    with subprocess.Popen([COMMAND, *arguments], stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        yield re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", line)[1]
        process.terminate()
        assert process.wait(20) == 0


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    with serving(tmp_path / "s.sqlite3") as url:
        yield url


def enrolled(url: str) -> dict[str, Any]:
    account = {
        "program_id": "93afe66e-3a14-4be6-8d50-02755example",
        "mapping": {"phone_number": "+14155550188"},
    }
    body = {"idempotency_key": "k", "loyalty_account": account}
    headers = {"Authorization": "Bearer tok-1"}
    answer = httpx.post(f"{url}/v2/loyalty/accounts", json=body, headers=headers, trust_env=False)
    return answer.json()["loyalty_account"]


def test_served_emulator_repeats_itself_with_a_seed_and_a_time(tmp_path: Path) -> None:
    accounts = []
    for name in ("one", "two"):
        with serving(tmp_path / name, "--seed", "7", "--now", "2026-11-01T10:00:00+01:00") as url:
            accounts.append(enrolled(url))

    assert accounts[0] == accounts[1]
    assert accounts[0]["created_at"] == "2026-11-01T09:00:00Z"


def test_a_time_that_cannot_be_is_refused() -> None:
    result = loyalty("emulator", "serve", "--now", "2026-11-01T25:00:00Z")

    assert result.returncode == 2
    assert "--now" in result.stderr


def test_served_emulator_fails_on_purpose(tmp_path: Path) -> None:
    fault = "503:path=/locations,next=1,retry-after=3"
    with serving(tmp_path / "s.sqlite3", "--fault", fault, "--fault", "drop:path=/adjust") as url:
        answers = [httpx.get(f"{url}/v2/locations", trust_env=False) for _ in range(2)]

        assert [503, 401] == [answer.status_code for answer in answers]
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(f"{url}/v2/loyalty/accounts/a/adjust", trust_env=False)


@pytest.mark.parametrize(
    ("name", "accrual"), [("walkthrough-1", "SPEND"), ("walkthrough-2", "ITEM_VARIATION")]
)
def test_served_program_is_that_of_a_walkthrough(tmp_path: Path, name: str, accrual: str) -> None:
    with serving(tmp_path / "s.sqlite3", "--program", name) as url:
        headers = {"Authorization": "Bearer tok-1"}
        answer = httpx.get(f"{url}/v2/loyalty/programs/main", headers=headers, trust_env=False)

    assert [accrual] == [rule["accrual_type"] for rule in answer.json()["program"]["accrual_rules"]]


def test_a_fault_that_cannot_be_is_refused() -> None:
    result = loyalty("emulator", "serve", "--fault", "drop:sometimes=1")

    assert result.returncode == 2
    assert "--fault drop:sometimes=1: no option 'sometimes': there are path, next" in result.stderr


def test_served_emulator_prints_its_address_and_checks_its_token(served: str) -> None:
    url = f"{served}/v2/loyalty/accounts/{WALKTHROUGH}"
    good = httpx.get(url, headers={"Authorization": "Bearer tok-1"}, trust_env=False)
    bad = httpx.get(url, headers={"Authorization": "Bearer local-token"}, trust_env=False)

    assert (200, 401) == (good.status_code, bad.status_code)
    assert bad.json()["errors"][0]["code"] == "UNAUTHORIZED"


def test_local_can_be_pointed_at_a_served_emulator(
    served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOYALTY_EMULATOR_URL", served)
    monkeypatch.setenv("LOYALTY_EMULATOR_TOKEN", "tok-1")
    with connect("local") as client:
        assert client.retrieve_account(WALKTHROUGH).balance == 0


def test_a_busy_port_is_a_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = loyalty("emulator", "serve", "--port", port)

    assert result.returncode == 2
    assert f"Port {port} on 127.0.0.1 is in use" in result.stderr


def test_a_token_of_square_is_not_given_to_the_emulator() -> None:
    token = "EAAA" + "canary"
    result = loyalty("emulator", "serve", "--token", token)

    assert result.returncode == 2
    assert token not in result.stderr


def test_reset_puts_the_made_up_buyers_back() -> None:
    with connect("local") as client:
        client.adjust_points(WALKTHROUGH, 5, idempotency_key="k")
    result = loyalty("emulator", "reset")

    assert result.returncode == 0
    with connect("local") as client:
        assert client.retrieve_account(WALKTHROUGH).balance == 0
        assert list(client.search_events(account_id=WALKTHROUGH)) == []


def test_a_file_that_is_no_emulators_is_refused() -> None:
    Path("other.db").write_text("this is not a database, and longer than its header would be")
    result = loyalty("emulator", "reset", "--db", "other.db")

    assert result.returncode == 2
    assert "other.db" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_emulators_file_is_for_its_owner_only() -> None:
    loyalty("emulator", "reset")

    [file] = Path(os.environ["LOYALTY_HOME"]).glob("*.sqlite3")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--assume", "zero_adjust_allowd=true", "but 'zero_adjust_allowed'"),
        ("--assume", "zero_adjust_allowed=maybe", "is true or false"),
        ("--assume", "inactive_program_status=teapot", "400 or 403"),
        ("--program", "mine", "is not one of"),
    ],
)
def test_a_rule_or_program_that_does_not_exist_is_refused(
    option: str, value: str, told: str
) -> None:
    result = loyalty("emulator", "serve", option, value)

    assert 2 == result.returncode
    assert told in result.stderr


def test_a_served_emulator_goes_by_the_rules_that_were_asked_for(tmp_path: Path) -> None:
    options = ["--assume", "zero_adjust_allowed=true", "--program", "walkthrough-1"]
    with serving(tmp_path / "s.sqlite3", *options) as url:
        settings = Settings(loyalty_emulator_url=url, loyalty_emulator_token="tok-1")
        client = connect("local", settings=settings)
        body = {"idempotency_key": "k", "adjust_points": {"points": 0}}
        path = f"/v2/loyalty/accounts/{ACCOUNT_ID}/adjust"

        assert 0 == client.request("POST", path, body).answer["event"]["adjust_points"]["points"]
        assert ["10% off"] == [tier.name for tier in client.retrieve_program().reward_tiers]
        client.close()
