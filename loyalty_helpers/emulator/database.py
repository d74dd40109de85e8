"""The SQLite file: made once, checked at open, shared by threads and processes.

Write-ahead log with synchronous=NORMAL: what was acknowledged survives a killed process;
a loss of power may cost the last commits, never the file's soundness.
"""

import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

APPLICATION_ID: Final = 0x4C4F5941  # "LOYA"
FORMAT: Final = 2
BUSY_SECONDS: Final = 5.0

_SMALLEST_DATABASE: Final = 512
_NO_DATABASE: Final = "it is no SQLite database. Give another path"


class EmulatorFileError(Exception):
    """The emulator's file cannot be used; the text says what was found and what to do."""


class Database:
    """A checked file and a pool of connections to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # A free connection serves any thread: dying threads leave none behind.
        self._idle: deque[sqlite3.Connection] = deque()
        # Threads of this process queue here in turn; SQLite's own waiting sleeps and is unfair.
        self._write_turn = threading.Lock()
        self._closed = False

    @classmethod
    def open(cls, path: Path, build: Callable[[sqlite3.Connection], None]) -> "Database":
        """Open the file at `path`; when it is missing or empty, `build` makes its content."""
        database = cls(path.absolute())
        try:
            _touch(database._path)
            # Whose file it is comes first: switching on the log would change a stranger's file.
            with database.reading() as connection:
                _is_ours(connection)
                _switch_log_on(connection)
            with database.writing() as connection:
                if not _is_ours(connection):
                    build(connection)
                # Written each time: nothing but a write finds out that the file is read-only.
                connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version={FORMAT}")
        except BaseException as error:
            database.close()
            if not isinstance(error, (OSError, sqlite3.Error, EmulatorFileError)):
                raise
            raise _told(database._path, error) from error
        return database

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection for reading; no lock is taken."""
        if self._closed:
            raise sqlite3.ProgrammingError("the emulator is closed")
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = _connect(self._path)
        try:
            yield connection
        finally:
            self._idle.append(connection)
            if self._closed:  # asked last, so that none comes after the closing unseen
                self.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection inside one write transaction: all of it is kept, or none."""
        if not self._write_turn.acquire(timeout=BUSY_SECONDS):
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        try:
            with self.reading() as connection, connection:  # it commits, or rolls back
                connection.execute("BEGIN IMMEDIATE")
                yield connection
        finally:
            self._write_turn.release()

    def close(self) -> None:
        """Close every idle connection; those in use are closed when they are given back."""
        self._closed = True
        with suppress(IndexError):  # not "while there are some": two threads may be at it
            while True:
                self._idle.popleft().close()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA synchronous=NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _switch_log_on(connection: sqlite3.Connection) -> None:
    """Write-ahead log on; SQLite itself does not wait while others switch it on at this moment."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # whatever else it says
            if not busy or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _touch(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.is_dir():
        raise EmulatorFileError("it is a folder. Give the path of a file")
    # SQLite takes a file of a few bytes for an empty one and would overwrite it. The size is
    # asked of the folder: closing the file here would drop the locks of this process.
    if path.exists() and 0 < path.stat().st_size < _SMALLEST_DATABASE:
        raise EmulatorFileError(_NO_DATABASE)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _is_ours(connection: sqlite3.Connection) -> bool:
    """Tell whether the content is there; False for an empty file, raise for another's."""
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if (owner, version, tables) == (0, 0, 0):
        return False
    if owner != APPLICATION_ID:
        raise EmulatorFileError("it is another application's database. Give another path")
    if version != FORMAT:
        age = "newer" if version > FORMAT else "older"
        raise EmulatorFileError(
            f"its format is {version}, {age} than format {FORMAT} of this version. "
            "Use the version that made it, or give another path for a fresh world"
        )
    return True


def _told(path: Path, error: Exception) -> EmulatorFileError:
    code = getattr(error, "sqlite_errorcode", None)
    advice = {
        sqlite3.SQLITE_NOTADB: _NO_DATABASE,
        sqlite3.SQLITE_READONLY: "it is read-only. Make it writable, or give another path",
        sqlite3.SQLITE_BUSY: "another process keeps it locked. Wait for it, or stop it",
        sqlite3.SQLITE_FULL: "the disk is full. Free some space",
    }.get(code & 0xFF if code else 0, f"{error}. Check the path and its permissions")
    text = str(error) if isinstance(error, EmulatorFileError) else advice
    return EmulatorFileError(f"Cannot use {path} as the emulator's file: {text}.")
