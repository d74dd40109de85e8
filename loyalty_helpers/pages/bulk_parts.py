"""What the bulk page is put together of: sections, tables of many rows, files to take away."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path

import ipywidgets as widgets

from loyalty_helpers.errors import ParameterError
from loyalty_helpers.forms import Act, Field
from loyalty_helpers.records import Table
from loyalty_helpers.runbooks import Standing

STAY = "Leave this page open: closing it stops the run. Nothing is lost then; open it by its id."
LARGEST_LINK = 3 * 2**19  # bytes; a browser takes 2 MiB in a link, and four characters are three


def section(title: str, *inside: widgets.Widget) -> widgets.VBox:
    """Widgets below a heading."""
    return widgets.VBox([widgets.HTML(f"<h2>{escape(title)}</h2>"), *inside])


def row(*acts: Act) -> widgets.HBox:
    """Buttons beside each other, or below each other where there is no room."""
    return widgets.HBox([act.widget for act in acts], layout=widgets.Layout(flex_flow="wrap"))


def folded(title: str, inside: "Iterable[Field | Paged]") -> widgets.VBox:
    """What is seen when somebody asks for it, with the keyboard or without."""
    box = widgets.VBox([part.widget for part in inside])
    asked = widgets.ToggleButton(layout=widgets.Layout(width="auto"))

    def show(_: object = None) -> None:
        seen(box, asked.value)
        asked.description = f"{'Less' if asked.value else 'More'}: {title}"

    asked.observe(show, "value")
    show()
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
    look = 'class="loyalty-wide" style="overflow-x: auto; overflow-wrap: break-word"'
    return f'<div tabindex="0" {look}>{html}</div>'


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
    """A table of many rows, a page at a time."""

    def __init__(self) -> None:
        self.table, self._number = Table("", (), ()), 1
        self.body = widgets.HTML()
        self.back = Act("Back", lambda: self._turn(-1))
        self.next = Act("Next", lambda: self._turn(1))
        self._acts = row(self.back, self.next)
        self.widget = widgets.VBox([self.body, self._acts])

    def put(self, rows: Table) -> None:
        """Show these rows, from the first page on."""
        if rows != self.table:
            self.table, self._number = rows, 1
            self._turn(0)

    def _turn(self, by: int) -> None:
        self._number += by
        many = self.table.pages > 1
        shown = self.table.page(self._number) if many else self.table
        self.body.value = held(str(shown._view()["text/html"]))
        self.back.enabled = self._number > 1
        self.next.enabled = self._number < self.table.pages
        seen(self._acts, many)
