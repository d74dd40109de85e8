"""The steps of a runbook after its plan, as its notebook calls them: apply and verify.

Each reads what it needs from the run's folder: cells may run twice, or in a new kernel.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.errors import ParameterError, RunStoppedError
from loyalty_helpers.runbooks.apply.journal import JOURNAL, Journal
from loyalty_helpers.runbooks.apply.journal_file import told
from loyalty_helpers.runbooks.apply.progress import Progress
from loyalty_helpers.runbooks.apply.rows import RESULTS
from loyalty_helpers.runbooks.apply.running import Run
from loyalty_helpers.runbooks.limits import Limits, Time
from loyalty_helpers.runbooks.plan import (
    MAX_PLAN_AGE,
    Plan,
    check_age,
    check_approval,
    check_place,
    place_of,
    plan_kept,
    read_plan,
    writing_client,
)
from loyalty_helpers.runbooks.results import write_results, write_undo, write_verdict
from loyalty_helpers.runbooks.verify import verify_rows
from loyalty_helpers.runbooks.views import Applied, Planned, Verified

SETTLE_LOCAL = 2.0  # seconds; the emulator shows events at once, unless told to be late


def apply(
    client: LoyaltyClient,
    planned: Planned,
    *,
    approved_plan: str | None = None,
    approved_by: str = "",
    limits: Limits | None = None,
    on_drift: str = "note",
    max_plan_age: float = MAX_PLAN_AGE,
    time: Time | None = None,
) -> Applied:
    """Apply an approved plan, each row once; without approval it only says how to approve.

    Args:
        client: made by connect().
        planned: what plan_one, plan_file or plan_undo gave.
        approved_plan: the plan's digest, or its first 12 characters or more; empty plans only.
            None takes what the plan was made with.
        approved_by: who approved it; production asks for a name.
        limits: how fast, and when to stop.
        on_drift: what happens to a row whose balance has moved since the plan was made: `note`
            applies it and says so, `skip` leaves it out.
        max_plan_age: hours after which a plan has to be made anew before it is applied; a run
            that was begun is resumed whenever that is.
        time: what waits go by.

    Raises:
        PlanError, ProductionGuardError, JournalError: nothing was sent.
        RunStoppedError: the run stopped before its end; the text has the command that resumes it.
    """
    approved = planned.approved if approved_plan is None else approved_plan
    if not approved:
        return Applied(planned.plan, {})
    if on_drift not in ("note", "skip"):
        raise ParameterError(f"on_drift {on_drift!r} is neither 'note' nor 'skip'")
    plan = read_plan(planned.plan.path)  # as it is on disk now
    with ExitStack() as held:
        with plan_kept(plan.folder):
            check_approval(plan, approved)
            check_may_begin(plan, max_plan_age)
            writing = writing_client(client, plan.header, approved_by)
            check_place(plan.header, place_of(client))
            journal = held.enter_context(Journal.open(plan))
        held.enter_context(_stoppable())
        with journal.commit():
            journal.set_meta("approved_by", approved_by or journal.meta("approved_by"))
        progress = Progress(journal, plan.header.rows)
        run = Run(
            writing,
            plan,
            journal,
            limits or Limits(settle=settle_time(client)),
            skip_moved=on_drift == "skip",
            time=time,
            told=progress,
        )
        try:
            run.run()
        except (RunStoppedError, KeyboardInterrupt) as stopped:
            with suppress(OSError):  # why it stopped is told, whatever the disk says
                write_results(plan.folder, journal)
            reason = str(stopped) or "it was interrupted"
            came_to = Applied(plan, journal.counts(), reason, journal.moved())
            raise RunStoppedError(came_to.told) from None
        finally:
            progress.tell()
        return Applied(plan, journal.counts(), moved=journal.moved())


def check_may_begin(plan: Plan, max_plan_age: float) -> None:
    """Raise PlanError if a plan is too old to begin with; a run that was begun goes on."""
    if not (plan.folder / JOURNAL).exists():
        check_age(plan, max_plan_age)


def verify(
    client: LoyaltyClient,
    planned: Planned,
    *,
    limits: Limits | None = None,
    time: Time | None = None,
) -> Verified:
    """Compare each row of a plan with the ledger, and write results.csv and undo.csv.

    Of a plan that was not applied here there is nothing to compare: see `compare_run`.
    """
    plan = planned.plan
    if not (plan.folder / JOURNAL).exists():
        return Verified(plan, {}, ())
    check_place(plan.header, place_of(client))
    with Journal.open(plan) as journal:
        differences = verify_rows(
            client, plan, journal, limits or Limits(settle=settle_time(client)), time
        )
        with told(plan.folder / RESULTS):
            write_results(plan.folder, journal)
            write_undo(plan.folder, journal)
        write_verdict(journal, len(differences))
        return Verified(plan, journal.counts(), tuple(differences), journal.moved())


def settle_time(client: LoyaltyClient) -> float:
    """Seconds after which an event must have become visible: of the environment at hand."""
    return SETTLE_LOCAL if client.environment == "local" else Limits.settle


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
