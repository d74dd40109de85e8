"""`loyalty notebooks` copies the notebooks out of the package, and not into it."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from loyalty_helpers.cli import main
from loyalty_helpers.settings import NOTEBOOKS


@pytest.mark.parametrize("inside", ["mine", "app/mine", "../notebooks/mine"])
def test_a_folder_inside_the_notebooks_is_refused(inside: str) -> None:
    folder = NOTEBOOKS / inside
    try:
        result = CliRunner().invoke(main, ["notebooks", str(folder)])
    finally:
        shutil.rmtree(folder, ignore_errors=True)

    assert 2 == result.exit_code
    told = "is inside the notebooks that would be copied: name a folder outside"
    assert told in " ".join(result.output.split())


def test_a_link_into_the_notebooks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(NOTEBOOKS)
    folder = tmp_path / "link" / "mine"
    try:
        result = CliRunner().invoke(main, ["notebooks", str(folder)])
    finally:
        shutil.rmtree(folder, ignore_errors=True)

    assert 2 == result.exit_code
