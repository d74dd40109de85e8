"""The command tells which notebooks there are, and what each takes."""

import pytest
from click.testing import CliRunner

from loyalty_helpers.cli import main
from loyalty_helpers.runner import Notebook, notebooks


def told(*words: str) -> str:
    result = CliRunner().invoke(main, words)

    assert 0 == result.exit_code, result.output
    return result.output


def test_the_list_has_a_line_for_each_notebook() -> None:
    lines = told("list").splitlines()

    assert [path.stem for path in notebooks()] == [line.split()[0] for line in lines]
    assert "02_adjust_points          Adjust a buyer's points" in lines


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_the_help_of_a_run_tells_each_parameter_with_its_default(path) -> None:
    words = " ".join(told("run", "--help", path.stem).split())
    notebook = Notebook.read(path.stem)
    defaults = {False: "false", True: "true", "": "empty"}

    for name, parameter in notebook.takes.items():
        default = notebook.defaults[name]
        shown = defaults[default] if isinstance(default, bool) or default == "" else default
        assert f"{name} {parameter.help} [{shown}]" in words


def test_the_help_of_the_command_alone_names_no_parameters() -> None:
    assert "Parameters of" not in told("run", "--help")


def test_the_help_of_a_notebook_that_is_not_there_is_refused() -> None:
    result = CliRunner().invoke(main, ["run", "02_adjust", "--help"])

    assert (2, True) == (result.exit_code, "is not one of 00_start_here" in result.output)
