"""Imports point down the floors of the house, and nowhere else."""

import ast
from pathlib import Path

import pytest

import loyalty_helpers

PACKAGE = Path(loyalty_helpers.__file__).parent
FLOORS = """
    __init__ __main__
    cli
    fleet training pages
    forms
    runner
    session parameters
    runbooks
    steps
    api
    transports
    records
    settings injected
    redaction variables files clicks
    errors
    plain
"""
FLOOR = {name: floor for floor, names in enumerate(FLOORS.split("\n")) for name in names.split()}
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "emulator" not in path.parts)

RUNBOOKS = PACKAGE / "runbooks"
# The rooms of runbooks; all that is not named here is on top of them.
RUNBOOK_FLOORS = [
    "apply books undo verify",
    "limits plan",
    "csv_files ledger",
    "identity",
]
RUNBOOK_FLOOR = {name: n for n, names in enumerate(RUNBOOK_FLOORS, 1) for name in names.split()}
RUNBOOK_SOURCES = sorted(RUNBOOKS.rglob("*.py"))


def part(path):
    """The part of the package that a file belongs to: its module, or its folder."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path):
    """The parts of the package that a file imports, whether at once, later, or for types."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports name the package"
            names = [node.module]
            if node.module == "loyalty_helpers":
                names = [f"loyalty_helpers.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            root, _, rest = name.partition(".")
            if root == "loyalty_helpers":
                yield rest.partition(".")[0]


def past_the_front_door(path):
    """What a file imports from inside another room."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names = (node.module or "").split(".")
            if len(names) > 2 and names[0] == "loyalty_helpers" and names[1] != part(path):
                yield node.module


def room(path):
    """The room of runbooks that a file belongs to: its module, or its folder."""
    return path.relative_to(RUNBOOKS).parts[0].removesuffix(".py")


def rooms_imported(path):
    """Of other rooms of runbooks: what a file imports, as the names of a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = (getattr(node, "module", None) or "").split(".")
        if isinstance(node, ast.ImportFrom) and names[:2] == ["loyalty_helpers", "runbooks"]:
            found = [names[2:]] if names[2:] else [[alias.name] for alias in node.names]
            yield from (one for one in found if one[0] != room(path))


def arrows():
    return {(part(path), target) for path in SOURCES for target in imported(path)}


def test_every_part_has_its_floor():
    assert set() == {part(path) for path in SOURCES} - FLOOR.keys()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_import_points_up(path):
    own = part(path)
    up = [t for t in imported(path) if t not in (own, "emulator") and FLOOR[t] < FLOOR[own]]

    assert [] == up


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nobody_reaches_past_a_front_door(path):
    assert [] == list(past_the_front_door(path))


@pytest.mark.parametrize("path", RUNBOOK_SOURCES, ids=lambda path: str(path.relative_to(RUNBOOKS)))
def test_no_import_of_runbooks_points_up(path):
    own = RUNBOOK_FLOOR.get(room(path), 0)

    assert [] == [one for one, *_ in rooms_imported(path) if RUNBOOK_FLOOR.get(one, 0) < own]


@pytest.mark.parametrize("path", RUNBOOK_SOURCES, ids=lambda path: str(path.relative_to(RUNBOOKS)))
def test_rooms_of_runbooks_are_used_through_their_front_doors(path):
    rooms = ("plan", "apply")

    assert [] == [names for names in rooms_imported(path) if names[0] in rooms and names[1:]]


@pytest.mark.parametrize("path", RUNBOOK_SOURCES, ids=lambda path: str(path.relative_to(RUNBOOKS)))
def test_sql_is_for_the_journal_alone(path):
    assert room(path) == "apply" or "import sqlite3" not in path.read_text(encoding="utf-8")


def test_parts_of_one_floor_do_not_import_each_other_in_a_circle():
    level = {(a, b) for a, b in arrows() if a != b and FLOOR.get(a) == FLOOR.get(b)}
    reached = set(level)
    for _ in FLOOR:
        reached |= {(a, d) for a, b in reached for c, d in level if b == c}

    assert set() == {a for a, b in reached if a == b}


def test_only_the_top_knows_of_environments():
    assert {a for a, b in arrows() if b == "session"} <= {"__init__", "cli", "pages"}


def test_only_session_cli_and_training_import_the_emulator():
    assert {a for a, b in arrows() if b == "emulator"} <= {"session", "cli", "training"}


def test_the_emulator_imports_nothing_of_the_package_but_itself():
    sources = (PACKAGE / "emulator").rglob("*.py")
    outside = {
        node.module
        for path in sources
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and (node.level > 1 or (node.module or "").startswith("loyalty_helpers"))
    }

    assert set() == outside


def test_httpx_is_imported_in_one_place():
    users = [
        path.name
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import) and any(alias.name == "httpx" for alias in node.names)
    ]

    assert ["http.py"] == users
