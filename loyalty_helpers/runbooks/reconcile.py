"""Reconcile: does each balance come out of its events, and who adjusted what, and when.

Everything that is read goes through a table on disk, so that a seller of any size takes the same
memory. Nothing is written to Square.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from loyalty_helpers.api import ACCOUNTS_PER_PAGE, MARKER, LoyaltyClient
from loyalty_helpers.errors import NotFoundError
from loyalty_helpers.plain import plain
from loyalty_helpers.records import ImpossibleTime, LoyaltyAccount, LoyaltyEvent
from loyalty_helpers.redaction import mask_reason
from loyalty_helpers.runbooks.apply.progress import Reading
from loyalty_helpers.runbooks.csv_files import write_csv
from loyalty_helpers.runbooks.ledger import READINGS, all_events, over_again

DIFFERENCES = "differences.csv"
ADJUSTMENTS = "adjustments.csv"
NOT_SETTLED = "not_settled.csv"
MOST_READ_AGAIN = 1_000  # accounts that are read once more, one by one
DIFFERENCE_COLUMNS = (
    *("account_id", "phone_number", "balance", "events_make", "difference"),
    *("lifetime_points", "events_raise"),
)
ADJUSTMENT_COLUMNS = ("day", "source", "reason", "adjustments", "points_added", "points_taken")
RAISING = ("ACCUMULATE_POINTS", "ACCUMULATE_PROMOTION_POINTS", "ADJUST_POINTS")

_TABLES = """
CREATE TABLE account (
    id TEXT PRIMARY KEY, phone TEXT NOT NULL, balance INTEGER NOT NULL, lifetime INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE event (
    id TEXT PRIMARY KEY, account_id TEXT NOT NULL, points INTEGER NOT NULL,
    raises INTEGER NOT NULL, source TEXT, reason TEXT, day TEXT
) WITHOUT ROWID;
CREATE TABLE total (account_id TEXT PRIMARY KEY, points INTEGER, raises INTEGER) WITHOUT ROWID;
CREATE TABLE unsettled (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE VIEW book AS
    SELECT id, phone, balance, coalesce(points, 0) AS made, balance - coalesce(points, 0) AS apart,
        lifetime, coalesce(raises, 0) AS raised
    FROM account LEFT JOIN total ON account_id = id
    WHERE id NOT IN (SELECT id FROM unsettled);
CREATE VIEW gone AS
    SELECT account_id FROM total WHERE account_id NOT IN (SELECT id FROM account)
    AND account_id NOT IN (SELECT id FROM unsettled);
"""
_GROUPED = """
SELECT {by}, count(*), sum(max(points, 0)), -sum(min(points, 0))
FROM event WHERE day BETWEEN ? AND ? GROUP BY {by} ORDER BY {order}
"""


class Difference(NamedTuple):
    """An account whose balance, or whose lifetime points, are not what its events make."""

    account_id: str
    phone_number: str
    balance: int
    events_make: int
    difference: int
    lifetime_points: int
    events_raise: int


class Group(NamedTuple):
    """Adjustments that share a source, a reason or a day; points without a sign."""

    name: str
    adjustments: int
    added: int
    taken: int


class Period(NamedTuple):
    """Days in UTC: from the first to before the last; None has no border."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, moment: datetime | ImpossibleTime) -> bool:
        """Whether an event belongs here; one whose time cannot exist only where all do."""
        if isinstance(moment, ImpossibleTime):
            return self == (None, None)
        after_start = self.start is None or moment >= self.start
        return after_start and (self.end is None or moment < self.end)


class Books:
    """What was read of accounts and events, on disk as soon as it grows; gone when closed.

    Args:
        period: of the adjustments that are grouped; balances need all events.
        show_phone_numbers: keep them readable.
    """

    def __init__(self, period: Period, *, show_phone_numbers: bool = False) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_TABLES)
        self._period, self._shown = period, show_phone_numbers

    def close(self) -> None:
        """Forget everything."""
        self._db.close()

    def put_accounts(self, accounts: Iterable[LoyaltyAccount]) -> None:
        """Keep accounts as they are now; those that were there before are taken anew."""
        rows = ((a.id, self._phone(a), a.balance, a.lifetime_points) for a in accounts)
        self._put("INSERT OR REPLACE INTO account VALUES (?, ?, ?, ?)", rows)

    def put_events(self, events: Iterable[LoyaltyEvent]) -> None:
        """Keep events; one that comes twice is kept once."""
        statement = "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?, ?)"
        self._put(statement, map(self._event, events))

    def _put(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        self._db.execute("BEGIN")
        self._db.executemany(statement, rows)
        self._db.execute("COMMIT")

    def _phone(self, account: LoyaltyAccount) -> str:
        number = account.mapping.phone_number if account.mapping else None
        return (number or "") if self._shown else account.masked_phone_number

    def _event(self, event: LoyaltyEvent) -> tuple[object, ...]:
        raises = max(event.points, 0) if event.type in RAISING else 0
        counted = event.type == "ADJUST_POINTS" and self._period.holds(event.created_at)
        reason = plain(mask_reason(MARKER.sub("", event.reason).rstrip()))
        grouped = (plain(event.source), reason, _day(event)) if counted else (None, None, None)
        return (event.id, event.loyalty_account_id, event.points, raises, *grouped)

    def add_up(self) -> None:
        """Sum the events of each account, as they are now."""
        self._db.execute("DELETE FROM total")
        self._db.execute(
            "INSERT INTO total SELECT account_id, sum(points), sum(raises) FROM event"
            " GROUP BY account_id"
        )

    def count(self, table: str) -> int:
        """How many of these there are: `account`, `event`, or accounts `gone` or `unsettled`."""
        query = {
            "account": "SELECT count(*) FROM account",
            "event": "SELECT count(*) FROM event",
            "gone": "SELECT count(*) FROM gone",
            "unsettled": "SELECT count(*) FROM unsettled",
        }[table]
        return int(self._db.execute(query).fetchone()[0])

    def suspects(self, most: int) -> list[str]:
        """Accounts that differ, and those of events that belong to none that was read.

        Those beyond the first `most` are unsettled, and so neither right nor wrong.
        """
        query = (
            "SELECT id FROM book WHERE apart != 0 UNION SELECT * FROM gone"
            " ORDER BY id LIMIT ? OFFSET ?"
        )
        first = [one for (one,) in self._db.execute(query, (most, 0))]
        self._db.execute(f"INSERT INTO unsettled {query}", (-1, most))
        return first

    def unsettled(self) -> Iterator[str]:
        """Accounts of which nothing can be said."""
        return (found for (found,) in self._db.execute("SELECT id FROM unsettled ORDER BY id"))

    def forget(self, account_id: str) -> None:
        """The account is gone; its events stay."""
        self._db.execute("DELETE FROM account WHERE id = ?", (account_id,))

    def differences(self) -> Iterator[Difference]:
        """Accounts whose balance is not what their events make."""
        query = "SELECT * FROM book WHERE apart != 0 ORDER BY id"
        return map(Difference._make, self._db.execute(query))

    def amiss(self) -> Iterator[Difference]:
        """Those, and accounts with other lifetime points than the events that raise them make."""
        query = "SELECT * FROM book WHERE apart != 0 OR lifetime != raised ORDER BY id"
        return map(Difference._make, self._db.execute(query))

    def lifetimes_apart(self) -> int:
        """How many accounts have other lifetime points than the events that raise them make."""
        query = "SELECT count(*) FROM book WHERE lifetime != raised"
        return int(self._db.execute(query).fetchone()[0])

    def grouped(self, by: str, most: int, *, newest: bool = False) -> tuple[Group, ...]:
        """Adjustments by `source`, `reason` or `day`: the most frequent, or the newest, first."""
        order = f"{by} DESC" if newest else f"count(*) DESC, {by}"
        rows = self._db.execute(_GROUPED.format(by=by, order=order), ("", "~"))
        return tuple(map(Group._make, rows.fetchmany(most)))

    def adjustments(self) -> Iterator[tuple[object, ...]]:
        """Adjustments by day, source and reason, the oldest first."""
        by = "day, source, reason"
        return self._db.execute(_GROUPED.format(by=by, order=by), ("", "~"))


def read_all(client: LoyaltyClient, books: Books, reading: Reading) -> None:
    """Read all accounts, then all events in one walk.

    A search for each account would be one request an account at least; the walk is one for
    thirty events, whosever they are. What moves meanwhile looks like a difference: `read_again`
    settles it, account by account.
    """
    accounts = over_again(lambda: client.search_accounts(page_size=ACCOUNTS_PER_PAGE))
    books.put_accounts(reading.counted(accounts))
    books.put_events(reading.counted(all_events(client)))


def read_accounts(client: LoyaltyClient, books: Books, account_ids: Iterable[str]) -> list[str]:
    """Read some accounts, each with its events; returns the ids that do not exist."""
    missing = []
    for account_id in account_ids:
        try:
            _read_account(client, books, account_id)
        except NotFoundError:
            missing.append(account_id)
    return missing


def read_again(
    client: LoyaltyClient, books: Books, reading: Reading, wait: Callable[[], None]
) -> list[str]:
    """Read each account that differs once more, on its own, when its events must be visible.

    It may have moved or come while others were read, or an event of it cannot be found yet.
    That takes some requests an account, so there is an end to it. Returns those that do not exist.
    """
    books.add_up()
    suspects = books.suspects(MOST_READ_AGAIN)
    if not suspects:
        return []
    wait()
    gone = read_accounts(client, books, reading.one_by_one(suspects, len(suspects)))
    for account_id in gone:
        books.forget(account_id)
    books.add_up()
    return gone


def _read_account(client: LoyaltyClient, books: Books, account_id: str) -> None:
    """An account and its events that belong together: read again while the balance moves."""
    account = client.retrieve_account(account_id)
    for _ in range(READINGS):
        books.put_events(all_events(client, account_id=account_id))
        before, account = account, client.retrieve_account(account_id)
        if before.balance == account.balance:
            break
    books.put_accounts([account])


def write_books(folder: Path, books: Books) -> None:
    """differences.csv, adjustments.csv, and if it takes one not_settled.csv, into a folder."""
    write_csv(folder / DIFFERENCES, DIFFERENCE_COLUMNS, books.amiss())
    write_csv(folder / ADJUSTMENTS, ADJUSTMENT_COLUMNS, books.adjustments())
    (folder / NOT_SETTLED).unlink(missing_ok=True)
    if books.count("unsettled"):
        write_csv(folder / NOT_SETTLED, ("account_id",), ((one,) for one in books.unsettled()))


def open_books(period: Period, *, show_phone_numbers: bool) -> "closing[Books]":
    """Empty books that are closed at the end of a `with` block."""
    return closing(Books(period, show_phone_numbers=show_phone_numbers))


def _day(event: LoyaltyEvent) -> str:
    moment = event.created_at
    return "unknown" if isinstance(moment, ImpossibleTime) else f"{moment:%Y-%m-%d}"
