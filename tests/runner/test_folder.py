"""The folder of a run: one run at a time, and what an earlier one left is kept."""

import os
from pathlib import Path

import pytest

from loyalty_helpers.errors import ParameterError
from loyalty_helpers.runner.folder import run_folder


def run(folder: Path, content: str = "new") -> None:
    """A run that leaves a receipt."""
    with run_folder(folder):
        (folder / "receipt.json").write_text(content)


def earlier(folder: Path) -> dict[str, str]:
    """The receipts that were moved away, by the name of their folder."""
    kept = (folder / "earlier").glob("*/receipt.json")
    return {path.parent.name: path.read_text() for path in kept}


def test_what_earlier_runs_left_is_numbered_in_their_order(tmp_path: Path) -> None:
    for content in ("first", "second", "third"):
        run(tmp_path, content)

    assert {"1": "first", "2": "second"} == earlier(tmp_path)
    assert (tmp_path / "receipt.json").read_text() == "third"


@pytest.mark.parametrize("deleted", ["1", "2", "3"])
def test_an_earlier_run_that_was_deleted_stops_no_later_one(tmp_path: Path, deleted: str) -> None:
    for content in ("first", "second", "third", "fourth"):
        run(tmp_path, content)
    (tmp_path / "earlier" / deleted / "receipt.json").unlink()
    (tmp_path / "earlier" / deleted).rmdir()
    run(tmp_path)
    run(tmp_path)

    after = "3" if deleted == "3" else "4"
    assert "fourth" == earlier(tmp_path)[after]
    assert 4 == len(earlier(tmp_path))


@pytest.mark.parametrize(
    "odd", ["0", "007", "-1", "1.5", "2.bak", "\u0663", "\u00b2", "notes", ".hidden", " 1", "1e3"]
)
@pytest.mark.parametrize("is_folder", [True, False])
def test_an_odd_name_among_earlier_runs_stops_none(
    tmp_path: Path, odd: str, is_folder: bool
) -> None:
    place = tmp_path / "earlier" / odd
    place.parent.mkdir()
    place.mkdir() if is_folder else place.touch()
    for content in ("first", "second", "third"):
        run(tmp_path, content)

    assert ["first", "second"] == [receipt for _, receipt in sorted(earlier(tmp_path).items())]
    assert place.exists()


def test_a_folder_that_could_not_be_made_ready_is_free_for_the_next_try(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / "earlier").write_text("a file where the folder should be")
    with pytest.raises(ParameterError, match="nothing can be written to"), run_folder(tmp_path):
        pass
    (tmp_path / "earlier").unlink()
    run(tmp_path)

    assert {"1": "new"} == earlier(tmp_path)


def test_a_folder_is_free_after_a_run_that_failed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="in the run"), run_folder(tmp_path):
        raise RuntimeError("in the run")
    run(tmp_path)

    assert (tmp_path / "receipt.json").read_text() == "new"


def test_a_second_run_of_a_folder_is_refused_while_the_first_is_at_work(tmp_path: Path) -> None:
    with (
        run_folder(tmp_path),
        pytest.raises(ParameterError, match="another run is at work"),
        run_folder(tmp_path),
    ):
        pass
    run(tmp_path)

    assert (tmp_path / "receipt.json").read_text() == "new"


def test_no_way_out_leaves_a_handle_open(tmp_path: Path) -> None:
    def handles() -> int:
        return len(os.listdir("/dev/fd"))  # noqa: PTH208  # counted, not read

    before = handles()
    run(tmp_path)
    (tmp_path / "earlier").write_text("a file where the folder should be")
    for _ in range(3):
        with pytest.raises(ParameterError), run_folder(tmp_path):
            pass

    assert before == handles()
