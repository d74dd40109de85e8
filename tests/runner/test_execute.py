"""How a notebook is executed, below the command."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PHONE = "+44207946" + "0187"
LOADS = """
import sys
from loyalty_helpers.runner.execute import import_papermill
import_papermill()
print(*(name for name in ("rfc3987_syntax", "isoduration", "jsonschema") if name in sys.modules))
"""
EXECUTES = """
import json
from pathlib import Path
from loyalty_helpers.runner import MaskedOutput, execute, started_kernel
output = MaskedOutput(Path("out.ipynb"), {})
try:
    with started_kernel(Path.cwd()) as kernel:
        execute(Path("failing.ipynb"), {}, output, kernel)
except Exception as error:
    print(json.dumps([str(error), error.refused, type(error.__cause__).__name__]))
"""


def said(script: str) -> str:
    return subprocess.check_output([sys.executable, "-c", script], text=True)


def test_what_is_told_away_while_papermill_is_loaded_is_not_kept_from_others() -> None:
    assert "jsonschema\n" == said(LOADS)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "refused"), [("RuntimeError", False), ("PlanError", True)])
def test_the_error_of_a_cell_is_masked_and_keeps_its_cause(kind: str, refused: bool) -> None:
    source = f"from loyalty_helpers.errors import *\nraise {kind}('{PHONE}')"
    cell = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    text = {"cells": [cell | {"source": source}], "metadata": kernel, "nbformat": 4}
    Path("failing.ipynb").write_text(json.dumps(text | {"nbformat_minor": 4}))

    assert [f"{kind}: ***0187", refused, "PapermillExecutionError"] == json.loads(said(EXECUTES))
