"""Plans: made of a sheet or of what a person asks for, written, read, and guarded."""

from loyalty_helpers.runbooks.plan.document import (
    JOURNAL,
    LOCK,
    PLAN,
    Header,
    Plan,
    plan_kept,
    read_plan,
    writable,
)
from loyalty_helpers.runbooks.plan.found import REPEAT_DAYS
from loyalty_helpers.runbooks.plan.guards import (
    APPROVAL_LENGTH,
    MAX_PLAN_AGE,
    MAX_ROWS,
    Intent,
    check_approval,
    check_may_begin,
    check_place,
    find_plan,
    place_of,
    planned_for,
    writing_client,
)
from loyalty_helpers.runbooks.plan.planning import (
    LEFT_OUT,
    PROBLEMS,
    check_not_begun,
    make_folder,
    make_plan,
)
from loyalty_helpers.runbooks.plan.rows import Problem, Row, given_row
from loyalty_helpers.runbooks.plan.sheet import read_sheet, sheet_path
from loyalty_helpers.runbooks.plan.sheet_header import read_columns

__all__ = [
    "APPROVAL_LENGTH",
    "JOURNAL",
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
    "Problem",
    "Row",
    "check_approval",
    "check_may_begin",
    "check_not_begun",
    "check_place",
    "find_plan",
    "given_row",
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
