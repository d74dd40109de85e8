"""Plans: made of a sheet or of what a person asks for, written, read, and guarded."""

from loyalty_helpers.runbooks.plan.asked_again import (
    check_same_file,
    check_same_row,
    check_same_undo,
    is_example,
)
from loyalty_helpers.runbooks.plan.document import (
    APPROVAL_LENGTH,
    LOCK,
    MAX_PLAN_AGE,
    PLAN,
    Header,
    Plan,
    PlanRow,
    check_age,
    check_approval,
    plan_kept,
    read_plan,
)
from loyalty_helpers.runbooks.plan.guards import (
    check_place,
    place_of,
    planned_for,
    writing_client,
)
from loyalty_helpers.runbooks.plan.held import REPEAT_DAYS
from loyalty_helpers.runbooks.plan.planning import LEFT_OUT, make_folder, make_plan, writable
from loyalty_helpers.runbooks.plan.problems import PROBLEMS
from loyalty_helpers.runbooks.plan.row_checks import Problem, SheetRow, given_row
from loyalty_helpers.runbooks.plan.sheet import read_columns, read_sheet, sheet_path
from loyalty_helpers.runbooks.plan.stage import MAX_ROWS, Intent

__all__ = [
    "APPROVAL_LENGTH",
    "LEFT_OUT",
    "LOCK",
    "MAX_PLAN_AGE",
    "MAX_ROWS",
    "PLAN",
    "PROBLEMS",
    "REPEAT_DAYS",
    "Header",
    "Intent",
    "Plan",
    "PlanRow",
    "Problem",
    "SheetRow",
    "check_age",
    "check_approval",
    "check_place",
    "check_same_file",
    "check_same_row",
    "check_same_undo",
    "given_row",
    "is_example",
    "make_folder",
    "make_plan",
    "place_of",
    "plan_kept",
    "planned_for",
    "read_columns",
    "read_plan",
    "read_sheet",
    "sheet_path",
    "writable",
    "writing_client",
]
