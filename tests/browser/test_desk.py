"""The desk as a person uses it: served by `loyalty app`, by keyboard and by mouse."""

import subprocess
from collections.abc import Callable, Iterator

import pytest
from nbformat import v4, write
from playwright.sync_api import Locator, expect

from loyalty_helpers.records import LoyaltyEvent
from tests.commands import COMMAND
from tests.doubles import ACCOUNT_ID, CANARY_TOKEN
from tests.seed_world import MERCHANT_ID, PHONE_RICH

from .conftest import OpenPage
from .looks import SIZES, check_page, shoot

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("desk")]

Open = Callable[..., OpenPage]
WHO, POINTS, REASON, TICKET = "Who is on the line?", "Points", "Reason", "Ticket number"
BUYER = "(415) 555-1234"
HTML_REASON = "<img src=x onerror=alert(1)>"
# What `production` would answer, from an emulator in the page's own process.
PRODUCTION = f"""
import httpx
from loyalty_helpers import connect
from loyalty_helpers.emulator import Emulator
from loyalty_helpers.pages.desk_page import DeskPage

emulator = Emulator.open("emulator.sqlite3", token="{CANARY_TOKEN}")
DeskPage(connect("production", transport=httpx.WSGITransport(emulator)))
"""
# A service in another process; its client gives up at once.
SERVED = """
from loyalty_helpers import connect
from loyalty_helpers.api import RetryPolicy
from loyalty_helpers.pages.desk_page import DeskPage
from loyalty_helpers.settings import Settings

settings = Settings(loyalty_emulator_url="{url}")
DeskPage(connect("local", settings=settings, policy=RetryPolicy(attempts=1)))
"""


class AtDesk:
    """Somebody at the desk, who counts what they press beyond typing values."""

    def __init__(self, opened: OpenPage) -> None:
        self.opened, self.page, self.pressed = opened, opened.page, 0

    def field(self, name: str) -> Locator:
        return self.page.get_by_label(name, exact=True)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def fill(self, name: str, value: str) -> None:
        self.field(name).fill(value)

    def click(self, name: str) -> None:
        self.pressed += 1
        self.button(name).click()

    def type(self, text: str, into: str) -> None:
        """Type where the keyboard is, which has to be this field."""
        expect(self.field(into)).to_be_focused()
        self.page.keyboard.type(text)

    def press(self, key: str) -> None:
        self.pressed += 1
        self.page.keyboard.press(key)

    def find(self, who: str = BUYER) -> None:
        self.fill(WHO, "")
        expect(self.field(POINTS)).to_be_hidden()
        self.fill(WHO, who)
        self.click("Find")
        expect(self.field(POINTS)).to_be_focused()

    def preview(self, points: str, reason: str, ticket: str, who: str = BUYER) -> None:
        self.find(who)
        for name, value in {POINTS: points, REASON: reason, TICKET: ticket}.items():
            self.fill(name, value)
        self.click("Preview")
        expect(self.page.get_by_text("nothing is changed yet")).to_be_visible()

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

    def ledger(self, reason: str) -> list[LoyaltyEvent]:
        """The events of the buyer with this reason."""
        with self.opened.client() as client:
            events = list(client.search_events(account_id=ACCOUNT_ID))
        return [event for event in events if event.reason == reason]


@pytest.fixture(scope="module")
def desk(open_page: Open) -> AtDesk:
    """A desk that is used for one buyer after the other."""
    return AtDesk(open_page("desk"))


@pytest.fixture
def fresh(open_page: Open) -> AtDesk:
    """A desk that was just opened."""
    return AtDesk(open_page("desk"))


