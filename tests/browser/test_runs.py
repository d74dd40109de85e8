"""The runs page as a person meets it: what waits is on top, approved, undone and read there."""

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.runbooks.views import Planned
from tests.runbooks.harness import plan_by

from .conftest import OpenPage
from .looks import check_page, shoot

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("runs page")]

Open = Callable[..., OpenPage]
SHEET = "row_id,phone_number,points,reason\na,+14155551234,12,Late\nb,+14155550101,50,Late\n"
RECEIPT = {
    "notebook": "02_adjust_points",
    "run_id": "walk",
    "environment": "local",
    "status": "verified",
    "started_at": "2026-11-01T14:00:00Z",
    "finished_at": "2026-11-01T14:00:02Z",
    "parameters": {},
    "error": None,
    "points": 12,
}
REPORT = "<h1>Done, and verified</h1><script>document.body.textContent = 'a script ran'</script>"


@pytest.fixture(scope="module")
def opened(open_page: Open) -> OpenPage:
    """The page, opened before there is any run."""
    return open_page("runs")


@pytest.fixture(scope="module")
def client(opened: OpenPage) -> Iterator[LoyaltyClient]:
    with opened.client() as client:
        yield client


@pytest.fixture(scope="module")
def planned(opened: OpenPage, client: LoyaltyClient) -> Planned:
    """A plan that waits, and a walkthrough with its report."""
    folder = opened.served.runs / "walk"
    folder.mkdir(parents=True)
    (folder / "receipt.json").write_text(json.dumps(RECEIPT))
    (folder / "02_adjust_points.html").write_text(REPORT)
    sheet = folder.parent / "sheet.csv"
    sheet.write_text(SHEET)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOYALTY_RUNS", str(opened.served.runs))
        made = plan_by(client, "plan_file", str(sheet), run_id="late")
    press(opened, "Look again")
    expect(opened.page.get_by_role("heading", name="2 runs, 1 waits for a person")).to_be_visible()
    return made


def press(opened: OpenPage, name: str) -> None:
    opened.page.get_by_role("button", name=name, exact=True).click()


def choose(opened: OpenPage, run_id: str) -> None:
    field = opened.page.get_by_label("Run", exact=True)
    field.select_option(label=field.locator("option", has_text=f"{run_id}:").inner_text())


def test_what_waits_is_on_top(opened: OpenPage, planned: Planned) -> None:
    states = opened.page.locator(".runs-table .state")

    expect(states).to_have_text(["waiting for approval", "verified"])


def test_a_report_is_shown_and_runs_no_script(opened: OpenPage, planned: Planned) -> None:
    choose(opened, "walk")
    press(opened, "Show the report")
    frame = opened.page.frame_locator("iframe")

    expect(frame.get_by_role("heading", name="Done, and verified")).to_be_visible()
    expect(frame.get_by_text("a script ran")).to_have_count(0)


def test_nobody_is_kept_from_reading_a_run_and_its_report(
    opened: OpenPage, planned: Planned
) -> None:
    choose(opened, "walk")
    press(opened, "Show the report")
    expect(opened.page.locator("iframe")).to_be_visible()
    check_page(opened.page)

    assert all(picture.stat().st_size for picture in shoot(opened.page, "runs-report"))


def test_a_filter_leaves_what_it_names(opened: OpenPage, planned: Planned) -> None:
    field = opened.page.get_by_label("Filter by a text")
    field.fill("sheet.csv")
    expect(opened.page.locator(".runs-table .state")).to_have_text(["waiting for approval"])
    field.fill("")

    expect(opened.page.locator(".runs-table .state")).to_have_count(2)


def test_a_plan_is_approved_and_applied_once_though_it_is_pressed_twice(
    opened: OpenPage, planned: Planned, client: LoyaltyClient
) -> None:
    page = opened.page
    choose(opened, "late")
    press(opened, "Look at the plan")
    digest = page.get_by_label("First 4 characters of the digest")
    expect(digest).to_be_focused()
    page.keyboard.type(planned.plan.digest[:4])
    page.get_by_role("button", name="Approve and apply", exact=True).dblclick()
    expect(page.get_by_text("The ledger agrees with run late")).to_be_visible()
    press(opened, "Look again")
    expect(page.locator(".runs-table .state")).to_have_text(["verified", "verified"])

    events = client.search_events(types=["ADJUST_POINTS"])
    assert [12, 50] == sorted(event.points for event in events if "[lr1:" in event.reason)


def test_an_applied_run_is_compared_and_undone_by_the_keyboard(
    opened: OpenPage, planned: Planned
) -> None:
    page = opened.page
    choose(opened, "late")
    page.get_by_role("button", name="Compare with the ledger").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The ledger agrees with run late").first).to_be_visible()
    page.get_by_role("button", name="Undo it").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_label("Run id of the undoing")).to_be_focused()


def test_nothing_is_asked_of_another_host(opened: OpenPage, planned: Planned) -> None:
    assert {"127.0.0.1"} == opened.hosts


def test_it_fits_a_telephone(open_page: Open, planned: Planned) -> None:
    phone = open_page("runs", viewport=(390, 844))
    choose(phone, "late")
    expect(phone.page.get_by_role("heading", name="Run late")).to_be_visible()

    over = "() => [...document.querySelectorAll('#rendered_cells button, #rendered_cells select')]"
    assert [] == phone.page.evaluate(
        over + ".filter(e => e.getBoundingClientRect().right > 390).map(e => e.textContent)"
    )
