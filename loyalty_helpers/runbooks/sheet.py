"""Reads a sheet of adjustments (CSV) row by row, and tells all problems of all rows.

The file is read twice: an encoding that is wrong in the last line is told before the first row.
"""

import csv
import difflib
import hashlib
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from loyalty_helpers.runbooks.row_checks import (
    BUYER,
    REASON_ROOM,
    Problem,
    SheetRow,
    judge_row,
    shown,
)

__all__ = ["REASON_ROOM", "Problem", "SheetRow", "described", "read_sheet", "sha256_of"]

REQUIRED = ("points", "reason")
COLUMNS = (*BUYER, *REQUIRED, "row_id", "undoes")
SEPARATORS = ",;\t"
HEADER_LENGTH = 4096  # far more than all names; csv refuses a field that is far longer
AS_UTF_8 = "UTF-8 text: in Excel, save it as 'CSV UTF-8 (Comma delimited)'"
THE_COLUMNS = (
    f"a first line with the columns {', '.join(REQUIRED)} and one of {', '.join(BUYER)}, "
    "separated by commas, semicolons or tabs"
)

_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_CONTROL = re.compile("[\1-\10\13\14\16-\37]")


def read_sheet(path: Path, *, max_points: int = 10_000) -> Iterator[SheetRow | Problem]:
    """Every row that can be planned and every problem, in the file's order.

    Rows are judged one by one. What takes the whole file, such as doubled row ids, is left to
    the caller. A file that cannot be read as a sheet gives problems of line 0 or 1 only.

    Args:
        path: the CSV file.
        max_points: the most points that one row may add or take away.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            yield Problem(0, "", "a link, a folder or a device", "a regular file")
            return
        # Bytes that are no UTF-8 become lone surrogates, so that they can be told with their line.
        with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
            yield from _encoding_problems(file) or _sheet(file, max_points)
    except OSError as error:
        found = f"an error: {error.strerror}: {path.absolute()}"
        yield Problem(0, "", found, "a file that can be read")


def described(path: Path) -> str:
    """The file's name, and what separates its columns if that is no comma."""
    separator = ","
    if path.is_file() and not path.is_symlink():
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            separator = _separator(next((line for line in file if line.strip()), ""))
    named = {";": ", separated by semicolons", "\t": ", separated by tabs"}
    return path.name + named.get(separator, "")


def sha256_of(path: Path) -> str:
    """Of the file's bytes; empty if it cannot be read, which reading its rows will tell."""
    with suppress(OSError), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
    return ""


def _encoding_problems(file: TextIO) -> list[Problem]:
    for number, line in enumerate(file, 1):
        if _NO_TEXT.search(line):
            return [Problem(0, "", f"{_looks_like(line)} (line {number})", AS_UTF_8)]
    file.seek(0)
    return []


def _looks_like(line: str) -> str:
    if line.startswith("PK\3\4"):
        return "an Excel workbook or another zip file"
    if line.startswith(("\udcff\udcfe", "\udcfe\udcff")) or "p\0o\0i\0n\0t\0s" in line.lower():
        return "what looks like UTF-16"
    if "\0" in line:
        return "NUL bytes, so it is no text or UTF-16"
    return "no text" if _CONTROL.search(line) else "what looks like Windows-1252 (Latin-1)"


def _sheet(file: TextIO, max_points: int) -> Iterator[SheetRow | Problem]:
    above, head = next(((n, line) for n, line in enumerate(file, 1) if line.strip()), (0, ""))
    separator = _separator(head)
    names = _names(head, separator)
    problems = list(_header_problems(names)) if head else [_nothing("an empty file")]
    if problems:
        yield from problems
        return
    rows = _rows(file, names, separator, above, max_points)
    yield next(rows, _nothing("a header and nothing below it"))
    yield from rows


def _separator(head: str) -> str:
    """What finds the most columns in the header; a comma, if nothing finds more."""
    return max(SEPARATORS, key=lambda separator: len(_known(_names(head, separator))))


def _nothing(found: str) -> Problem:
    return Problem(0, "", found, "a header and at least one row")


def _names(head: str, separator: str) -> list[str]:
    cells = next(csv.reader([head[:HEADER_LENGTH]], delimiter=separator), [])
    return [cell.strip().lower() for cell in cells]


def _known(names: Sequence[str]) -> set[str]:
    return set(names) & set(COLUMNS)


def _header_problems(names: Sequence[str]) -> Iterator[Problem]:
    if not _known(names):
        yield Problem(1, "", f"no header, but {shown(', '.join(names))}", THE_COLUMNS)
        return
    for name in sorted(_known(names)):
        if names.count(name) > 1:
            yield Problem(1, name, f"{names.count(name)} columns of this name", "one of them")
    for name in names:
        if name not in COLUMNS:
            yield Problem(1, "", f"the column {shown(name)}", _nearest(name))
    for name in REQUIRED:
        if name not in names:
            yield Problem(1, name, "no such column", THE_COLUMNS)
    if not set(BUYER) & set(names):
        yield Problem(1, "", "no column that names the buyer", THE_COLUMNS)


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, COLUMNS, n=1)
    return f"the nearest is {near[0]}" if near else ", ".join(COLUMNS)


def _rows(
    file: TextIO, names: Sequence[str], separator: str, above: int, max_points: int
) -> Iterator[SheetRow | Problem]:
    reader = csv.reader(file, delimiter=separator, strict=True)
    while True:
        line = above + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:  # the reader goes on with the next line
            yield _broken(line, above + reader.line_num, error)
            continue
        if any(cell.strip() for cell in cells):
            yield from _row(line, names, cells, max_points)


def _broken(line: int, last: int, error: csv.Error) -> Problem:
    return Problem(
        line,
        "",
        f"no valid CSV up to line {last} ({error})",
        "every quote closed, a quote inside of quotes doubled, and up to "
        f"{csv.field_size_limit()} characters in a cell",
    )


def _row(
    line: int, names: Sequence[str], cells: Sequence[str], max_points: int
) -> Iterator[SheetRow | Problem]:
    if len(cells) != len(names):
        allowed = f"{len(names)} as in the header; a cell with a separator in it stands in quotes"
        yield Problem(line, "", f"{len(cells)} cells", allowed)
        return
    absent = dict.fromkeys([name for name in COLUMNS if name != "row_id"], "")
    yield from judge_row(line, absent | dict(zip(names, cells, strict=True)), max_points)
