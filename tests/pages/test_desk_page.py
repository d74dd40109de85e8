"""The desk's fields and buttons, without a browser: what is in sight, and what a press does."""

import httpx
import ipywidgets as widgets
import pytest

from loyalty_helpers import pages
from loyalty_helpers.api import RetryPolicy
from loyalty_helpers.emulator import Emulator
from loyalty_helpers.pages.desk_page import DeskPage
from loyalty_helpers.session import connect
from loyalty_helpers.settings import Settings
from tests.doubles import ACCOUNT_ID, make_client
from tests.seed_world import CUSTOMER_SHARED, MERCHANT_ID, PHONE_HTML, PHONE_RICH

from .line import Line, fails

WHO, POINTS, REASON, TICKET = "Who is on the line?", "Points", "Reason", "Ticket number"
HTML_REASON = "<img src=x onerror=alert(1)>"


class Sight:
    """The page as a person sees it: what is hidden is not there."""

    def __init__(self, client):
        self.page = DeskPage(client)

    def _there(self, widget):
        if widget.layout.display == "none":
            return
        yield widget
        for each in getattr(widget, "children", ()):
            yield from self._there(each)

    def _one(self, name):
        [found] = [
            w for w in self._there(self.page.widget) if getattr(w, "description", "") == name
        ]
        return found

    @property
    def buttons(self):
        return [
            w.description for w in self._there(self.page.widget) if isinstance(w, widgets.Button)
        ]

    @property
    def fields(self):
        return [w.description for w in self._there(self.page.widget) if isinstance(w, widgets.Text)]

    @property
    def text(self):
        return "\n".join(
            w.value for w in self._there(self.page.widget) if isinstance(w, widgets.HTML)
        )

    def held(self, name):
        return self._one(name).value

    def button(self, name):
        return self._one(name)

    def press(self, name):
        self._one(name).click()
        return self

    def fill(self, **values):
        names = {"who": WHO, "points": POINTS, "reason": REASON, "ticket": TICKET}
        for name, value in values.items():
            self._one(names.get(name, "Approved by")).value = value
        return self

    def enter(self, name):
        """What the browser tells when Enter is pressed in a field."""
        self._one(name)._handle_custom_msg({"event": "submit"}, [])
        return self


@pytest.fixture
def line(tmp_path):
    with Emulator.open(tmp_path / "emulator.sqlite3", token="local-token") as emulator:
        yield Line(httpx.WSGITransport(emulator))


@pytest.fixture
def client(line):
    with make_client(line, attempts=1) as client:
        yield client


@pytest.fixture
def sight(client):
    return Sight(client)


@pytest.fixture
def production(line):
    settings = Settings(square_access_token="local-token", loyalty_allow_production=MERCHANT_ID)
    policy = RetryPolicy(attempts=1)
    with connect("production", settings=settings, transport=line, policy=policy) as client:
        yield Sight(client)


def at_buyer(sight, who="+14155551234"):
    return sight.fill(who=who).press("Find")


def at_preview(sight, points="50", reason="Late delivery", ticket="4711", who="+14155551234"):
    at_buyer(sight, who).fill(points=points, reason=reason, ticket=ticket)
    return sight.press("Preview")


def balance(client):
    return client.retrieve_account(ACCOUNT_ID).balance


def test_at_first_there_is_one_field_and_one_button(sight):
    assert ([WHO], ["Find"]) == (sight.fields, sight.buttons)


def test_the_environment_is_in_sight(sight):
    assert "<b>local</b>" in sight.text


def test_a_buyer_shows_what_may_be_seen_and_what_can_be_typed_next(sight):
    at_buyer(sight, PHONE_RICH)

    assert "Buyer ***0101" in sight.text
    assert "322 points" in sight.text
    assert "adjusted: Entered twice" in sight.text
    assert "5550101" not in sight.text
    assert [WHO, POINTS, REASON, TICKET] == sight.fields


