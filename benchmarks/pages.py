"""Pages as a person waits for them: a real Voila, a real browser, medians of what is seen there."""

import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.measuring import Promise, medians
from loyalty_helpers.settings import NOTEBOOKS

DESK = Promise(
    "the desk, from its address to a field to type in",
    "Voila with a notebook of one empty cell",
    1.2,
)
CARD, VERIFIED = 150, 300  # milliseconds that are promised
ROUNDS = 15
BUYERS = ("+14155551234", "+14155550101")
# From the press to the first moment at which the text stands on the page.
PRESS = """
([button, text]) => new Promise((done, fail) => {
    setTimeout(() => fail(`${button}: no ${text}`), 10000);
    const shown = () => [...document.querySelectorAll('.widget-html')].some(
        each => each.offsetParent && each.textContent.includes(text));
    const seen = new MutationObserver(() => {
        if (shown()) { seen.disconnect(); done(performance.now() - start); }
    });
    seen.observe(document.body, {subtree: true, childList: true, attributes: true});
    const start = performance.now();
    [...document.querySelectorAll('button')].find(
        each => each.offsetParent && each.textContent.startsWith(button)).click();
})
"""


def desk(folder: Path) -> Iterator[str]:
    """The row of the table, then the line of what a click takes."""
    shutil.copytree(NOTEBOOKS / "app", folder / "pages")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    empty = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("")])
    empty.metadata["kernelspec"] = kernel
    nbformat.write(empty, folder / "pages" / "empty.ipynb")
    with _served(folder / "pages") as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.goto(url)
        render = url.partition("?")[0] + "voila/render/"

        def ours() -> None:
            page.goto(f"{render}desk.ipynb")
            page.get_by_label("Who is on the line?").wait_for()

        def theirs() -> None:
            page.goto(f"{render}empty.ipynb")
            page.locator("#rendered_cells").wait_for()

        yield DESK.row(*medians(ours, theirs, ROUNDS // 2))
        ours()
        yield _clicks(page)
        browser.close()


def _clicks(page: Page) -> str:
    """Find and confirm, with a buyer and a ticket of its own each time; the first is warm-up."""
    card, verified = [], []
    for turn in range(ROUNDS + 1):
        _fill(page, {"Who is on the line?": BUYERS[turn % 2]})
        card.append(_press(page, "Find", "lifetime points"))
        _fill(page, {"Points": "1", "Reason": "Goodwill", "Ticket number": f"b-{turn}"})
        _press(page, "Preview", "nothing is changed yet")
        verified.append(_press(page, "Confirm", "Verified"))
        page.get_by_role("button", name="Next buyer", exact=True).click()
        expect(page.get_by_label("Who is on the line?")).to_have_value("")
    found, done = (statistics.median(times[1:]) for times in (card, verified))
    return (
        f"the desk, in the browser: {found:.0f} ms from the press to the buyer (promised: {CARD} "
        f"ms), {done:.0f} ms to verified (promised: {VERIFIED} ms)"
    )


def _fill(page: Page, values: dict[str, str]) -> None:
    for label, value in values.items():
        page.get_by_label(label).fill(value)


def _press(page: Page, button: str, text: str) -> float:
    """Milliseconds from the press until the text stands there; a hand takes its time before."""
    page.wait_for_timeout(300)
    expect(page.get_by_role("button", name=re.compile(f"^{button}")).first).to_be_enabled()
    return float(page.evaluate(PRESS, [button, text]))


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "loyalty_helpers", "app", "--port", "0", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        told = re.search(r"http://\S+", process.stdout.readline())
        assert told, "the pages were not served"
        yield told[0]
    finally:
        process.terminate()
        process.wait(30)
