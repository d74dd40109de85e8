"""A course that is judged by the ledger: lessons, each in a world of the learner's own."""

from loyalty_helpers.training.grade import (
    COLUMNS,
    check_lesson,
    forget,
    grade,
    progress,
    write_report,
)
from loyalty_helpers.training.lesson import begin
from loyalty_helpers.training.plan import LESSONS, find_plan
from loyalty_helpers.training.state import training_folder

__all__ = [
    "COLUMNS",
    "LESSONS",
    "begin",
    "check_lesson",
    "find_plan",
    "forget",
    "grade",
    "progress",
    "training_folder",
    "write_report",
]
