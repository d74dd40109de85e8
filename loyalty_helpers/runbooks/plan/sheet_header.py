"""The header of a sheet of adjustments: its columns, what separates them, and what is wrong there.

A file's own names can be mapped to ours.
"""

import csv
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from loyalty_helpers.errors import ParameterError
from loyalty_helpers.redaction import mask_repr
from loyalty_helpers.runbooks.plan.rows import BUYER, Problem, shown

REQUIRED = ("points", "reason")
COLUMNS = (*BUYER, *REQUIRED, "row_id", "undoes")
SEPARATORS = ",;\t"
IGNORED = "-"
AT_LEAST = "a header and at least one row"
HEADER_LENGTH = 4096  # far more than all names; csv refuses a field that is far longer
THE_COLUMNS = (
    f"a first line with the columns {', '.join(REQUIRED)} and one of {', '.join(BUYER)}, "
    "separated by commas, semicolons or tabs"
)

AS_COLUMNS = (
    "the file's names and ours with commas between, such as 'Phone Number=phone_number, First "
    f"Name=-', where '-' leaves a column out; ours are {', '.join(COLUMNS)}"
)

_SEPARATOR_LINE = re.compile(r"\s*\"?sep=([^\s\"]|\t)\"?[\s,;]*", re.IGNORECASE)  # Excel's own


class Head(NamedTuple):
    """The first lines of a file: where the header is, what it says, and how cells stand apart.

    A file with a space after each separator of its header has one before each cell.
    """

    line: int
    text: str
    separator: str
    names: list[str]

    @property
    def width(self) -> int:
        """How many columns there are, without those behind the last one that has a name."""
        return max(n for n, name in enumerate(self.names, 1) if name)


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


def head_of(file: Iterable[str], columns: Mapping[str, str]) -> Head:
    """The header of a file, which may stand below a line that tells the separator."""
    lines = ((n, line) for n, line in enumerate(file, 1) if line.strip())
    line, text = next(lines, (0, ""))
    told = _SEPARATOR_LINE.fullmatch(text)
    if told:
        line, text = next(lines, (line, ""))
    # What finds the most columns in the header; a comma, if nothing finds more.
    likely = max(SEPARATORS, key=lambda one: len(_known(_names(text, one, columns))))
    separator = told[1] if told else likely
    return Head(line, text, separator, _names(text, separator, columns))


def _names(text: str, separator: str, columns: Mapping[str, str]) -> list[str]:
    line = [text[:HEADER_LENGTH]]
    cells = next(csv.reader(line, delimiter=separator, skipinitialspace=True), [])
    return [columns.get(name, name) for name in map(_plain, cells)]


def _known(names: Sequence[str]) -> set[str]:
    return set(names) & set(COLUMNS)


def header_problems(head: Head, columns: Mapping[str, str]) -> Iterator[Problem]:
    """Everything that is wrong with a header."""
    if not head.text:
        yield Problem(0, "", "an empty file", AT_LEAST)
        return
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
