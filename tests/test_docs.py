"""docs/reliability.md is true: the tests, states, limits and messages that it names exist."""

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest

from loyalty_helpers.runbooks.apply.progress import PROGRESS
from loyalty_helpers.runbooks.apply.rows import RESULTS, STATES
from loyalty_helpers.runbooks.limits import Limits
from loyalty_helpers.runbooks.plan import LEFT_OUT, MAX_PLAN_AGE, MAX_ROWS, PROBLEMS, REPEAT_DAYS
from loyalty_helpers.runbooks.reconcile_views import (
    ADJUSTMENTS,
    DIFFERENCES,
    MOST_READ_AGAIN,
    NOT_SETTLED,
)
from loyalty_helpers.runbooks.record import State
from loyalty_helpers.runbooks.results import KEPT, RECEIPT, UNDO
from loyalty_helpers.runner import Notebook

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
SOURCE = "".join(path.read_text() for path in sorted((ROOT / "loyalty_helpers").rglob("*.py")))
TEXTS = re.sub(r"\"\s*\n\s*f?\"", "", SOURCE)  # as they are when they are told
IN_CODE = re.compile(r"`([^`]+)`")


def rows(heading: str, number: int = 1) -> list[list[str]]:
    """The rows of a table below a heading, without its own header."""
    section = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    [found] = [text for text in section if text.startswith(f"{heading}\n")]
    table = re.findall(r"(?:\|.*\n)+", found)[number - 1]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]


CRASHES = rows("Where a run can be cut off")
FAULTS = [row for row in rows("What can go wrong around it") if not row[0].startswith("**")]
MESSAGES = [
    text
    for row in (*rows("What a refusal or a stop means"), *rows("The states of a row", 2))
    for text in IN_CODE.findall(row[0])
]


def names_of_tests() -> set[str]:
    trees = (ast.parse(path.read_text()) for path in (ROOT / "tests").rglob("test_*.py"))
    return {
        each.name
        for tree in trees
        for each in ast.walk(tree)
        if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")
    }


def test_each_test_that_is_named_exists() -> None:
    named = set(IN_CODE.findall(" ".join(row[-1] for row in (*CRASHES, *FAULTS))))

    assert named - names_of_tests() == set()


def test_each_crash_point_and_each_fault_has_its_test() -> None:
    assert [row[0] for row in (*CRASHES, *FAULTS) if not row[-1].startswith("`test_")] == []


def test_each_state_is_explained() -> None:
    assert [row[0] for row in rows("The states of a row")] == [f"`{state}`" for state in STATES]


def test_each_limit_stands_there_with_its_default() -> None:
    defaults = Notebook.read("bulk_adjust").defaults
    limits = {field.name: str(field.default) for field in fields(Limits)} | {
        "max_plan_age": str(MAX_PLAN_AGE),
        "max_rows": str(MAX_ROWS),
        "max_points": str(defaults["max_points"]),
        "REPEAT_DAYS": str(REPEAT_DAYS),
        "MOST_READ_AGAIN": str(MOST_READ_AGAIN),
    }

    assert {row[0].strip("`"): row[1] for row in rows("Limits")} == limits


def test_each_file_that_a_run_leaves_stands_there() -> None:
    files = {*KEPT, RECEIPT, RESULTS, UNDO, LEFT_OUT, PROBLEMS, PROGRESS}
    files |= {DIFFERENCES, ADJUSTMENTS, NOT_SETTLED}
    table = " ".join(" ".join(row) for row in rows("What a run leaves, and what has to be kept"))

    assert files - set(IN_CODE.findall(table)) == set()


@pytest.mark.parametrize("text", MESSAGES)
def test_each_message_is_one_that_is_told(text: str) -> None:
    assert text.strip() in TEXTS


def test_links_lead_somewhere() -> None:
    headings = {re.sub(r"[^a-z ]", "", h.lower()).replace(" ", "-") for h in headings_of(PAGE)}

    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", PAGE):
        assert target.removeprefix("#") in headings or (ROOT / "docs" / target).exists(), target


def headings_of(text: str) -> list[str]:
    return re.findall(r"^##? (.*)$", text, re.MULTILINE)


def test_each_state_of_a_run_is_explained() -> None:
    page = (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)

    assert [state for state in State if state is not State.FOREIGN] == explained
