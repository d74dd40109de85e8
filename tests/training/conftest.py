"""A lesson of the learner's own, and its notebook run cell by cell without a kernel."""

import ast
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from itertools import pairwise
from typing import Any

import pytest

from loyalty_helpers import training
from loyalty_helpers.runner import lessons
from loyalty_helpers.training.lesson import Lesson

PATHS = {path.stem: path for path in lessons()}


@pytest.fixture
def begin() -> Iterator[Callable[..., Lesson]]:
    """Opens lessons as a notebook does, and closes them after the test."""
    opened: list[Lesson] = []

    def open_one(name: str = "01_accounts", environment: str = "local", **more: Any) -> Lesson:
        opened.append(training.begin(name, environment, **more))
        return opened[-1]

    yield open_one
    for lesson in opened:
        lesson.world.close()


def code_cells(name: str) -> list[dict[str, Any]]:
    cells = json.loads(PATHS[name].read_text(encoding="utf-8"))["cells"]
    return [cell | {"source": "".join(cell["source"])} for cell in cells if "outputs" in cell]


def texts(name: str) -> list[str]:
    cells = json.loads(PATHS[name].read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]


def exercise_cells(name: str) -> dict[str, str]:
    """The cells that a learner changes, by their exercise, which the cell after each checks."""
    cells = code_cells(name)
    return {
        after["source"].split('"')[1]: cell["source"]
        for cell, after in pairwise(cells)
        if "exercise" in cell["metadata"].get("tags", [])
    }


def run_through(name: str, answers: Mapping[str, str], until: str = "") -> dict[str, str]:
    """Run a lesson's notebook with other answers in it; what each exercise's check said.

    `until` is the exercise whose check is the last cell that is run.
    """
    given, space, told = exercise_cells(name), {}, {}
    names = {source: exercise for exercise, source in given.items()}
    for cell in code_cells(name):
        source = cell["source"]
        shown = run_cell(answers.get(names.get(source, ""), source), space)
        if source.startswith("lesson.check("):
            told[source.split('"')[1]] = str(shown)
        if until in told:
            break
    with closing(space["lesson"].world):
        return told


def run_cell(source: str, space: dict[str, Any]) -> Any:
    """Run a cell as a kernel does; the value of its last line."""
    *first, last = ast.parse(source).body
    if not isinstance(last, ast.Expr):
        first, last = [*first, last], ast.Expr(ast.Constant(None))
    exec(compile(ast.Module(first, []), "cell", "exec"), space)  # noqa: S102 - as a kernel does
    expression = ast.fix_missing_locations(ast.Expression(last.value))
    return eval(compile(expression, "cell", "eval"), space)  # noqa: S307 - as a kernel does
