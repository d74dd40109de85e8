"""The folder of a kernel's sockets: private, short whatever TMPDIR is, and gone at the end."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from loyalty_helpers.errors import LoyaltyError
from loyalty_helpers.runner.kernels import socket_folder
from tests.commands import COMMAND

pytestmark = pytest.mark.slow


def long_folder(base: Path, length: int) -> Path:
    """A folder whose whole name has this many bytes, at least."""
    folder = base
    while len(str(folder)) < length:
        folder /= "x" * 20
    folder.mkdir(parents=True)
    return folder


def test_a_notebook_runs_where_the_folder_for_temporary_files_has_a_long_name(
    tmp_path: Path,
) -> None:
    folder = long_folder(tmp_path, 120)
    result = subprocess.run(
        [COMMAND, "run", "03_retrieve_account"],
        env=os.environ | {"TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (result.returncode, result.stderr)
    assert "verified" in result.stdout
    assert list(folder.iterdir()) == []


def test_the_folder_is_for_its_owner_only_and_gone_at_the_end(tmp_path: Path) -> None:
    short = "/dev/shm" if Path("/dev/shm").is_dir() else "/tmp"
    with socket_folder([str(long_folder(tmp_path, 120)), short]) as name:
        assert name.startswith(short)
        assert 0o700 == stat.S_IMODE(Path(name).stat().st_mode)

    assert not Path(name).exists()


def test_places_that_are_not_there_or_are_no_text_are_passed_over(tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    odd.mkdir()
    with socket_folder(["/nowhere", str(odd), "/tmp"]) as name:
        assert name.startswith("/tmp/")

    assert list(odd.iterdir()) == []


def test_without_a_short_place_the_error_says_what_to_set(tmp_path: Path) -> None:
    folder = long_folder(tmp_path, 120)
    with pytest.raises(LoyaltyError, match=r"at most \d+ bytes.*Set TMPDIR to such a folder"):
        socket_folder([str(folder), "/nowhere"])

    assert list(folder.iterdir()) == []