def test_by_keyboard_it_takes_at_most_seven_presses_to_a_verified_adjustment(fresh: AtDesk) -> None:
    fresh.type(BUYER, into=WHO)
    fresh.press("Enter")
    fresh.type("50", into=POINTS)
    fresh.press("Enter")
    fresh.type("By keyboard", into=REASON)
    fresh.press("Enter")
    fresh.type("key-1", into=TICKET)
    fresh.press("Enter")
    expect(fresh.button("Confirm +50 points")).to_be_focused()
    fresh.press("Enter")

    fresh.sees("Verified: adjusted for buyer ***1234")
    assert fresh.pressed <= 7
    [event] = fresh.ledger("By keyboard")
    fresh.sees(event.id)
    expect(fresh.button("Next buyer")).to_be_focused()


def test_by_mouse_it_takes_three_clicks_and_an_undo_two_more(desk: AtDesk) -> None:
    desk.pressed = 0
    desk.preview("40", "By mouse", "mouse-1")
    desk.click("Confirm +40 points")
    desk.sees("Verified: adjusted for buyer ***1234")
    desk.click("Undo this")
    desk.click("Confirm -40 points")
    desk.sees("Verified: undone for buyer ***1234")

    assert desk.pressed == 5
    [event] = desk.ledger("By mouse")
    assert len(desk.ledger(f"Undo of event {event.id}")) == 1


def test_pressed_twice_it_is_done_once(desk: AtDesk) -> None:
    desk.preview("30", "Pressed twice", "twice-1")
    desk.button("Confirm +30 points").dblclick()

    desk.sees("Verified: adjusted for buyer ***1234")
    assert len(desk.ledger("Pressed twice")) == 1


def test_enter_that_is_pressed_twice_in_a_field_confirms_nothing(desk: AtDesk) -> None:
    desk.find()
    for name, value in {POINTS: "9", REASON: "Twice", TICKET: "enter-1"}.items():
        desk.fill(name, value)
    for _ in range(3):
        desk.page.keyboard.press("Enter")

    expect(desk.button("Confirm +9 points")).to_be_focused()
    assert desk.ledger("Twice") == []


def test_another_buyer_after_the_preview_empties_all_that_follows(desk: AtDesk) -> None:
    desk.preview("20", "Another buyer", "other-1")
    desk.field(WHO).press_sequentially(PHONE_RICH)

    expect(desk.button("Confirm +20 points")).to_have_count(0)
    expect(desk.field(POINTS)).to_be_hidden()
    assert desk.ledger("Another buyer") == []


def test_a_ticket_in_two_tabs_is_applied_once(desk: AtDesk, fresh: AtDesk) -> None:
    for tab in (desk, fresh):
        tab.preview("10", "Two tabs", "tabs-1")
    desk.click("Confirm +10 points")
    desk.sees("Verified: adjusted for buyer ***1234")
    fresh.click("Confirm +10 points")
    fresh.sees("Something has changed since the preview")
    expect(fresh.button("Back")).to_be_focused()
    fresh.click("Confirm +10 points")

    fresh.sees("nothing was changed this time")
    assert len(desk.ledger("Two tabs")) == 1


def test_back_leads_to_the_fields_as_they_were(desk: AtDesk) -> None:
    desk.preview("5", "Second thoughts", "back-1")
    expect(desk.button("Confirm +5 points")).to_be_focused()
    desk.page.keyboard.press("Tab")
    expect(desk.button("Back")).to_be_focused()
    desk.page.keyboard.press("Enter")

    expect(desk.field(POINTS)).to_be_focused()
    expect(desk.field(REASON)).to_have_value("Second thoughts")
    expect(desk.button("Confirm +5 points")).to_be_hidden()


def test_a_phone_number_with_letters_is_told_at_the_field(desk: AtDesk) -> None:
    desk.fill(WHO, "+1 415 555 CALL")
    desk.page.keyboard.press("Enter")

    desk.sees("a plus, the country code and the number")
    expect(desk.field(WHO)).to_be_focused()