def test_points_that_expire_are_shown(line):
    answer = {"points": 12, "expires_at": "2027-03-01T08:00:00Z"}

    def with_deadline(request):
        if request.url.path != "/v2/loyalty/accounts/search":
            return None
        body = {
            "loyalty_accounts": [
                {
                    "id": ACCOUNT_ID,
                    "program_id": "p",
                    "balance": 12,
                    "lifetime_points": 12,
                    "expiring_point_deadlines": [answer],
                }
            ]
        }
        return httpx.Response(200, json=body)

    line.before = with_deadline
    with make_client(line) as client:
        assert "12 on 1 Mar 2027, 08:00 UTC" in at_buyer(Sight(client)).text


def test_enter_in_a_field_leads_on(sight):
    sight.fill(who="+14155551234").enter(WHO)
    sight.fill(points="50", reason="Goodwill", ticket="1").enter(TICKET)

    assert ["Find", "Preview", "Confirm +50 points", "Back"] == sight.buttons


def test_several_accounts_are_chosen_from_by_a_press(sight):
    at_buyer(sight, CUSTOMER_SHARED).press("***0161, 58 points")

    assert "Buyer ***0161" in sight.text
    assert ["Find", "Preview"] == sight.buttons


def test_what_was_typed_for_one_account_is_not_there_for_the_next_that_is_chosen(sight):
    at_buyer(sight, CUSTOMER_SHARED).press("***0160, 114 points")
    sight.fill(points="50", reason="Goodwill", ticket="4711").press("Find")
    sight.press("***0161, 58 points")

    assert ["", "", ""] == [sight.held(name) for name in (POINTS, REASON, TICKET)]


def test_while_somebody_is_looked_for_nobody_else_is_in_sight(sight, line):
    at_preview(sight)
    seen = []
    line.before = lambda request: seen.append(sight.fields)
    sight.press("Find")

    assert [WHO] == seen[0]


def test_an_error_goes_when_the_same_is_asked_again_and_answered(sight, line):
    line.before = fails(httpx.ConnectError("refused"))
    at_buyer(sight)
    assert "cannot be reached" in sight.text

    line.before = lambda request: None
    assert "cannot be reached" not in sight.press("Find").text


def test_whoever_is_not_found_is_told_at_the_field(sight):
    at_buyer(sight, "+12125550199")

    assert "Nobody was found. Looked for this as phone number ***0199" in sight.text
    assert [WHO] == sight.fields


def test_all_that_is_wrong_with_the_fields_is_told_at_once(sight):
    at_preview(sight, points="1.5", reason="", ticket="")

    assert "Points: this cannot be right" in sight.text
    assert "Reason: please fill this in" in sight.text
    assert "Ticket number: please fill this in" in sight.text


def test_a_ticket_with_other_content_is_told_at_the_ticket(sight):
    at_preview(sight).press("Confirm +50 points").press("Next buyer")
    at_preview(sight, points="60")

    assert "This ticket number was used for this buyer" in sight.text
    assert ["Find", "Preview"] == sight.buttons


@pytest.mark.parametrize("name", ["points", "reason", "ticket"])
@pytest.mark.parametrize("confirmed", [False, True])
def test_a_change_of_a_field_empties_what_was_previewed_or_done(sight, name, confirmed):
    at_preview(sight)
    if confirmed:
        sight.press("Confirm +50 points")
    sight.fill(**{name: "9"})

    assert ["Find", "Preview"] == sight.buttons
    assert "Late delivery" == sight.held(REASON) or name == "reason"


def test_a_change_of_the_buyer_empties_all_that_was_typed_for_them(sight):
    at_preview(sight).fill(who="+1415555")
    assert ([WHO], ["Find"]) == (sight.fields, sight.buttons)

    at_buyer(sight, PHONE_RICH)
    assert ["", "", ""] == [sight.held(name) for name in (POINTS, REASON, TICKET)]


