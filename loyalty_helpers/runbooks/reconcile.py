"""The steps of the runbook that reconciles, as its notebook calls them. They only read."""

import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from loyalty_helpers.api import ACCOUNTS_PER_PAGE, LoyaltyClient, check_id, start_of_day, yes_or_no
from loyalty_helpers.errors import NotFoundError, ParameterError, PlanError
from loyalty_helpers.files import is_there
from loyalty_helpers.runbooks import plan as plans
from loyalty_helpers.runbooks.apply import Journal, Reading, stopped_if_put_off
from loyalty_helpers.runbooks.books import GROUPED_BY, Books, Difference, Period
from loyalty_helpers.runbooks.csv_files import write_csv, write_if_any
from loyalty_helpers.runbooks.ledger import READINGS, over_again
from loyalty_helpers.runbooks.limits import Limits, Time, settle_time
from loyalty_helpers.runbooks.reconcile_views import (
    ADJUSTMENTS,
    DIFFERENCES,
    MOST_READ_AGAIN,
    NOT_SETTLED,
    Adjustments,
    Compared,
    Reconciled,
)
from loyalty_helpers.runbooks.run import Run, folder_of
from loyalty_helpers.runbooks.verify import verify_rows
from loyalty_helpers.runbooks.views import BARS, ROWS_SHOWN, Verified

ADJUSTMENT_COLUMNS = (*GROUPED_BY, "adjustments", "points_added", "points_taken")


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
    folder, settle = _own_folder(run_id), settle_time(client)
    reading, books = Reading(folder), Books(period, settle, show_phone_numbers=shown)
    missing = _read(client, books, reading, ids, lambda: (time or Time()).sleep(settle))
    reading.end()
    amiss = list(books.amiss())
    with plans.writable(folder):
        write_csv(folder / DIFFERENCES, Difference._fields, amiss)
        write_csv(folder / ADJUSTMENTS, ADJUSTMENT_COLUMNS, books.adjustments())
        write_if_any(folder / NOT_SETTLED, ("account_id",), [(one,) for one in books.unsettled])
    return _told(books, amiss, missing if ids else ())


def _own_folder(run_id: str) -> Path:
    """The folder to write into; that of a run, whose results would be taken away, is refused."""
    folder = folder_of(run_id)
    with plans.writable(folder):
        if (folder / plans.PLAN).exists():
            raise ParameterError(
                f"run_id {folder.name!r} is a run with a plan: give it as check_run_id to compare "
                "it with the ledger, and take another run_id"
            )
        plans.make_folder(folder)
    return folder


def _read(
    client: LoyaltyClient,
    books: Books,
    reading: Reading,
    account_ids: list[str],
    wait: Callable[[], None],
) -> tuple[str, ...]:
    """Read these accounts, or all of them; returns the ids that do not exist.

    All events are read in one walk: a search for each account would be one request an account at
    least; the walk is one for thirty events, whosever they are. What differs then is read once
    more, account by account, when its events must be visible: it may have moved or come while
    others were read. That takes some requests an account, so there is an end to it.
    """
    missing = _read_accounts(client, books, reading.one_by_one(account_ids))
    if not account_ids:
        accounts = over_again(lambda: client.search_accounts(page_size=ACCOUNTS_PER_PAGE))
        for account in reading.counted(accounts):
            books.put_account(account)
        books.put_events(lambda: reading.counted(client.search_events()))
    if suspects := books.suspects(MOST_READ_AGAIN):
        wait()
        gone = _read_accounts(client, books, reading.one_by_one(suspects))
        books.forget(gone)
        missing += gone
    return tuple(dict.fromkeys(missing))


def _read_accounts(client: LoyaltyClient, books: Books, account_ids: Iterable[str]) -> list[str]:
    """Read some accounts, each with its events; returns the ids that do not exist."""
    missing = []
    for account_id in account_ids:
        try:
            _read_account(client, books, account_id)
        except NotFoundError:
            missing.append(account_id)
    return missing


def _read_account(client: LoyaltyClient, books: Books, account_id: str) -> None:
    """An account and its events that belong together: read again while the balance moves."""
    account = client.retrieve_account(account_id)
    for _ in range(READINGS):
        books.put_events(lambda: client.search_events(account_id=account_id), account_id)
        before, account = account, client.retrieve_account(account_id)
        if before.balance == account.balance:
            break
    books.put_account(account)


def _told(books: Books, amiss: list[Difference], missing: tuple[str, ...]) -> Reconciled:
    read = books.accounts.values()
    return Reconciled(
        sum(book.balance is not None for book in read),
        sum(book.events for book in read),
        tuple(found for found in amiss if found.difference),
        missing,
        sum(found.lifetime_points != found.events_raise for found in amiss),
        books.gone(),
        books.unsettled,
        Adjustments("source", books.grouped("source", ROWS_SHOWN)),
        Adjustments("reason", books.grouped("reason", ROWS_SHOWN)),
        Adjustments("day", books.grouped("day", BARS)),
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
    path = folder_of(run_id) / plans.PLAN
    if not is_there(path):
        raise PlanError(f"there is no run {run_id!r} to compare: {path} does not exist")
    plan = plans.read_plan(path)
    if plan.begun:
        return Compared(Run(client, run_id, limits=limits, time=time).verify())
    plans.check_place(plan.header, client)
    with tempfile.TemporaryDirectory(prefix="loyalty-") as folder:
        copy = Path(shutil.copy(plan.path, folder))
        with Journal.open(plans.read_plan(copy)) as journal:
            settle = limits or Limits(settle=settle_time(client))
            differences, _ = verify_rows(client, plan, journal, settle, time or Time())
    return Compared(Verified(plan, {}, tuple(differences)))
