"""The steps of a runbook, as its notebook calls them: plan, apply, verify.

Each one reads what it needs from the folder of the run, so that cells may be run twice, out of
order, or after a new start of the kernel.
"""

import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from loyalty_helpers.client import LoyaltyClient
from loyalty_helpers.errors import ParameterError, PlanError, RunStoppedError
from loyalty_helpers.idempotency import check_run_id
from loyalty_helpers.runbooks.guards import check_place, place_of, writing_client
from loyalty_helpers.runbooks.journal import JOURNAL, Journal
from loyalty_helpers.runbooks.limits import Limits, Time
from loyalty_helpers.runbooks.plan import PLAN, Plan, check_approval, read_plan
from loyalty_helpers.runbooks.planning import MAX_ROWS, Intent, make_plan
from loyalty_helpers.runbooks.progress import Progress
from loyalty_helpers.runbooks.reporting import write_results, write_undo
from loyalty_helpers.runbooks.row_checks import Problem, SheetRow
from loyalty_helpers.runbooks.running import Run
from loyalty_helpers.runbooks.sheet import read_sheet
from loyalty_helpers.runbooks.undoing import compensating_rows
from loyalty_helpers.runbooks.verifying import verify_rows
from loyalty_helpers.runbooks.views import Applied, Planned, Verified
from loyalty_helpers.settings import NOTEBOOKS, load_settings

SETTLE_LOCAL = 2.0  # seconds; the emulator shows events at once, unless told to be late


def folder_of(run_id: str) -> Path:
    """The folder of a run, below LOYALTY_RUNS."""
    return load_settings().loyalty_runs.absolute() / check_run_id(run_id)


def plan_one(
    client: LoyaltyClient,
    *,
    run_id: str,
    points: int,
    reason: str,
    phone_number: str = "",
    customer_id: str = "",
    account_id: str = "",
    approved_plan: str = "",
    allow_negative_balance: bool = False,
    expected_balance: int | None = None,
) -> Planned:
    """The plan of one adjustment: made now, or the approved one as it is on disk."""
    row = SheetRow(1, "1", phone_number, customer_id, account_id, points, reason)
    intent = Intent(
        "adjust_points",
        run_id,
        allow_negative_balance=allow_negative_balance,
        expected_balance=expected_balance,
    )
    return _planned(client, [row], intent, approved_plan)


def plan_file(
    client: LoyaltyClient,
    adjustments_file: str,
    *,
    run_id: str,
    approved_plan: str = "",
    allow_negative_balance: bool = False,
    max_points: int = 10_000,
    max_rows: int = MAX_ROWS,
    show_phone_numbers: bool = False,
) -> Planned:
    """The plan of a file of adjustments: made now, or the approved one as it is on disk.

    Raises:
        PlanError: with every problem of the file.
    """
    path = sheet_path(adjustments_file)
    intent = Intent(
        "bulk_adjust",
        run_id,
        source=path.name,
        allow_negative_balance=allow_negative_balance,
        show_phone_numbers=show_phone_numbers,
        max_rows=max_rows,
    )
    return _planned(client, read_sheet(path, max_points=max_points), intent, approved_plan)


def plan_undo(
    client: LoyaltyClient,
    undo: str,
    *,
    run_id: str,
    approved_plan: str = "",
    allow_negative_balance: bool = False,
) -> Planned:
    """The plan that undoes a run: made now, or the approved one as it is on disk.

    Args:
        client: of the same environment and seller as the run.
        undo: the run's id, or the path of its receipt.
        run_id: of the undoing.
        approved_plan: the digest, to apply it.
        allow_negative_balance: let balances fall below 0, where points were spent meanwhile.
    """
    undone = Path(undo).parent if undo.endswith(".json") else folder_of(undo)
    intent = Intent(
        "undo_adjustments",
        run_id,
        source=undone.name,
        allow_negative_balance=allow_negative_balance,
        max_rows=10 * MAX_ROWS,
    )
    if approved_plan:
        return _planned(client, [], intent, approved_plan)
    return _planned(client, compensating_rows(client, read_plan(undone / PLAN)), intent, "")


