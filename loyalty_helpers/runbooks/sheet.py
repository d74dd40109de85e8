"""Reads a sheet of adjustments (CSV) row by row, and tells all problems of all rows.

The file is read twice: an encoding that is wrong in the last line is told before the first row.
"""

import csv
import difflib
import hashlib
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TextIO

from loyalty_helpers.errors import ParameterError
from loyalty_helpers.redaction import mask_repr
from loyalty_helpers.runbooks.csv_files import unguarded
from loyalty_helpers.runbooks.row_checks import (
    BUYER,
    REASON_ROOM,
    Problem,
    SheetRow,
    judge_row,
    shown,
    shown_id,
)

__all__ = [
    "REASON_ROOM",
    "Problem",
    "SheetRow",
    "described",
    "read_columns",
    "read_sheet",
    "sha256_of",
]

REQUIRED = ("points", "reason")
COLUMNS = (*BUYER, *REQUIRED, "row_id", "undoes")
SEPARATORS = ",;\t"
IGNORED = "-"
NAMED = "a name for the column in the header, or nothing in its cells"
HEADER_LENGTH = 4096  # far more than all names; csv refuses a field that is far longer
AS_UTF_8 = "UTF-8 text: in Excel, save it as 'CSV UTF-8 (Comma delimited)'"
THE_COLUMNS = (
    f"a first line with the columns {', '.join(REQUIRED)} and one of {', '.join(BUYER)}, "
    "separated by commas, semicolons or tabs"
)

AS_COLUMNS = (
    "the file's names and ours with commas between, such as 'Phone Number=phone_number, First "
    f"Name=-', where '-' leaves a column out; ours are {', '.join(COLUMNS)}"
)

_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_CONTROL = re.compile("[\1-\10\13\14\16-\37]")
_SEPARATOR_LINE = re.compile(r"\s*\"?sep=([^\s\"]|\t)\"?[\s,;]*", re.IGNORECASE)  # Excel's own
_SPACE_BEFORE_QUOTE = re.compile(r"\s+\"")


class _Head(NamedTuple):
    """The first lines of a file: where the header is, what it says, and how cells stand apart.

    A file with a space after each separator of its header has one before each cell.
    """

    line: int
    text: str
    separator: str
    names: list[str]

    @property
    def spaced(self) -> bool:
        return f"{self.separator} " in self.text


def read_columns(text: str) -> dict[str, str]:
    """`Phone Number=phone_number, First Name=-` as a mapping from the file's names to ours.

    Raises:
        ParameterError: it is no list of names, or a name of ours is unknown or given twice.
    """
    pairs = [part.rpartition("=") for part in text.split(",") if part.strip()]
    columns = {_plain(theirs): _plain(ours) for theirs, _, ours in pairs}
    unknown = [ours for ours in columns.values() if ours not in (*COLUMNS, IGNORED)]
    named = [ours for ours in columns.values() if ours != IGNORED]
    if unknown or "" in columns or len(columns) < len(pairs) or len(named) > len(set(named)):
        allowed = f"{AS_COLUMNS}; each name once"
        raise ParameterError(f"columns: found {mask_repr(text)}; allowed: {allowed}")
    return columns


def _plain(name: str) -> str:
    return name.strip().lower()


def read_sheet(
    path: Path, *, max_points: int = 10_000, columns: Mapping[str, str] | None = None
) -> Iterator[SheetRow | Problem]:
    """Every row that can be planned and every problem, in the file's order.

    Rows are judged one by one. What takes the whole file, such as doubled row ids, is left to
    the caller. A file that cannot be read as a sheet gives problems of line 0 or 1 only.

    Args:
        path: the CSV file.
        max_points: the most points that one row may add or take away.
        columns: the file's names for our columns, or `-` for those left out: see read_columns.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            yield Problem(0, "", "a link, a folder or a device", "a regular file")
            return
        # Bytes that are no UTF-8 become lone surrogates, so that they can be told with their line.
        with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
            yield from _encoding_problems(file) or _sheet(file, max_points, columns or {})
    except OSError as error:
        found = f"an error: {error.strerror}: {path.absolute()}"
        yield Problem(0, "", found, "a file that can be read")


def described(path: Path, columns: Mapping[str, str] | None = None) -> str:
    """The file's name, and what separates its columns if that is no comma."""
    separator = ","
    if path.is_file() and not path.is_symlink():
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            separator = _head(file, columns or {}).separator
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


def _sheet(
    file: TextIO, max_points: int, columns: Mapping[str, str]
) -> Iterator[SheetRow | Problem]:
    head = _head(file, columns)
    problems = list(_header_problems(head, columns)) if head.text else [_nothing("an empty file")]
    if problems:
        yield from problems
        return
    rows = _rows(file, head, max_points)
    yield next(rows, _nothing("a header and nothing below it"))
    yield from rows


