"""docs/emulator.md is true: its tables are those of the code, and its examples run."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from loyalty_helpers.emulator import Assumptions, Emulator, Fault, Server, assumptions
from loyalty_helpers.emulator.routes import ROUTES

PAGE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8123"


def rows(heading):
    """The cells of the first table below a heading."""
    table = re.search(r"(?:^\|.*\|\n)+", PAGE[PAGE.index(heading) :], re.MULTILINE)[0]
    lines = table.splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def block(language):
    return re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[1]


def test_every_switch_is_told_with_its_default_and_its_reason():
    source = Path(assumptions.__file__).read_text(encoding="utf-8")
    words = " ".join(re.sub(r"^ *# ?", "", source, flags=re.MULTILINE).split())
    told = {row[0].strip("`"): row[1].strip("`") for row in rows("## What Square does not")}
    defaults = asdict(Assumptions())

    assert {n: str(v).lower() if isinstance(v, bool) else v for n, v in defaults.items()} == told
    for row in rows("## What Square does not"):
        assert row[2] in words


def test_every_operation_is_told():
    told = [row[1].strip("`").split() for row in rows("## What it answers")]
    path = [[r.method, re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", r.path.pattern)] for r in ROUTES]

    assert path == told


@pytest.mark.parametrize(
    "fault", re.findall(r"`([a-z0-9-]+(?::[^`]*)?)`", "".join(r[0] for r in rows("## Faults on")))
)
def test_every_fault_that_is_told_can_be_planned(fault):
    text = re.sub("=[A-Z]", "=1", fault)
    needed = {"slow-after": "slow-after:seconds=1", "retry-after=1": "429:retry-after=1"}

    assert Fault.parse(needed.get(text, text))


@pytest.fixture
def url(tmp_path):
    with Emulator.open(tmp_path / "e.sqlite3") as emulator, Server(emulator) as server:
        yield server.url


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl on this machine")
def test_the_command_for_curl_works(url):
    command = block("sh").replace(ADDRESS, url)
    found = subprocess.check_output(["sh", "-c", command], text=True, env=os.environ)

    assert '"balance":0' in found.replace(" ", "")


def test_the_example_for_the_sdk_works(url):
    code = block("python").replace(ADDRESS, url) + "print(account.balance)\n"
    told = subprocess.check_output([sys.executable, "-c", code], text=True)

    assert told == "0\n"
