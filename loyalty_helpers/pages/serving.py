"""Serves the pages with Voila: on this machine, behind a token, with nothing from another host."""

import json
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from loyalty_helpers.clicks import NOT_NAMED, PAGES
from loyalty_helpers.errors import ProductionGuardError, SettingsError
from loyalty_helpers.runner import SHORT_PLACES, socket_folder
from loyalty_helpers.settings import check_access, load_settings

HOST = "127.0.0.1"
IDLE = 3600  # seconds after which a kernel is ended whose page nobody has open
FIRST = "desk"  # what most people come for
PING = 30_000  # as long as the interval: tornado takes no more, and warns for each page
LARGEST = 256 * 2**20  # bytes of a message; a page tells of a smaller limit of its own
FAILED = "What went wrong stands in the terminal in which the pages were started."
TEMPLATES = Path(__file__).parent / "templates"
KERNEL = f"voila_12345678/kernel-{'0' * 36}-ipc-5"  # how Voila calls a socket in its folder
# Voila's page has scripts in it, and charts are drawn by code that is made as they are drawn.
ONLY_FROM_HERE = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; worker-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)


class Page(NamedTuple):
    """A page of the list: its file, its heading, and the paragraph below that."""

    file: str
    title: str
    about: str


def pages_in(folder: Path) -> list[Page]:
    """The pages of a folder, with the words that their notebooks begin with."""
    found = []
    for path in sorted(folder.glob("*.ipynb"), key=lambda path: (path.stem != FIRST, path.name)):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = next(("".join(c["source"]) for c in cells if c["cell_type"] == "markdown"), "")
        title, _, rest = text.removeprefix("# ").partition("\n")
        found.append(Page(path.name, title or path.stem, rest.strip().partition("\n\n")[0]))
    return found


def name_environment(named: str | None) -> str:
    """Say to the kernels of the pages which environment is meant; `production` has to be `named`.

    Raises:
        ProductionGuardError: it is `production`, and only some setting says so.
        SettingsError: what the environment needs is not set.
    """
    settings = load_settings()
    environment = named or settings.loyalty_environment
    if environment == "production" and not named:
        raise ProductionGuardError(NOT_NAMED)
    check_access(environment, settings)
    os.environ["LOYALTY_ENVIRONMENT"] = os.environ[PAGES] = environment
    os.environ["LOYALTY_RUNS"] = str(settings.runs_folder)  # kernels work in another folder
    return environment


def serve_pages(
    folder: Path, port: int, environment: str | None, on_ready: Callable[[str], None]
) -> None:
    """Serve until interrupted.

    Args:
        folder: the notebooks.
        port: of the loopback; if it is taken, one near it is. 0 takes any that is free.
        environment: as it was named by whoever starts the pages.
        on_ready: gets the address, with the token that each start makes anew.

    Raises:
        SettingsError: Voila is not installed, or as name_environment().
    """
    told = {"pages": pages_in(folder), "environment": name_environment(environment)}
    kind = _kind(told, on_ready)
    with socket_folder([tempfile.gettempdir(), *SHORT_PLACES], KERNEL) as sockets:
        server = kind.instance(config=_options(port or _free_port(), sockets))
        server.initialize([str(folder)])
        server.start()


def _kind(told: dict[str, Any], on_ready: Callable[[str], None]) -> Any:
    """Voila with our templates, which are told of the pages."""
    try:
        from voila.app import Voila
    except ImportError:
        raise SettingsError(
            "the pages are served by Voila, which is not installed here: "
            "pip install 'loyalty-notebooks[app]' brings it"
        ) from None

    class Pages(Voila):  # type: ignore[misc]  # it brings no types
        def load_config_file(self, *_: Any, **__: Any) -> None:
            """No file that lies around changes what is served, or to whom."""

        def setup_template_dirs(self) -> None:
            super().setup_template_dirs()
            self.template_paths.insert(0, str(TEMPLATES))

        def init_settings(self) -> dict[str, Any]:
            settings: dict[str, Any] = super().init_settings()
            settings["voila_jinja2_env"].globals.update(told)
            return settings

        def launch_browser(self) -> None:  # called as soon as it listens
            on_ready(f"http://{HOST}:{self.port}/?token={self.token}")

    return Pages


def _options(port: int, sockets: str) -> Any:
    from traitlets.config import Config

    ipc = {} if sys.platform == "win32" else {"transport": "ipc"}  # no Unix sockets there
    return Config(
        {
            "Voila": {
                "ip": HOST,
                "port": port,
                "token": secrets.token_hex(24),
                "identity_provider_class": "voila.voila_identity_provider.VoilaIdentityProvider",
                "tornado_settings": {
                    "headers": {"Content-Security-Policy": ONLY_FROM_HERE},
                    "ws_ping_timeout": PING,
                    "websocket_max_message_size": LARGEST,
                },
                "connection_dir_root": sockets,
                "log_level": "ERROR",  # it warns of each notebook that nobody has signed
            },
            "VoilaConfiguration": {
                "classic_tree": True,
                "allow_template_override": "NO",
                "allow_theme_override": "NO",
                "file_allowlist": [],
                "strip_sources": True,
                "show_tracebacks": False,
            },
            "VoilaExecutor": {"skip_cells_with_tag": "writes", "cell_error_instruction": FAILED},
            "MappingKernelManager": {"cull_idle_timeout": IDLE, "cull_interval": IDLE // 12},
            "KernelManager": ipc,
        }
    )


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        return int(taken.getsockname()[1])
