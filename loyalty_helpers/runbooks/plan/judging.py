"""Judges the rows of a plan in the making by what accounts and ledger show; tells every problem."""

from collections.abc import Callable, Hashable, Iterable, Iterator

from loyalty_helpers.api import LARGEST_POINTS, same_words
from loyalty_helpers.redaction import mask_phone, mask_reason
from loyalty_helpers.runbooks.identity import identity_of
from loyalty_helpers.runbooks.plan.found import Found, Holdings, content_of, name_of
from loyalty_helpers.runbooks.plan.guards import Intent, Place
from loyalty_helpers.runbooks.plan.rows import Problem, Row, shown_buyer

ONCE = "each row once; if both are meant, give them a row_id of their own"
HINTS = {
    "account_id": "check the id, and the environment",
    "customer_id": "check the id, and the environment",
    "phone_number": "a buyer whose profile has no phone number is found by customer_id only",
}
LEFT_OUT_COLUMNS = ("row_id", "account_id", "points", "reason", "undoes", "found", "allowed")
LeftOut = tuple[str, str, int, str, str, str, str]
Wrong = tuple[Row, str, str, str]  # a row, the column, what was found there, what is allowed


class Judge:
    """Every check that takes more than one row, or more than the file.

    Args:
        found: what shall be done, and problems that it has by itself.
        intent: what the plan is for.
        place: where.

    Attributes:
        rows: those of the plan, as far as they were judged.
        problems: all that is wrong with them.
        left_out: rows that were taken out instead, each with what was found and is allowed. Ids
            and points repair a row, and are whole; a phone number does not, and is masked.
    """

    def __init__(self, found: Iterable[Row | Problem], intent: Intent, place: Place) -> None:
        self._intent, self._place = intent, (place.environment, place.merchant_id)
        self.rows: list[Row] = []
        self.problems: list[Problem] = []
        self.left_out: list[LeftOut] = []
        for one in found:
            if isinstance(one, Problem):
                self.problems.append(one)
            else:
                self._take(one)

    def _take(self, row: Row) -> None:
        """Give a row its place, a name if it has none, and its marker."""
        self.rows.append(row)
        row.n, row.own_id = len(self.rows), row.row_id != ""
        row.row_id = row.row_id or str(row.n)
        row.marker = identity_of(*self._place, self._intent.run_id, row.row_id, row.undoes).marker

    def file(self) -> None:
        """What the rows show by themselves."""
        count, points, intent = len(self.rows), sum(row.points for row in self.rows), self._intent
        if count > intent.max_rows:
            self._tell_file(f"{count} rows", f"up to max_rows ({intent.max_rows})")
        if intent.expected_rows not in (None, count):
            self._tell_file(f"{count} rows", f"expected_rows ({intent.expected_rows})")
        if intent.expected_points not in (None, points):
            self._tell_file(f"{points:+d} points", f"expected_points ({intent.expected_points})")
        self.tell(
            (row, "row_id", f"{row.row_id!r} again", "each row_id once")
            for row, _ in _again(self.rows, lambda row: [row.row_id])
        )
        self.tell(
            (row, "undoes", f"the same event as {_place(first)}", "each event once")
            for row, first in _again(self.rows, lambda row: filter(None, [row.undoes]))
        )
        self._tell_doubled(lambda row: [name_of(row)])

    def accounts(self, found: Found) -> None:
        """What only the accounts show."""
        self.tell(_missing(self.rows, found))
        self.tell(_disagreeing(self.rows, found))
        self._tell_doubled(lambda row: [one.account_id for one in found[name_of(row)]])

    def settle(self, found: Found) -> None:
        """Give each row what it needs of the one account that it names."""
        for row in self.rows:
            [account] = found[name_of(row)]
            row.account_id, row.customer_id = account.account_id, account.customer_id
            row.before = account.balance
            shown = self._intent.show_phone_numbers or not account.phone_number
            row.phone = account.phone_number if shown else mask_phone(account.phone_number)

    def _tell_file(self, found: str, allowed: str) -> None:
        self.problems.append(Problem(0, "", found, allowed))

    def tell(self, wrong: Iterable[Wrong]) -> None:
        """Problems of rows; where the rest shall be planned, the rows are left out instead."""
        gone = set()
        for row, column, found, allowed in list(wrong):
            if self._intent.allow_partial:
                gone.add(row.n)
                who, reason = mask_reason(name_of(row)[1]), mask_reason(row.reason)
                left_out = (row.row_id, who, row.points, reason, row.undoes, found, allowed)
                self.left_out.append(left_out)
            else:
                row_id = row.row_id if row.own_id else ""
                buyer = shown_buyer(dict([name_of(row)]))
                self.problems.append(Problem(row.line, column, found, allowed, row_id, buyer))
        self.rows = [row for row in self.rows if row.n not in gone] if gone else self.rows

    def _tell_doubled(self, names: Callable[[Row], Iterable[Hashable]]) -> None:
        """Rows that say the same as one before them, with no id of their own as an excuse."""

        def said(row: Row) -> Iterator[Hashable]:
            words = same_words(row.reason)
            return ((name, row.points, words, row.undoes) for name in names(row))

        rows = [row for row in self.rows if not row.own_id]
        self.tell(
            (row, "", f"the same as {_place(first)}", ONCE) for row, first in _again(rows, said)
        )

    def contradicted(self, holdings: Holdings) -> Iterator[Wrong]:
        """What the ledger holds already, and what a row undoes."""
        for row in self.rows:
            own, content = holdings.marked(row.marker), content_of(row)
            others = [one for one in own if holdings.contents[one] != content]
            if others:
                found = (
                    f"run id {self._intent.run_id!r} was used before for other values: "
                    f"{holdings.contents[others[0]][1]:+d} points, event {others[0]}"
                )
                yield row, "", found, "those values, or a new run_id for a new intent"
            elif own:
                row.applied = own[0]
            elif row.undoes and (problem := _undoing_problem(row, holdings)):
                yield row, "undoes", *problem
            elif alike := holdings.alike(content):
                row.repeats = alike[0]

    def added_up(self) -> Iterator[Wrong]:
        """What each row that is sent makes of its account's balance."""
        balances: dict[str, int] = {}
        for row in self.rows:
            row.before = balances.get(row.account_id, row.before)
            sent = row.is_sent(allow_repeats=self._intent.allow_repeats)
            row.after = row.before + row.points * sent
            problems = list(self._balance_problems(row))
            if problems and self._intent.allow_partial:
                yield row, *problems[0]  # what it would have changed, it does not change
            else:
                yield from ((row, *problem) for problem in problems)
                balances[row.account_id] = row.after

    def _balance_problems(self, row: Row) -> Iterator[tuple[str, str, str]]:
        if row.applied:
            return
        change = f"account {row.account_id}, balance {row.before}, change {row.points:+d}"
        if row.points < 0 > row.after and not self._intent.allow_negative_balance:
            allowed = "a balance of 0 or more, unless allow_negative_balance is true"
            yield "points", f"{change} makes {row.after}", allowed
        if abs(row.after) > LARGEST_POINTS:
            yield "points", change, "a balance of 32 bits"
        expected = self._intent.expected_balance
        if expected is not None and row.before != expected:
            allowed = f"expected_balance {expected}: look why it is another, then correct it"
            yield "expected_balance", f"the balance is {row.before}", allowed


