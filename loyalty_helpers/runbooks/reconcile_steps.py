"""The steps of the runbook that reconciles, as its notebook calls them. They only read."""

import shutil
import tempfile
from itertools import islice
from pathlib import Path

from loyalty_helpers.api import LoyaltyClient, check_id, start_of_day, yes_or_no
from loyalty_helpers.errors import ParameterError, PlanError
from loyalty_helpers.files import is_there
from loyalty_helpers.runbooks.apply.journal import Journal
from loyalty_helpers.runbooks.apply.outcomes import stopped_if_put_off
from loyalty_helpers.runbooks.apply.progress import Reading
from loyalty_helpers.runbooks.limits import Limits, Time
from loyalty_helpers.runbooks.plan import (
    JOURNAL,
    PLAN,
    Plan,
    check_place,
    make_folder,
    place_of,
    read_plan,
    writable,
)
from loyalty_helpers.runbooks.reconcile import (
    Books,
    Period,
    open_books,
    read_accounts,
    read_again,
    read_all,
    write_books,
)
from loyalty_helpers.runbooks.reconcile_views import (
    NAMED_IN_SUMMARY,
    Adjustments,
    Compared,
    Reconciled,
)
from loyalty_helpers.runbooks.run import Run, folder_of, settle_time
from loyalty_helpers.runbooks.verify import verify_rows
from loyalty_helpers.runbooks.views import BARS, ROWS_SHOWN, Verified


def account_list(text: str) -> list[str]:
    """Ids with commas between, each once; raises ParameterError for what cannot be one."""
    ids = [part.strip() for part in text.split(",") if part.strip()]
    return [check_id(each, "account_ids") for each in dict.fromkeys(ids)]


@stopped_if_put_off()
def reconcile(
    client: LoyaltyClient,
    *,
    run_id: str,
    account_ids: str = "",
    start_date: str = "",
    end_date: str = "",
    show_phone_numbers: bool = False,
    time: Time | None = None,
) -> Reconciled:
    """Compare balances with the sum of their events; writes two CSV files into the run's folder.

    Args:
        client: made by connect().
        run_id: names the folder; not the id of a run that has a plan.
        account_ids: ids with commas between; empty for all accounts.
        start_date: first day of the adjustments that are grouped, `YYYY-MM-DD` in UTC.
        end_date: the day after the last.
        show_phone_numbers: write them in full.
        time: what waits go by.

    Raises:
        ParameterError: an argument is not allowed; nothing was read.
    """
    ids = account_list(account_ids)
    period = Period(start_of_day(start_date, "start_date"), start_of_day(end_date, "end_date"))
    shown = yes_or_no(show_phone_numbers, "show_phone_numbers")
    folder, clock = folder_of(run_id), time or Time()
    with writable(folder):
        _check_own(folder)
        make_folder(folder)
    reading = Reading(folder)
    with open_books(period, show_phone_numbers=shown) as books:
        missing = read_accounts(client, books, reading.one_by_one(ids, len(ids)))
        if not ids:
            read_all(client, books, reading)
        gone = read_again(client, books, reading, lambda: clock.sleep(settle_time(client)))
        missing += gone if ids else []
        reading.end()
        with writable(folder):
            write_books(folder, books)
        return _told(books, missing)


def _check_own(folder: Path) -> None:
    """Refuse the folder of a run whose results would be taken away."""
    if (folder / PLAN).exists():
        raise ParameterError(
            f"run_id {folder.name!r} is a run with a plan: give it as check_run_id to compare it "
            "with the ledger, and take another run_id"
        )


def _told(books: Books, missing: list[str]) -> Reconciled:
    differences = books.differences()
    shown = tuple(islice(differences, ROWS_SHOWN))
    return Reconciled(
        books.count("account"),
        books.count("event"),
        shown,
        len(shown) + sum(1 for _ in differences),
        tuple(missing),
        books.lifetimes_apart(),
        books.count("gone"),
        books.count("unsettled"),
        tuple(islice(books.unsettled(), NAMED_IN_SUMMARY)),
        Adjustments("source", books.grouped("source", ROWS_SHOWN)),
        Adjustments("reason", books.grouped("reason", ROWS_SHOWN)),
        Adjustments("day", books.grouped("day", BARS, newest=True)),
    )


@stopped_if_put_off()
def compare_run(
    client: LoyaltyClient, run_id: str, *, limits: Limits | None = None, time: Time | None = None
) -> Compared:
    """Compare each row of a run's plan with the ledger; with an empty run id, nothing.

    Without a journal, because it was lost or the plan was never applied here, each row of the
    plan that the ledger holds is told.

    Raises:
        PlanError: there is no such run, or its plan is of another environment or seller.
        JournalError: the run is at work just now.
    """
    if not run_id:
        return Compared()
    path = folder_of(run_id) / PLAN
    if not is_there(path):
        raise PlanError(f"there is no run {run_id!r} to compare: {path} does not exist")
    plan = read_plan(path)
    if (plan.folder / JOURNAL).exists():
        return Compared(Run(client, run_id, limits=limits, time=time).verify())
    check_place(plan.header, place_of(client))
    return Compared(_without_journal(client, plan, limits, time))


def _without_journal(
    client: LoyaltyClient, plan: Plan, limits: Limits | None, time: Time | None
) -> Verified:
    """What the ledger says of a plan of which nothing is known to have been applied."""
    with tempfile.TemporaryDirectory(prefix="loyalty-") as folder:
        copy = Path(shutil.copy(plan.path, folder))
        with Journal.open(read_plan(copy)) as journal:
            settle = limits or Limits(settle=settle_time(client))
            differences, _ = verify_rows(client, plan, journal, settle, time)
    return Verified(plan, {}, tuple(differences))