def test_a_reason_with_html_is_shown_as_text(desk: AtDesk) -> None:
    desk.preview("1", HTML_REASON, "html-1")
    desk.click("Confirm +1 point")

    desk.sees("Verified: adjusted for buyer ***1234")
    desk.sees(f"adjusted: {HTML_REASON}")
    assert desk.opened.dialogs == []
    assert desk.page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize("size", SIZES)
def test_the_environment_is_in_sight_and_all_can_read_it(
    desk: AtDesk, size: tuple[int, int]
) -> None:
    width, height = size
    desk.page.set_viewport_size({"width": width, "height": height})
    desk.preview("2", f"In sight {width}", f"sight-{width}")
    expect(desk.button("Confirm +2 points")).to_be_focused()

    expect(desk.page.get_by_text("made-up buyers on this computer")).to_be_in_viewport()
    expect(desk.button("Confirm +2 points")).to_be_in_viewport()
    check_page(desk.page)
    shoot(desk.page, "desk-preview")
    desk.click("Confirm +2 points")
    desk.sees("Verified: adjusted for buyer ***1234")
    check_page(desk.page)
    shoot(desk.page, "desk-done")


def test_nothing_is_asked_of_another_host(desk: AtDesk) -> None:
    assert desk.opened.hosts == {"127.0.0.1"}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    """An emulator in a process of its own, so that it can go down; its first line is its URL."""
    database = tmp_path_factory.mktemp("emulator") / "emulator.sqlite3"
    command = [COMMAND, "emulator", "serve", "--db", str(database)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture(scope="module")
def made(
    open_page: Open, tmp_path_factory: pytest.TempPathFactory, emulator: subprocess.Popen[str]
) -> Callable[[str], AtDesk]:
    """Opens a desk of another place: `production`, or one that is `served`."""
    folder = tmp_path_factory.mktemp("desks")
    served = SERVED.format(url=emulator.stdout.readline().split()[-1])
    for name, code in {"production": PRODUCTION, "served": served}.items():
        cells = [v4.new_markdown_cell("# The desk"), v4.new_code_cell(code)]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        write(notebook, folder / f"{name}.ipynb")
    env = {"SQUARE_ACCESS_TOKEN": CANARY_TOKEN, "LOYALTY_ALLOW_PRODUCTION": MERCHANT_ID}
    options = [str(folder), "--environment", "production"]
    return lambda name: AtDesk(open_page(name, env=env, options=options))


def test_a_service_that_goes_down_is_told_and_nothing_is_lost(
    made: Callable[[str], AtDesk], emulator: subprocess.Popen[str]
) -> None:
    desk = made("served")
    desk.preview("3", "Gone down", "down-1")
    emulator.kill()
    desk.click("Confirm +3 points")

    desk.sees("The service cannot be reached. Nothing was changed.")
    expect(desk.button("Confirm +3 points")).to_be_enabled()


def test_production_is_red_shows_the_digest_and_asks_for_who_approves(
    made: Callable[[str], AtDesk],
) -> None:
    production = made("production")
    banner = production.page.get_by_text("PRODUCTION", exact=True).locator("..")
    expect(banner).to_have_css("background-color", "rgb(179, 38, 30)")
    production.preview("50", "Late delivery", "4711")
    production.sees("digest of the plan")
    expect(production.field("Approved by")).to_be_focused()

    production.page.keyboard.press("Enter")
    production.sees("Approved by: please fill this in")
    production.type("Ada Lovelace", into="Approved by")
    check_page(production.page)
    shoot(production.page, "desk-production")
    production.page.keyboard.press("Enter")
    production.sees("Verified: adjusted for buyer ***1234")


def test_esc_goes_back_from_a_preview_and_changes_nothing(desk: AtDesk) -> None:
    desk.preview("6", "Looked at only", "esc-1")

    desk.press("Escape")

    expect(desk.button("Back")).to_be_hidden()
    expect(desk.field(POINTS)).to_be_focused()
    assert desk.ledger("Looked at only") == []
