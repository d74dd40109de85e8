"""Progress: a bar in a terminal or a notebook, lines in a log, and nothing beside them."""

import io
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from loyalty_helpers.errors import RunStoppedError

from .conftest import QUICK


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stops", [False, True])
def test_the_line_of_progress_is_ended_once_whether_a_run_ends_or_stops(
    world, monkeypatch, stops: bool
) -> None:
    planned = world.plan()
    if stops:
        world.fail("read-only:path=/adjust")
    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    try:
        world.apply(planned, replace(QUICK, in_flight=1))
    except RunStoppedError:
        assert stops
    assert (True, 1) == (stream.getvalue().endswith("\n"), stream.getvalue().count("\n"))


def test_a_terminal_is_shown_a_bar(world, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    world.apply(world.plan())
    last = stream.getvalue().split("\r")[-1]

    assert last.startswith("100%|")
    assert "| 4 of 4 rows, " in last
    assert last.rstrip().endswith("0 without success")


def test_a_log_is_told_in_plain_lines(world, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
    world.apply(world.plan())
    [line] = stream.getvalue().splitlines()

    assert line.startswith("4 of 4 rows, ")
    assert line.endswith("/s, 0 without success")


def test_a_notebook_keeps_one_output_with_the_end_of_it(tmp_path: Path) -> None:
    """A made-up journal, since a kernel has to look at it."""
    code = f"""
from pathlib import Path
from loyalty_helpers.runbooks.apply.progress import Progress
class Journal:
    path, left = Path({str(tmp_path / "journal")!r}), 3
    def counts(self):
        return {{"PLANNED": self.left, "APPLIED": 3 - self.left}}
seconds = iter(range(99))
progress = Progress(Journal(), 3, clock=lambda: next(seconds))
for Journal.left in (2, 1, 0):
    progress()
progress.tell()
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries that start a kernel
        NotebookClient(notebook, timeout=60).execute()
    [output] = notebook.cells[0].outputs

    assert ("display_data", {"text/plain"}) == (output.output_type, {*output.data})
    assert output.data["text/plain"].startswith("100%|████")
    assert "3 of 3 rows, 0.4/s, 0 without success" in output.data["text/plain"]
