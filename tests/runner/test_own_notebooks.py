"""A notebook of somebody's own: run by its path, its cell read like those of the project."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from loyalty_helpers.cli import main
from loyalty_helpers.errors import ParameterError
from loyalty_helpers.runner import Notebook
from loyalty_helpers.settings import NOTEBOOKS
from tests.commands import receipt, run

pytestmark = pytest.mark.slow

CELL = """
environment: str = ""
points: int = 5  # as this shop counts
shop: int = 3  # the number of the shop
rate: float = 1.5
loud: bool = False
greeting = "Hello"
shelves: list[str] = ["a"]  # from left to right
"""
READS = """
from loyalty_helpers import connect
client = connect(environment)
(len(list(client.search_accounts())), shop, rate, loud, greeting, shelves)
"""


def own(cell: str = CELL, work: str = READS, tag: str = "parameters") -> str:
    """The path of a notebook with a parameters cell and one that does something."""
    rest = {"cell_type": "code", "execution_count": None, "outputs": []}
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# Count\\nthe buyers"},
        rest | {"metadata": {"tags": [tag]}, "source": cell},
        rest | {"metadata": {}, "source": work},
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    text = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 4}
    Path("mine.ipynb").write_text(json.dumps(text))
    return "mine.ipynb"


def refusal(notebook: str, **given: str) -> str:
    with pytest.raises(ParameterError) as error:
        Notebook.read(notebook).check(given)
    return str(error.value)


@pytest.mark.slow
def test_it_runs_by_its_path_and_is_not_called_verified_if_it_shows_no_verification() -> None:
    result = run(own(), "shop", "4", "rate", "2", "loud", "true", "greeting", "Hi")

    assert (0, "") == (result.returncode, result.stderr)
    assert result.stdout.startswith("ended: mine, which showed no verification, environment local")
    [folder] = Path("runs").iterdir()
    found = receipt(folder.name)
    assert ("ended", False, None) == (found["status"], found["verified"], found["error"])
    expected = {"shop": 4, "rate": 2.0, "loud": True, "greeting": "Hi", "shelves": ["a"]}
    assert expected == {name: found["parameters"][name] for name in expected}
    assert "4, 2.0, True, 'Hi', ['a'])" in next(folder.glob("*.ipynb")).read_text()


@pytest.mark.slow
def test_one_with_the_name_of_ours_is_no_more_verified_than_any_other() -> None:
    result = run(Path(own()).rename("01_search_accounts.ipynb"))

    assert (0, "") == (result.returncode, result.stderr)
    assert result.stdout.startswith("ended: 01_search_accounts, which showed no verification")


@pytest.mark.slow
def test_a_copy_of_ours_with_other_defaults_is_verified_as_ours_is() -> None:
    text = (NOTEBOOKS / "01_search_accounts.ipynb").read_text(encoding="utf-8")
    Path("01_search_accounts.ipynb").write_text(text.replace("+14155551234", "+14155550101"))
    result = run("01_search_accounts.ipynb")

    assert (0, "") == (result.returncode, result.stderr)
    assert result.stdout.startswith("verified: 01_search_accounts")


@pytest.mark.slow
def test_one_that_shows_what_the_ledger_has_is_verified() -> None:
    shutil.copy(NOTEBOOKS / "02_adjust_points.ipynb", "mine.ipynb")
    result = run("mine.ipynb", "points", "3", "run_id", "mine-1")

    assert (0, "") == (result.returncode, result.stderr)
    assert result.stdout.startswith("verified: balance 0 -> 3 points (+3), event ")


@pytest.mark.slow
def test_one_with_a_run_id_has_to_show_what_the_ledger_has() -> None:
    result = run(own(f'{CELL}\nrun_id: str = "mine"'))

    assert 1 == result.returncode
    assert "without comparing what it did with the ledger" in result.stderr


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("points", "0", "a whole number, negative to take away, not 0, of 32 bits; any whole"),
        ("shop", "1.5", "a whole number; a whole number without points or commas, such as"),
        ("rate", "1e3", "a number such as 1000 or 1.5"),
        ("loud", "yes", "true or false"),
        ("shelves", "b", "its default only, since list[str] is none of str, int, float, bool"),
    ],
)
def test_a_known_name_has_our_rule_and_another_that_of_its_type(
    name: str, value: str, told: str
) -> None:
    assert refusal(own(), **{name: value}).startswith(f"{name}: found '{value}'; allowed: {told}")


def test_its_names_are_told_where_another_is_given() -> None:
    told = "shopp: there is no such parameter (did you mean shop?); allowed: environment, points,"

    assert refusal(own(), shopp="1").startswith(told)


def test_its_help_tells_our_meaning_or_its_comment_and_each_default() -> None:
    told = CliRunner().invoke(main, ["run", own(), "--help"]).output

    assert "Parameters of mine, with their defaults:" in told
    for line in (
        "points       whole points; negative takes away  [5]",
        "shop         the number of the shop  [3]",
        "loud         [false]",
        "greeting     [Hello]",
    ):
        assert line in told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('run_id = "../up"', "run_id: found '../up'; allowed: 1 to 64 of"),
        ('note = "EAAA" "canary-1"', "note: this looks like an access token"),
        ("shop = open('shops')", "the default of shop is \"open('shops')\"; allowed: a text"),
        ("shops = {1, 2}", "the default of shops is '{1, 2}'; allowed: a text"),
    ],
)
def test_a_default_that_cannot_be_is_refused(line: str, told: str) -> None:
    found = refusal(own(f'environment = ""\n{line}'))

    assert told in found
    assert "canary" not in found


@pytest.mark.parametrize(
    ("cell", "tag"), [(CELL, "other"), ("shop = 3", "parameters"), ("%time\n" + CELL, "parameters")]
)
def test_one_that_does_not_say_which_environment_answers_is_refused(cell: str, tag: str) -> None:
    result = run(own(cell, tag=tag))

    assert (2, False) == (result.returncode, Path("runs").exists())
    assert "has no cell with the tag 'parameters'" in result.stderr


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": [1]}', '{"cells": 3}', "\x00"])
def test_a_file_that_is_no_notebook_is_refused(text: str) -> None:
    Path("mine.ipynb").write_text(text)

    assert "mine.ipynb cannot be read as a notebook: " in refusal("mine.ipynb")
