"""Notebooks to work on: copies of those that the package brings along."""

from pathlib import Path
from shutil import copytree, ignore_patterns

from loyalty_helpers.errors import ParameterError
from loyalty_helpers.settings import NOTEBOOKS

NOT_COPIED = ("recordings", ".ipynb_checkpoints")  # replayed from where they are


def copy_notebooks(folder: Path) -> int:
    """Copy all notebooks and sample files into a folder that is new or empty; how many there are.

    Raises:
        ParameterError: the folder has something in it, or is inside what would be copied, or
            cannot be written.
    """
    try:
        if folder.resolve().is_relative_to(NOTEBOOKS.resolve()):
            raise ParameterError(
                f"{folder} is inside the notebooks that would be copied: name a folder outside "
                f"{NOTEBOOKS}, nothing was copied"
            )
        if folder.exists() and any(folder.iterdir()):
            raise ParameterError(f"{folder} is not empty: name a new folder, nothing was copied")
        copytree(NOTEBOOKS, folder, ignore=ignore_patterns(*NOT_COPIED), dirs_exist_ok=True)
    except OSError as error:
        raise ParameterError(f"{folder} cannot be written: {error}") from None
    return len(list(folder.rglob("*.ipynb")))
