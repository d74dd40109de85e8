"""README and docs are true: what they name exists, and what exists is named."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import PROMISES
from loyalty_helpers.settings import ENVIRONMENTS, Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
TEXTS = PAGES | {name: (ROOT / name).read_text() for name in ("README.md", "CONTRIBUTING.md")}
COMMANDS = (
    "run",
    "app",
    "lab",
    "list",
    "notebooks",
    "record",
    "drift",
    "emulator serve",
    "emulator reset",
)
COMMANDS += tuple(f"training {verb}" for verb in ("list", "reset", "report", "grade", "check"))
NOT_FOR_USERS = {"loyalty_record_to", "loyalty_out"}  # set by a command, for its kernel


def rows(text: str, begin: str) -> list[list[str]]:
    """The rows of the first table from where a text holds `begin`, without its header."""
    table = re.search(r"\|(?:.*\|\n)+", text[text.index(begin) :])[0]
    lines = table.splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_notebooks_names_each() -> None:
    found = [re.search(r"\((.*)\)", row[0])[1] for row in rows(README, "## The notebooks")]
    there = {str(path.relative_to(ROOT)) for path in (ROOT / "notebooks").rglob("*.ipynb")}
    of_lessons = set(re.findall(r"\(\.\./(notebooks/training/.*?)\)", PAGES["training.md"]))

    assert there == set(found) | of_lessons


def test_the_table_of_environments_names_each() -> None:
    found = {row[0].split("`")[1] for row in rows(README, "## Environments")}

    assert found == set(ENVIRONMENTS)


def test_the_table_of_variables_names_each() -> None:
    found = {row[0].strip("`") for row in rows(PAGES["environments.md"], "| Variable |")}
    variables = {name.upper() for name in set(Settings.model_fields) - NOT_FOR_USERS}

    assert found == variables | {"LOYALTY_ENV_FILE"}


def test_the_table_of_figures_is_that_of_make_bench() -> None:
    found = [(row[0], row[2], row[5]) for row in rows(PAGES["development.md"], "| Ours |")]

    assert found == [(p.what, p.rival, f"<= {p.at_most:g}") for p in PROMISES]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_told_and_has_help(command: str) -> None:
    program = Path(sys.executable).with_name("loyalty")
    told = subprocess.check_output([program, *command.split(), "--help"], text=True)

    assert f"loyalty {command}" in "".join(TEXTS.values())
    assert told.startswith("Usage: loyalty")


@pytest.mark.parametrize("name", TEXTS)
def test_make_targets_that_are_named_exist(name: str) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"(?:`|^\$ )make ([a-z0-9-]+)", TEXTS[name], re.MULTILINE)

    assert set(named) <= targets


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name: str) -> None:
    folder = ROOT / "docs" if name in PAGES else ROOT
    for target in re.findall(r"\]\((?!https?://)([^)#]+)[^)]*\)", TEXTS[name]):
        assert (folder / target).exists(), target


def test_readme_is_short_enough_to_be_read() -> None:
    assert len(README.splitlines()) <= 150


def test_each_page_is_linked_from_readme() -> None:
    assert [name for name in PAGES if f"(docs/{name})" not in README] == []


def test_the_tree_of_readme_is_the_tree() -> None:
    """Every folder of the repository and of the package has its line."""
    tree = README[README.index("```text\nloyalty_helpers/") :]
    tracked = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    folders = {path.split("/")[0] for path in tracked if "/" in path and path[0] != "."}
    rooms = {path.split("/")[1] for path in tracked if re.match(r"loyalty_helpers/\w+/", path)}

    assert {f"{folder}/" for folder in folders} <= set(re.findall(r"^(\w+/) ", tree, re.M))
    assert {f"{room}/" for room in rooms} <= set(re.findall(r"^  (\w+/) ", tree, re.M))
