"""Runbooks: plan, approve, apply, verify, undo, reconcile; each row once, whatever stops.

Imports point down: reconcile_steps > reconcile_views > reconciling; reconcile_steps > steps,
plan_steps > views; steps > running > applying > outcomes; plan_steps > planning > stage >
look_ups; plan_steps > sheet > sheet_header > row_checks; planning, undoing,
verifying, reconciling > ledger > journal > journal_file, plan > identity.
"""

from loyalty_helpers.runbooks.limits import Limits
from loyalty_helpers.runbooks.plan_steps import plan_file, plan_one, plan_undo
from loyalty_helpers.runbooks.reconcile_steps import compare_run, reconcile
from loyalty_helpers.runbooks.steps import apply, settle_time, verify

__all__ = [
    "Limits",
    "apply",
    "compare_run",
    "plan_file",
    "plan_one",
    "plan_undo",
    "reconcile",
    "settle_time",
    "verify",
]
