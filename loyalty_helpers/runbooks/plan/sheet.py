"""Reads a sheet of adjustments (CSV) row by row, and tells all problems of all rows.

The file itself is read once: what is judged, what is planned and what is hashed are the same
bytes, whoever writes to the file meanwhile.
"""

import csv
import hashlib
import io
import os
import re
import stat
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from loyalty_helpers.files import is_there
from loyalty_helpers.runbooks.csv_files import unguarded
from loyalty_helpers.runbooks.plan.rows import Problem, Row, judge_row, shown, shown_id
from loyalty_helpers.runbooks.plan.sheet_header import (
    AT_LEAST,
    COLUMNS,
    IGNORED,
    Head,
    head_of,
    header_problems,
)
from loyalty_helpers.settings import NOTEBOOKS

NAMED = "a name for the column in the header, or nothing in its cells"
SWALLOWED = (
    "one row a line: look for a quote that nobody closed, here or some lines below. A text of "
    "several lines is allowed, but not one that holds a row"
)
LARGEST = 2**30  # bytes; ten million rows, the most that max_rows allows, are fewer
AS_UTF_8 = "UTF-8 text: in Excel, save it as 'CSV UTF-8 (Comma delimited)'"
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_CONTROL = re.compile("[\1-\10\13\14\16-\37]")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_POINTS = re.compile(r"[ \"]*[+-]?[0-9]+[ \"]*")
_SPACE_BEFORE_QUOTE = re.compile(r"\s+\"")


@dataclass(frozen=True)
class Sheet:
    """A file of adjustments as it was when it was read.

    Attributes:
        name: of the file.
        content: its bytes; empty if it could not be read.
        problem: why it could not be read.
    """

    name: str
    content: bytes = b""
    problem: Problem | None = None

    @property
    def sha256(self) -> str:
        """Of the bytes; empty if the file could not be read, which its rows tell."""
        return "" if self.problem else hashlib.sha256(self.content).hexdigest()

    def described(self, columns: Mapping[str, str] | None = None) -> str:
        """The file's name, and what separates its columns if that is no comma."""
        separator = head_of(self._text(), columns or {}).separator
        named = {";": ", separated by semicolons", "\t": ", separated by tabs"}
        return self.name + named.get(separator, "")

    def rows(
        self, *, max_points: int = 10_000, columns: Mapping[str, str] | None = None
    ) -> Iterator[Row | Problem]:
        """Every row that can be planned and every problem, in the file's order.

        Rows are judged one by one. What takes the whole file, such as doubled row ids, is left
        to the caller. A file that is no sheet gives problems of line 0 or 1 only.

        Args:
            max_points: the most points that one row may add or take away.
            columns: the file's names for our columns, or `-` for those left out: see
                read_columns.
        """
        if self.problem:
            yield self.problem
            return
        text = self._text()
        yield from _encoding_problems(text) or _rows_of(text, max_points, columns or {})

    def _text(self) -> TextIO:
        # Bytes that are no UTF-8 become lone surrogates, so that they can be told with their line.
        raw = io.BytesIO(self.content)
        return io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape")


def read_sheet(path: Path) -> Sheet:
    """A CSV file, read once, whole; what is wrong with it is told with its rows."""
    read = _read(path)
    return Sheet(path.name, problem=read) if isinstance(read, Problem) else Sheet(path.name, read)


def _read(path: Path) -> bytes | Problem:
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return Problem(0, "", "a link, a folder or a device", "a regular file")
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            content = file.read(LARGEST + 1)
            after = os.fstat(file.fileno())
    except (OSError, ValueError) as error:  # ValueError: no name that the system takes
        why = getattr(error, "strerror", None) or error
        return Problem(0, "", f"an error: {why}: {path.absolute()}", "a file that can be read")
    if len(content) > LARGEST:
        return Problem(0, "", f"more than {LARGEST} bytes", "a smaller file, or several")
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        allowed = "a file that nobody writes to: plan again when it is complete"
        return Problem(0, "", "it changed while it was read", allowed)
    return content


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


def _rows_of(file: TextIO, max_points: int, columns: Mapping[str, str]) -> Iterator[Row | Problem]:
    head = head_of(file, columns)
    if problems := list(header_problems(head, columns)):
        yield from problems
        return
    rows = _rows(file, head, max_points)
    yield next(rows, Problem(0, "", "a header and nothing below it", AT_LEAST))
    yield from rows


def _rows(file: TextIO, head: Head, max_points: int) -> Iterator[Row | Problem]:
    spaced = f"{head.separator} " in head.text
    reader = csv.reader(file, delimiter=head.separator, skipinitialspace=spaced, strict=True)
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
            yield from _row(line, head, cells, max_points)


def _broken(line: int, last: int, error: csv.Error) -> Problem:
    return Problem(
        line,
        "",
        f"no valid CSV up to line {last} ({error})",
        "every quote closed, a quote inside of quotes doubled, and up to "
        f"{csv.field_size_limit()} characters in a cell",
    )


def _row(line: int, head: Head, cells: Sequence[str], max_points: int) -> Iterator[Row | Problem]:
    names = head.names
    problem = _shape_problem(line, names, cells) or _swallowed(line, head, cells)
    if problem:
        yield replace(problem, row_id=shown_id(dict(zip(names, cells, strict=False))))
        return
    absent = dict.fromkeys([name for name in COLUMNS if name != "row_id"], "")
    named = dict(zip(names, map(unguarded, cells), strict=False))  # what is over is empty
    if "row_id" in named:  # what looks the same is the same
        named["row_id"] = unicodedata.normalize("NFC", named["row_id"])
    yield from judge_row(line, absent | named, max_points)


def _shape_problem(line: int, names: Sequence[str], cells: Sequence[str]) -> Problem | None:
    """What is wrong with the number of cells, or with their borders; empty ones do no harm."""
    if any(map(_SPACE_BEFORE_QUOTE.match, cells)):
        allowed = "a quote right behind the separator, or none"
        return Problem(line, "", "a space before a quote", allowed)
    missing = [name for name in names[len(cells) :] if name not in (IGNORED, "")]
    if missing or any(cell.strip() for cell in cells[len(names) :]):
        allowed = f"{len(names)} as in the header; a cell with a separator in it stands in quotes"
        return Problem(line, "", f"{len(cells)} cells", allowed)
    for name, cell in zip(names, cells, strict=False):
        if not name and cell.strip():
            return Problem(line, "", f"{shown(cell)} in a column without a name", NAMED)
    return None


def _swallowed(line: int, head: Head, cells: Sequence[str]) -> Problem | None:
    """Two stray quotes make one text of all that stands between them, whole rows included.

    Such a text begins as the end of a row and ends as the beginning of another one. So one of
    its lines has as many fields as that takes, with a number where the points stand.
    """
    names, at = head.names, head.names.index("points")
    for n, cell in enumerate(cells[: len(names)]):
        first, *others = _LINE_BREAK.split(cell)
        lines, place, least = (others, at, n + 1) if n >= at else ([first], at - n, head.width - n)
        for text in lines if others else ():
            fields = text.split(head.separator)
            if len(fields) >= least and _POINTS.fullmatch(fields[place]):
                found = f"a line break beside what looks like a row: {shown(text)}"
                return Problem(line, names[n], found, SWALLOWED)
    return None


def sheet_path(name: str) -> Path:
    """The adjustments file: a path, or the name of a sample in notebooks/data."""
    path = Path(name)
    sample = NOTEBOOKS / "data" / name
    return sample if not is_there(path) and is_there(sample) else path
