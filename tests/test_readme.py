"""README is true: what it names exists, and what exists is named."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import PROMISES
from loyalty_helpers.parameters import BUYER
from loyalty_helpers.runner import Notebook, notebooks
from loyalty_helpers.settings import ENVIRONMENTS, Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
NOT_FOR_USERS = {"loyalty_record_to", "loyalty_out"}  # set by a command, for its kernel


def rows(heading: str) -> list[list[str]]:
    """The rows of the first table below a line that holds `heading`."""
    table = re.search(r"\|(?:.*\|\n)+", README[README.index(heading) :])[0]
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()]


def own_parameters(folder: str, *shared: str) -> dict[str, set[str]]:
    """What each notebook of a folder takes, but for what all of them take."""
    found = [Notebook.read(path.stem) for path in notebooks() if path.parent.name == folder]
    return {each.path.stem: set(each.takes) - {"environment", *shared} for each in found}


def test_the_table_of_notebooks_names_each_with_its_own_parameters() -> None:
    found = {
        re.search(r"\[(\w+)\]", name)[1]: set(re.findall(r"`(\w+)`", own))
        for name, _, own in rows("## The notebooks")[2:]
    }

    assert found == own_parameters("notebooks", *BUYER)


def test_the_table_of_runbooks_names_each_with_its_parameters() -> None:
    found = {
        re.search(r"\[(\w+)\]", name)[1]: set(re.findall(r"`(\w+)`", own))
        for name, _, own in rows("## Runbooks")[2:]
    }

    assert found == own_parameters("runbooks", "run_id")


def test_the_table_of_environments_names_each() -> None:
    assert {row[0].split("`")[1] for row in rows("## Environments")[2:]} == set(ENVIRONMENTS)


def test_the_table_of_variables_names_each() -> None:
    found = {row[0].strip("`") for row in rows("| Variable |")[2:]}
    variables = {name.upper() for name in set(Settings.model_fields) - NOT_FOR_USERS}

    assert found == variables | {"LOYALTY_ENV_FILE"}


def test_the_table_of_figures_is_that_of_make_bench() -> None:
    found = [(row[0], row[2], row[5]) for row in rows("| Ours |")[2:]]

    assert found == [(p.what, p.rival, f"<= {p.at_most:g}") for p in PROMISES]


@pytest.mark.parametrize(
    "command", ["run", "list", "record", "drift", "emulator serve", "emulator reset"]
)
def test_each_command_is_in_readme_and_has_help(command: str) -> None:
    program = Path(sys.executable).with_name("loyalty")
    told = subprocess.check_output([program, *command.split(), "--help"], text=True)

    assert f"loyalty {command}" in README
    assert told.startswith("Usage: loyalty")


def test_make_targets_of_readme_exist() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert set(re.findall(r"`make (\w+)`|^\$ make (\w+)", README, re.MULTILINE)) <= {
        pair for target in targets for pair in ((target, ""), ("", target))
    }


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", README):
        assert (ROOT / target).exists(), target
