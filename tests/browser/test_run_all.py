"""What a person sees after "Run all" is what nbval compares: the outputs that are committed."""

import json
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from loyalty_helpers.settings import NOTEBOOKS

from .conftest import OpenNotebook

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("run_all")]

VEGA_LITE = "application/vnd.vegalite.v5+json"
WALKTHROUGHS = [
    "01_search_accounts",
    "02_adjust_points",
    "03_retrieve_account",
    "04_balance_events",
    "05_accumulate_from_order",
]
# All that a form shows: its texts, and what stands in its fields.
SHOWN = """form => form.innerText + [...form.querySelectorAll('input, textarea')]
    .map(field => field.type === 'checkbox' ? (field.checked ? 'yes' : 'no') : field.value)
    .join(' ')"""


class Text(HTMLParser):
    """The text of HTML, without its tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.text += data


def words(text: str) -> str:
    return "".join(text.split())


def outputs(name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The place of each cell of code that shows something, and what it has saved."""
    notebook = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for place, cell in enumerate(code):
        for output in cell["outputs"]:
            yield place, {m: v if m == VEGA_LITE else "".join(v) for m, v in output["data"].items()}


def check_form(form: Locator, saved: str) -> None:
    """A form shows each of its values; a phone number, which is its owner's here, in full."""
    shown = words(form.evaluate(SHOWN))
    for line in saved.splitlines():
        value = line.strip().partition("  ")[2] or line
        assert words(value).removeprefix("***") in shown, value


@pytest.mark.parametrize("name", WALKTHROUGHS)
def test_after_run_all_a_walkthrough_shows_what_is_saved(
    open_notebook: Callable[..., OpenNotebook], name: str
) -> None:
    notebook = open_notebook(name, environment="recorded")
    notebook.page.set_viewport_size({"width": 1400, "height": 12_000})  # every cell is drawn
    notebook.run_all()

    for place, saved in outputs(name):
        shown = notebook.page.locator(".jp-CodeCell").nth(place).locator(".jp-OutputArea-output")
        if (form := shown.locator(".loyalty-form")).count():
            check_form(form, saved["text/plain"])
        elif VEGA_LITE in saved:
            told = saved["text/plain"].splitlines()[1].strip()
            expect(shown.locator("[role=graphics-document]")).to_have_attribute("aria-label", told)
        else:
            text = Text(saved["text/html"]).text if "text/html" in saved else saved["text/plain"]
            assert words(text) == words(shown.text_content() or "")
