"""Each page as it opens: at both sizes, for a screen reader, and with nothing from elsewhere."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from loyalty_helpers.runner import pages

from .conftest import OpenPage
from .looks import check_page, shoot

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pages")]

NAMES = ["", *(path.stem for path in pages())]


@pytest.fixture(scope="module", params=NAMES, ids=lambda name: name or "list")
def opened(request: pytest.FixtureRequest, open_page: Callable[..., OpenPage]) -> OpenPage:
    """The list of pages, or one of them, with its parts in sight."""
    opened = open_page(request.param)
    expect(opened.page.get_by_role("status").first).to_be_visible()
    return opened


def test_nobody_is_kept_from_reading_or_using_it(opened: OpenPage) -> None:
    check_page(opened.page)


def test_it_fits_a_laptop_and_a_telephone(opened: OpenPage, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.params["opened"] or "list"

    assert all(picture.stat().st_size for picture in shoot(opened.page, f"{name}-opened"))


def test_it_says_where_it_works(opened: OpenPage) -> None:
    expect(opened.page.get_by_role("status").first).to_contain_text("local")


def test_what_it_asks_for_comes_from_this_machine(opened: OpenPage) -> None:
    assert {"127.0.0.1"} == opened.hosts


def test_nothing_went_wrong_when_it_was_opened(opened: OpenPage) -> None:
    expect(opened.page.get_by_text("There was an error")).to_have_count(0)
    assert [f"open in a browser: {opened.served.url}"] == opened.served.log.read_text().splitlines()
