"""Runbooks: plan, approve, apply, verify, undo, reconcile; each row once, whatever stops."""

from loyalty_helpers.runbooks.apply import Journal, Standing, owned_by, standing_of
from loyalty_helpers.runbooks.csv_files import write_csv
from loyalty_helpers.runbooks.limits import Limits, Time, errors_allowed
from loyalty_helpers.runbooks.listing import list_runs, look_at, why
from loyalty_helpers.runbooks.plan import (
    JOURNAL,
    MAX_PLAN_AGE,
    PLAN,
    Plan,
    check_approval,
    check_may_begin,
    check_not_begun,
    planned_for,
    read_columns,
    read_plan,
    sheet_path,
)
from loyalty_helpers.runbooks.reconcile import account_list, compare_run, reconcile
from loyalty_helpers.runbooks.reconcile_views import ADJUSTMENTS, DIFFERENCES
from loyalty_helpers.runbooks.record import RunRecord, State
from loyalty_helpers.runbooks.results import KEPT, facts, parameters_of, verdict_of
from loyalty_helpers.runbooks.run import RECORDED_RUNS, Run, folder_of
from loyalty_helpers.runbooks.run_index import headline, runs_table, write_index
from loyalty_helpers.runbooks.run_rows import RunRows
from loyalty_helpers.runbooks.views import Planned, Verified

__all__ = [
    "ADJUSTMENTS",
    "DIFFERENCES",
    "JOURNAL",
    "KEPT",
    "MAX_PLAN_AGE",
    "PLAN",
    "RECORDED_RUNS",
    "Journal",
    "Limits",
    "Plan",
    "Planned",
    "Run",
    "RunRecord",
    "RunRows",
    "Standing",
    "State",
    "Time",
    "Verified",
    "account_list",
    "check_approval",
    "check_may_begin",
    "check_not_begun",
    "compare_run",
    "errors_allowed",
    "facts",
    "folder_of",
    "headline",
    "list_runs",
    "look_at",
    "owned_by",
    "parameters_of",
    "planned_for",
    "read_columns",
    "read_plan",
    "reconcile",
    "runs_table",
    "sheet_path",
    "standing_of",
    "verdict_of",
    "why",
    "write_csv",
    "write_index",
]
