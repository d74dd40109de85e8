"""Runbooks: plan, approve, apply, verify, undo, reconcile; each row once, whatever stops."""

from loyalty_helpers.runbooks.apply import Journal, Standing, owned_by, standing_of
from loyalty_helpers.runbooks.limits import Limits, Time, errors_allowed
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
from loyalty_helpers.runbooks.results import KEPT, facts, parameters_of, verdict_of
from loyalty_helpers.runbooks.run import RECORDED_RUNS, Run
from loyalty_helpers.runbooks.views import Verified

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
    "Run",
    "Standing",
    "Time",
    "Verified",
    "account_list",
    "check_approval",
    "check_may_begin",
    "check_not_begun",
    "compare_run",
    "errors_allowed",
    "facts",
    "owned_by",
    "parameters_of",
    "planned_for",
    "read_columns",
    "read_plan",
    "reconcile",
    "sheet_path",
    "standing_of",
    "verdict_of",
]
