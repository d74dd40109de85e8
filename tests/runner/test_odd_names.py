"""A name of a notebook that no file can have is refused like any other that is not there."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from loyalty_helpers.cli import main
from loyalty_helpers.errors import ParameterError
from loyalty_helpers.runner import find_notebook, run_notebook

LONG = "x" * 300


@pytest.mark.parametrize(
    "name",
    [
        *(
            LONG,
            f"{LONG}.ipynb",
            f"{LONG}/02_adjust_points.ipynb",
            "\0",
            "\0/02_adjust_points.ipynb",
        ),
        *("\ud800/02_adjust_points.ipynb", "\udcff", "", ".", "..", "/", "\n", "a/" * 3000),
    ],
)
def test_a_name_that_no_notebook_can_have_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="is not one of 00_start_here"):
        find_notebook(name)


@pytest.mark.parametrize("out", [LONG, "a/" * 3000, "\0"])
def test_a_folder_that_cannot_be_is_refused_before_anything_runs(out: str) -> None:
    with pytest.raises(ParameterError, match="nothing can be written to"):
        run_notebook("04_balance_events", {}, runs=Path(out))


@pytest.mark.parametrize("name", ["a\nverified: all", "\udcff", "\x1b[2J"])
def test_an_odd_file_of_the_emulator_is_told_on_one_plain_line(tmp_path: Path, name: str) -> None:
    result = CliRunner().invoke(main, ["emulator", "reset", "--db", str(tmp_path / name)])

    assert (0, True) == (result.exit_code, result.output.rstrip("\n").isprintable()), result.output


def test_a_file_of_the_emulator_with_too_long_a_name_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["emulator", "reset", "--db", str(tmp_path / LONG)])

    assert (2, True) == (result.exit_code, "refused" in result.output)
