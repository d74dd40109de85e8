"""`make lab` as a newcomer meets it: what is open, what is not asked, what is not warned of."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from loyalty_helpers.settings import NOTEBOOKS

from .conftest import WAIT, OpenNotebook, Served, serving

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("lab")]


@pytest.fixture(scope="module")
def private() -> Iterator[Path]:
    """The folder for temporary files of a server: it has a short name, as sockets need it."""
    with tempfile.TemporaryDirectory(prefix="t-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def served(private: Path) -> Iterator[Served]:
    """JupyterLab on a copy of the notebooks."""
    copy = shutil.copytree(NOTEBOOKS, private / "notebooks")
    options, env = ["--no-browser", "--port", "0", str(copy)], {"TMPDIR": str(private)}
    with serving("lab", *options, env=env) as served:
        yield served


@pytest.fixture(scope="module")
def first(browser: Browser, served: Served) -> Iterator[OpenNotebook]:
    """What is open when the address is, run from top to bottom."""
    page = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
    page.set_default_timeout(WAIT * 1000)
    notebook = OpenNotebook(page)
    page.goto(served.url)
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle")
    notebook.run_all()
    yield notebook
    page.context.close()


def test_the_map_of_all_notebooks_is_open(first: OpenNotebook) -> None:
    expect(first.page.get_by_role("heading", name="Start here")).to_be_visible()
    expect(first.page.get_by_role("link", name="The desk")).to_be_visible()


def test_nothing_is_asked_on_top_of_it(first: OpenNotebook) -> None:
    expect(first.page.locator(".Toastify__toast, .jp-Dialog")).to_have_count(0)


def test_no_output_is_a_warning(first: OpenNotebook) -> None:
    expect(first.page.locator('[data-mime-type="application/vnd.jupyter.stderr"]')).to_have_count(0)


@pytest.mark.usefixtures("first")
def test_the_log_has_no_warning(served: Served) -> None:
    lines = served.log.read_text().splitlines()

    assert [line for line in lines if line[:2] in ("[W", "[E") or "Warning" in line] == []


@pytest.mark.usefixtures("first")
def test_kernels_are_on_ipc(private: Path) -> None:
    files = list(private.glob("loyalty-*/kernel-*.json"))

    assert {"ipc"} == {json.loads(file.read_text())["transport"] for file in files}


def test_nothing_is_asked_of_another_host(first: OpenNotebook) -> None:
    assert {"127.0.0.1"} == first.hosts
