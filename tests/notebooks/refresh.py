"""Runs notebooks from fresh kernels on their recordings, and saves them with their outputs.

This is what `make notebooks` calls. A saved notebook holds nothing that changes from run to run,
and no link to a widget: without its kernel a widget is an error message, and its table is not.
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path

import click

from loyalty_helpers.files import write_text
from loyalty_helpers.runner import started_kernel
from loyalty_helpers.runner.execute import import_jsonschema
from loyalty_helpers.settings import NOTEBOOKS, settle_variables

FIRST = NOTEBOOKS / "00_start_here.ipynb"
TOLD = [NOTEBOOKS.parent / name for name in ("README.md", "docs/training.md")]
GROUPS = {
    "": "Walkthroughs",
    "runbooks": "Runbooks",
    "app": "Pages, which `make app` serves",
    "training": "Lessons",
}
TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"


def contents() -> str:
    """The table of the first notebook: all others by their titles, in the words of the docs."""
    rows = ["| Notebook | What it does |", "|---|---|"]
    for folder, group in GROUPS.items():
        paths = sorted((NOTEBOOKS / folder).glob("*.ipynb"))
        rows += [f"| **{group}** | |"] * bool(paths)
        rows += [_row(path) for path in paths if path != FIRST]
    return "\n".join(rows) + "\n"


def _row(path: Path) -> str:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    title = "".join(cells[0]["source"]).removeprefix("# ").partition("\n")[0]
    number = path.name[:3].replace("_", " ") if path.parent == NOTEBOOKS else ""
    link = path.relative_to(NOTEBOOKS).as_posix()
    texts = "".join(path.read_text(encoding="utf-8") for path in TOLD)
    told = re.search(rf"^\|.*notebooks/{link}\) \|(?:.*\|)? (.*) \|$", texts, re.MULTILINE)
    assert told, f"no table of notebooks has a row of {link}: {', '.join(p.name for p in TOLD)}"
    return f"| [{number}{title}]({link}) | {told[1]} |"


def refresh(path: Path) -> None:
    """Execute one notebook in the environment `recorded`, and write it back."""
    import_jsonschema()
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    if path == FIRST:
        top = notebook.cells[0]
        top.source = TABLE.sub(lambda _: contents(), top.source)
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
