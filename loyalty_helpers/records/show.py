"""How records look: the same rows as plain text and as an escaped HTML table.

All HTML of the project is made here. Names and reasons come from people, so everything is
escaped, and the class `mathjax_ignore` keeps a `$` in a reason from being read as a formula.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from importlib import import_module
from operator import attrgetter
from typing import Any

from loyalty_helpers.errors import LoyaltyError, ParameterError
from loyalty_helpers.plain import plain as one_line

Bundle = dict[str, Any]
# Attributes that are rows of a card, with spaces between and `label=` where another name is shown;
# or what makes labels and values.
Listed = str | Callable[[Any], Iterable[tuple[str, Any]]]
VERIFICATION_MIME = "application/vnd.loyalty.verification+json"  # facts for the receipt of a run
TIME_FORMAT = "%Y-%m-%d %H:%M:%S UTC"
# Said with every cell: the answer of a form has no style of its own in any front end.
CELL_STYLE = "padding: 2px 8px; line-height: 1.5; vertical-align: top; text-align: "
# One click marks the whole of an id, to be copied.
ID_NAME = re.compile(r"(?:.*[ _])?(?:id|account|event)")
ID_STYLE = "; user-select: all; -webkit-user-select: all"
PAGE = 20  # rows of a table that are seen at once
MOST_PAGES = 50
# The colour of a left edge, to be told on a light page and on a dark one; words say it as well.
TONES = {
    "": "",
    "care": "border-left: 4px solid #e69500; padding-left: 8px",
    "good": "border-left: 4px solid #2e9e5b; padding-left: 8px",
    "bad": "border-left: 4px solid #d9534f; padding-left: 8px",
}


def plain(value: Any) -> str:
    """The value as one line of printable text: no newline, no terminal escape gets through."""
    if value is None:
        return ""
    return one_line(value.strftime(TIME_FORMAT) if isinstance(value, datetime) else value)


def points_text(points: int) -> str:
    """`+12 points`, `-1 point`: a change always shows its sign."""
    return f"{points:+d} point{'' if abs(points) == 1 else 's'}"


def rows_of(thing: Any, listed: Iterable[Listed]) -> Iterable[tuple[str, Any]]:
    """The labels and values of what a class lists to be shown."""
    for row in listed:
        if callable(row):
            yield from row(thing)
        else:
            for label, _, path in (name.partition("=") for name in row.split()):
                yield label, attrgetter(path or label)(thing)


def card(title: str, rows: Iterable[tuple[str, Any]], *, note: str = "", tone: str = "") -> Bundle:
    """A record: a title, a row for each value that is there, and a note below.

    Args:
        title: what the record is.
        rows: labels and their values; an empty value is left out.
        note: lines below the rows.
        tone: `good`, `care` or `bad` for a coloured edge.
    """
    shown = [(plain(label), plain(value)) for label, value in rows if value not in (None, "")]
    width = max((len(label) for label, _ in shown), default=0)
    lines = [plain(title), *(f"  {label:<{width}}  {value}" for label, value in shown)]
    body = "".join(
        f"<tr>{_cell(label, tag='th')}{_cell(value, style=_id_style(label))}</tr>"
        for label, value in shown
    )
    return _bundle([*lines, *_note_lines(note)], title, _table(body), note, tone)


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, note: str = ""
) -> Bundle:
    """Rows under column names; numbers stand to the right. Without rows, the title only.

    Of a long table the first page is shown; in HTML the next ones are folded below it.
    """
    names, values = [plain(name) for name in columns], [list(row) for row in rows]
    cells = [[plain(value) for value in row] for row in values[: PAGE * MOST_PAGES]]
    right = [bool(values) and isinstance(values[0][i], int) for i in range(len(names))]
    pages = [cells[start : start + PAGE] for start in range(0, len(cells), PAGE)]
    lines = [plain(title), *_text_rows(names, pages[0], right)] if pages else [plain(title)]
    lines += [f"  ... and {_more(len(values) - PAGE)}"] if pages[1:] else []
    body = "".join(_html_page(names, page, right, n * PAGE) for n, page in enumerate(pages))
    body += f"<div>... and {_more(over)}</div>" if (over := len(values) - len(cells)) else ""
    return _bundle([*lines, *_note_lines(note)], title, body, note)


def _text_rows(names: list[str], cells: list[list[str]], right: Sequence[bool]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    for row in [names, *cells]:
        padded = [
            value.rjust(width) if to_right else value.ljust(width)
            for value, width, to_right in zip(row, widths, right, strict=True)
        ]
        yield ("  " + "  ".join(padded)).rstrip()


def _html_page(names: list[str], cells: list[list[str]], right: Sequence[bool], before: int) -> str:
    """The rows of a page; folded, if there are others before it."""
    sides = ["right" if to_right else "left" for to_right in right]
    styles = list(map(_id_style, names))
    rows = [
        "".join(_cell(value, side, tag="th") for value, side in zip(names, sides, strict=True)),
        *("".join(map(_cell, row, sides, styles)) for row in cells),
    ]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return _table(body, f"Rows {before + 1:,} to {before + len(cells):,}" if before else "")


def _more(rows: int) -> str:
    return f"{rows:,} more row{'' if rows == 1 else 's'}"


def _id_style(name: str) -> str:
    return ID_STYLE if ID_NAME.fullmatch(name) else ""


def _table(body: str, fold: str = "") -> str:
    shown = f"<table>{body}</table>" if body else ""
    return f"<details><summary>{fold}</summary>{shown}</details>" if fold else shown


def _cell(value: str, side: str = "left", style: str = "", *, tag: str = "td") -> str:
    wrap = "; overflow-wrap: anywhere" if (tag, side) == ("td", "left") else ""
    return f'<{tag} style="{CELL_STYLE}{side}{wrap}{style}">{escape(value)}</{tag}>'


def _note_lines(note: str) -> list[str]:
    return [f"  {plain(line)}" for line in note.splitlines()]


def _bundle(lines: Sequence[str], title: str, body: str, note: str, tone: str = "") -> Bundle:
    below = "".join(
        f'<div style="line-height: 1.5; padding: 2px 0">{escape(plain(line))}</div>'
        for line in note.splitlines()
    )
    html = (
        f'<div class="mathjax_ignore tex2jax_ignore" style="{TONES[tone]}">'
        f"<div><b>{escape(plain(title))}</b></div>{body}{below}</div>"
    )
    return {"text/plain": "\n".join(lines), "text/html": html}


class Shown:
    """Shows itself as `_view()`: HTML in a notebook, the same rows as text everywhere else."""

    def _view(self) -> Bundle:
        raise NotImplementedError

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        return self._view()

    def __str__(self) -> str:
        return str(self._view()["text/plain"])


@dataclass(frozen=True)
class Table(Shown):
    """Rows under column names, which can be sorted, paged, and taken on.

    Attributes:
        title: what the rows are.
        columns: their names.
        rows: what they hold, masked as it is shown.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def sorted_by(self, column: str, *, descending: bool = False) -> "Table":
        """By the values of a column; rows that have none there come last."""
        if column not in self.columns:
            raise ParameterError(f"found {column!r}; allowed: {', '.join(self.columns)}")
        place = self.columns.index(column)
        empty = [row for row in self.rows if row[place] in (None, "")]
        filled = [row for row in self.rows if row[place] not in (None, "")]
        filled.sort(key=lambda row: _rank(row[place]), reverse=descending)
        return Table(f"{self.title}, by {column}", self.columns, (*filled, *empty))

    @property
    def pages(self) -> int:
        """How many there are for `page`."""
        return max(1, -(-len(self.rows) // PAGE))

    def page(self, number: int) -> "Table":
        """So many rows as are seen at once; the first page is 1."""
        last = self.pages
        if not 1 <= number <= last:
            raise ParameterError(f"page: found {number}; allowed: 1 to {last}")
        rows = self.rows[(number - 1) * PAGE : number * PAGE]
        return Table(f"{self.title}, page {number} of {last}", self.columns, rows)

    def to_frame(self) -> Any:
        """The rows as a pandas DataFrame; raises LoyaltyError where pandas is not installed."""
        try:
            pandas = import_module("pandas")  # needed by nobody who does not ask for it
        except ImportError:
            raise LoyaltyError(
                "to_frame() makes a DataFrame of pandas, and pandas is not installed here: install "
                "it with `pip install pandas`, and restart the kernel"
            ) from None
        return pandas.DataFrame(list(self.rows), columns=list(self.columns))

    def _view(self) -> Bundle:
        return table(self.title, self.columns, self.rows)


def _rank(value: Any) -> tuple[bool, int | float, str]:
    number = isinstance(value, int | float)
    return (not number, value if number else 0, "" if number else plain(value))


class Tabled(Shown):
    """Shows itself as a table, and gives what a table gives."""

    def _table(self) -> Table:
        raise NotImplementedError

    def sorted_by(self, column: str, *, descending: bool = False) -> Table:
        """As a table by the values of a column; rows that have none there come last."""
        return self._table().sorted_by(column, descending=descending)

    def page(self, number: int) -> Table:
        """So many rows as are seen at once; the first page is 1."""
        return self._table().page(number)

    def to_frame(self) -> Any:
        """The rows as a pandas DataFrame; raises LoyaltyError where pandas is not installed."""
        return self._table().to_frame()

    def _view(self) -> Bundle:
        return self._table()._view()
