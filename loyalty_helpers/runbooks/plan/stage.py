"""The rows of a plan in the making, in a table on disk: any number takes the same memory."""

import sqlite3
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from loyalty_helpers.api import PER_SEARCH, LoyaltyClient, same_words, yes_or_no
from loyalty_helpers.records import LoyaltyAccount
from loyalty_helpers.redaction import mask_phone, mask_reason
from loyalty_helpers.runbooks.batches import batches
from loyalty_helpers.runbooks.identity import identity_of
from loyalty_helpers.runbooks.plan.document import Header, PlanRow
from loyalty_helpers.runbooks.plan.guards import Place
from loyalty_helpers.runbooks.plan.look_ups import LOOK_UPS
from loyalty_helpers.runbooks.plan.row_checks import SheetRow

LOOKUPS_AT_ONCE = 8
ROWS_AT_ONCE = 1_000
MAX_ROWS = 100_000

_TABLES = """
CREATE TABLE row (
    n INTEGER PRIMARY KEY, line INTEGER, row_id TEXT, own_id INTEGER, kind TEXT, value TEXT,
    also_phone TEXT, points INTEGER, reason TEXT, undoes TEXT, words TEXT, marker TEXT,
    applied TEXT NOT NULL DEFAULT '', repeats TEXT NOT NULL DEFAULT ''
);
CREATE TABLE found (kind TEXT, value TEXT, account_id TEXT, PRIMARY KEY (kind, value, account_id))
WITHOUT ROWID;
CREATE TABLE account (id TEXT PRIMARY KEY, customer_id TEXT, phone TEXT, balance INTEGER)
WITHOUT ROWID;
"""
# The rows with their accounts, and with the balance as it is after those before them are sent.
_RESOLVED = """
SELECT n, line, own_id, marker, row_id, id, customer_id, phone, points, reason, undoes,
    applied, repeats,
    balance + coalesce(sum(points * (applied = '' AND (? OR repeats = ''))) OVER (
        PARTITION BY id ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), 0) AS before
FROM row JOIN found USING (kind, value) JOIN account ON id = account_id
ORDER BY n
"""
# Rows that say the same as one before them, with that one's line and id.
_DOUBLES = """
SELECT n, first_line, first_id FROM (
    SELECT n, own_id, first_value(line) OVER same AS first_line,
        first_value(row_id) OVER same AS first_id, row_number() OVER same AS place
    FROM {rows} WHERE {which}
    WINDOW same AS (PARTITION BY {same} ORDER BY n)
) WHERE place > 1 ORDER BY n
"""
_WITH_ACCOUNTS = "row JOIN found USING (kind, value)"
_CONTENT = "points, words, undoes"


@dataclass(frozen=True)
class Intent:
    """What a plan is made for.

    Attributes:
        runbook: the notebook that plans and applies.
        run_id: the name of the intent.
        source: the file's name, or the run that is undone.
        source_sha256: of the file's bytes; empty where there is no file.
        allow_negative_balance: let balances fall below 0.
        allow_repeats: apply rows whose content the ledger holds already.
        allow_partial: leave out rows that cannot be planned, instead of making no plan.
        expected_balance: what each account must hold now; None if anything will do.
        show_phone_numbers: keep them readable in the plan and in the reports.
        max_rows: the most rows that a plan may have.
        expected_rows, expected_points: what the file must have; None if anything will do.
    """

    runbook: str
    run_id: str
    source: str = ""
    source_sha256: str = ""
    allow_negative_balance: bool = False
    allow_repeats: bool = False
    allow_partial: bool = False
    expected_balance: int | None = None
    show_phone_numbers: bool = False
    max_rows: int = MAX_ROWS
    expected_rows: int | None = None
    expected_points: int | None = None

    def __post_init__(self) -> None:
        """A notebook may be given texts, and the text `false` would be true."""
        words = ("allow_negative_balance", "allow_repeats", "allow_partial", "show_phone_numbers")
        for name in words:
            object.__setattr__(self, name, yes_or_no(getattr(self, name), name))


@dataclass(frozen=True, slots=True)
class Staged:
    """A row in the making.

    Attributes:
        line: of the file; 0 where there is none.
        row_id: as given; empty where it was made of the row's place.
        marker: that its event would carry.
        row: as it would be planned.
    """

    line: int
    row_id: str
    marker: str
    row: PlanRow


