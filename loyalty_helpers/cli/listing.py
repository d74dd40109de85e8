"""`loyalty runs`: every run with its state, as a table for a terminal, as JSON, and as a page."""

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path

from loyalty_helpers.plain import plain
from loyalty_helpers.runbooks import RunRecord, State, headline, list_runs, write_index
from loyalty_helpers.settings import load_settings
from loyalty_helpers.variables import absolute

WIDTH = 80
INDENT = " " * 18  # below the state


def list_of_runs(out: Path | None, *, as_json: bool = False) -> str:
    """The list as text; the page is written beside the folders of the runs, if there are any.

    Args:
        out: the folder of the runs; None is LOYALTY_RUNS, else `runs`.
        as_json: a JSON list of records instead of the table.
    """
    folder = absolute(str(out or load_settings().loyalty_runs or "runs"), Path.cwd())
    found = list_runs(folder, out=str(out or ""))
    page = _page(folder, found) if folder.is_dir() else ""
    if as_json:
        return json.dumps([run.as_json() for run in found], indent=2, ensure_ascii=False)
    runs = [run for run in found if run.state is not State.FOREIGN]
    lines = [f"{headline(runs)}: {plain(folder)}"]
    lines += ["", "LAST (UTC)        STATE                 WHERE       RUN"] if runs else []
    for run in runs:
        lines += _lines(run)
    foreign = ", ".join(run.run_id for run in found if run.state is State.FOREIGN)
    lines += ["", *_wrapped(f"not runs: {foreign}", "")] if foreign else []
    return "\n".join([*lines, *(["", page] if page else [])])


def _page(folder: Path, found: list[RunRecord]) -> str:
    """Write the page; a folder that cannot be written is no reason to hold back the list."""
    try:
        return f"the same as a page: {plain(write_index(folder, found))}"
    except OSError as error:
        return f"no page was written: {plain(error)}"


def _lines(run: RunRecord) -> Iterator[str]:
    at = f"{run.at:%Y-%m-%d %H:%M}" if run.at else ""
    yield f"{at:16}  {run.state:20}  {run.environment:10}  {run.run_id}"
    what = " of ".join(filter(None, (run.runbook, run.source)))
    by = f"approved by {run.approved_by}" if run.approved_by else ""
    points = f"{run.points_text} points" if run.points_text else ""
    yield from _wrapped("; ".join(filter(None, (what, by, run.rows_text, points))), INDENT)
    for line in filter(None, (run.told, *run.todo)):
        yield from _wrapped(line, INDENT)
    if run.next:  # in one piece, to be copied
        yield f"  {run.next}"


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
