"""`loyalty app` as a person meets it: a real Voila, a real browser, pages made for the tests."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from nbformat import v4, write
from playwright.sync_api import expect

from loyalty_helpers import connect
from loyalty_helpers.settings import Settings

from .conftest import OpenPage, Served

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serving")]

Open = Callable[..., OpenPage]
ACCOUNT = "1beb38f9-54de-4cb6-8121-718bDexample"
ADD = f'client.adjust_points("{ACCOUNT}", 3, reason="{{0}}", idempotency_key="{{0}}")'
FORM = f"""
from loyalty_helpers import connect, forms
client = connect()
forms.Form("Add", {{}}, {{"Add": lambda: {ADD.format("pressed")}}})
"""


def page(folder: Path, name: str, *cells: tuple[str, list[str]]) -> None:
    made = [v4.new_code_cell(code, metadata={"tags": tags}) for code, tags in cells]
    title = v4.new_markdown_cell(f"# The page {name}\n\nIt tells what {name} is for.")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    write(v4.new_notebook(cells=[title, *made], metadata={"kernelspec": kernel}), folder / name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("pages")
    page(folder, "form.ipynb", (FORM, []), (ADD.format("tagged"), ["writes"]))
    page(folder, "careless.ipynb", (FORM, []), (ADD.format("careless"), []))
    return str(folder)


@pytest.fixture(scope="module")
def served(serve: Callable[..., Served], folder: str) -> Served:
    return serve(folder)


@pytest.fixture(scope="module")
def index(open_page: Open, folder: str) -> OpenPage:
    """The list of pages."""
    return open_page("", options=[folder])


@pytest.fixture(scope="module")
def form(open_page: Open, folder: str) -> OpenPage:
    """A page with a button that writes, and a cell with the tag that does."""
    return open_page("form", options=[folder])


@pytest.fixture(scope="module")
def careless(open_page: Open, folder: str) -> OpenPage:
    """A page with a cell that writes, and has no tag."""
    return open_page("careless", options=[folder])


def reasons(home: Path) -> list[str]:
    with connect("local", settings=Settings(loyalty_home=home)) as client:
        return [event.reason for event in client.search_events(account_id=ACCOUNT)]


def status(url: str) -> tuple[int, str]:
    """The status of the last answer, and where it came from."""
    try:
        with urllib.request.urlopen(url, timeout=30) as got:  # noqa: S310
            return got.status, got.url
    except urllib.error.HTTPError as error:
        return error.code, error.url


def test_the_list_names_each_page_in_its_own_words(index: OpenPage) -> None:
    expect(index.page.get_by_role("status")).to_have_text("Environment: local")
    link = index.page.get_by_role("link", name="The page form.ipynb")
    expect(link).to_have_attribute("href", "/voila/render/form.ipynb")
    expect(index.page.get_by_text("It tells what form.ipynb is for.")).to_be_visible()


def test_what_a_page_asks_for_comes_from_this_machine(
    index: OpenPage, form: OpenPage, careless: OpenPage
) -> None:
    assert {"127.0.0.1"} == index.hosts | form.hosts | careless.hosts


def test_a_button_writes_and_a_cell_that_has_the_tag_is_left_out(form: OpenPage) -> None:
    form.page.get_by_role("button", name="Add", exact=True).click()

    expect(form.page.get_by_text("pressed", exact=True)).to_be_visible()
    found = reasons(form.served.home)
    assert (True, False) == ("pressed" in found, "tagged" in found)


def test_a_cell_without_the_tag_is_refused_all_the_same(careless: OpenPage) -> None:
    expect(careless.page.get_by_text("stands in the terminal")).to_be_visible()
    assert "careless" not in reasons(careless.served.home)
    assert "nobody pressed a button" in careless.served.log.read_text()


def test_a_cell_with_the_tag_is_refused_where_the_option_was_forgotten(
    folder: str, tmp_path: Path
) -> None:
    """Whoever starts Voila without `loyalty app` starts it without its options."""
    with plain_voila(folder, tmp_path) as url, urllib.request.urlopen(url, timeout=60) as got:  # noqa: S310
        shown = got.read().decode()

    assert "There was an error when executing cell" in shown
    assert "nobody pressed a button" in (tmp_path / "log").read_text()
    assert reasons(tmp_path) == []


@contextmanager
def plain_voila(folder: str, home: Path) -> Iterator[str]:
    """The address of the page `form`, as Voila alone serves it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", "--Voila.ip=127.0.0.1", f"--port={port}", "--Voila.log_level=INFO"]
    command = [sys.executable, "-m", "voila", *options, folder]
    with (home / "log").open("wb") as log:
        env = os.environ | {"LOYALTY_HOME": str(home)}
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while "is running at" not in (home / "log").read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/voila/render/form.ipynb"
    finally:
        process.terminate()
        process.wait(60)


def test_kernels_are_on_ipc(form: OpenPage) -> None:
    [file] = [word for word in form.kernel().cmdline() if word.endswith(".json")]

    assert "ipc" == json.loads(Path(file).read_text())["transport"]


def test_a_page_that_is_closed_ends_its_process(open_page: Open, folder: str) -> None:
    opened = open_page("form", options=[folder])
    kernel = opened.kernel()
    opened.page.close(run_before_unload=True)

    assert [] == psutil.wait_procs([kernel], timeout=30)[1]


def test_no_code_is_sent_to_the_browser(form: OpenPage) -> None:
    assert "adjust_points" not in form.page.content()


@pytest.mark.parametrize("path", ["", "voila/render/form.ipynb", "voila/tree/"])
def test_without_the_token_a_page_leads_to_the_login(served: Served, path: str) -> None:
    assert "/login?" in status(served.base + path)[1]


@pytest.mark.parametrize("path", ["api/kernels/x", "voila/api/contents/", "voila/api/shutdown/x"])
def test_without_the_token_nothing_answers(served: Served, path: str) -> None:
    assert status(served.base + path)[0] in (403, 404, 405)


def test_the_files_beside_the_pages_are_not_served(served: Served) -> None:
    token = served.url.partition("?")[2]

    assert 403 == status(f"{served.base}voila/files/form.ipynb?{token}")[0]


def test_a_page_whose_kernel_died_says_so(careless: OpenPage) -> None:
    lost = careless.page.get_by_text("This page has stopped")
    expect(lost).to_be_hidden()

    careless.kernel().kill()

    expect(lost).to_be_visible()


def test_a_page_that_is_left_leads_back_to_the_list(form: OpenPage) -> None:
    form.page.get_by_role("link", name="All pages").click()

    expect(form.page.get_by_role("heading", name="Loyalty pages")).to_be_visible()


def test_each_start_has_a_token_of_its_own_and_warns_of_nothing(
    open_page: Open, served: Served, folder: str
) -> None:
    other = open_page("form", options=[folder], env={"LOYALTY_ENVIRONMENT": "local"})
    expect(other.page.get_by_role("button", name="Add", exact=True)).to_be_visible()

    tokens = {url.partition("token=")[2] for url in (served.url, other.served.url)}
    assert [48, 48] == [len(token) for token in tokens]
    assert [f"open in a browser: {other.served.url}"] == other.served.log.read_text().splitlines()
