"""The parts of pages under Voila, in a real browser: what is shown is what is acted on."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from nbformat import v4, write
from playwright.sync_api import Locator, expect

from .conftest import OpenPage

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serving")]

PAGE = """
import time
import ipywidgets as widgets
from loyalty_helpers.forms import Act, Field, banner

points, reason, told = Field("points"), Field("reason"), widgets.HTML("done:")

def add():
    time.sleep(0.5)
    told.value += f" {points.read()}"

act = Act("Add", add, writes="Adds points")
points.on_submit(act.press)
rest = widgets.HTML('<p id="rest" style="margin-top: 1500px">The end</p>')
parts = [points.widget, reason.widget, Field("allow_negative_balance", False).widget, act.widget]
widgets.VBox([banner("production"), *parts, told, rest]).add_class("loyalty-page")
"""
# Values and presses before the kernel has read the first value: ipywidgets holds back the second
# value, and holds back no press.
OVERTAKE = """([input, button, values, presses]) => {
    for (const value of values) {
        input.value = value;
        input.dispatchEvent(new Event("input", {bubbles: true}));
    }
    for (let n = 0; n < presses; n++) button.click();
}"""


@pytest.fixture(scope="module")
def opened(
    open_page: Callable[..., OpenPage], tmp_path_factory: pytest.TempPathFactory
) -> OpenPage:
    folder: Path = tmp_path_factory.mktemp("parts")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [v4.new_markdown_cell("# Parts\n\nThey are tried here."), v4.new_code_cell(PAGE)]
    write(v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), folder / "parts.ipynb")
    return open_page("parts", options=[str(folder)])


@pytest.fixture
def points(opened: OpenPage) -> Locator:
    return opened.page.get_by_label("Points points", exact=True)


@pytest.fixture
def done(opened: OpenPage) -> Callable[[], str]:
    """What was done from now on."""
    place = opened.page.get_by_text("done:")
    before = place.inner_text()
    return lambda: place.inner_text().removeprefix(before).strip()


def button(opened: OpenPage) -> Locator:
    return opened.page.get_by_role("button", name="Add")


def overtake(opened: OpenPage, points: Locator, *values: str, presses: int = 1) -> None:
    both = [points.element_handle(), button(opened).element_handle()]
    opened.page.evaluate(OVERTAKE, [*both, values, presses])


def wait(opened: OpenPage) -> None:
    """Until the button has worked, and can be pressed again."""
    expect(opened.page.get_by_role("button", name="Add ... working")).to_be_visible()
    expect(opened.page.get_by_role("button", name="Add", exact=True)).to_be_enabled()


def test_a_press_acts_on_what_was_typed_just_before(opened, points, done) -> None:
    overtake(opened, points, "5", "50")
    wait(opened)

    assert "50" == done()


def test_presses_in_a_row_act_once(opened, points, done) -> None:
    overtake(opened, points, "6", "60", presses=3)
    wait(opened)

    assert "60" == done()


def test_a_button_that_works_cannot_be_pressed(opened, points, done) -> None:
    overtake(opened, points, "7")
    working = opened.page.get_by_role("button", name="Add ... working")
    expect(working).to_be_disabled()
    working.evaluate("button => { button.disabled = false; button.click(); }")
    expect(opened.page.get_by_role("button", name="Add", exact=True)).to_be_enabled()

    assert "7" == done()


def test_enter_acts_on_what_was_typed(opened, points, done) -> None:
    points.fill("")
    points.press_sequentially("12345")
    points.press("Enter")
    wait(opened)

    assert "12345" == done()


def test_what_is_wrong_is_told_at_the_field_and_goes_when_it_is_mended(opened, points) -> None:
    alert = opened.page.get_by_role("alert")
    points.fill("1.5")
    expect(alert).to_have_text(
        "Points: this cannot be right. Allowed: a whole number without points or commas, such as "
        "1000 or -10"
    )
    points.fill("15")

    expect(alert).to_have_count(0)


def test_the_banner_stays_in_sight(opened) -> None:
    opened.page.locator("#rest").scroll_into_view_if_needed()

    expect(opened.page.get_by_text("PRODUCTION")).to_be_in_viewport()


@pytest.mark.parametrize("size", [(1280, 720), (390, 844)])
def test_nothing_is_wider_than_the_window(opened, points, size) -> None:
    opened.page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    points.fill("1.5")
    expect(opened.page.get_by_role("alert")).to_be_visible()

    wide = "() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
    assert 0 == opened.page.evaluate(wide)
    assert points.bounding_box()["width"] > 200


def test_people_who_cannot_see_the_page_can_use_it(opened, points) -> None:
    points.fill("1.5")
    found = Axe().run(opened.page, context=".loyalty-page").response["violations"]

    bad = [
        (one["id"], one["nodes"][0]["html"])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert [] == bad
