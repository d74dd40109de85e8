"""Make a plan: judge every row, resolve accounts, read balances. Nothing is written to Square.

All problems of all rows are found before any of them is told.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from loyalty_helpers.client import LoyaltyClient
from loyalty_helpers.errors import PlanError
from loyalty_helpers.idempotency import check_run_id
from loyalty_helpers.runbooks.guards import place_of
from loyalty_helpers.runbooks.journal import JOURNAL
from loyalty_helpers.runbooks.ledger import newest_event
from loyalty_helpers.runbooks.plan import PLAN, Plan, write_plan
from loyalty_helpers.runbooks.problems import Problems
from loyalty_helpers.runbooks.row_checks import Problem, SheetRow
from loyalty_helpers.runbooks.stage import Intent, Stage

BEFORE_NEWEST = timedelta(days=1)


def make_plan(
    client: LoyaltyClient, rows: Iterable[SheetRow | Problem], intent: Intent, folder: Path
) -> Plan:
    """Write the plan of a run into its folder.

    Args:
        client: only reads are made.
        rows: what shall be done; problems among them are told with all others.
        intent: what for.
        folder: of the run.

    Raises:
        PlanError: there are problems, each of them is told; or the run id has been applied.
    """
    check_run_id(intent.run_id)
    if (folder / JOURNAL).exists():
        raise PlanError(
            f"run id {intent.run_id!r} has been applied, or its applying has begun. To go on with "
            "it, give its digest as approved_plan; for a new intent, take a new run id."
        )
    place = place_of(client)
    _make(folder)
    problems = Problems(folder)
    with closing(sqlite3.connect("")) as database:  # on disk if it grows, and gone when closed
        stage = Stage(database, problems, intent)
        stage.fill(rows)
        problems.check()
        stage.resolve(client)
        stage.judge()
        problems.check()
        header = stage.header(place, _ledger_since(client))
        return write_plan(folder / PLAN, header, stage.rows())


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise PlanError(
            f"{folder} cannot be made: {error.strerror}. Nothing was changed."
        ) from None


def _ledger_since(client: LoyaltyClient) -> datetime | None:
    """A time before which no event of this run can be; by the service's clock, not by ours."""
    newest = newest_event(client)
    moment = newest.created_at if newest else None
    return moment - BEFORE_NEWEST if isinstance(moment, datetime) else None
