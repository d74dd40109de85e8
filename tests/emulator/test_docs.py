"""docs/emulator.md is true: its tables are those of the code, and its examples run."""

import os
import re
import subprocess
import sys

import pytest

from loyalty_helpers.emulator import Fault, Server, assumptions
from loyalty_helpers.emulator.faults import _KINDS, ERROR_CODES
from loyalty_helpers.emulator.routes import ROUTES

from .test_database import ROOT

DOCS = (ROOT / "docs" / "emulator.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```(\w+)\n(.*?)```", DOCS, flags=re.DOTALL)


def rows(heading):
    """The rows of the first table below a heading."""
    table = re.search(r"(?:\|.*\n)+", DOCS[DOCS.index(f"## {heading}\n") :])[0]
    return [tuple(cell.strip() for cell in row.split("|")[1:-1]) for row in table.splitlines()[2:]]


def switches():
    """Name, default and reason of each switch, as the source has them."""
    source = (ROOT / "loyalty_helpers/emulator/assumptions.py").read_text(encoding="utf-8")
    found = re.findall(r"((?:    # .*\n)+)    (\w+): [^=]+ = (.*)\n", source)
    for comment, name, default in found:
        yield f"`{name}`", f"`{default}`", " ".join(comment.replace("    # ", "").split())


def test_table_of_switches_is_that_of_the_source():
    assert rows("What it assumes") == list(switches())
    assert len(rows("What it assumes")) == len(vars(assumptions.Assumptions()))


def test_table_of_operations_is_that_of_the_routes():
    found = {request.strip("`") for _, request, _ in rows("What it answers")}

    assert found == {
        f"{each.method} {re.sub(r'[(].*?[)]', '{id}', each.path.pattern)}" for each in ROUTES
    }


def test_table_of_faults_names_each_with_its_options():
    found = {}
    for kinds, options, _ in rows("What can go wrong on purpose"):
        for kind in re.findall(r"`([a-z0-9-]+)`", kinds):
            found[kind] = re.findall(r"`([a-z-]+)`", options)
    needed = {"seconds": "1", "rate": "1"}
    for kind, options in found.items():
        Fault.parse(f"{kind}:" + ",".join(f"{o}={needed[o]}" for o in options if o in needed))

    kinds = {kind.removesuffix("-after") for kind in found}
    assert kinds == _KINDS.keys() - {"error"} | {str(status) for status in ERROR_CODES}


@pytest.mark.parametrize("code", [code for kind, code in EXAMPLES if kind == "python"])
def test_python_examples_run(api, tmp_path, code):
    with Server(api.emulator) as server:
        given = f"url, path = {server.url!r}, {str(tmp_path / 'docs.sqlite3')!r}\n"

        subprocess.run([sys.executable, "-c", given + code], cwd=ROOT, check=True)


@pytest.mark.parametrize("code", [code for kind, code in EXAMPLES if kind == "bash"])
def test_curl_example_runs(api, code):
    with Server(api.emulator) as server:
        environment = {**os.environ, "URL": server.url, "NO_PROXY": "127.0.0.1"}
        told = subprocess.check_output(["bash", "-c", code], env=environment)

    assert b'"phone_number":"+14155551234"' in told


def test_each_kind_of_example_is_there():
    assert [kind for kind, _ in EXAMPLES] == ["console", "python", "bash", "python", "javascript"]


def test_links_lead_to_headings():
    headings = {each.lower().replace(" ", "-") for each in re.findall(r"^## (.*)$", DOCS, re.M)}

    assert set(re.findall(r"\]\(#([^)]+)\)", DOCS)) <= headings
