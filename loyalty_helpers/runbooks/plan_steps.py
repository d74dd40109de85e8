"""The planning steps of a runbook, as its notebook calls them: one adjustment, a file, an undoing.

Each gives the plan that is made now, or the approved one as it is on disk: cells may run twice,
or in a new kernel.
"""

from collections.abc import Iterable
from pathlib import Path

from loyalty_helpers.api import LoyaltyClient, check_run_id, given_number, whole_number, yes_or_no
from loyalty_helpers.errors import PlanError, ProductionGuardError
from loyalty_helpers.files import is_there
from loyalty_helpers.runbooks.apply.journal import JOURNAL
from loyalty_helpers.runbooks.plan import (
    EXAMPLE_ROW,
    MAX_ROWS,
    PLAN,
    Intent,
    Plan,
    Problem,
    Row,
    check_approval,
    check_same_file,
    check_same_row,
    check_same_undo,
    given_row,
    make_plan,
    read_columns,
    read_plan,
    read_sheet,
)
from loyalty_helpers.runbooks.results import repeats_told
from loyalty_helpers.runbooks.undo import compensating_rows
from loyalty_helpers.runbooks.views import Planned
from loyalty_helpers.settings import NOTEBOOKS, load_settings

RECORDED_RUNS = "plans"  # folder of the recordings; the run that a recording is about


def folder_of(run_id: str) -> Path:
    """The folder of a run, below LOYALTY_RUNS."""
    return load_settings().runs_folder / check_run_id(run_id)


def plan_one(
    client: LoyaltyClient,
    *,
    run_id: str,
    points: int,
    reason: str,
    phone_number: str = "",
    customer_id: str = "",
    account_id: str = "",
    dry_run: bool = True,
    approved_plan: str = "",
    allow_negative_balance: bool = False,
    expected_balance: str = "",
    allow_repeats: bool = False,
) -> Planned:
    """The plan of one adjustment: made now, or the one that is on disk.

    Args:
        client: made by connect().
        run_id: the name of the intent.
        points: whole points; negative takes away.
        reason: kept in the account's history.
        phone_number: of the buyer; or one of the next two.
        customer_id: of the buyer's profile.
        account_id: of the loyalty account.
        dry_run: plan only. Without it the plan is approved as it is, except in production.
        approved_plan: the digest of the plan that was looked at, to apply that and no other.
        allow_negative_balance: let the balance fall below 0.
        expected_balance: a whole number that the balance must be now; empty if any will do.
        allow_repeats: apply it though the ledger holds the same points and reason already.
    """
    row = given_row(phone_number, customer_id, account_id, points, reason)
    intent = Intent(
        "adjust_points",
        run_id,
        allow_negative_balance=allow_negative_balance,
        allow_repeats=allow_repeats,
        expected_balance=given_number(expected_balance, "expected_balance"),
    )
    dry_run = yes_or_no(dry_run, "dry_run")
    if approved_plan and not dry_run:
        return Planned(_approved_one(client, row, intent, approved_plan), approved_plan)
    if dry_run:
        return _planned(client, [row], intent, "")
    if client.environment == "production":
        raise ProductionGuardError(
            "production needs the digest of a plan in approved_plan: make one with dry_run, and "
            "look at it. Nothing was changed."
        )
    if is_there(folder_of(run_id) / JOURNAL):
        plan = _of_runbook(folder_of(run_id), intent)
        check_same_row(client, plan, row, intent)
        return Planned(plan, plan.digest)
    made = _planned(client, [row], intent, "")
    return Planned(made.plan, made.plan.digest)


def _approved_one(client: LoyaltyClient, row: Row, intent: Intent, approved: str) -> Plan:
    """The approved plan; what is asked for beside it, and is not the notebook's example, agrees."""
    plan = _approved(folder_of(intent.run_id), intent, approved)
    named = row.customer_id or row.account_id or intent.expected_balance is not None
    if named or (row.phone_number, row.points, row.reason) != EXAMPLE_ROW:
        check_same_row(client, plan, row, intent)
    return plan


