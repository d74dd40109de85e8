"""A name of a notebook that no file can have is refused like any other that is not there."""

import pytest

from loyalty_helpers.errors import ParameterError
from loyalty_helpers.notebooks_runner.run import find_notebook

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
