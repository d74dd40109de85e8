"""The written surface of the package: sorted, complete, and cheap to import."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import loyalty_helpers
from loyalty_helpers import errors

HEAVY = ("httpx", "pydantic", "ipywidgets", "werkzeug", "papermill", "phonenumbers", "rich")
SOURCE = Path(loyalty_helpers.__file__)


def in_a_new_process(script):
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    return run.stdout.split()


def names_for_types():
    """The names under TYPE_CHECKING: what editors and mypy see."""
    for node in ast.walk(ast.parse(SOURCE.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("loyalty_helpers."):
            yield from (alias.asname or alias.name for alias in node.names)


def test_the_surface_is_sorted():
    assert sorted(loyalty_helpers.__all__) == loyalty_helpers.__all__


@pytest.mark.parametrize("name", loyalty_helpers.__all__)
def test_every_public_name_is_there(name):
    assert getattr(loyalty_helpers, name) is not None


def test_every_name_that_is_found_is_a_public_one():
    found = {*loyalty_helpers._HOME, *loyalty_helpers._MODULES}

    assert sorted(found) == loyalty_helpers.__all__


def test_editors_see_the_same_names():
    assert set(loyalty_helpers._HOME) == set(names_for_types())


@pytest.mark.parametrize(("name", "home"), loyalty_helpers._HOME.items())
def test_a_name_is_the_one_of_its_home(name, home):
    module = importlib.import_module(f"loyalty_helpers.{home}")

    assert getattr(module, name) is getattr(loyalty_helpers, name)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Client'"):
        _ = loyalty_helpers.Client


def test_star_gives_the_surface():
    script = "from loyalty_helpers import *; print(*sorted(n for n in dir() if n[0] != '_'))"

    assert loyalty_helpers.__all__ == in_a_new_process(script)


def test_importing_loads_nothing_heavy():
    script = f"import sys, loyalty_helpers; print(*(set({HEAVY}) & set(sys.modules)))"

    assert [] == in_a_new_process(script)


def test_the_errors_load_nothing_heavy():
    script = (
        f"import sys; from loyalty_helpers import errors; print(*(set({HEAVY}) & set(sys.modules)))"
    )

    assert [] == in_a_new_process(script)


def test_a_local_client_loads_neither_forms_nor_a_server():
    others = ("ipywidgets", "waitress", "papermill", "phonenumbers", "rich", "IPython")
    script = (
        "import sys; from loyalty_helpers import connect; connect('local').close(); "
        f"print(*(set({others}) & set(sys.modules)))"
    )

    assert [] == in_a_new_process(script)


def test_importing_makes_no_file_and_no_folder(tmp_path):
    in_a_new_process("import loyalty_helpers.session, loyalty_helpers.forms")

    assert [] == list(tmp_path.iterdir())


def test_the_root_of_the_errors_is_public():
    assert errors.LoyaltyError is loyalty_helpers.LoyaltyError
