"""The file: how it is made, what is refused, and what several processes do to it."""

import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import loyalty_helpers.emulator
from loyalty_helpers.emulator import Emulator, EmulatorFileError
from loyalty_helpers.emulator.database import APPLICATION_ID, FORMAT
from tests.seed_world import ACCOUNT_ID

from .conftest import Api

ROOT = Path(loyalty_helpers.emulator.__file__).parents[2]


def run(script: str, *args: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", script, *map(str, args)]
    return subprocess.Popen(command, cwd=ROOT)


def test_file_and_folder_are_for_this_user_alone(tmp_path):
    path = tmp_path / "new" / "world.db"
    Emulator.open(path).close()

    assert stat.filemode(path.stat().st_mode) == "-rw-------"
    assert stat.filemode(path.parent.stat().st_mode) == "drwx------"


def test_state_is_kept_in_the_file(tmp_path):
    with Emulator.open(tmp_path / "w.db") as emulator:
        Api(emulator).adjust(12)
    with Emulator.open(tmp_path / "w.db") as emulator:
        assert Api(emulator).account()["balance"] == 12


def test_empty_file_gets_the_seed_world(tmp_path):
    (tmp_path / "w.db").touch()
    with Emulator.open(str(tmp_path / "w.db")) as emulator:
        assert Api(emulator).account()["balance"] == 0


@pytest.mark.parametrize("name", ["what is this?.db", "a#b%20c.db", "ümläut.db"])
def test_any_file_name_will_do(tmp_path, name):
    Emulator.open(tmp_path / name).close()

    assert (tmp_path / name).exists()


def database(path, *statements):
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_folder_is_refused(tmp_path):
    with pytest.raises(EmulatorFileError, match="it is a folder"):
        Emulator.open(tmp_path)


@pytest.mark.parametrize("content", [b"x", b"not a database " * 100])
def test_file_that_is_no_database_is_refused(tmp_path, content):
    (tmp_path / "w.db").write_bytes(content)

    with pytest.raises(EmulatorFileError, match="it is no SQLite database"):
        Emulator.open(tmp_path / "w.db")
    assert content == (tmp_path / "w.db").read_bytes()


def test_database_of_another_application_is_refused_and_untouched(tmp_path):
    database(tmp_path / "w.db", "CREATE TABLE theirs (a)")
    before = (tmp_path / "w.db").read_bytes()

    with pytest.raises(EmulatorFileError, match="another application's database"):
        Emulator.open(tmp_path / "w.db")
    assert before == (tmp_path / "w.db").read_bytes()


@pytest.mark.parametrize(("format_", "age"), [(FORMAT + 1, "newer"), (0, "older")])
def test_other_format_is_refused(tmp_path, format_, age):
    statements = (f"PRAGMA application_id={APPLICATION_ID}", f"PRAGMA user_version={format_}")
    database(tmp_path / "w.db", *statements, "CREATE TABLE t (a)")

    with pytest.raises(EmulatorFileError, match=f"its format is {format_}, {age}"):
        Emulator.open(tmp_path / "w.db")


def test_file_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    """The connection is made read-only, since permissions do not bind every user."""
    Emulator.open(tmp_path / "w.db").close()
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda name, **more: connect(name.replace("mode=rw", "mode=ro"), **more)
    )

    with pytest.raises(EmulatorFileError, match="it is read-only"):
        Emulator.open(tmp_path / "w.db")


def test_path_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(EmulatorFileError, match="Check the path"):
        Emulator.open(tmp_path / "file" / "w.db")


def test_message_names_the_file(tmp_path):
    with pytest.raises(EmulatorFileError, match=str(tmp_path)):
        Emulator.open(tmp_path)


def test_transaction_that_fails_leaves_nothing(api):
    before = api.all_events()

    def fail_half_way():
        with api.emulator._database.writing() as connection:
            connection.execute("DELETE FROM event")
            raise LookupError

    with pytest.raises(LookupError):
        fail_half_way()
    assert api.all_events() == before


def test_reset_goes_back_to_the_seed_world(api):
    before = api.accounts(limit=200).json(), api.all_events()
    api.adjust(12)
    api.create()
    api.emulator.reset()

    assert before == (api.accounts(limit=200).json(), api.all_events())


def test_reset_frees_all_keys(api):
    api.adjust(12)
    api.emulator.reset()

    assert api.adjust(13).status_code == 200


def test_reset_is_seen_by_others_that_have_the_file_open(api, tmp_path):
    with Emulator.open(tmp_path / "world-0.db") as other:
        Api(other).adjust(12)
        api.emulator.reset()

        assert Api(other).account()["balance"] == 0


def test_reset_while_others_write_leaves_a_sound_world(api):
    with ThreadPoolExecutor(4) as pool:
        writes = [pool.submit(api.adjust, 1, f"key {i}") for i in range(60)]
        api.emulator.reset()
    answers = [write.result().status_code for write in writes]

    events = api.all_events({"loyalty_account_filter": {"loyalty_account_id": ACCOUNT_ID}})
    assert {200} == set(answers)
    assert len(events) == api.account()["balance"]


OPEN = """
import sys
from loyalty_helpers.emulator import Emulator
Emulator.open(sys.argv[1]).close()
"""


def test_processes_that_make_the_file_at_once_make_it_once(tmp_path):
    processes = [run(OPEN, tmp_path / "w.db") for _ in range(6)]

    assert [process.wait(30) for process in processes] == [0] * 6
    with Emulator.open(tmp_path / "w.db") as emulator:
        assert Api(emulator).account()["balance"] == 0


WRITE = """
import sys, httpx
from loyalty_helpers.emulator import Emulator
path, account, name = sys.argv[1:]
client = httpx.Client(
    transport=httpx.WSGITransport(Emulator.open(path)),
    base_url="http://e", headers={"Authorization": "Bearer local-token"},
)
for i in range(100):
    body = {"idempotency_key": f"{name} {i}", "adjust_points": {"points": 1}}
    client.post(f"/v2/loyalty/accounts/{account}/adjust", json=body).raise_for_status()
"""


def test_processes_that_write_at_once_lose_nothing(api, tmp_path):
    path = tmp_path / "world-0.db"
    processes = [run(WRITE, path, ACCOUNT_ID, name) for name in "abc"]

    assert [process.wait(30) for process in processes] == [0] * 3
    assert api.account()["balance"] == 300
    found = api.all_events({"loyalty_account_filter": {"loyalty_account_id": ACCOUNT_ID}})
    assert len({event["id"] for event in found}) == 300


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM event WHERE account_id = 'a' ORDER BY created_at DESC, seq DESC",
        (
            "SELECT * FROM event WHERE account_id = 'a' AND (created_at, seq) < ('t', 1)"
            " ORDER BY created_at DESC, seq DESC"
        ),
        "SELECT * FROM event ORDER BY created_at DESC, seq DESC",
    ],
)
def test_events_are_found_in_order_without_sorting(api, tmp_path, query):
    connection = sqlite3.connect(tmp_path / "world-0.db")
    plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}"))
    connection.close()

    assert "INDEX event_" in plan
    assert "TEMP B-TREE" not in plan


def test_log_is_written_ahead_and_synced_at_checkpoints(api):
    with api.emulator._database.reading() as connection:
        modes = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous")
        ]

    assert modes == ["wal", 1]
