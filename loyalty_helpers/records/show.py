"""How records look: the same rows as plain text and as an escaped HTML table.

All HTML of the project is made here. Names and reasons come from people, so everything is
escaped, and the class `mathjax_ignore` keeps a `$` in a reason from being read as a formula.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from html import escape
from operator import attrgetter
from typing import Any

from loyalty_helpers.plain import plain as one_line

Bundle = dict[str, Any]
# Attributes that are rows of a card, with spaces between and `label=` where another name is shown;
# or what makes labels and values.
Listed = str | Callable[[Any], Iterable[tuple[str, Any]]]
VERIFICATION_MIME = "application/vnd.loyalty.verification+json"  # facts for the receipt of a run
TIME_FORMAT = "%Y-%m-%d %H:%M:%S UTC"
# Said with every cell: the answer of a form has no style of its own in any front end.
CELL_STYLE = "padding: 2px 8px; line-height: 1.5; vertical-align: top; text-align: "
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
    body = "".join(f"<tr>{_cell(label, tag='th')}{_cell(value)}</tr>" for label, value in shown)
    return _bundle([*lines, *_note_lines(note)], title, body, note, tone)


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, note: str = ""
) -> Bundle:
    """Rows under column names; numbers stand to the right. Without rows, the title only."""
    names, values = [plain(name) for name in columns], [list(row) for row in rows]
    cells = [[plain(value) for value in row] for row in values]
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    right = [bool(values) and isinstance(values[0][i], int) for i in range(len(names))]
    lines = [plain(title)]
    for row in [names, *cells] if cells else []:
        padded = [
            value.rjust(width) if to_right else value.ljust(width)
            for value, width, to_right in zip(row, widths, right, strict=True)
        ]
        lines.append(("  " + "  ".join(padded)).rstrip())
    sides = ["right" if to_right else "left" for to_right in right]
    head = "".join(_cell(name, side, tag="th") for name, side in zip(names, sides, strict=True))
    body = "".join(f"<tr>{''.join(map(_cell, row, sides))}</tr>" for row in cells)
    shown = f"<tr>{head}</tr>{body}" if cells else ""
    return _bundle([*lines, *_note_lines(note)], title, shown, note)


def _cell(value: str, side: str = "left", *, tag: str = "td") -> str:
    return f'<{tag} style="{CELL_STYLE}{side}">{escape(value)}</{tag}>'


def _note_lines(note: str) -> list[str]:
    return [f"  {plain(line)}" for line in note.splitlines()]


def _bundle(lines: Sequence[str], title: str, body: str, note: str, tone: str = "") -> Bundle:
    rows = f"<table>{body}</table>" if body else ""
    below = "".join(
        f'<div style="line-height: 1.5; padding: 2px 0">{escape(plain(line))}</div>'
        for line in note.splitlines()
    )
    html = (
        f'<div class="mathjax_ignore tex2jax_ignore" style="{TONES[tone]}">'
        f"<div><b>{escape(plain(title))}</b></div>{rows}{below}</div>"
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
