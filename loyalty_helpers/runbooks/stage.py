"""The rows of a plan in the making, in a table on disk: any number takes the same memory."""

import sqlite3
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from loyalty_helpers.checks import LARGEST_POINTS, yes_or_no
from loyalty_helpers.client import LoyaltyClient
from loyalty_helpers.models import LoyaltyAccount
from loyalty_helpers.queries import PER_SEARCH
from loyalty_helpers.redaction import mask_phone
from loyalty_helpers.runbooks.batches import batches
from loyalty_helpers.runbooks.guards import Place
from loyalty_helpers.runbooks.look_ups import HINTS, LOOK_UPS
from loyalty_helpers.runbooks.plan import Header, PlanRow
from loyalty_helpers.runbooks.problems import Problems
from loyalty_helpers.runbooks.row_checks import Problem, SheetRow

LOOKUPS_AT_ONCE = 8
ROWS_AT_ONCE = 1_000
MAX_ROWS = 100_000

_TABLES = """
CREATE TABLE row (
    n INTEGER PRIMARY KEY, line INTEGER, row_id TEXT, own_id INTEGER, kind TEXT, value TEXT,
    also_phone TEXT, points INTEGER, reason TEXT, undoes TEXT
);
CREATE TABLE found (kind TEXT, value TEXT, account_id TEXT, PRIMARY KEY (kind, value, account_id))
WITHOUT ROWID;
CREATE TABLE account (id TEXT PRIMARY KEY, customer_id TEXT, phone TEXT, balance INTEGER)
WITHOUT ROWID;
"""
# The rows with their accounts, and with the balance as it is after the rows before them.
_RESOLVED = """
SELECT n, line, row_id, id, customer_id, phone, points, reason, undoes,
    balance + coalesce(sum(points) OVER earlier, 0) AS before
FROM row JOIN found USING (kind, value) JOIN account ON id = account_id
WINDOW earlier AS (
    PARTITION BY id ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
)
ORDER BY n
"""


@dataclass(frozen=True)
class Intent:
    """What a plan is made for.

    Attributes:
        runbook: the notebook that plans and applies.
        run_id: the name of the intent.
        source: the file's name, or the run that is undone.
        allow_negative_balance: let balances fall below 0.
        expected_balance: what each account must hold now; None if anything will do.
        show_phone_numbers: keep them readable in the plan and in the reports.
        max_rows: the most rows that a plan may have.
    """

    runbook: str
    run_id: str
    source: str = ""
    allow_negative_balance: bool = False
    expected_balance: int | None = None
    show_phone_numbers: bool = False
    max_rows: int = MAX_ROWS

    def __post_init__(self) -> None:
        """A notebook may be given texts, and the text `false` would be true."""
        for name in ("allow_negative_balance", "show_phone_numbers"):
            object.__setattr__(self, name, yes_or_no(getattr(self, name), name))


