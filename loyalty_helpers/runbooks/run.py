"""A run as its notebook holds it: one object that plans, applies and verifies.

Each verb reads what it needs from the run's folder: cells may run twice, or in a new kernel.
"""

from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from loyalty_helpers.api import LoyaltyClient, check_run_id, given_number, whole_number, yes_or_no
from loyalty_helpers.errors import ParameterError, ProductionGuardError, RunStoppedError
from loyalty_helpers.files import is_there
from loyalty_helpers.runbooks import plan as plans
from loyalty_helpers.runbooks.apply import (
    UNREAD,
    Applying,
    Journal,
    Progress,
    Standing,
    Work,
    handled,
    stopped_if_put_off,
)
from loyalty_helpers.runbooks.limits import Limits, Time, settle_time
from loyalty_helpers.runbooks.results import repeats_told, write_results, write_verified
from loyalty_helpers.runbooks.undo import compensating_rows
from loyalty_helpers.runbooks.verify import verify_rows
from loyalty_helpers.runbooks.views import Applied, Planned, Verified
from loyalty_helpers.settings import load_settings

RECORDED_RUNS = "plans"  # folder of the recordings; the run that a recording is about


class Run:
    """One intent on its way: planned, approved, applied once, verified from the ledger.

    Args:
        client: made by connect().
        run_id: the name of the intent, and of the folder below LOYALTY_RUNS.
        approved_plan: the digest of the plan that was looked at, or its first 12 characters or
            more, to apply that and no other; empty plans only.
        approved_by: who approved it; production asks for a name.
        allow_negative_balance: let balances fall below 0.
        allow_repeats: apply what the ledger holds already, by account, points and reason.
        limits: what `apply` is not told by name.
        time: what waits go by.
    """

    def __init__(
        self,
        client: LoyaltyClient,
        run_id: str,
        *,
        approved_plan: str = "",
        approved_by: str = "",
        allow_negative_balance: bool = False,
        allow_repeats: bool = False,
        limits: Limits | None = None,
        time: Time | None = None,
    ) -> None:
        self._client, self._folder = client, folder_of(run_id)
        self._approved, self._approved_by = approved_plan, approved_by
        self._intent = plans.Intent(
            "",
            run_id,
            allow_negative_balance=allow_negative_balance,
            allow_repeats=allow_repeats,
        )
        self._limits, self._time = limits or Limits(settle=settle_time(client)), time or Time()
        self._planned: Planned | None = None

    @stopped_if_put_off()
    def plan_one(
        self,
        *,
        points: int,
        reason: str,
        phone_number: str = "",
        customer_id: str = "",
        account_id: str = "",
        expected_balance: str = "",
        dry_run: bool = True,
    ) -> Planned:
        """The plan of one adjustment: made now, or the one that is on disk.

        Args:
            points: whole points; negative takes away.
            reason: kept in the account's history.
            phone_number: of the buyer; or one of the next two.
            customer_id: of the buyer's profile.
            account_id: of the loyalty account.
            expected_balance: a whole number that the balance must be now; empty if any will do.
            dry_run: plan only. Without it the plan is approved as it is, except in production.
        """
        row = plans.given_row(phone_number, customer_id, account_id, points, reason)
        expected = given_number(expected_balance, "expected_balance")
        intent = replace(
            self._intent, runbook="adjust_points", given=row, expected_balance=expected
        )
        if yes_or_no(dry_run, "dry_run"):
            return self._made([row], intent)
        if not self._approved and self._client.environment == "production":
            raise ProductionGuardError(
                "production needs the digest of a plan in approved_plan: make one with dry_run, "
                "and look at it. Nothing was changed."
            )
        if not self._approved and not is_there(self._folder / plans.JOURNAL):
            return self._kept(self._made([row], intent).plan)
        return self._found(intent)

    @stopped_if_put_off()
    def plan_file(
        self,
        adjustments_file: str,
        *,
        columns: str = "",
        max_points: int = 10_000,
        max_rows: int = plans.MAX_ROWS,
        expected_rows: str = "",
        expected_points: str = "",
        show_phone_numbers: bool = False,
    ) -> Planned:
        """The plan of a file of adjustments: made now, or the approved one as it is on disk.

        `columns` has the file's names for ours, such as `Phone Number=phone_number, Memo=-`.

        Raises:
            PlanError: with every problem of the file.
        """
        path, names = plans.sheet_path(adjustments_file), plans.read_columns(columns)
        sheet = plans.read_sheet(path)
        intent = replace(
            self._intent,
            runbook="bulk_adjust",
            source=sheet.described(names),
            source_sha256=sheet.sha256,
            given=path,
            show_phone_numbers=show_phone_numbers,
            max_rows=whole_number(max_rows, "max_rows"),
            expected_rows=given_number(expected_rows, "expected_rows"),
            expected_points=given_number(expected_points, "expected_points"),
        )
        rows = sheet.rows(max_points=whole_number(max_points, "max_points"), columns=names)
        del sheet  # so that its bytes are let go of as soon as its rows are read
        return self._found(intent) if self._approved else self._made(rows, intent)

    @stopped_if_put_off()
    def plan_undo(self, undo: str, *, allow_partial: bool = False) -> Planned:
        """The plan that undoes a run: made now, or the approved one as it is on disk.

        Args:
            undo: the id of a run in the same environment of the same seller, or the path of its
                receipt.
            allow_partial: undo what can be undone; the rest is told, and stands in left_out.csv.
        """
        undone = self._undone(undo)
        intent = replace(
            self._intent,
            runbook="undo_adjustments",
            source=undone.name,
            allow_partial=allow_partial,
            max_rows=10 * plans.MAX_ROWS,
        )
        if self._approved:
            return self._found(intent)
        rows = compensating_rows(self._client, plans.read_plan(undone / plans.PLAN))
        return self._made(rows, intent)

    @stopped_if_put_off()
    def apply(
        self,
        *,
        on_drift: str = "note",
        max_plan_age: float = plans.MAX_PLAN_AGE,
        told: Callable[[Standing], None] | None = None,
        **limits: Any,
    ) -> Applied:
        """Apply the approved plan, each row once; without approval it only says how to approve.

        Args:
            on_drift: what happens to a row whose balance has moved since the plan was made: `note`
                applies it and says so, `skip` leaves it out.
            max_plan_age: hours after which a plan has to be made anew before it is applied; a run
                that was begun is resumed whenever that is.
            told: is told how far the run is, once a second at most, in place of a bar.
            limits: how fast, and when to stop: those of `Limits`, by their names.

        Raises:
            PlanError, ProductionGuardError, JournalError: nothing was sent.
            RunStoppedError: it stopped before its end; the text has the command that resumes it.
        """
        within, planned = replace(self._limits, **limits), self.last_plan()
        if not planned.approved:
            return Applied(planned.plan, {})
        if on_drift not in ("note", "skip"):
            raise ParameterError(f"on_drift {on_drift!r} is neither 'note' nor 'skip'")
        with ExitStack() as held:
            with plans.plan_kept(self._folder):
                path, approval = self._folder / plans.PLAN, (planned.approved, self._approved_by)
                plan, writing = plans.writing_client(self._client, path, *approval)
                plans.check_may_begin(plan, max_plan_age)
                plans.check_place(plan.header, self._client)
                journal = held.enter_context(Journal.open(plan))
            held.enter_context(handled())  # at the border of rows, with everything written down
            progress = Progress(journal, plan.header.rows, told)
            work = Work(writing, plan, journal, within, self._time, progress, on_drift == "skip")
            return self._sent(work)

    def _sent(self, work: Work) -> Applied:
        plan, journal = work.plan, work.journal
        with journal.commit():
            journal.set_meta("approved_by", self._approved_by or journal.meta("approved_by"))
        try:
            Applying(work).run()
        except (RunStoppedError, *UNREAD, KeyboardInterrupt) as stopped:
            with suppress(OSError):  # why it stopped is told, whatever the disk says
                write_results(journal)
            reason = str(stopped) or "it was interrupted"
            came_to = Applied(plan, journal.counts(), reason, journal.moved())
            raise RunStoppedError(str(came_to), reason) from None
        finally:
            work.progress.tell()
        return Applied(plan, journal.counts(), moved=journal.moved())

    @stopped_if_put_off()
    def verify(self) -> Verified:
        """Compare each row of the plan with the ledger, and write results.csv and undo.csv.

        Of a plan that was not applied here there is nothing to compare: see `compare_run`.
        """
        plan = self.last_plan().plan
        if not plan.begun:
            return Verified(plan, {}, ())
        plans.check_place(plan.header, self._client)
        with Journal.open(plan) as journal:
            differences, held = verify_rows(self._client, plan, journal, self._limits, self._time)
            write_verified(journal, len(differences), held)
            return Verified(plan, journal.counts(), tuple(differences), journal.moved())

    def _made(self, rows: Iterable[plans.Row | plans.Problem], intent: plans.Intent) -> Planned:
        made = plans.make_plan(self._client, rows, intent, self._folder, repeats_told=repeats_told)
        self._planned = Planned(made)
        return self._planned

    def _found(self, intent: plans.Intent) -> Planned:
        """The plan on disk, which was approved."""
        return self._kept(plans.find_plan(self._client, self._folder, intent, self._approved))

    def _kept(self, plan: plans.Plan) -> Planned:
        self._planned = Planned(plan, plan.digest)
        return self._planned

    def last_plan(self) -> Planned:
        """What was planned here, or in a kernel before this one; PlanError if nothing was."""
        return self._planned or Planned(plans.read_plan(self._folder / plans.PLAN), self._approved)

    def _undone(self, undo: str) -> Path:
        """The folder of the run that is undone; a recording brings it along."""
        if undo.endswith(".json"):
            return Path(undo).parent
        recorded = load_settings().loyalty_recordings / RECORDED_RUNS / check_run_id(undo)
        return recorded if self._client.environment == "recorded" else folder_of(undo)


def folder_of(run_id: str) -> Path:
    """The folder of a run, below LOYALTY_RUNS."""
    return load_settings().runs_folder / check_run_id(run_id)