def plan_file(
    client: LoyaltyClient,
    adjustments_file: str,
    *,
    run_id: str,
    approved_plan: str = "",
    allow_negative_balance: bool = False,
    allow_repeats: bool = False,
    max_points: int = 10_000,
    max_rows: int = MAX_ROWS,
    expected_rows: str = "",
    expected_points: str = "",
    show_phone_numbers: bool = False,
    columns: str = "",
) -> Planned:
    """The plan of a file of adjustments: made now, or the approved one as it is on disk.

    `columns` has the file's names for ours, such as `Phone Number=phone_number, Memo=-`.

    Raises:
        PlanError: with every problem of the file.
    """
    path, names = sheet_path(adjustments_file), read_columns(columns)
    sheet = read_sheet(path)
    intent = Intent(
        "bulk_adjust",
        run_id,
        source=sheet.described(names),
        source_sha256=sheet.sha256,
        allow_negative_balance=allow_negative_balance,
        allow_repeats=allow_repeats,
        show_phone_numbers=show_phone_numbers,
        max_rows=whole_number(max_rows, "max_rows"),
        expected_rows=given_number(expected_rows, "expected_rows"),
        expected_points=given_number(expected_points, "expected_points"),
    )
    rows = sheet.rows(max_points=whole_number(max_points, "max_points"), columns=names)
    del sheet  # so that its bytes are let go of as soon as its rows are read
    planned = _planned(client, rows, intent, approved_plan)
    if approved_plan:
        check_same_file(planned.plan, path, intent.source_sha256, intent)
    return planned


def plan_undo(
    client: LoyaltyClient,
    undo: str,
    *,
    run_id: str,
    approved_plan: str = "",
    allow_negative_balance: bool = False,
    allow_partial: bool = False,
) -> Planned:
    """The plan that undoes a run: made now, or the approved one as it is on disk.

    Args:
        client: of the same environment and seller as the run.
        undo: the run's id, or the path of its receipt.
        run_id: of the undoing.
        approved_plan: the digest, to apply it.
        allow_negative_balance: let balances fall below 0, where points were spent meanwhile.
        allow_partial: undo what can be undone; the rest is told, and stands in left_out.csv.
    """
    undone = _undone(client, undo)
    intent = Intent(
        "undo_adjustments",
        run_id,
        source=undone.name,
        allow_negative_balance=allow_negative_balance,
        allow_partial=allow_partial,
        max_rows=10 * MAX_ROWS,
    )
    if approved_plan:
        planned = _planned(client, [], intent, approved_plan)
        check_same_undo(planned.plan, undone.name, intent)
        return planned
    return _planned(client, compensating_rows(client, read_plan(undone / PLAN)), intent, "")


def _undone(client: LoyaltyClient, undo: str) -> Path:
    """The folder of the run that is undone; a recording brings the run along that it is about."""
    if undo.endswith(".json"):
        return Path(undo).parent
    recorded = load_settings().loyalty_recordings / RECORDED_RUNS / check_run_id(undo)
    return recorded if client.environment == "recorded" else folder_of(undo)


def sheet_path(name: str) -> Path:
    """The adjustments file: a path, or the name of a sample in notebooks/data."""
    path = Path(name)
    sample = NOTEBOOKS / "data" / name
    return sample if not is_there(path) and is_there(sample) else path


def _planned(
    client: LoyaltyClient,
    rows: Iterable[Row | Problem],
    intent: Intent,
    approved_plan: str,
) -> Planned:
    folder = folder_of(intent.run_id)
    if not approved_plan:
        made = make_plan(client, rows, intent, folder, journal=JOURNAL, repeats_told=repeats_told)
        return Planned(made)
    return Planned(_approved(folder, intent, approved_plan), approved_plan)


def _approved(folder: Path, intent: Intent, approved_plan: str) -> Plan:
    plan = _of_runbook(folder, intent)
    check_approval(plan, approved_plan)
    return plan


def _of_runbook(folder: Path, intent: Intent) -> Plan:
    plan = read_plan(folder / PLAN)
    if plan.header.runbook != intent.runbook:
        raise PlanError(
            f"run id {intent.run_id!r} is one of {plan.header.runbook}, not of {intent.runbook}"
        )
    return plan