class Stage:
    """The rows of a plan in the making.

    Args:
        database: temporary, on disk as soon as it grows.
        place: where the plan is for.
        intent: what for.
    """

    def __init__(self, database: sqlite3.Connection, place: Place, intent: Intent) -> None:
        self._db, self._place, self._intent = database, place, intent
        self.count = 0
        database.executescript(_TABLES)

    def fill(self, rows: Iterable[SheetRow]) -> None:
        """Take the rows in, in their order."""
        for batch in batches(rows, ROWS_AT_ONCE):
            self._db.executemany(
                "INSERT INTO row (n, line, row_id, own_id, kind, value, also_phone, points,"
                " reason, undoes, words, marker) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (self._staged(n, row) for n, row in enumerate(batch, self.count + 1)),
            )
            self.count += len(batch)

    def _staged(self, n: int, row: SheetRow) -> tuple[object, ...]:
        """A row by what names its account best: the account's id, the customer's, the phone."""
        kinds = ("account_id", "customer_id", "phone_number")
        kind = next(kind for kind in kinds if getattr(row, kind))
        also_phone = row.phone_number if kind != "phone_number" else ""
        row_id, place = row.row_id or str(n), (self._place.environment, self._place.merchant_id)
        identity = identity_of(*place, self._intent.run_id, row_id, row.undoes)
        who = (n, row.line, row_id, row.row_id != "", kind, getattr(row, kind), also_phone)
        return (*who, row.points, row.reason, row.undoes, same_words(row.reason), identity.marker)

    # Accounts

    def resolve(self, client: LoyaltyClient) -> None:
        """Find the account of each row, with its balance."""
        with ThreadPoolExecutor(LOOKUPS_AT_ONCE) as pool:
            for kind, look_up in LOOK_UPS.items():
                values = self._values(kind)
                # As many at a time as threads: a pool would read all rows into memory at once.
                for batch in batches(batches(values, PER_SEARCH), LOOKUPS_AT_ONCE):
                    for found in pool.map(partial(look_up, client), batch):
                        self._keep(kind, found)

    def _values(self, kind: str) -> Iterator[str]:
        query = (
            "SELECT value FROM row WHERE kind = ? UNION"
            " SELECT also_phone FROM row WHERE ? = 'phone_number' AND also_phone != ''"
        )
        # By a cursor of its own, on rows that nothing changes meanwhile.
        return (value for (value,) in self._db.execute(query, (kind, kind)))

    def _keep(self, kind: str, found: list[tuple[str, LoyaltyAccount]]) -> None:
        for value, account in found:
            self._db.execute(
                "INSERT OR IGNORE INTO found VALUES (?, ?, ?)", (kind, value, account.id)
            )
            self._db.execute(
                "INSERT OR REPLACE INTO account VALUES (?, ?, ?, ?)",
                (account.id, account.customer_id or "", self._phone(account), account.balance),
            )

    def _phone(self, account: LoyaltyAccount) -> str:
        number = (account.mapping and account.mapping.phone_number) or ""
        return number if self._intent.show_phone_numbers or not number else mask_phone(number)

    # What the judgement asks for; each gives rows by their place

    def doubled_ids(self) -> Iterator[tuple[int, int, str]]:
        """Rows whose id another has before them, and that one's line and id."""
        return self._doubles("row", "TRUE", "row_id")

    def doubled(self, *, by_account: bool) -> Iterator[tuple[int, int, str]]:
        """Rows that say the same as one before them, which has no excuse but an id of its own.

        Args:
            by_account: by the accounts that were found, else by what the file names.
        """
        rows, same = (_WITH_ACCOUNTS, "account_id") if by_account else ("row", "kind, value")
        yield from self._doubles(rows, "NOT own_id", f"{same}, {_CONTENT}")

    def doubled_undoings(self) -> Iterator[tuple[int, int, str]]:
        """Rows that undo an event which one before them undoes."""
        return self._doubles("row", "undoes != ''", "undoes")

    def _doubles(self, rows: str, which: str, same: str) -> Iterator[tuple[int, int, str]]:
        return self._db.execute(_DOUBLES.format(rows=rows, which=which, same=same))

    def missing(self) -> Iterator[tuple[int, str, str, int]]:
        """Rows without exactly one account: what was looked for, and how many were found."""
        query = (
            "SELECT n, kind, value, count(account_id) AS accounts FROM row"
            " LEFT JOIN found USING (kind, value) GROUP BY n HAVING accounts != 1"
        )
        for n, kind, value, accounts in self._db.execute(query):
            yield n, kind, mask_phone(value) if kind == "phone_number" else value, accounts

    def disagreeing(self) -> Iterator[tuple[int, str]]:
        """Rows whose phone number belongs to another account than their id, with that id's name."""
        return self._db.execute(
            "SELECT n, kind FROM row JOIN found USING (kind, value) WHERE also_phone != ''"
            " AND account_id NOT IN"
            " (SELECT account_id FROM found AS p WHERE p.kind = 'phone_number'"
            " AND p.value = also_phone)"
        )

    def points(self) -> int:
        """What all rows add up to, with their signs."""
        return int(self._db.execute("SELECT coalesce(sum(points), 0) FROM row").fetchone()[0])

    def named(self, n: int) -> tuple[int, str]:
        """How people find a row: its line, and its id if it was given one."""
        query = "SELECT line, CASE WHEN own_id THEN row_id ELSE '' END FROM row WHERE n = ?"
        found: tuple[int, str] = self._db.execute(query, (n,)).fetchone()
        return found

    # What the judgement finds

    def are_held(self, held: Iterable[tuple[int, str, str]]) -> None:
        """Rows that the ledger holds: by their own mark, or their content from elsewhere."""
        query = "UPDATE row SET applied = ?, repeats = ? WHERE n = ?"
        self._db.executemany(query, ((applied, repeats, n) for n, applied, repeats in held))

    def leave_out(self, n: int) -> tuple[str, str, int, str, str]:
        """Take a row away; its id, account or buyer (masked), points, reason (masked), undoes."""
        query = "DELETE FROM row WHERE n = ? RETURNING row_id, value, points, reason, undoes"
        [(row_id, who, points, reason, undoes)] = self._db.execute(query, (n,)).fetchall()
        self.count -= 1
        return row_id, mask_reason(who), points, mask_reason(reason), undoes

    # What goes into the plan

    def accounts(self) -> list[str]:
        """The ids of all accounts that were found."""
        return [one for (one,) in self._db.execute("SELECT id FROM account ORDER BY id")]

    def staged(self) -> Iterator[Staged]:
        """The rows that have an account, in their order."""
        columns = ("row_id", "account_id", "customer_id", "phone", "points", "reason", "undoes")
        for n, line, own_id, marker, *rest in self._db.execute(
            _RESOLVED, (self._intent.allow_repeats,)
        ):
            *values, applied, repeats, before = rest
            sends = not applied and (self._intent.allow_repeats or not repeats)
            known = dict(zip(columns, values, strict=True))
            row = PlanRow(
                n=n,
                **known,
                before=before,
                after=before + known["points"] * sends,
                applied=applied,
                repeats=repeats,
            )
            yield Staged(line, row.row_id if own_id else "", marker, row)

    def header(self, ledger_since: datetime | None, left_out: int) -> Header:
        """What stands above the rows: those that are sent make the points."""
        sent = f"applied = '' AND ({int(self._intent.allow_repeats)} OR repeats = '')"
        rows, added, taken, applied, repeats = self._db.execute(
            f"SELECT count(*), coalesce(sum(max(points, 0)) FILTER (WHERE {sent}), 0),"  # noqa: S608 - no text from outside
            f" coalesce(sum(min(points, 0)) FILTER (WHERE {sent}), 0),"
            " count(*) FILTER (WHERE applied != ''), count(*) FILTER (WHERE repeats != '')"
            " FROM row"
        ).fetchone()
        query = f"SELECT count(DISTINCT account_id) FROM {_WITH_ACCOUNTS}"  # noqa: S608 - as above
        return Header(
            runbook=self._intent.runbook,
            environment=self._place.environment,
            merchant_id=self._place.merchant_id,
            program_id=self._place.program_id,
            run_id=self._intent.run_id,
            allow_negative_balance=self._intent.allow_negative_balance,
            rows=rows,
            accounts=self._db.execute(query).fetchone()[0],
            added=added,
            taken=taken,
            ledger_since=ledger_since,
            source=self._intent.source,
            source_sha256=self._intent.source_sha256,
            allow_repeats=self._intent.allow_repeats,
            applied=applied,
            repeats=repeats,
            left_out=left_out,
        )
