"""What the bulk page is put together of: sections, tables of many rows, files to take away."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from loyalty_helpers.errors import ParameterError
from loyalty_helpers.forms import Act, Field
from loyalty_helpers.records import table
from loyalty_helpers.runbooks import Standing

STAY = "Leave this page open: closing it stops the run. Nothing is lost then; open it by its id."
ROWS_A_PAGE = 20
LARGEST_LINK = 3 * 2**19  # bytes; a browser takes 2 MiB in a link, and four characters are three


def section(title: str, *inside: widgets.Widget) -> widgets.VBox:
    """Widgets below a heading."""
    return widgets.VBox([widgets.HTML(f"<h2>{escape(title)}</h2>"), *inside])


def row(*acts: Act) -> widgets.HBox:
    """Buttons beside each other, or below each other where there is no room."""
    return widgets.HBox([act.widget for act in acts], layout=widgets.Layout(flex_flow="wrap"))


def folded(title: str, fields: Iterable[Field]) -> widgets.VBox:
    """Fields that are seen when somebody asks for them, with the keyboard or without."""
    box = widgets.VBox([field.widget for field in fields])
    asked = widgets.ToggleButton(description=title, layout=widgets.Layout(width="auto"))
    asked.observe(lambda _: seen(box, asked.value), "value")
    seen(box, False)
    return widgets.VBox([widgets.HBox([asked]), box])


def at(field: Field, action: Callable[[], object]) -> None:
    """Do it if the field's value is right; what is wrong with that is told at the field."""
    try:
        field.read()
        action()
    except ParameterError as error:
        field.error = str(error)
        field.focus()


def held(html: str) -> str:
    """HTML in a box of its own, so that what is wide makes nothing else wide.

    The keyboard gets into it, to move what does not fit.
    """
    return f'<div tabindex="0" style="overflow-x: auto; overflow-wrap: break-word">{html}</div>'


def seen(widget: widgets.Widget, is_seen: bool) -> None:
    """Show a widget, or take it away with the place that it took."""
    widget.layout.display = None if is_seen else "none"


def paragraphs(text: str) -> str:
    """Lines of text as HTML."""
    return "".join(f"<p>{escape(line)}</p>" for line in text.splitlines())


def bar(standing: Standing, rows: int) -> str:
    """How far a run of so many rows is; with words, for who sees no bar."""
    look = f'max="{rows}" value="{standing.done}" style="width: 100%; height: 1.5em"'
    text = str(standing) if standing.rows else f"{rows} rows: looking at the ledger first"
    drawn = f'<progress aria-label="Rows that are done" {look}></progress>'
    return f'{drawn}<p role="status">{text}</p>{paragraphs(STAY)}'


def links(title: str, paths: Sequence[Path]) -> str:
    """Files as links that hold them, since no server but the page's own is there to ask.

    One that is too large for a link is told by its place.
    """
    told = " &middot; ".join(map(_link, paths))
    return f"<p>{escape(title)} {told}</p>" if paths else ""


def _link(path: Path) -> str:
    name, content = escape(path.name), path.read_bytes()
    if len(content) > LARGEST_LINK:
        return f"{name} is large, and lies in {escape(str(path.parent))}"
    data = b64encode(content).decode()
    href = f"data:text/csv;base64,{data}"
    return f'<a style="text-decoration: underline" download="{name}" href="{href}">{name}</a>'


class Paged:
    """A table of many rows, some at a time."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self._title, self._first = "", 0
        self._columns: tuple[str, ...] = ()
        self.body = widgets.HTML()
        self.back = Act("Back", lambda: self._turn(-ROWS_A_PAGE))
        self.next = Act("Next", lambda: self._turn(ROWS_A_PAGE))
        self._acts = row(self.back, self.next)
        self.widget = widgets.VBox([self.body, self._acts])

    def put(self, noun: str, columns: Sequence[str], rows: list[Any]) -> None:
        """Show these rows from the first one on."""
        self.rows, self._columns, self._first = rows, tuple(columns), 0
        self._title = f"{len(rows):,} {noun}{'s' * (len(rows) != 1)}"
        self._turn(0)

    def _turn(self, by: int) -> None:
        self._first += by
        last = min(self._first + ROWS_A_PAGE, len(self.rows))
        many = len(self.rows) > ROWS_A_PAGE
        title = self._title + f": {self._first + 1:,} to {last:,}" * many
        shown = table(title, self._columns, self.rows[self._first : last])
        self.body.value = held(shown["text/html"])
        self.back.enabled, self.next.enabled = self._first > 0, last < len(self.rows)
        seen(self._acts, many)
