"""Make a plan: judge every row, resolve accounts, read balances. Nothing is written to Square.

All problems of all rows are found before any of them is told.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from loyalty_helpers.api import LoyaltyClient, check_run_id
from loyalty_helpers.errors import PlanError
from loyalty_helpers.runbooks.csv_files import write_csv
from loyalty_helpers.runbooks.ledger import adjustments_of, newest_event
from loyalty_helpers.runbooks.plan.document import (
    PLAN,
    Header,
    Plan,
    PlanRow,
    plan_kept,
    write_plan,
)
from loyalty_helpers.runbooks.plan.guards import place_of
from loyalty_helpers.runbooks.plan.held import Holdings
from loyalty_helpers.runbooks.plan.judging import LEFT_OUT_COLUMNS, Judge
from loyalty_helpers.runbooks.plan.problems import TOLD, Problems
from loyalty_helpers.runbooks.plan.row_checks import Problem, SheetRow
from loyalty_helpers.runbooks.plan.stage import Intent, Stage
from loyalty_helpers.steps import check_no_walkthrough

LEFT_OUT = "left_out.csv"  # rows of an undoing that were not possible
BEFORE_NEWEST = timedelta(days=1)


def make_plan(
    client: LoyaltyClient,
    rows: Iterable[SheetRow | Problem],
    intent: Intent,
    folder: Path,
    *,
    journal: str,
    repeats_told: Callable[[Path, Iterable[PlanRow]], list[str]],
) -> Plan:
    """Write the plan of a run into its folder.

    Args:
        client: only reads are made.
        rows: what shall be done; problems among them are told with all others.
        intent: what for.
        folder: of the run.
        journal: name of the file in it that shows that applying has begun.
        repeats_told: tells of rows that the ledger holds which runs in a folder they are of.

    Raises:
        PlanError: there are problems, each of them is told; or the run id has been applied; or
            the ledger holds all of it already.
    """
    check_run_id(intent.run_id)
    with writable(folder):
        check_no_walkthrough(folder, intent.run_id)
        make_folder(folder)
        with plan_kept(folder):
            if (folder / journal).exists():
                raise PlanError(
                    f"run id {intent.run_id!r} has been applied, or its applying has begun. To go "
                    "on with it, give its digest as approved_plan; for a new intent, take a new "
                    "run id."
                )
            return _made(client, rows, intent, folder, repeats_told)


def _made(
    client: LoyaltyClient,
    rows: Iterable[SheetRow | Problem],
    intent: Intent,
    folder: Path,
    repeats_told: Callable[[Path, Iterable[PlanRow]], list[str]],
) -> Plan:
    place, newest = place_of(client), _newest(client)
    problems = Problems(folder)
    with closing(sqlite3.connect("")) as database:  # on disk if it grows, and gone when closed
        stage = Stage(database, place, intent)
        judge = Judge(stage, problems, intent)
        stage.fill(problems.sorted_out(rows))
        judge.rows()
        problems.check()
        stage.resolve(client)
        judge.accounts()
        problems.check()
        holdings = Holdings(database, place, newest)
        holdings.fill(adjustments_of(client, stage.accounts()))
        judge.ledger(holdings)
        judge.balances()
        problems.check()
        _write_left_out(folder, judge)
        header = stage.header(newest - BEFORE_NEWEST if newest else None, len(judge.left_out))
        planned = (staged.row for staged in stage.staged())
        _check_something_to_do(folder, header, planned, repeats_told)
        return write_plan(folder / PLAN, header, (staged.row for staged in stage.staged()))


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Turns what the file system and SQLite refuse into a PlanError of one line."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        why = getattr(error, "strerror", None) or error
        raise PlanError(f"{folder} cannot be written: {why}. Nothing was changed.") from None


def make_folder(folder: Path) -> None:
    """Make the folder of a run, for its owner only; PlanError if that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise PlanError(
            f"{folder} cannot be made: {error.strerror}. Nothing was changed."
        ) from None


def _newest(client: LoyaltyClient) -> datetime | None:
    """When the newest event was made: by the service's clock, not by ours.

    Read before all other events, so that none can come between them unseen.
    """
    newest = newest_event(client)
    moment = newest.created_at if newest else None
    return moment if isinstance(moment, datetime) else None


def _write_left_out(folder: Path, judge: Judge) -> None:
    path = folder / LEFT_OUT
    path.unlink(missing_ok=True)
    if judge.left_out:
        write_csv(path, LEFT_OUT_COLUMNS, judge.left_out)
        judge.left_out.sort()


def _check_something_to_do(
    folder: Path,
    header: Header,
    rows: Iterable[PlanRow],
    repeats_told: Callable[[Path, Iterable[PlanRow]], list[str]],
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
