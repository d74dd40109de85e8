"""Make a plan: judge every row, resolve accounts, read balances. Nothing is written to Square.

All problems of all rows are found before any of them is told.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.errors import PlanError
from loyalty_helpers.runbooks.csv_files import write_if_any
from loyalty_helpers.runbooks.ledger import adjustments_of, newest_moment
from loyalty_helpers.runbooks.plan.document import (
    JOURNAL,
    PLAN,
    Header,
    Plan,
    plan_kept,
    writable,
    write_plan,
)
from loyalty_helpers.runbooks.plan.found import Holdings, find_accounts
from loyalty_helpers.runbooks.plan.guards import Intent, Place, place_of
from loyalty_helpers.runbooks.plan.judging import LEFT_OUT_COLUMNS, Judge
from loyalty_helpers.runbooks.plan.rows import Problem, Row
from loyalty_helpers.steps import check_no_walkthrough

LEFT_OUT = "left_out.csv"  # rows of an undoing that were not possible
PROBLEMS = "problems.csv"
PROBLEM_COLUMNS = ("line", "row_id", "column", "found", "allowed", "buyer")
TOLD = 50  # problems in the error text; the file beside it holds all
SHARED = ("run_id", "runbook", "source", "source_sha256")
ALLOWED = ("allow_negative_balance", "allow_repeats")
BEFORE_NEWEST = timedelta(days=1)
RepeatsTold = Callable[[Path, Iterable[Row]], list[str]]


def make_plan(
    client: LoyaltyClient,
    rows: Iterable[Row | Problem],
    intent: Intent,
    folder: Path,
    *,
    repeats_told: RepeatsTold,
) -> Plan:
    """Write the plan of a run into its folder.

    Args:
        client: only reads are made.
        rows: what shall be done; problems among them are told with all others.
        intent: what for.
        folder: of the run.
        repeats_told: tells of rows that the ledger holds which runs in a folder they are of.

    Raises:
        PlanError: there are problems, each of them is told; or the run id has been applied; or
            the ledger holds all of it already.
    """
    with writable(folder):
        check_no_walkthrough(folder, intent.run_id)
    make_folder(folder)
    with plan_kept(folder):
        check_not_begun(folder)
        # Read before all other events, so that none can come between them unseen.
        place, newest = place_of(client), newest_moment(client)
        judge = Judge(rows, intent, place)
        events = adjustments_of(client, _accounts(client, judge, folder))
        judge.tell(judge.contradicted(Holdings(judge.rows, place, newest, events)))
        judge.tell(judge.added_up())
        _check(judge, folder)
        write_if_any(folder / LEFT_OUT, LEFT_OUT_COLUMNS, judge.left_out)
        header = _header(intent, place, newest, judge)
        _check_something_to_do(folder, header, judge.rows, repeats_told)
        return write_plan(folder / PLAN, header, judge.rows)


def _accounts(client: LoyaltyClient, judge: Judge, folder: Path) -> list[str]:
    """The ids of all accounts that were found; each row knows its own then."""
    judge.file()
    _check(judge, folder)
    found = find_accounts(client, judge.rows)
    judge.accounts(found)
    _check(judge, folder)
    judge.settle(found)
    return sorted({one.account_id for accounts in found.values() for one in accounts})


def check_not_begun(folder: Path) -> None:
    """Raise PlanError if the run in a folder has been applied: it cannot be planned anew."""
    if (folder / JOURNAL).exists():
        raise PlanError(
            f"run id {folder.name!r} has been applied, or its applying has begun. To go on with "
            "it, give its digest as approved_plan; for a new intent, take a new run id."
        )


def make_folder(folder: Path) -> None:
    """Make the folder of a run, for its owner only; PlanError if that cannot be done."""
    with writable(folder, "made"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def _check(judge: Judge, folder: Path) -> None:
    """Raise PlanError with every problem, if there is any; a file holds those that are many."""
    path, count = folder / PROBLEMS, len(judge.problems)
    problems = sorted(judge.problems, key=lambda problem: (problem.line, problem.column))
    rows = [(p.line, p.row_id, p.column, p.found, p.allowed, p.buyer) for p in problems]
    write_if_any(path, PROBLEM_COLUMNS, rows)
    if problems:
        lines = [str(problem) for problem in problems[:TOLD]]
        lines += [f"... and {count - TOLD} more: {path}"] if count > TOLD else []
        head = f"no plan was made, and nothing was changed. {count} problem{'s' * (count > 1)}:"
        raise PlanError("\n".join([head, *lines]), problems)


def _header(intent: Intent, place: Place, newest: datetime | None, judge: Judge) -> Header:
    """What stands above the rows: those that are sent make the points."""
    rows = judge.rows
    sent = [row.points for row in rows if row.is_sent(allow_repeats=intent.allow_repeats)]
    return Header(
        **vars(place),
        **{name: getattr(intent, name) for name in (*SHARED, *ALLOWED)},
        rows=len(rows),
        accounts=len({row.account_id for row in rows}),
        added=sum(max(points, 0) for points in sent),
        taken=sum(min(points, 0) for points in sent),
        ledger_since=newest - BEFORE_NEWEST if newest else None,
        applied=sum(row.applied != "" for row in rows),
        repeats=sum(row.repeats != "" for row in rows),
        left_out=len(judge.left_out),
    )


def _check_something_to_do(
    folder: Path, header: Header, rows: Iterable[Row], repeats_told: RepeatsTold
) -> None:
    """Refuse a plan that would change nothing, but that of a run which was applied before."""
    if not header.rows:
        raise PlanError(
            f"no plan was made, and nothing was changed: each of the {header.left_out} rows has a "
            f"problem, see {folder / LEFT_OUT}"
        )
    if header.repeats and not header.allow_repeats and header.rows == header.repeats:
        told = repeats_told(folder.parent, islice(rows, TOLD))
        raise PlanError(
            "\n".join(
                ["no plan was made, and nothing was changed: the ledger holds it already", *told]
            )
        )
