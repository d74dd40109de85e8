"""The file of a journal: its tables, how it is opened, who has it, and what its errors mean."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from loyalty_helpers.errors import JournalBusyError, JournalError
from loyalty_helpers.files import make_file
from loyalty_helpers.runbooks.apply.rows import OPEN, TEXTS, Code

OWNER = "journal.owner"
PATIENCE = 0.1  # seconds: who only looks at a journal is gone by then
FORMAT = 2  # 1 had the text of a note where its code and its detail are now

TABLES = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE account (
    id TEXT PRIMARY KEY, customer_id TEXT NOT NULL, planned INTEGER NOT NULL, found INTEGER
) WITHOUT ROWID;
CREATE TABLE row (
    n INTEGER PRIMARY KEY, row_id TEXT NOT NULL, account_id TEXT NOT NULL, phone TEXT NOT NULL,
    points INTEGER NOT NULL, reason TEXT NOT NULL, undoes TEXT NOT NULL,
    key TEXT NOT NULL, marker TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL DEFAULT 'PLANNED', attempts INTEGER NOT NULL DEFAULT 0,
    first_sent REAL, last_sent REAL,
    event_id TEXT NOT NULL DEFAULT '', event_at TEXT NOT NULL DEFAULT '',
    applied TEXT NOT NULL DEFAULT '',
    code TEXT NOT NULL DEFAULT '', detail TEXT NOT NULL DEFAULT ''
);
CREATE INDEX unfinished ON row (state, n) WHERE state IN {OPEN};
CREATE INDEX by_account ON row (account_id);
PRAGMA user_version = {FORMAT};
"""


def owned_by(folder: Path, pid: int) -> bool:
    """Whether this process is at work with the run in a folder, as far as the journal told."""
    try:
        return (folder / OWNER).read_text(encoding="utf-8").split()[0] == str(pid)
    except (OSError, IndexError):
        return False


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, made anew if there is none, so that a commit outlives a power cut."""
    make_file(path)
    return _connected(
        path,
        "PRAGMA locking_mode = EXCLUSIVE",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA synchronous = EXTRA",
        patience=PATIENCE,
    )


def begun(path: Path) -> bool:
    """Whether there is a journal: who is killed while making one leaves a file without tables."""
    if not path.is_file():
        return False
    with closing(_connected(path, "PRAGMA user_version")) as connection:
        return bool(format_of(connection))


def format_of(connection: sqlite3.Connection) -> int:
    """The format of a journal; 0 before its tables are made."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def connect_to_look(path: Path) -> sqlite3.Connection:
    """Open a file that is there, to read what it tells; one of an older format as a copy."""
    # Not read-only: what a killed process left half-written has to be rolled back.
    connection = _connected(path, "SELECT count(*) FROM meta")
    if format_of(connection) == FORMAT:
        return connection
    copy = sqlite3.connect(":memory:", isolation_level=None)
    with closing(connection):
        connection.executescript("BEGIN; SELECT count(*) FROM meta")  # nobody writes meanwhile
        connection.backup(copy)
    renew(copy)
    return copy


def renew(journal: sqlite3.Connection) -> None:
    """Give the journal of an older program, which wrote texts, the codes of today."""
    journal.execute("DROP TABLE IF EXISTS sighting")  # what verifying saw
    journal.execute("ALTER TABLE row RENAME COLUMN note TO detail")
    journal.execute("ALTER TABLE row ADD COLUMN code TEXT NOT NULL DEFAULT ''")
    for code, text in TEXTS.items():
        journal.execute(
            "UPDATE row SET code = ?, detail = substr(detail, ?)"
            " WHERE ? != '' AND substr(detail, 1, ?) = ?",
            (code, len(text) + 1, text, len(text), text),
        )
    journal.execute(
        "UPDATE row SET code = CASE state WHEN 'REVIEW' THEN ? ELSE ? END"
        " WHERE code = '' AND detail != ''",
        (Code.AMISS, Code.ANSWERED),
    )
    journal.execute(f"PRAGMA user_version = {FORMAT}")


def _connected(path: Path, *statements: str, patience: float = 0) -> sqlite3.Connection:
    """A connection for which these statements were carried out; none is left if one of them fails.

    The first of them is what finds out that a file is damaged, or another's.
    """
    connection = sqlite3.connect(path, isolation_level=None, timeout=patience)
    try:
        for statement in statements:
            connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turns what SQLite and the file system raise into a JournalError with the way out."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _explained(path, error) from None
    except OSError as error:
        raise JournalError(
            f"{path} cannot be written: {error.strerror}. Nothing more is sent."
        ) from None


def _explained(path: Path, error: sqlite3.DatabaseError) -> JournalError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_FULL) & 0xFF  # without its details
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        owner = path.with_name(OWNER)
        whose = owner.read_text(encoding="utf-8") if owner.is_file() else "unknown"
        return JournalBusyError(
            f"another process is at work with this run (process and time of its start: {whose}). "
            "Wait for its end; what it does is not done twice."
        )
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):
        return damaged(path, error)
    return JournalError(
        f"{path} cannot be written ({error}). Nothing more is sent; make room, then resume."
    )


def damaged(path: Path, why: object) -> JournalError:
    """The refusal of a journal that cannot be believed."""
    return JournalError(
        f"{path} is damaged ({why}). Move it away and run the same command again: it is made "
        "anew from the plan, and the ledger shows which rows were applied."
    )