def sheet_path(name: str) -> Path:
    """The adjustments file: a path, or the name of a sample in notebooks/data."""
    path = Path(name)
    sample = NOTEBOOKS / "data" / name
    return sample if not path.exists() and sample.is_file() else path


def _planned(
    client: LoyaltyClient,
    rows: Iterable[SheetRow | Problem],
    intent: Intent,
    approved_plan: str,
) -> Planned:
    folder = folder_of(intent.run_id)
    if not approved_plan:
        return Planned(make_plan(client, rows, intent, folder))
    return Planned(_approved(folder, intent, approved_plan))


def _approved(folder: Path, intent: Intent, approved_plan: str) -> Plan:
    plan = read_plan(folder / PLAN)
    check_approval(plan, approved_plan)
    if plan.header.runbook != intent.runbook:
        raise PlanError(
            f"run id {intent.run_id!r} is one of {plan.header.runbook}, not of {intent.runbook}"
        )
    return plan


def apply(
    client: LoyaltyClient,
    planned: Planned,
    *,
    approved_plan: str,
    approved_by: str = "",
    limits: Limits | None = None,
    on_drift: str = "note",
    time: Time | None = None,
) -> Applied:
    """Apply an approved plan, each row once; without approval it only says how to approve.

    Args:
        client: made by connect().
        planned: what plan_one, plan_file or plan_undo gave.
        approved_plan: the plan's digest, or its first 12 characters or more; empty plans only.
        approved_by: who approved it; production asks for a name.
        limits: how fast, and when to stop.
        on_drift: what happens to a row whose balance has moved since the plan was made: `note`
            applies it and says so, `skip` leaves it out.
        time: what waits go by.

    Raises:
        PlanError, ProductionGuardError, JournalError: nothing was sent.
        RunStoppedError: the run stopped before its end; the text has the command that resumes it.
    """
    plan = planned.plan
    if not approved_plan:
        return Applied(plan, {})
    plan = read_plan(plan.path)  # as it is on disk now
    check_approval(plan, approved_plan)
    if on_drift not in ("note", "skip"):
        raise ParameterError(f"on_drift {on_drift!r} is neither 'note' nor 'skip'")
    writing = writing_client(client, plan.header, approved_by)
    check_place(plan.header, place_of(client))
    with Journal.open(plan) as journal, _stoppable():
        with journal.commit():
            journal.set_meta("approved_by", approved_by or journal.meta("approved_by"))
        progress = Progress(journal, plan.header.rows)
        run = Run(
            writing,
            plan,
            journal,
            limits or _limits(client),
            skip_moved=on_drift == "skip",
            time=time,
            told=progress,
        )
        try:
            run.run()
        except (RunStoppedError, KeyboardInterrupt) as stopped:
            reason = str(stopped) or "it was interrupted"
            raise RunStoppedError(Applied(plan, journal.counts(), reason).told) from None
        finally:
            progress.tell()
        return Applied(plan, journal.counts())


def verify(
    client: LoyaltyClient,
    planned: Planned,
    *,
    limits: Limits | None = None,
    time: Time | None = None,
) -> Verified:
    """Compare each row of a plan with the ledger, and write results.csv and undo.csv.

    A plan that was not applied is verified as well: the ledger must hold nothing of it.
    """
    plan = planned.plan
    if not (plan.folder / JOURNAL).exists():
        return Verified(plan, {}, ())
    check_place(plan.header, place_of(client))
    with Journal.open(plan) as journal:
        differences = verify_rows(client, plan, journal, limits or _limits(client), time)
        write_results(plan.folder, journal)
        write_undo(plan.folder, journal)
        return Verified(plan, journal.counts(), tuple(differences), journal.sizes())


def _limits(client: LoyaltyClient) -> Limits:
    return Limits(settle=SETTLE_LOCAL) if client.environment == "local" else Limits()


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM stops as Ctrl-C does: at the border of rows, with everything written down."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