class Stage:
    """The rows of a plan in the making."""

    def __init__(self, database: sqlite3.Connection, problems: Problems, intent: Intent) -> None:
        self._db, self._problems, self._intent = database, problems, intent
        database.executescript(_TABLES)

    def fill(self, rows: Iterable[SheetRow | Problem]) -> None:
        """Take the rows in, and judge what takes all of them."""
        count = 0
        for batch in batches(rows, ROWS_AT_ONCE):
            for problem in (item for item in batch if isinstance(item, Problem)):
                self._problems.add(problem)
            good = [item for item in batch if isinstance(item, SheetRow)]
            numbered = enumerate(good, count + 1)
            count += len(good)
            self._db.executemany(
                "INSERT INTO row VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (_staged(n, row) for n, row in numbered),
            )
        if count > self._intent.max_rows:
            self._tell(0, "", f"{count} rows", f"up to max_rows ({self._intent.max_rows})")
        self._tell_doubles()

    def _tell(self, line: int, column: str, found: str, allowed: str) -> None:
        self._problems.add(Problem(line, column, found, allowed))

    def _tell_doubles(self) -> None:
        twice = "SELECT max(line), row_id FROM row GROUP BY row_id HAVING count(*) > 1"
        for line, row_id in self._db.execute(twice):
            self._tell(line, "row_id", f"{row_id!r} again", "each row_id once")
        same = (
            "SELECT max(line), min(line) FROM row WHERE NOT own_id"
            " GROUP BY kind, value, points, reason, undoes HAVING count(*) > 1"
        )
        for line, first in self._db.execute(same):
            allowed = "each row once; if both are meant, give them a row_id of their own"
            self._tell(line, "", f"the same as line {first}", allowed)

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

    # Judgement

    def judge(self) -> None:
        """Tell what only the accounts can show."""
        self._tell_missing()
        self._tell_disagreeing()
        if self._problems.any:  # a balance means nothing while accounts are not clear
            return
        for row in self.rows():
            self._judge_balance(row)

    def _tell_missing(self) -> None:
        query = (
            "SELECT line, kind, value, count(account_id) AS accounts FROM row"
            " LEFT JOIN found USING (kind, value) GROUP BY n HAVING accounts != 1"
        )
        for line, kind, value, accounts in self._db.execute(query):
            shown = mask_phone(value) if kind == "phone_number" else value
            told = f"{accounts or 'no'} loyalty account{'s' * (accounts != 1)} with it"
            hint = "name one of them by account_id" if accounts else HINTS[kind]
            self._tell(line, kind, f"{shown}: {told}", f"exactly one account; {hint}")

    def _tell_disagreeing(self) -> None:
        query = (
            "SELECT line, kind FROM row JOIN found USING (kind, value) WHERE also_phone != ''"
            " AND account_id NOT IN"
            " (SELECT account_id FROM found AS p WHERE p.kind = 'phone_number'"
            " AND p.value = also_phone)"
        )
        for line, kind in self._db.execute(query):
            allowed = f"a phone number and a {kind} of the same account, or only one of them"
            self._tell(line, "phone_number", f"it is not that of the {kind}", allowed)

    def _judge_balance(self, row: PlanRow) -> None:
        intent, change = self._intent, f"balance {row.before}, change {row.points:+d}"
        if row.points < 0 > row.after and not intent.allow_negative_balance:
            allowed = "a balance of 0 or more, unless allow_negative_balance is true"
            self._tell(self._line(row), "points", f"{change} makes {row.after}", allowed)
        if abs(row.after) > LARGEST_POINTS:
            self._tell(self._line(row), "points", change, "a balance of 32 bits")
        expected = intent.expected_balance
        if expected is not None and row.before != expected:
            found = f"the balance is {row.before}"
            allowed = f"expected_balance {expected}: look why it is another, then correct it"
            self._tell(self._line(row), "expected_balance", found, allowed)

    def _line(self, row: PlanRow) -> int:
        found = self._db.execute("SELECT line FROM row WHERE n = ?", (row.n,)).fetchone()
        return int(found[0])

    # What goes into the plan

    def rows(self) -> Iterator[PlanRow]:
        """The rows with their accounts and balances."""
        for (
            n,
            _,
            row_id,
            account_id,
            customer,
            phone,
            points,
            reason,
            undoes,
            before,
        ) in self._db.execute(_RESOLVED):
            yield PlanRow(
                n=n,
                row_id=row_id,
                account_id=account_id,
                customer_id=customer,
                phone=phone,
                points=points,
                reason=reason,
                before=before,
                after=before + points,
                undoes=undoes,
            )

    def header(self, place: Place, ledger_since: datetime | None) -> Header:
        """What stands above the rows."""
        rows, added, taken = self._db.execute(
            "SELECT count(*), coalesce(sum(max(points, 0)), 0), coalesce(sum(min(points, 0)), 0)"
            " FROM row"
        ).fetchone()
        accounts = self._db.execute(
            "SELECT count(DISTINCT account_id) FROM row JOIN found USING (kind, value)"
        ).fetchone()[0]
        return Header(
            runbook=self._intent.runbook,
            environment=place.environment,
            merchant_id=place.merchant_id,
            program_id=place.program_id,
            run_id=self._intent.run_id,
            allow_negative_balance=self._intent.allow_negative_balance,
            rows=rows,
            accounts=accounts,
            added=added,
            taken=taken,
            ledger_since=ledger_since,
            source=self._intent.source,
        )


def _staged(n: int, row: SheetRow) -> tuple[object, ...]:
    """A row by what names its account best: the account's id, the customer's, the phone."""
    kinds = ("account_id", "customer_id", "phone_number")
    kind = next(kind for kind in kinds if getattr(row, kind))
    also_phone = row.phone_number if kind != "phone_number" else ""
    what = (row.points, row.reason, row.undoes)
    own_id = row.row_id != ""
    return (n, row.line, row.row_id or str(n), own_id, kind, getattr(row, kind), also_phone, *what)
