"""A disk that is full, a folder that cannot be written, a path that is too long: one line each."""

import json
import resource
from pathlib import Path

import pytest

from tests.commands import Left, loyalty

pytestmark = pytest.mark.slow

LONG = "a" * 300
TOO_LONG = "/".join(["a" * 200] * 25)


def no_file_may_grow() -> None:
    """For this process, as if the disk were full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))


def no_file_may_grow_large() -> None:
    """As if the disk had some room left, and too little for a fresh emulator."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_full_disk_is_refused_at_the_start_and_leaves_what_is_there(left_by: Left) -> None:
    assert left_by("run 02_adjust_points").returncode == 0
    earlier = content(Path("runs"))
    result = loyalty("run", "02_adjust_points", options={"preexec_fn": no_file_may_grow})

    assert (2, "") == (result.returncode, result.stdout)
    assert result.stderr.startswith("refused:\n  nothing can be written to ")
    assert result.stderr.count("\n") == 2
    assert earlier == content(Path("runs"))


def test_a_disk_that_is_full_at_the_end_fails_in_one_line(tmp_path: Path) -> None:
    """A folder takes the place of the receipt, which a cell of the notebook cannot know of."""
    folder = Path("runs/example-reconcile")
    sitecustomize = tmp_path / "site" / "sitecustomize.py"
    sitecustomize.parent.mkdir()
    sitecustomize.write_text(
        "from loyalty_helpers.runner import receipt\n"
        "real = receipt.finish\n"
        "def finish(*given):\n"
        "    from pathlib import Path\n"
        f"    path = Path({str(folder.absolute() / 'receipt.json')!r})\n"
        "    path.unlink()\n"
        "    path.mkdir()\n"
        "    return real(*given)\n"
        "receipt.finish = finish\n"
    )
    result = loyalty("run", "reconcile", PYTHONPATH=str(sitecustomize.parent))

    assert 1 == result.returncode
    assert "failed:\n" in result.stderr
    assert "Is a directory" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("out", [LONG, TOO_LONG, "taken/below", "/proc/nothing"])
def test_a_folder_that_cannot_be_is_refused_in_one_line(out: str) -> None:
    Path("taken").write_text("")
    result = loyalty("run", "bulk_adjust", "--out", out)

    assert (2, "") == (result.returncode, result.stdout)
    assert result.stderr.startswith("refused:\n  nothing can be written to ")
    assert result.stderr.count("\n") == 2


@pytest.mark.parametrize("home", [LONG, TOO_LONG, "taken/below", "/proc/nothing"])
def test_a_home_that_cannot_be_is_refused_in_one_line_before_anything_runs(home: str) -> None:
    Path("taken").write_text("")
    result = loyalty("run", "02_adjust_points", LOYALTY_HOME=home)

    assert (2, "", False) == (result.returncode, result.stdout, Path("runs").exists())
    assert result.stderr.startswith("refused:\n  nothing can be written to ")
    assert "(LOYALTY_HOME): [Errno" in result.stderr
    assert result.stderr.count("\n") == 2


def test_a_home_that_is_full_is_refused_in_one_line_before_anything_runs() -> None:
    result = loyalty("run", "02_adjust_points", options={"preexec_fn": no_file_may_grow_large})

    assert (2, "", False) == (result.returncode, result.stdout, Path("runs").exists())
    assert "(LOYALTY_HOME): [Errno" in result.stderr


def test_a_home_that_nobody_needs_may_be_full() -> None:
    recorded = ("run", "02_adjust_points", "-p", "environment", "recorded")
    result = loyalty(*recorded, LOYALTY_HOME="/proc/nothing")

    assert 0 == result.returncode, result.stderr


@pytest.mark.parametrize("value", [LONG, TOO_LONG, f"/nowhere/{LONG}"])
@pytest.mark.parametrize(
    ("notebook", "name"), [("bulk_adjust", "adjustments_file"), ("undo_adjustments", "undo")]
)
def test_a_file_whose_name_is_too_long_is_not_there(notebook: str, name: str, value: str) -> None:
    result = loyalty("run", notebook, "-p", name, f"{value}.json")

    assert (2, "", False) == (result.returncode, result.stdout, Path("runs").exists())
    assert result.stderr.startswith(f"refused:\n  {name}: there is no file ")
    assert result.stderr.count("\n") == 2


def test_the_receipt_of_a_run_with_room_enough_is_as_ever(left_by: Left) -> None:
    left_by("run reconcile")

    assert json.loads(Path("runs/example-reconcile/receipt.json").read_text())["verified"]
    assert [path.name for path in Path("runs/example-reconcile").glob(".*")] == []
