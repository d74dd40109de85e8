"""Runbooks: plan, approve, apply, verify, undo; each row once, whatever stops in between.

Imports point down: steps > views, running > applying > outcomes; planning, undoing, verifying >
ledger > journal > plan > identity.
"""

from loyalty_helpers.runbooks.limits import Limits
from loyalty_helpers.runbooks.steps import (
    apply,
    plan_file,
    plan_one,
    plan_undo,
    settle_time,
    verify,
)

__all__ = ["Limits", "apply", "plan_file", "plan_one", "plan_undo", "settle_time", "verify"]
