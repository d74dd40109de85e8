"""Judges the rows of a plan in the making by what accounts and ledger show; tells every problem."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from loyalty_helpers.api import LARGEST_POINTS, same_words
from loyalty_helpers.runbooks.plan.document import PlanRow
from loyalty_helpers.runbooks.plan.held import Held, Holdings
from loyalty_helpers.runbooks.plan.look_ups import HINTS
from loyalty_helpers.runbooks.plan.problems import Problems
from loyalty_helpers.runbooks.plan.row_checks import Problem
from loyalty_helpers.runbooks.plan.stage import Intent, Stage

ONCE = "each row once; if both are meant, give them a row_id of their own"
LEFT_OUT_COLUMNS = ("row_id", "account_id", "points", "reason", "undoes", "found", "allowed")
LeftOut = tuple[str, str, int, str, str, str, str]


@dataclass
class Judge:
    """Every check that takes more than one row, or more than the file.

    Attributes:
        stage: the rows.
        problems: where what is wrong is gathered.
        intent: what the plan is for.
        left_out: rows that were taken out instead, each with what was found and is allowed. Ids
            and points repair a row, and are whole; a phone number does not, and is masked.
    """

    stage: Stage
    problems: Problems
    intent: Intent
    left_out: list[LeftOut] = field(default_factory=list)

    def rows(self) -> None:
        """What the rows show by themselves."""
        count, points, intent = self.stage.count, self.stage.points(), self.intent
        if count > intent.max_rows:
            self._tell_file(f"{count} rows", f"up to max_rows ({intent.max_rows})")
        if intent.expected_rows not in (None, count):
            self._tell_file(f"{count} rows", f"expected_rows ({intent.expected_rows})")
        if intent.expected_points not in (None, points):
            self._tell_file(f"{points:+d} points", f"expected_points ({intent.expected_points})")
        for n, _, row_id in list(self.stage.doubled_ids()):
            self._tell(n, "row_id", f"{row_id!r} again", "each row_id once")
        for n, line, row_id in list(self.stage.doubled_undoings()):
            self._tell(n, "undoes", f"the same event as {_place(line, row_id)}", "each event once")
        self._tell_doubled(by_account=False)

    def _tell_file(self, found: str, allowed: str) -> None:
        self.problems.add(Problem(0, "", found, allowed))

    def accounts(self) -> None:
        """What only the accounts show."""
        for n, kind, value, accounts in list(self.stage.missing()):
            found = f"{value}: {accounts or 'no'} loyalty account{'s' * (accounts != 1)} with it"
            hint = "name one of them by account_id" if accounts else HINTS[kind]
            self._tell(n, kind, found, f"exactly one account; {hint}")
        for n, kind in list(self.stage.disagreeing()):
            allowed = f"a phone number and a {kind} of the same account, or only one of them"
            self._tell(n, "phone_number", f"it is not that of the {kind}", allowed)
        self._tell_doubled(by_account=True)

    def _tell_doubled(self, *, by_account: bool) -> None:
        for n, line, row_id in list(self.stage.doubled(by_account=by_account)):
            self._tell(n, "", f"the same as {_place(line, row_id)}", ONCE)

    def ledger(self, holdings: Holdings) -> None:
        """What the ledger holds already, and what a row undoes."""
        told: list[tuple[int, str, str, str]] = []
        held: list[tuple[int, str, str]] = []
        for staged in self.stage.staged():
            row, own = staged.row, holdings.marked(staged.marker)
            content = (row.account_id, row.points, same_words(row.reason))
            others = [e for e in own if (e.account_id, e.points, e.words) != content]
            if others:
                told.append((row.n, "", *self._another_intent(others[0])))
            elif own:
                held.append((row.n, own[0].event_id, ""))
            elif row.undoes and (problem := _undoing_problem(row, holdings)):
                told.append((row.n, "undoes", *problem))
            elif alike := holdings.alike(row.account_id, row.points, row.reason):
                held.append((row.n, "", alike[0]))
        self.stage.are_held(held)
        for each in told:
            self._tell(*each)

    def _another_intent(self, event: Held) -> tuple[str, str]:
        found = (
            f"run id {self.intent.run_id!r} was used before for other values: {event.points:+d} "
            f"points, event {event.event_id}"
        )
        return found, "those values, or a new run_id for a new intent"

    def balances(self) -> None:
        """What each row that is sent makes of its account's balance."""
        told, kept_back = [], Counter[str]()
        for staged in self.stage.staged():
            row = staged.row
            before, after = (b - kept_back[row.account_id] for b in (row.before, row.after))
            problems = list(self._balance_problems(row, before, after))
            told += [(row.n, *problem) for problem in problems[: 1 if self._leaves_out else None]]
            if problems and self._leaves_out:  # what it would have changed, it does not change
                kept_back[row.account_id] += row.after - row.before
        for problem in told:
            self._tell(*problem)

    def _balance_problems(
        self, row: PlanRow, before: int, after: int
    ) -> Iterator[tuple[str, str, str]]:
        if row.applied:
            return
        change = f"account {row.account_id}, balance {before}, change {row.points:+d}"
        if row.points < 0 > after and not self.intent.allow_negative_balance:
            allowed = "a balance of 0 or more, unless allow_negative_balance is true"
            yield "points", f"{change} makes {after}", allowed
        if abs(after) > LARGEST_POINTS:
            yield "points", change, "a balance of 32 bits"
        expected = self.intent.expected_balance
        if expected is not None and before != expected:
            allowed = f"expected_balance {expected}: look why it is another, then correct it"
            yield "expected_balance", f"the balance is {before}", allowed

    @property
    def _leaves_out(self) -> bool:
        return self.intent.allow_partial

    def _tell(self, n: int, column: str, found: str, allowed: str) -> None:
        """A problem; where the rest shall be planned, the row is left out instead."""
        if self._leaves_out:
            self.left_out.append((*self.stage.leave_out(n), found, allowed))
            return
        line, row_id = self.stage.named(n)
        self.problems.add(Problem(line, column, found, allowed, row_id))


def _undoing_problem(row: PlanRow, holdings: Holdings) -> tuple[str, str] | None:
    undone = holdings.event(row.undoes)
    if undone is None or undone.account_id != row.account_id:
        return row.undoes, "the id of an adjustment of this account"
    if undone.points != -row.points:
        return f"{row.points:+d} points", f"{-undone.points:+d}, the opposite of the event's"
    return None


def _place(line: int, row_id: str) -> str:
    return f"line {line}" if line else f"row {row_id}"
