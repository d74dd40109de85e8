"""The installed command, notebooks that somebody edited, and what a folder holds."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loyalty_helpers.settings import NOTEBOOKS

COMMAND = str(Path(sys.executable).with_name("loyalty"))


Result = subprocess.CompletedProcess[str]
SLOW = re.compile(r"^(.*; )?still at work, nothing new for .*\n", re.MULTILINE)
Left = Callable[..., Result]  # the fixture `left_by`


def loyalty(*arguments: str, given: str = "", options: Any = None, **variables: str) -> Result:
    """The command as a user types it, with a text on its standard input.

    That a run takes long is left out of what it said: a machine that is busy with tests is slow.
    """
    asked = {"env": os.environ | variables, "input": given, "timeout": 120} | (options or {})
    result = subprocess.run(
        [COMMAND, *arguments], capture_output=True, text=True, check=False, **asked
    )
    result.stderr = SLOW.sub("", result.stderr)
    return result


def run(notebook: str | Path, *words: str, **variables: str) -> Result:
    """`loyalty run` with parameters as names and values by turns."""
    pairs = zip(words[::2], words[1::2], strict=True)
    options = [word for pair in pairs for word in ("-p", *pair)]
    return loyalty("run", str(notebook), *options, **variables)


def digest_in(result: Result) -> str:
    """What approves the plan that a command has told of."""
    return re.search(r"approved_plan ([0-9a-f]{12})", result.stdout)[1]


def receipt(run_id: str) -> dict[str, Any]:
    """The receipt of a run below `runs`."""
    return json.loads(Path("runs", run_id, "receipt.json").read_text())


def edited(folder: Path, name: str, edit: Callable[[str], str]) -> Path:
    """A copy of a notebook, each of whose code cells somebody has edited."""
    [source] = NOTEBOOKS.rglob(f"{name}.ipynb")
    notebook = json.loads(source.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and not cell["metadata"].get("tags"):
            cell["source"] = edit("".join(cell["source"])) or "None"  # an empty one does not run
    path = folder / "edited" / f"{name}.ipynb"
    path.parent.mkdir()
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def files_in(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
