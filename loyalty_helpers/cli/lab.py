"""`loyalty lab`: JupyterLab on the notebooks, kernels on IPC, and no question on top of them."""

import json
import os
import sys
import tempfile
from pathlib import Path

from loyalty_helpers.errors import SettingsError
from loyalty_helpers.files import write_text
from loyalty_helpers.runner import SHORT_PLACES, socket_folder
from loyalty_helpers.settings import NOTEBOOKS

FIRST = "00_start_here.ipynb"
KERNEL = f"kernel-{'0' * 36}-ipc-5"  # how JupyterLab calls a socket in its folder
# What it asks at its first start, over the page; whoever wants the news says so in its settings.
ANSWERS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}
}
# Settings of the classic notebook are not ours, and Voila beside it would offer to open what
# is no page.
NOT_LOADED = {"notebook_shim": False, "voila.server_extension": False}
NOT_SHOWN = {"disabledExtensions": {"@voila-dashboards/jupyterlab-preview": True}}
PING = 30_000  # as long as the interval: tornado takes no more, and warns for each notebook


def open_lab(folder: Path, port: int, *, browser: bool = True) -> None:
    """Serve JupyterLab until interrupted; it opens a browser itself.

    Args:
        folder: the notebooks; if there is a first one among them, it is open.
        port: of the loopback; if it is taken, one near it is. 0 takes any that is free.
        browser: whether to open one.

    Raises:
        SettingsError: JupyterLab is not installed.
    """
    try:
        from jupyterlab.labapp import LabApp
    except ImportError:
        raise SettingsError(
            "JupyterLab is not installed here: pip install 'loyalty-notebooks[lab]' brings it"
        ) from None
    _trust_ours()
    first = f"/tree/{FIRST}" * (folder / FIRST).exists()
    with socket_folder([tempfile.gettempdir(), *SHORT_PLACES], KERNEL) as private:
        os.environ["JUPYTER_RUNTIME_DIR"] = private
        write_text(Path(private, "overrides.json"), json.dumps(ANSWERS))
        write_text(Path(private, "page_config.json"), json.dumps(NOT_SHOWN))
        options = [
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            f"--ServerApp.open_browser={browser}",
            f"--ServerApp.jpserver_extensions={NOT_LOADED}",
            f"--ServerApp.tornado_settings={{'ws_ping_timeout': {PING}}}",
            f"--ServerApp.root_dir={folder}",
            f"--LabApp.default_url=/lab{first}",
            f"--LabApp.app_settings_dir={private}",
            "--allow-root",  # as a container has it: nobody but who has the token comes in
        ]
        if sys.platform != "win32":  # no Unix sockets there
            options.append("--KernelManager.transport=ipc")
        LabApp.launch_instance(options)


def _trust_ours() -> None:
    """Sign the project's notebooks as they were saved, else JupyterLab warns and shows them less.

    A signature is of what a notebook holds: it goes for copies, and not once one is changed.
    """
    import nbformat
    from nbformat.sign import NotebookNotary

    notary = NotebookNotary()
    for path in NOTEBOOKS.rglob("*.ipynb"):
        notary.sign(nbformat.read(path, as_version=4))
    notary.store.close()
