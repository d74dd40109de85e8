"""Runs notebooks from fresh kernels on their recordings, and saves them with their outputs.

This is what `make notebooks` calls. A saved notebook holds nothing that changes from run to run,
and no link to a widget: without its kernel a widget is an error message, and its table is not.
"""

import os
import sys
import tempfile
from pathlib import Path

import click

from loyalty_helpers.files import write_text
from loyalty_helpers.runner import started_kernel
from loyalty_helpers.runner.execute import import_jsonschema
from loyalty_helpers.settings import settle_variables

WIDGET_MIME = "application/vnd.jupyter.widget-view+json"


def refresh(path: Path) -> None:
    """Execute one notebook in the environment `recorded`, and write it back."""
    import_jsonschema()
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    with started_kernel(path.parent) as kernel:
        NotebookClient(notebook, km=kernel, record_timing=False, store_widget_state=False).execute()
    notebook.metadata = {
        "kernelspec": notebook.metadata["kernelspec"],
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_MIME, None)
    write_text(path, nbformat.writes(notebook) + "\n", mode=0o644)


def main() -> None:
    """Refresh each notebook named on the command line."""
    settle_variables()
    os.environ["LOYALTY_ENVIRONMENT"] = "recorded"
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory(prefix="loyalty-") as runs:
            os.environ["LOYALTY_RUNS"] = runs
            os.environ["TMPDIR"] = runs  # a lesson's kernel is killed before it can clear away
            refresh(Path(name).resolve())
        click.echo(f"saved {name}")


if __name__ == "__main__":
    main()
