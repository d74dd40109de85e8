"""A real JupyterLab and a real Voila on the loopback, and Chromium to look at them.

A server gets an environment of its own: an empty home, nothing of the developer's settings, and
the network guard, which its kernels inherit. Each notebook is opened as a copy in a folder of its
own, so it has its own kernel, and the committed file is never touched.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from loyalty_helpers import connect
from loyalty_helpers.api.client import LoyaltyClient
from loyalty_helpers.parameters import PARAMETERS
from loyalty_helpers.settings import NOTEBOOKS, Settings

CHROMIUM = Path("/usr/bin/chromium")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
GUARD = Path(__file__).parent.parent / "network_guard"
KEPT_VARIABLES = ("PATH", "LANG", "TMPDIR")
LOCAL_SCHEMES = ("data", "blob")  # they hold what they show
IDLE = re.compile(r"\| Idle")
WAIT = 60  # seconds: a shared machine may be slow, and nothing waits longer than it must

expect.set_options(timeout=WAIT * 500)


@dataclass(frozen=True)
class Served:
    """A running server, `loyalty lab` or `loyalty app`, and the folder that it works in.

    Attributes:
        url: where it begins, with the token.
        folder: has all that it was given, and all that it leaves.
    """

    url: str
    folder: Path

    @property
    def base(self) -> str:
        """The address without a path and without the token."""
        return f"http://{urlsplit(self.url).netloc}/"

    @property
    def token(self) -> str:
        """What lets one in."""
        return self.url.partition("token=")[2]

    @property
    def home(self) -> Path:
        """Where the emulator of its kernels has its file."""
        return self.folder / "loyalty"

    @property
    def runs(self) -> Path:
        """What runs leave."""
        return self.folder / "runs"

    @property
    def notebooks(self) -> Path:
        """What JupyterLab shows."""
        return self.folder / "notebooks"

    @property
    def log(self) -> Path:
        """What it has told."""
        return self.folder / "log"


class Tab:
    """A browser tab that notes which hosts are asked, and what asks the person something."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.hosts: set[str] = set()
        self.dialogs: list[str] = []
        page.on("request", self._note_host)
        page.on("websocket", self._note_host)
        page.on("dialog", self._note_dialog)

    def _note_host(self, request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in LOCAL_SCHEMES:
            self.hosts.add(parts.hostname or request.url)

    def _note_dialog(self, dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


class OpenPage(Tab):
    """A page that `loyalty app` serves, in a browser tab; its kernel has a home of its own."""

    def __init__(self, page: Page, served: Served) -> None:
        super().__init__(page)
        self.served = served

    def kernel(self) -> psutil.Process:
        """The process behind the page: kill it, as when the machine has no memory left."""
        config = json.loads(self.page.locator("#jupyter-config-data").inner_text())
        kernels = psutil.process_iter(["cmdline"])
        [mine] = [k for k in kernels if config["kernelId"] in " ".join(k.info["cmdline"] or [])]
        return mine

    def client(self) -> LoyaltyClient:
        """Looks into the emulator's file that the page uses; close it."""
        return connect("local", settings=Settings(loyalty_home=self.served.home))


class OpenNotebook(Tab):
    """A notebook in a browser tab, used as a person would: menus, fields, buttons."""

    def menu(self, menu: str, command: str) -> None:
        self.page.get_by_role("menuitem", name=menu, exact=True).click()
        self.page.get_by_role("menuitem", name=command, exact=True).click()

    def run_all(self) -> None:
        self._run("Run All Cells")

    def run_from(self, text: str) -> None:
        """Run the cell that holds this text, and all below it."""
        cell = self.page.locator(".jp-CodeCell").filter(has_text=text).first
        cell.locator(".jp-InputPrompt").click()
        self._run("Run Selected Cell and All Below")

    def _run(self, command: str) -> None:
        """Run cells, and wait until the last one has a new number."""
        prompt = self.page.locator(".jp-CodeCell .jp-InputArea-prompt").last
        before = prompt.inner_text()
        self.menu("Run", command)
        self.page.wait_for_function(
            """before => {
                const prompts = document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt');
                const last = prompts[prompts.length - 1].textContent;
                return /\\d/.test(last) && last !== before;
            }""",
            arg=before,
        )
        expect(self.page.locator("#jp-main-statusbar")).to_contain_text(IDLE)

    def form(self, button: str) -> Locator:
        """The form that has this button."""
        has = self.page.get_by_role("button", name=button, exact=True)
        return self.page.locator(".jp-OutputArea .loyalty-form").filter(has=has)

    def field(self, name: str) -> Locator:
        """A form's field, found by its label: the words of the table, and the name beside."""
        return self.page.get_by_label(f"{PARAMETERS[name].label} {name}", exact=True)

    def fill(self, **values: str) -> None:
        """Type over what the fields of a form hold; again where JupyterLab took the focus away."""
        for name, value in values.items():
            field = self.field(name)
            field.fill(value)
            if field.input_value() != value:
                field.fill(value)
            expect(field).to_have_value(value)

    def press(self, button: str) -> Locator:
        """Press a form's button; return the place where the form shows its answer."""
        self.page.get_by_role("button", name=button, exact=True).click()
        return self.form(button).locator(".loyalty-answer")

    def output(self, text: str) -> Locator:
        """The output of the cell whose code holds this text."""
        cell = self.page.locator(".jp-CodeCell").filter(
            has=self.page.locator(".jp-InputArea-editor", has_text=text)
        )
        return cell.locator(".jp-OutputArea-output")


@contextmanager
def serving(*options: str, env: Mapping[str, str] | None = None) -> Iterator[Served]:
    """A command that serves until it is stopped, in a new folder."""
    with tempfile.TemporaryDirectory(prefix="served-") as name:
        base = Path(name)
        (base / "home").mkdir()
        (base / "notebooks").mkdir()
        command = [sys.executable, "-m", "loyalty_helpers", *options]
        with (base / "log").open("wb") as log:
            process = subprocess.Popen(
                command, env=_variables(base) | (env or {}), cwd=base, stdout=log, stderr=log
            )
        try:
            yield Served(_told_address(process, base / "log"), base)
        finally:
            _stop(process)


@pytest.fixture(scope="module")
def lab() -> Iterator[Served]:
    """`loyalty lab`, as `make lab` starts it, on a folder that the tests fill."""
    _need_chromium()
    with serving("lab", "--no-browser", "--port", "0", "notebooks") as served:
        yield served


def _need_chromium() -> None:
    if not CHROMIUM.exists():
        told = f"{CHROMIUM} is missing: on Debian, `apt-get install chromium` brings it"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(told)


def _variables(base: Path) -> dict[str, str]:
    """What a server is started with: nothing of the developer's, and the network guard."""
    return {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ} | {
        "HOME": str(base / "home"),
        "JUPYTER_CONFIG_DIR": str(base / "config"),
        "JUPYTER_DATA_DIR": str(base / "data"),
        "JUPYTER_RUNTIME_DIR": str(base / "run"),
        "LOYALTY_HOME": str(base / "loyalty"),
        "LOYALTY_RUNS": str(base / "runs"),
        "PYTHONPATH": str(GUARD),
    }


def _stop(process: subprocess.Popen[bytes]) -> None:
    """The server's own signal to stop also ends its kernels."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(WAIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[..., Served]]:
    """Starts `loyalty app` as `make app` does, once for each set of variables and options."""
    with ExitStack() as running:

        @cache
        def start(options: tuple[str, ...], env: tuple[tuple[str, str], ...]) -> Served:
            at_work = serving("app", "--port", "0", *options, env=dict(env))
            return running.enter_context(at_work)

        yield lambda *options, **env: start(options, tuple(sorted(env.items())))


def _told_address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where a server is, with its token: it tells that as soon as it can be asked."""
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"http://127\S+\?token=\w+\n", log.read_text()):
            return found[0].strip()
        time.sleep(0.05)
    raise RuntimeError(f"nothing was served:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="module")
def open_page(serve: Callable[..., Served], browser: Browser) -> Iterator[Callable[..., OpenPage]]:
    """Opens a page of `loyalty app`; `env` and `options` are those of the command.

    The same ones share a server, and each page that is opened has a kernel of its own.
    """
    contexts = []

    def open_one(
        name: str,
        *,
        env: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        viewport: tuple[int, int] = (1280, 720),
    ) -> OpenPage:
        served = serve(*options, **(env or {}))
        width, height = viewport
        contexts.append(browser.new_context(viewport={"width": width, "height": height}))
        opened = OpenPage(contexts[-1].new_page(), served)
        opened.page.set_default_timeout(WAIT * 1000)
        opened.page.goto(served.url)
        if name:  # without one, it is the list of pages
            opened.page.goto(f"{served.base}voila/render/{name}.ipynb")
            expect(opened.page.locator("#rendered_cells")).to_be_visible()
        return opened

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For one module only: while it is open, an event loop counts as running in this thread."""
    _need_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def open_notebook(lab: Served, browser: Browser) -> Iterator[Callable[..., OpenNotebook]]:
    """Opens a copy of a notebook, and waits for its kernel."""
    opened: list[OpenNotebook] = []

    def open_copy(
        name: str, *, outputs: bool = False, more: str = "", environment: str = ""
    ) -> OpenNotebook:
        folder = lab.notebooks / str(len(opened))
        folder.mkdir()
        source = NOTEBOOKS / f"{name}.ipynb"
        _copy(source, folder / source.name, outputs, more, environment)
        page = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
        page.set_default_timeout(WAIT * 1000)
        notebook = OpenNotebook(page)
        opened.append(notebook)
        path = f"lab/workspaces/w{folder.name}/tree/{folder.name}/{source.name}"
        page.goto(f"{lab.base}{path}?token={lab.token}")
        expect(page.locator("#jp-main-statusbar")).to_contain_text(IDLE)
        expect(page.locator(".jp-CodeCell").first).to_be_visible()
        return notebook

    yield open_copy
    for notebook in opened:
        notebook.page.context.close()


def _copy(source: Path, target: Path, outputs: bool, more: str, environment: str) -> None:
    if outputs and not more:
        shutil.copyfile(source, target)
        return
    notebook = json.loads(source.read_text(encoding="utf-8"))
    cells = notebook["cells"]
    if more:
        cells.append({"id": "more", "cell_type": "code", "metadata": {}, "source": more})
    for cell in cells:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
        if "parameters" in cell["metadata"].get("tags", []):
            text = "".join(cell["source"])
            cell["source"] = text.replace('str = ""', f'str = "{environment}"', 1)
    target.write_text(json.dumps(notebook), encoding="utf-8")


@pytest.fixture
def client(lab: Served) -> Iterator[LoyaltyClient]:
    """Looks into the emulator's file that the notebooks in the browser use."""
    with connect("local", settings=Settings(loyalty_home=lab.home)) as client:
        yield client
