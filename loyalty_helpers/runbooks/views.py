"""How the steps of a runbook show themselves."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice
from typing import Any

from loyalty_helpers.records import (
    VERIFICATION_MIME,
    Bundle,
    Shown,
    Table,
    Tabled,
    card,
    points_text,
    table,
)
from loyalty_helpers.redaction import mask_reason
from loyalty_helpers.runbooks.apply import OPEN, RESULTS
from loyalty_helpers.runbooks.plan import APPROVAL_LENGTH, LEFT_OUT, Header, Plan, Row
from loyalty_helpers.runbooks.results import command, repeats_told
from loyalty_helpers.runbooks.verify import Contradiction
from loyalty_helpers.steps import Chart, bar_chart, before_after_chart

ROWS_SHOWN = 20
BARS = 40
COLUMNS = ("row_id", "account", "phone_number", "before", "change", "after", "reason")


@dataclass(frozen=True)
class Planned(Tabled):
    """A plan for people: what it does to whom, and how it is approved.

    Attributes:
        plan: what is on disk.
        approved: the digest that approves it, as it was given; empty plans only.
    """

    plan: Plan
    approved: str = ""

    @property
    def chart(self) -> Chart:
        """How many rows change how many points; the most frequent changes."""
        sizes = Counter(row.points for row in self.plan.rows()).most_common(BARS)
        values = [{"points": f"{points:+d}", "rows": rows} for points, rows in sorted(sizes)]
        title = f"Planned changes of run {self.plan.header.run_id}"
        told = ", ".join(f"{value['rows']} of {value['points']} points" for value in values)
        return bar_chart(title, f"Rows: {told or 'none'}.", values, x="points", y="rows")

    @property
    def balances_chart(self) -> Chart:
        """Each balance before and after, of the accounts that change most."""
        balances: dict[str, tuple[int, int]] = {}
        for row in self.plan.rows():
            before, _ = balances.get(row.account_id, (row.before, 0))
            balances[row.account_id] = (before, row.after)
        changed = [(name, *both) for name, both in balances.items() if both[0] != both[1]]
        shown = nsmallest(BARS, changed, key=lambda one: (-abs(one[2] - one[1]), one[0]))
        which = f"the {BARS} that change most of " if len(changed) > BARS else ""
        told = f"Accounts: {which}{len(changed)}, the largest change first."
        title = f"Balances before and after run {self.plan.header.run_id}"
        return before_after_chart(title, told, shown)

    def _table(self) -> Table:
        rows = tuple(map(_cells, self.plan.rows()))
        return Table(f"Plan of run {self.plan.header.run_id}", COLUMNS, rows)

    def _view(self) -> Bundle:
        header, digest = self.plan.header, self.plan.digest
        rows = list(map(_cells, islice(self.plan.rows(), ROWS_SHOWN)))
        more = header.rows - len(rows)
        lines = [f"... and {more} more rows in {self.plan.path.name}"] if more else []
        accounts = f"{header.accounts} account{'s' * (header.accounts != 1)}"
        place = f"environment {header.environment}, merchant {header.merchant_id}"
        lines += [f"from {header.source}"] if header.source else []
        lines += self.warnings
        lines += [
            f"{points_text(header.added)} and {points_text(header.taken)} in all, for {accounts}",
            f"{place}, run id {header.run_id}",
            f"digest {digest}",
        ]
        title = f"Plan of {header.rows} row{'s' * (header.rows != 1)}"
        return table(title, COLUMNS, rows, note="\n".join(lines))

    @property
    def warnings(self) -> list[str]:
        """What a reader has to know of rows that are not sent, or are sent once more."""
        header, lines = self.plan.header, []
        if header.applied:
            lines.append(
                f"{_rows(header.applied)} of this run id in the ledger already: applied before, "
                "and not sent again"
            )
        if header.repeats:
            then = "APPLIED ONCE MORE" if header.allow_repeats else "left out"
            lines.append(f"{_rows(header.repeats)} by content in the ledger already: {then}")
            repeated = (row for row in self.plan.rows() if row.repeats)
            lines += repeats_told(self.plan.folder.parent, islice(repeated, ROWS_SHOWN))
        if header.left_out:
            lines.append(f"{_rows(header.left_out)} not possible, and left out: {LEFT_OUT}")
        return lines


def _cells(row: Row) -> tuple[Any, ...]:
    balances = (row.before, row.points, row.after)
    return (row.row_id, row.account_id, row.phone, *balances, mask_reason(row.reason))


def _besides(header: Header) -> str:
    """In a line: rows that were applied before, and that are left out."""
    left_out = 0 if header.allow_repeats else header.repeats
    told = {"applied before": header.applied, "in the ledger already and left out": left_out}
    told["not possible and left out"] = header.left_out
    named = ", ".join(f"{count} {what}" for what, count in told.items() if count)
    return f" ({named})" if named else ""


def _rows(number: int) -> str:
    return f"{number} row{' is' if number == 1 else 's are'}"


@dataclass(frozen=True)
class Applied(Shown):
    """What applying a plan came to.

    Attributes:
        plan: what was applied.
        counts: rows by state; empty for a plan that is not approved.
        stopped: why the run stopped before its end; empty if it did not.
        moved: rows that were applied to another balance than the one that was planned with.
    """

    plan: Plan
    counts: Mapping[str, int]
    stopped: str = ""
    moved: int = 0

    def _view(self) -> Bundle:
        if not self.counts:
            return _not_applied(self.plan)
        rows = [(state, count) for state, count in self.counts.items()]
        unfinished = any(state in OPEN for state in self.counts)
        note = [self.stopped] if self.stopped else []
        if unfinished:
            note += ["Nothing is lost, and nothing is done twice. To go on:", command(self.plan)]
        note += [f"{_moved(self.moved)}: {RESULTS} has both"] if self.moved else []
        note += what_to_do(self.counts)
        ended = "applied" if set(self.counts) <= {"APPLIED", "SKIPPED"} else "ended"
        title = f"Run {self.plan.header.run_id}: {'stopped' if self.stopped else ended}"
        tone = "good" if ended == "applied" and not self.stopped else "bad"
        return card(title, rows, note="\n".join(note), tone=tone)


def _moved(rows: int) -> str:
    return f"{rows} of them on a balance that had moved since the plan was made"


def what_to_do(counts: Mapping[str, int]) -> list[str]:
    """A line for each state that needs a person: what it means, and what helps."""
    meaning = {
        "FAILED": f"refused by Square, for the reason in {RESULTS}. Nothing was changed for them, "
        "and sending them again does not help: correct them in a file of their own, under a new "
        "run id",
        "REVIEW": f"for a person: see {RESULTS}, and look at the accounts' events. "
        "resend_unknown true sends those once more that were not found, with the same key",
    }
    return [
        f"{counts[state]} {state}: {text}" for state, text in meaning.items() if state in counts
    ]


def _not_applied(plan: Plan) -> Bundle:
    approval = [("approved_plan", plan.digest[:APPROVAL_LENGTH]), ("run_id", plan.header.run_id)]
    note = f"Nothing was changed. To apply the plan as it is:\n{command(plan)}"
    return card("Not applied: the plan is not approved", approval, note=note, tone="care")


@dataclass(frozen=True)
class Verified(Shown):
    """What the ledger says of a plan.

    Attributes:
        plan: what was verified.
        counts: rows by state, as the journal has them; empty if nothing was applied.
        differences: rows that the ledger contradicts.
        moved: rows that were applied to another balance than the one that was planned with.
        out: the folder of the runs, if it was named on the command line.
    """

    plan: Plan
    counts: Mapping[str, int]
    differences: tuple[Contradiction, ...]
    moved: int = 0
    out: str = ""

    @property
    def ok(self) -> bool:
        """Whether the ledger agrees, and every row has come to a good end or to none at all."""
        return not self.differences and set(self.counts) <= {"APPLIED", "SKIPPED"}

    @property
    def summary(self) -> str:
        """For logs: what came of the run, and the command that goes on if there is one."""
        header = self.plan.header
        if not self.counts:
            return (
                f"planned: {header.rows} rows{_besides(header)}, {header.added:+d} and "
                f"{header.taken:+d} points, nothing was changed\n"
                f"to apply: {command(self.plan, out=self.out)}"
            )
        states = ", ".join(f"{count} {state}" for state, count in self.counts.items())
        verdict = f"{'verified' if self.ok else 'NOT VERIFIED'}: {states} of {header.rows} rows"
        verdict += _besides(header) + (f", {_moved(self.moved)}" if self.moved else "")
        differs = [f"{len(self.differences)} rows are not as the ledger has them"]
        return "\n".join([verdict, *differs[: len(self.differences)], *what_to_do(self.counts)])

    def _view(self) -> Bundle:
        rows: list[tuple[str, Any]] = list(self.counts.items()) or [("applied", "nothing")]
        rows += [("balance had moved", self.moved)] if self.moved else []
        rows += [("differs", str(difference)) for difference in self.differences[:ROWS_SHOWN]]
        if len(self.differences) > ROWS_SHOWN:
            rows.append(("differs", f"... {len(self.differences)} rows in all"))
        verdict = "agrees" if not self.differences else "DOES NOT AGREE"
        title = f"The ledger {verdict} with run {self.plan.header.run_id}"
        facts = {
            "verified": self.ok,
            "summary": self.summary,
            "planned_only": not self.counts,
            "problems": [str(difference) for difference in self.differences[:ROWS_SHOWN]],
        }
        tone = "good" if self.ok else "bad"
        note = "" if self.counts else self.summary
        return card(title, rows, tone=tone, note=note) | {VERIFICATION_MIME: facts}
