"""The bulk page as a person meets it: from a file to its proof and back, stopped and resumed."""

import re
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from .conftest import OpenPage

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bulk")]

Open = Callable[..., OpenPage]
HEAD = "row_id,phone_number,points,reason\n"
PHONE, OTHER = "+14155551234", "+14155550101"
HTML = "<img src=x onerror=alert(1)>"
NUMBERS = count(1)


class Sheet:
    """The bulk page, and what a person does with it."""

    def __init__(self, opened: OpenPage) -> None:
        self.opened, self.page = opened, opened.page
        self.run_id = f"run-{next(NUMBERS)}"
        expect(self.button("Check the file")).to_be_enabled()

    def button(self, name: str):
        return self.page.get_by_role("button", name=name, exact=True)

    def says(self, text: str | re.Pattern[str]):
        return expect(self.page.get_by_text(text).first)

    def send(self, rows: str, name: str = "late.csv") -> None:
        with self.page.expect_file_chooser() as chooser:
            self.page.get_by_role("button", name="Send a CSV file").click()
        file = {"name": name, "mimeType": "text/csv", "buffer": (HEAD + rows).encode()}
        chooser.value.set_files(file)
        self.says(f"Chosen: {name}").to_be_visible()

    def named(self) -> None:
        """The run's name, and Enter: the file is checked."""
        self.page.get_by_label("Run id").first.fill(self.run_id)
        self.page.get_by_label("Run id").first.press("Enter")

    def checked(self, rows: str) -> None:
        self.send(rows)
        self.named()
        expect(self.button("Approve and apply")).to_be_visible()

    def slowly(self, requests_per_second: int) -> None:
        """So that there is something to see, and to stop."""
        self.unfold("how it is applied")
        self.page.get_by_label("requests_per_second").fill(str(requests_per_second))
        self.page.get_by_label("First 4 characters of the digest").focus()

    def unfold(self, more: str) -> None:
        expect(self.button(f"More: {more}").or_(self.button(f"Less: {more}"))).to_be_visible()
        if self.button(f"More: {more}").is_visible():
            self.button(f"More: {more}").click()

    def approved(self) -> None:
        """Type how the digest begins, and Enter: the keyboard stands there already."""
        digest = self.page.locator("code").inner_text()
        field = self.page.get_by_label("First 4 characters of the digest")
        expect(field).to_be_focused()
        self.page.keyboard.type(digest[:4])
        self.page.keyboard.press("Enter")

    def balance(self, phone: str) -> int:
        with self.opened.client() as client:
            return client.find_account(phone_number=phone).balance


@pytest.fixture(scope="module")
def opened(open_page: Open) -> OpenPage:
    return open_page("bulk")


@pytest.fixture
def sheet(opened: OpenPage) -> Sheet:
    """The page as the test before has left it, with a run of another name."""
    return Sheet(opened)


def test_from_a_file_to_its_proof_and_back(sheet: Sheet) -> None:
    before = sheet.balance(PHONE)
    sheet.checked(f"a,{PHONE},12,Sent by hand\nb,{OTHER},-2,{HTML}\n")
    sheet.says("Plan of 2 rows").to_be_visible()
    expect(sheet.page.locator("svg").first).to_be_visible()

    sheet.approved()
    sheet.says(f"The ledger agrees with run {sheet.run_id}").to_be_visible()
    assert before + 12 == sheet.balance(PHONE)
    with sheet.page.expect_download() as download:
        sheet.page.get_by_role("link", name="results.csv").click()
    assert "APPLIED" in Path(download.value.path()).read_text()

    sheet.button("Plan the undoing").click()
    expect(sheet.page.get_by_label("Run id").first).to_have_value(f"{sheet.run_id}-undo")
    expect(sheet.button("Approve and apply")).to_be_visible()
    sheet.approved()
    sheet.says(f"The ledger agrees with run {sheet.run_id}-undo").to_be_visible()
    assert before == sheet.balance(PHONE)
    assert ({"127.0.0.1"}, []) == (sheet.opened.hosts, sheet.opened.dialogs)


def test_a_thousand_problems_are_told_a_page_at_a_time(sheet: Sheet) -> None:
    sheet.send("".join(f"r{n},{PHONE},1.5,Late\n" for n in range(1000)))
    sheet.named()
    sheet.says("1,000 problems, page 1 of 50").to_be_visible()

    sheet.button("Next").click()

    sheet.says("1,000 problems, page 2 of 50").to_be_visible()
    with sheet.page.expect_download() as download:
        sheet.page.get_by_role("link", name="problems.csv").click()
    assert 1001 == len(Path(download.value.path()).read_text().splitlines())


