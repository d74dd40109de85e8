"""The package as a whole: an island, cheap to import, with a written surface."""

import ast
import dataclasses
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loyalty_helpers import emulator
from loyalty_helpers.emulator import Assumptions, SeededIds, SettableClock
from loyalty_helpers.emulator.wire import CODES

FOLDER = Path(emulator.__file__).parent
SOURCES = sorted(FOLDER.glob("*.py"))
FLOORS = (
    "assumptions clock wire database | faults |"
    " validation | pricing ledger fault_plan periods | call |"
    " customers events orders programs | rewards promotions expiry | accrual payments accounts |"
    " seed routes | app | server | __init__"
)


def imported(path):
    """Return the modules of the package that a file imports, those for types alone aside."""
    tree = ast.parse(path.read_text())
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    near = [node for node in nodes if node.level == 1 and node not in for_types]
    modules = [[n.module] if n.module else [alias.name for alias in n.names] for n in near]
    return {module for group in modules for module in group}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_imports_point_down(path):
    floors = {name: i for i, floor in enumerate(FLOORS.split("|")) for name in floor.split()}

    assert all(floors[module] < floors[path.stem] for module in imported(path))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_nothing_else_of_the_project_is_imported(path):
    tree = ast.parse(path.read_text())
    outside = [
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and (node.level > 1 or (node.module or "").startswith("loyalty_helpers"))
    ]

    assert outside == []


def test_surface_is_written_and_sorted():
    assert sorted(emulator.__all__) == emulator.__all__
    assert all(hasattr(emulator, name) for name in emulator.__all__)


def test_import_loads_neither_server_nor_phone_numbers():
    script = (
        "import sys, loyalty_helpers.emulator; print({'waitress', 'phonenumbers'} & {*sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=FOLDER.parents[1], capture_output=True)

    assert run.stdout == b"set()\n"


@pytest.mark.parametrize("field", dataclasses.fields(Assumptions), ids=lambda field: field.name)
def test_every_assumption_is_used(field):
    others = (path.read_text() for path in SOURCES if path.stem != "assumptions")

    assert any(f"assumptions.{field.name}" in text for text in others)


def test_every_code_assumed_is_a_code_of_square():
    codes = {value for name, value in vars(Assumptions()).items() if name.endswith("_code")}

    assert codes <= CODES.keys()


def test_clock_stands_still_until_told_to_move():
    clock = SettableClock(datetime(2026, 1, 1, tzinfo=UTC))
    clock.advance(timedelta(days=31))

    assert datetime(2026, 2, 1, tzinfo=UTC) == clock() == clock()


def test_clock_wants_a_time_zone():
    with pytest.raises(ValueError, match="has no time zone"):
        SettableClock(datetime(2026, 1, 1))


def test_seeded_ids_repeat():
    one, two = SeededIds(7), SeededIds(7)

    assert (one.uuid(), one.code()) == (two.uuid(), two.code())