def test_a_button_confirms_the_preview_that_it_was_made_for_and_no_other(sight, client):
    """A press that was on its way while the fields, and then the preview, have changed."""
    early = at_preview(sight).button("Confirm +50 points")
    sight.fill(points="900", ticket="4712").press("Preview")
    early.click()

    assert balance(client) == 0
    assert "Confirm +900 points" in sight.buttons


def test_pressed_twice_it_is_done_once(sight, client, line):
    confirm = at_preview(sight).button("Confirm +50 points")
    confirm.click()
    confirm.click()

    assert (50, 1) == (balance(client), line.writes)


def test_what_was_done_shows_the_proof(sight, client):
    at_preview(sight).press("Confirm +50 points")
    event = next(client.search_events(account_id=ACCOUNT_ID))

    assert "Verified: adjusted for buyer ***1234" in sight.text
    assert event.id in sight.text
    assert ["Find", "Preview", "Undo this", "Next buyer"] == sight.buttons


def test_undoing_is_shown_before_it_is_confirmed_and_cannot_be_undone(sight, client):
    at_preview(sight).press("Confirm +50 points").press("Undo this")
    assert "Undo for buyer ***1234: nothing is changed yet" in sight.text

    sight.press("Confirm -50 points")
    assert balance(client) == 0
    assert ["Find", "Preview", "Next buyer"] == sight.buttons


def test_the_next_buyer_finds_an_empty_desk(sight):
    at_preview(sight).press("Confirm +50 points").press("Next buyer")

    assert ([WHO], ["Find"], "") == (sight.fields, sight.buttons, sight.held(WHO))


def test_what_is_there_already_is_said_loudly(sight):
    at_preview(sight).press("Confirm +50 points").press("Next buyer")
    at_preview(sight, ticket="4712")

    assert 'role="alert"' in sight.text
    assert "Careful: this may have been done already" in sight.text


def test_what_has_changed_since_the_preview_is_said_with_a_new_one(sight, client):
    early = at_preview(sight).button("Confirm +50 points")
    client.adjust_points(ACCOUNT_ID, 7, reason="A purchase", idempotency_key="k")
    early.click()

    assert "Something has changed since the preview that was confirmed" in sight.text
    sight.press("Confirm +50 points")
    assert balance(client) == 57


def test_a_service_that_is_down_is_told_below_the_button(sight, line):
    at_preview(sight)
    line.before = fails(httpx.ConnectError("refused"))
    sight.press("Confirm +50 points")

    assert "The service cannot be reached. Nothing was changed." in sight.text
    assert "Confirm +50 points" in sight.buttons


def test_what_people_wrote_is_no_html(sight):
    at_buyer(sight, PHONE_HTML)
    at_preview(sight, reason=HTML_REASON, ticket="1", who=PHONE_HTML).press("Confirm +50 points")

    assert HTML_REASON not in sight.text
    assert "&lt;img src=x" in sight.text


def test_a_phone_number_in_a_reason_is_masked(sight):
    at_preview(sight, reason="Call 415-555-0199 back").press("Confirm +50 points")

    assert "555-0199" not in sight.text
    assert "***0199" in sight.text


def test_production_is_loud_and_asks_for_who_approves_the_digest(production, client):
    at_preview(production)
    assert "<b>PRODUCTION</b>" in production.text
    assert "digest of the plan" in production.text
    assert "Approved by" in production.fields

    production.press("Confirm +50 points")
    assert "Approved by: please fill this in" in production.text
    production.fill(approver="Ada Lovelace").press("Confirm +50 points")
    assert "Verified: adjusted for buyer ***1234" in production.text
    assert balance(client) == 50


def test_a_mark_of_a_runbook_is_not_shown(production):
    at_preview(production).fill(approver="Ada Lovelace").press("Confirm +50 points")

    assert "adjusted: Late delivery" in production.text
    assert "[lr1:" not in production.text


def test_a_page_can_be_made_again_and_has_a_text_where_no_widget_is_shown():
    for _ in range(2):
        assert "find a buyer" in str(pages.desk())