def _head(file: Iterable[str], columns: Mapping[str, str]) -> _Head:
    """The header, below a line that tells the separator if there is one."""
    lines = ((n, line) for n, line in enumerate(file, 1) if line.strip())
    line, text = next(lines, (0, ""))
    told = _SEPARATOR_LINE.fullmatch(text)
    if told:
        line, text = next(lines, (line, ""))
    separator = told[1] if told else _separator(text, columns)
    return _Head(line, text, separator, _names(text, separator, columns))


def _separator(text: str, columns: Mapping[str, str]) -> str:
    """What finds the most columns in the header; a comma, if nothing finds more."""
    return max(SEPARATORS, key=lambda separator: len(_known(_names(text, separator, columns))))


def _nothing(found: str) -> Problem:
    return Problem(0, "", found, "a header and at least one row")


def _names(text: str, separator: str, columns: Mapping[str, str]) -> list[str]:
    line = [text[:HEADER_LENGTH]]
    cells = next(csv.reader(line, delimiter=separator, skipinitialspace=True), [])
    return [columns.get(name, name) for name in map(_plain, cells)]


def _known(names: Sequence[str]) -> set[str]:
    return set(names) & set(COLUMNS)


def _header_problems(head: _Head, columns: Mapping[str, str]) -> Iterator[Problem]:
    if head.separator not in SEPARATORS:
        allowed = "a comma, a semicolon or a tab between columns"
        yield Problem(head.line, "", f"the separator {head.separator!r}", allowed)
        return
    names = head.names
    if not _known(names):
        found = f"no header, but {shown(', '.join(names))}"
        yield Problem(head.line, "", found, THE_COLUMNS)
        return
    for name in sorted(_known(names)):
        if names.count(name) > 1:
            found = f"{names.count(name)} columns of this name"
            yield Problem(head.line, name, found, "one of them")
    theirs = _names(head.text, head.separator, {})
    for name in theirs:
        if name not in (*COLUMNS, *columns, ""):
            yield Problem(head.line, "", f"the column {shown(name)}", _nearest(name))
    for name in columns:
        if name not in theirs:
            allowed = f"names of the file: {shown(', '.join(theirs))}"
            yield Problem(head.line, "", f"no column {shown(name)}, which columns names", allowed)
    for name in REQUIRED:
        if name not in names:
            yield Problem(head.line, name, "no such column", THE_COLUMNS)
    if not set(BUYER) & set(names):
        yield Problem(head.line, "", "no column that names the buyer", THE_COLUMNS)


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, COLUMNS, n=1)
    known = f"the nearest is {near[0]}" if near else ", ".join(COLUMNS)
    return (
        f"{known}; the parameter columns maps a name to another, or to '{IGNORED}' to leave it out"
    )


def _rows(file: TextIO, head: _Head, max_points: int) -> Iterator[SheetRow | Problem]:
    reader = csv.reader(file, delimiter=head.separator, skipinitialspace=head.spaced, strict=True)
    while True:
        line = head.line + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:  # the reader goes on with the next line
            yield _broken(line, head.line + reader.line_num, error)
            continue
        if any(cell.strip() for cell in cells):
            yield from _row(line, head.names, cells, max_points)


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
    problem = _shape_problem(line, names, cells)
    if problem:
        yield problem
        return
    absent = dict.fromkeys([name for name in COLUMNS if name != "row_id"], "")
    named = zip(names, map(unguarded, cells), strict=False)  # what is over is empty
    yield from judge_row(line, absent | dict(named), max_points)


def _shape_problem(line: int, names: Sequence[str], cells: Sequence[str]) -> Problem | None:
    """What is wrong with the number of cells, or with their borders; empty ones do no harm."""
    row = shown_id(dict(zip(names, cells, strict=False)))
    if any(map(_SPACE_BEFORE_QUOTE.match, cells)):
        allowed = "a quote right behind the separator, or none"
        return Problem(line, "", "a space before a quote", allowed, row)
    missing = [name for name in names[len(cells) :] if name not in (IGNORED, "")]
    if missing or any(cell.strip() for cell in cells[len(names) :]):
        allowed = f"{len(names)} as in the header; a cell with a separator in it stands in quotes"
        return Problem(line, "", f"{len(cells)} cells", allowed, row)
    for name, cell in zip(names, cells, strict=False):
        if not name and cell.strip():
            return Problem(line, "", f"{shown(cell)} in a column without a name", NAMED, row)
    return None
