"""Whatever is opened has an owner who closes it, on the ways of failure too.

Besides, `conftest.py` fails a test that leaves a connection to SQLite to nobody, on every Python.
"""

import gc
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from loyalty_helpers.emulator import Emulator, EmulatorFileError, serve
from loyalty_helpers.emulator.database import Database
from loyalty_helpers.errors import JournalError
from loyalty_helpers.runbooks.apply.journal import JOURNAL, Journal


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """Every connection that is made during the test."""
    made: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def kept(*args, **options) -> sqlite3.Connection:
        made.append(connect(*args, **options))
        return made[-1]

    monkeypatch.setattr(sqlite3, "connect", kept)
    return made


def still_open(connections: list[sqlite3.Connection]) -> Iterator[sqlite3.Connection]:
    for connection in connections:
        try:
            connection.execute("SELECT 1")
        except sqlite3.ProgrammingError:
            continue
        yield connection


def build(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE kept (id INTEGER)")


def test_a_connection_that_nobody_closes_is_told_on_every_python(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "file").execute("SELECT 1")
    with pytest.warns(ResourceWarning, match="unclosed database"):
        gc.collect()  # it is in a cycle of its own


def test_a_damaged_journal_that_is_looked_at_is_closed(tmp_path: Path, opened) -> None:
    (tmp_path / JOURNAL).write_bytes(b"no database " * 100)
    with pytest.raises(JournalError, match="is damaged"):
        Journal.look(tmp_path)

    assert len(opened) == 1
    assert not list(still_open(opened))


@pytest.mark.parametrize("content", [b"no database " * 100, b"SQLite format 3\0" + b"\xff" * 2000])
def test_an_emulators_file_that_is_refused_is_closed(tmp_path: Path, opened, content) -> None:
    (tmp_path / "world.db").write_bytes(content)
    with pytest.raises(EmulatorFileError):
        Database.open(tmp_path / "world.db", build)

    assert len(opened) == 1
    assert not list(still_open(opened))


@pytest.mark.parametrize("trouble", [KeyboardInterrupt, ValueError])
def test_an_emulators_file_that_is_not_made_to_its_end_is_closed(
    tmp_path: Path, opened, trouble
) -> None:
    def stopped(_connection: sqlite3.Connection) -> None:
        raise trouble

    with pytest.raises(trouble):
        Database.open(tmp_path / "world.db", stopped)

    assert opened
    assert not list(still_open(opened))


def test_an_emulator_whose_program_cannot_be_kept_is_closed(tmp_path: Path, opened) -> None:
    with pytest.raises(KeyError):
        Emulator.open(tmp_path / "world.db", program={"no": "program"})

    assert opened
    assert not list(still_open(opened))


def test_a_connection_that_is_lent_while_the_file_is_closed_is_closed_when_it_comes_back(
    tmp_path: Path, opened
) -> None:
    database = Database.open(tmp_path / "world.db", build)
    with database.reading() as connection:
        database.close()
        assert [connection] == list(still_open(opened))

    assert not list(still_open(opened))


def test_a_server_that_nobody_could_be_told_of_lets_go_of_its_port(tmp_path: Path) -> None:
    urls = []

    def gone(url: str) -> None:
        urls.append(url)
        raise BrokenPipeError(url)

    with Emulator.open(tmp_path / "world.db") as emulator:
        with pytest.raises(BrokenPipeError):
            serve(emulator, on_ready=gone)
        port = int(urls[0].rpartition(":")[2])
        again = threading.Event()
        with pytest.raises(BrokenPipeError):
            serve(emulator, port, on_ready=lambda url: (again.set(), gone(url)))

    assert again.is_set()