def _again(
    rows: Iterable[Row], said: Callable[[Row], Iterable[Hashable]]
) -> Iterator[tuple[Row, Row]]:
    """Rows that say again what one before them says, and the first that says it."""
    first: dict[Hashable, Row] = {}
    for row in rows:
        for what in said(row):
            if first.setdefault(what, row) is not row:
                yield row, first[what]


def _missing(rows: Iterable[Row], accounts: Found) -> Iterator[Wrong]:
    """Rows without exactly one account."""
    for row in rows:
        kind, name = name_of(row)
        count = len(accounts[kind, name])
        if count != 1:
            shown = mask_phone(name) if kind == "phone_number" else name
            found = f"{shown}: {count or 'no'} loyalty account{'s' * (count != 1)} with it"
            hint = "name one of them by account_id" if count else HINTS[kind]
            yield row, kind, found, f"exactly one account; {hint}"


def _disagreeing(rows: Iterable[Row], accounts: Found) -> Iterator[Wrong]:
    """Rows whose phone number is of another account than their id."""
    for row in rows:
        (kind, name), number = name_of(row), row.phone_number
        if kind != "phone_number" and number:
            allowed = f"a phone number and a {kind} of the same account, or only one of them"
            others = {one.account_id for one in accounts["phone_number", number]}
            for _ in {one.account_id for one in accounts[kind, name]} - others:
                yield row, "phone_number", f"it is not that of the {kind}", allowed


def _undoing_problem(row: Row, holdings: Holdings) -> tuple[str, str] | None:
    account_id, points, _ = holdings.contents.get(row.undoes, ("", 0, ""))
    if account_id != row.account_id:
        return row.undoes, "the id of an adjustment of this account"
    if points != -row.points:
        return f"{row.points:+d} points", f"{-points:+d}, the opposite of the event's"
    return None


def _place(row: Row) -> str:
    return f"line {row.line}" if row.line else f"row {row.row_id}"