def test_a_file_that_is_too_large_is_told_and_not_dropped(sheet: Sheet) -> None:
    """Without a limit of ours, the server would cut the connection at 10 MiB, and say nothing."""
    row = f"a,{PHONE},1,{'x' * 80}\n"
    sheet.send(row * (12 * 2**20 // len(row)), "large.csv")
    sheet.named()

    sheet.says("can be sent. Put it into the folder").to_be_visible()


def test_a_change_after_the_plan_takes_the_plan_away(sheet: Sheet) -> None:
    sheet.checked(f"a,{PHONE},1,Changed later\n")

    sheet.page.get_by_label("Run id").first.fill("another")

    expect(sheet.button("Approve and apply")).to_be_hidden()
    expect(sheet.page.get_by_text("Plan of 1 row")).to_be_hidden()


def test_what_was_not_looked_at_is_not_applied(sheet: Sheet) -> None:
    before = sheet.balance(PHONE)
    sheet.checked(f"a,{PHONE},1,Not looked at\n")

    sheet.button("Approve and apply").dblclick()

    sheet.says("the first 4 characters of the digest above").to_be_visible()
    assert before == sheet.balance(PHONE)


def test_a_run_is_stopped_and_goes_on_after_the_page_was_opened_again(sheet: Sheet) -> None:
    before = sheet.balance(PHONE)
    sheet.checked("".join(f"r{n},{PHONE},1,Row {n}\n" for n in range(200)))
    sheet.slowly(30)
    sheet.approved()
    sheet.says(re.compile(r"\d+ of 200 rows, .* s left")).to_be_visible()
    sheet.button("Stop").click()
    sheet.says("it was interrupted").to_be_visible()
    done = sheet.balance(PHONE) - before
    sheet.page.reload()

    sheet.page.get_by_label("Run id").first.fill(sheet.run_id)
    sheet.button("Open an earlier run").click()
    sheet.says("some rows are still to be done").to_be_visible()
    sheet.button("Go on").click()

    sheet.says(f"The ledger agrees with run {sheet.run_id}").to_be_visible()
    assert (True, before + 200) == (0 < done < 200, sheet.balance(PHONE))


def test_two_tabs_have_one_run_and_one_that_is_closed_loses_nothing(
    sheet: Sheet, open_page: Open
) -> None:
    """The kernel of a tab dies with it, wherever it is at that moment."""
    before, other = sheet.balance(OTHER), Sheet(open_page("bulk"))
    other.checked("".join(f"r{n},{OTHER},1,Closed {n}\n" for n in range(300)))
    other.slowly(30)
    other.approved()
    other.says(re.compile(r"\d+ of 300 rows, .* s left")).to_be_visible()

    sheet.page.get_by_label("Run id").first.fill(other.run_id)
    sheet.button("Open an earlier run").click()
    sheet.says("another page or process is at work with this run").to_be_visible()
    other.page.goto("about:blank")
    left = sheet.page.get_by_text("some rows are still to be done")
    for _ in range(60):
        if left.is_visible():
            break
        sheet.button("Look again").click()
        sheet.page.wait_for_timeout(500)
    done = sheet.balance(OTHER) - before
    sheet.button("Go on").click()

    sheet.says(f"The ledger agrees with run {other.run_id}").to_be_visible()
    assert (True, before + 300) == (0 < done < 300, sheet.balance(OTHER))


@pytest.mark.parametrize("viewport", [(1280, 720), (390, 844)], ids=str)
def test_nothing_of_the_page_keeps_anybody_out(sheet: Sheet, viewport) -> None:
    """axe-core: no finding of ours that is serious or worse, at any size; nothing is cut."""
    sheet.page.set_viewport_size({"width": viewport[0], "height": viewport[1]})
    sheet.checked(f"a,{PHONE},1,Seen {viewport[0]}\n")
    sheet.unfold("columns of another name, limits")
    sheet.unfold("how it is applied")
    expect(sheet.page.get_by_label("Canary")).to_be_visible()
    sheet.button("Approve and apply").scroll_into_view_if_needed()
    found = Axe().run(sheet.page).response["violations"]
    wide = sheet.page.locator("#rendered_cells").evaluate("page => page.scrollWidth")

    assert [] == [(v["id"], v["nodes"][0]["html"]) for v in found if serious(v)]
    assert wide <= viewport[0]


def serious(violation: dict) -> bool:
    return violation["impact"] in ("serious", "critical")
