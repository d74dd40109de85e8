"""The forms as a person uses them: a real JupyterLab, a real browser, the emulator behind."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from loyalty_helpers.api.client import LoyaltyClient
from loyalty_helpers.records import LoyaltyEvent
from tests.seed_world import PHONE_HTML, PHONE_NEGATIVE, PHONE_RICH

from .conftest import OpenNotebook

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("forms")]

Open = Callable[..., OpenNotebook]
HTML_REASON = "<img src=x onerror=alert(1)>"
FORMULA = "$x^2$"
UNKNOWN = "+12125550199"
# Shown in the same page as the formula in the reason; once this one is typeset, all are.
TYPESET = "from IPython.display import HTML\nHTML('<p id=\"control\">$y^2$</p>')"


@pytest.fixture(scope="module")
def search(open_notebook: Open) -> OpenNotebook:
    """01, run from top to bottom."""
    notebook = open_notebook("01_search_accounts")
    notebook.run_all()
    return notebook


@pytest.fixture(scope="module")
def adjusting(open_notebook: Open) -> OpenNotebook:
    """02, run from top to bottom with its default values."""
    notebook = open_notebook("02_adjust_points")
    notebook.run_all()
    return notebook


@pytest.fixture(scope="module")
def events(open_notebook: Open) -> OpenNotebook:
    """04, run from top to bottom."""
    notebook = open_notebook("04_balance_events", more=TYPESET)
    notebook.run_all()
    return notebook


@pytest.fixture(scope="module")
def buying(open_notebook: Open) -> OpenNotebook:
    """05, run from top to bottom with its default values."""
    notebook = open_notebook("05_accumulate_from_order")
    notebook.run_all()
    return notebook


def newest(client: LoyaltyClient) -> list[LoyaltyEvent]:
    """The ledger of the buyer whom 02 begins with."""
    account = client.find_account(phone_number="+14155551234")
    return list(client.search_events(account_id=account.id))


def reasons(client: LoyaltyClient) -> list[str]:
    """The reasons in the ledger of the buyer whom 02 begins with."""
    return [event.reason for event in newest(client)]


def test_the_button_shows_the_account_of_the_number_typed(
    search: OpenNotebook, client: LoyaltyClient
) -> None:
    search.fill(phone_number=PHONE_RICH)

    answer = search.press("Find account")

    expect(answer).to_contain_text(client.find_account(phone_number=PHONE_RICH).id)


def test_the_form_says_that_nobody_has_the_number(search: OpenNotebook) -> None:
    search.fill(phone_number=UNKNOWN)

    answer = search.press("Find account")

    expect(answer).to_contain_text("no loyalty account has this phone number")


def test_the_next_cell_takes_over_what_was_typed(
    search: OpenNotebook, client: LoyaltyClient
) -> None:
    search.fill(phone_number=PHONE_NEGATIVE)

    search.run_from("client.find_account(**buyer.values)")

    account = client.find_account(phone_number=PHONE_NEGATIVE)
    expect(search.output("client.find_account(**buyer.values)")).to_contain_text(account.id)


def test_preview_changes_nothing(adjusting: OpenNotebook, client: LoyaltyClient) -> None:
    before = reasons(client)
    adjusting.fill(points="5", reason="only looking", run_id="preview-only")

    answer = adjusting.press("Preview")

    expect(answer).to_contain_text("+5 points")
    assert before == reasons(client)


def test_adjusting_by_button_twice_and_by_cell_credits_once(
    adjusting: OpenNotebook, client: LoyaltyClient
) -> None:
    adjusting.fill(points="7", reason="pressed twice", run_id="pressed-twice")

    expect(adjusting.press("Adjust")).to_contain_text("applied now")
    expect(adjusting.press("Adjust")).to_contain_text("applied before")
    adjusting.run_from("planned = adjustments.preview")

    expect(adjusting.output("done = adjustments.adjust")).to_contain_text("applied before")
    assert reasons(client).count("pressed twice") == 1


def test_buying_by_button_twice_and_by_cells_buys_once(
    buying: OpenNotebook, client: LoyaltyClient
) -> None:
    account = client.find_account(phone_number="+14155551234")
    before = len(list(client.search_events(account_id=account.id)))
    buying.fill(run_id="bought-twice")

    expect(buying.press("Buy")).to_contain_text("applied now")
    expect(buying.press("Buy")).to_contain_text("applied before")
    buying.run_from("planned = purchases.plan")

    expect(buying.output("verified = purchases.verify")).to_contain_text("applied before")
    assert len(list(client.search_events(account_id=account.id))) - before == 4


def test_a_line_that_is_no_line_is_told_in_the_form(buying: OpenNotebook) -> None:
    buying.fill(first_order="coffee", run_id="no-line")

    buying.press("Preview")

    expect(buying.form("Preview")).to_contain_text("quantity, name and price in cents, for example")


def test_half_a_point_is_refused(adjusting: OpenNotebook, client: LoyaltyClient) -> None:
    """A number field of the browser would show 1.5 and send 1."""
    adjusting.fill(points="1.5", reason="half a point", run_id="half-a-point")

    expect(adjusting.press("Adjust")).to_contain_text("a whole number without points or commas")
    assert "half a point" not in reasons(client)


def test_what_is_wrong_stands_at_the_field_as_one_types(adjusting: OpenNotebook) -> None:
    adjusting.field("points").press_sequentially(".5")

    told = adjusting.page.get_by_role("alert").filter(has_text="Points: this cannot be right")
    expect(told).to_be_visible()


# Two values and a press before the kernel has read the first value: the second one is held back
# by ipywidgets, and the press is not.
OVERTAKE = """([input, button]) => {
    for (const value of ["8", "80"]) {
        input.value = value;
        input.dispatchEvent(new Event("input", {bubbles: true}));
    }
    button.click();
}"""


def test_a_press_that_overtakes_what_was_typed_acts_on_what_is_shown(
    adjusting: OpenNotebook, client: LoyaltyClient
) -> None:
    adjusting.fill(points="5", reason="overtaken", run_id="overtaken")
    button = adjusting.page.get_by_role("button", name="Adjust", exact=True)
    both = [adjusting.field("points").element_handle(), button.element_handle()]
    adjusting.page.evaluate(OVERTAKE, both)

    expect(adjusting.form("Adjust").locator(".loyalty-answer")).to_contain_text("applied now")
    account = client.find_account(phone_number="+14155551234")
    made = [
        e.points for e in client.search_events(account_id=account.id) if e.reason == "overtaken"
    ]
    assert made == [80]


def test_people_who_cannot_see_a_form_can_use_it(adjusting: OpenNotebook) -> None:
    adjusting.fill(points="1.5")
    found = Axe().run(adjusting.page, context=".loyalty-form").response["violations"]

    assert [] == [one["id"] for one in found if one["impact"] in ("serious", "critical")]


def test_enter_shows_a_preview(adjusting: OpenNotebook) -> None:
    adjusting.fill(points="6", reason="by keyboard", run_id="by-keyboard")
    adjusting.field("points").press("Enter")

    expect(adjusting.form("Preview").locator(".loyalty-answer")).to_contain_text("+6 points")


def test_an_answer_goes_when_its_values_change(adjusting: OpenNotebook) -> None:
    adjusting.fill(points="5", run_id="preview-only")
    answer = adjusting.press("Preview")
    expect(answer).to_contain_text("+5 points")

    adjusting.fill(points="50")

    expect(answer).to_be_empty()


def test_the_chart_is_drawn(events: OpenNotebook) -> None:
    expect(events.output("charts.balance_chart").locator("canvas, svg").first).to_be_visible()


def test_html_in_a_reason_is_shown_as_text(events: OpenNotebook) -> None:
    events.fill(phone_number=PHONE_HTML)

    events.run_from("client.find_account(**buyer.values)")

    expect(events.output("history.newest(10)")).to_contain_text(HTML_REASON)
    assert events.page.locator("img[src=x]").count() == 0
    assert events.dialogs == []


def test_a_formula_in_a_reason_is_shown_as_text(
    events: OpenNotebook, client: LoyaltyClient
) -> None:
    account = client.find_account(phone_number=PHONE_HTML)
    client.adjust_points(account.id, 1, reason=FORMULA, idempotency_key="formula")
    events.fill(phone_number=PHONE_HTML)

    events.run_from("client.find_account(**buyer.values)")

    expect(events.page.locator("#control mjx-container")).to_be_visible()
    expect(events.output("history.newest(10)")).to_contain_text(FORMULA)


def test_a_formula_in_a_form_is_shown_as_text(adjusting: OpenNotebook) -> None:
    adjusting.fill(points="5", reason=FORMULA + HTML_REASON, run_id="formula")

    answer = adjusting.press("Preview")

    expect(answer).to_contain_text(FORMULA + HTML_REASON)
    assert adjusting.dialogs == []


def test_nothing_is_asked_of_another_host(events: OpenNotebook) -> None:
    assert events.hosts == {"127.0.0.1"}


def test_another_buyer_empties_the_second_form(open_notebook: Open, client: LoyaltyClient) -> None:
    notebook = open_notebook("02_adjust_points")
    notebook.run_all()
    form = notebook.form("Adjust")
    expect(form).to_contain_text("***1234, balance")

    notebook.fill(phone_number=PHONE_RICH)

    expect(form).to_contain_text("names another buyer now")
    expect(form).not_to_contain_text("***1234")
    expect(notebook.field("reason")).to_have_value("")
    expect(notebook.page.get_by_role("button", name="Adjust", exact=True)).to_be_disabled()


def test_a_notebook_that_was_not_run_shows_its_saved_form(open_notebook: Open) -> None:
    notebook = open_notebook("02_adjust_points", outputs=True)

    expect(notebook.output("forms.adjust_form")).to_contain_text("walkthrough-2")
    expect(notebook.page.get_by_text("Error displaying widget")).to_have_count(0)
