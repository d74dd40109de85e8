"""`loyalty run NOTEBOOK --each FILE`: one run for each line of a CSV file, on one warm kernel."""

import csv
import io
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from loyalty_helpers.errors import LoyaltyError, ParameterError
from loyalty_helpers.redaction import mask_text
from loyalty_helpers.runner import KeptKernel, Notebook, run_notebook


def run_each(notebook: str, given: Mapping[str, str], file: Path, out: Path | None) -> bool:
    """Run a notebook for each line, tell what came of each, and whether all ended well.

    Args:
        notebook: its name or its path.
        given: parameters of all runs.
        file: CSV in UTF-8; its header has names of parameters.
        out: the folder that gets one folder a run; None is LOYALTY_RUNS, else `runs`.

    Raises:
        ParameterError: with every problem of every line; nothing was run.
    """
    asked = _checked(Notebook.read(notebook), given, file)
    good, stopped = 0, _stopped_by_signals()
    with KeptKernel() as kept:
        for line, parameters in asked.items():
            if stopped:
                click.echo(f"line {line}: not begun", err=True)
                continue
            told, ended_well = _run(notebook, parameters, out, kept)
            good += ended_well
            click.echo(f"line {line}: {told}", err=not ended_well)
    click.echo(f"{good} of {len(asked)} runs ended well", err=good < len(asked))
    return good == len(asked)


def _stopped_by_signals() -> list[int]:
    """Ctrl-C and SIGTERM stop a run as ever; what is returned tells afterwards that one came."""
    came: list[int] = []

    def stop(number: int, _: Any) -> None:
        came.append(number)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return came


def _run(
    notebook: str, parameters: Mapping[str, str], out: Path | None, kept: KeptKernel
) -> tuple[str, bool]:
    try:
        result = run_notebook(notebook, parameters, runs=out, kept=kept)
    except LoyaltyError as error:  # the other lines are about other buyers
        return f"failed: {mask_text(str(error))}", False
    return result.summary, result.ended_well


def _checked(notebook: Notebook, given: Mapping[str, str], file: Path) -> dict[int, dict[str, str]]:
    """What each run is given, by line of the file."""
    asked, problems, run_ids = {}, [], dict[Any, int]()
    for line, row in _lines(file):
        asked[line] = {**given, **row}
        try:
            if twice := sorted(row.keys() & given):
                raise ParameterError(f"{', '.join(twice)}: given on the command line as well")
            run_id = notebook.check(asked[line]).get("run_id", line)
        except ParameterError as error:
            problems += [f"line {line}: {text}" for text in str(error).splitlines()]
            continue
        if (first := run_ids.setdefault(run_id, line)) != line:
            problems.append(
                f"line {line}: run_id {run_id!r} is that of line {first} too; each run is an "
                "intent of its own, and needs its own name in a column run_id"
            )
    if not asked:
        problems.append("there is no line below the header, so there is nothing to run")
    if problems:
        raise ParameterError("\n".join(f"{file}: {problem}" for problem in problems))
    return asked


def _lines(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines below the header, by their numbers; empty cells keep the notebook's default."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(f"--each: {file} cannot be read as CSV in UTF-8: {error}") from None
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        if twice := sorted({name for name in header if header.count(name) > 1 or not name}):
            raise ParameterError(f"{file}: its header has {twice[0]!r} more than once, or no name")
        for row in filter(any, rows):
            if len(row) != len(header):
                raise ParameterError(
                    f"{file}: line {rows.line_num}: {len(row)} cells, and the header has "
                    f"{len(header)}; a value with a comma in it stands in quotation marks"
                )
            yield rows.line_num, {n: v for n, v in zip(header, row, strict=True) if v.strip()}
    except csv.Error as error:
        raise ParameterError(f"{file}: line {rows.line_num}: {error}") from None
