"""What a new machine is given: pyproject.toml, the lock, environment.yml and the Makefile agree."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from loyalty_helpers.settings import VERSION

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = [each for extra in PROJECT["optional-dependencies"].values() for each in extra]
LOCK = (ROOT / "requirements.lock").read_text()
MAKE_VARIABLES = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PYTHON", "VENV", "TESTS")
ENVIRONMENT = (ROOT / "environment.yml").read_text()


def name(requirement: str) -> str:
    return re.match(r"[\w-]+", requirement)[0].lower().replace("_", "-")


def locked() -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", LOCK, re.MULTILINE))


def number(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def test_every_requirement_is_locked() -> None:
    wanted = PROJECT["dependencies"] + EXTRAS

    assert {name(requirement) for requirement in wanted} <= set(locked())


def test_locked_versions_are_what_pyproject_asks_for() -> None:
    for requirement in PROJECT["dependencies"] + EXTRAS:
        least = re.search(r">=([\d.]+)", requirement)
        if least:
            assert number(locked()[name(requirement)]) >= number(least[1]), requirement


def test_every_locked_package_has_hashes_and_no_host_is_named() -> None:
    pinned = re.findall(r"^[\w.-]+==.*(?:\n    .*)*", LOCK, re.MULTILINE)

    assert all("--hash=sha256:" in block for block in pinned)
    assert "://" not in LOCK
    assert "--index-url" not in LOCK


def test_no_known_hole_in_what_serves_notebooks() -> None:
    """CVE-2026-44727 is fixed in jupyter-server 2.20.0."""
    assert number(locked()["jupyter-server"]) >= (2, 20, 0)
    assert number(locked()["jupyterlab"]) >= (4, 6, 0)


def test_conda_takes_the_same_python_and_the_same_lock() -> None:
    assert f"python {PROJECT['requires-python']}" in ENVIRONMENT
    assert "- -r requirements.lock" in ENVIRONMENT
    assert "conda-forge" in ENVIRONMENT
    assert "name: loyalty-notebooks" in ENVIRONMENT
    assert re.findall(r"^ +- -", ENVIRONMENT, re.MULTILINE) == ["      - -"]


def test_the_version_is_the_one_of_the_settings() -> None:
    assert version("loyalty-notebooks") == VERSION


def test_ci_calls_what_readme_tells() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    readme = (ROOT / "README.md").read_text()

    assert "make test" in script
    assert "make test" in readme


def test_ci_tries_every_python_that_readme_promises() -> None:
    script = (ROOT / ".ci" / "run").read_text()

    assert "for version in 3.11 3.12 3.13 3.14; do" in script
    assert "not found on this machine" in script


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ([], ".venv/"),
        ([f"PYTHON={sys.executable}"], f".venv-{sys.version_info[0]}.{sys.version_info[1]}/"),
        (["VENV=elsewhere"], "elsewhere/"),
    ],
)
def test_each_python_that_is_asked_for_has_packages_of_its_own(
    arguments: list[str], place: str
) -> None:
    variables = {name: value for name, value in os.environ.items() if name not in MAKE_VARIABLES}
    command = ["make", "--no-print-directory", "-C", ROOT, "-n", "test", *arguments]
    told = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)

    assert f"{place}bin/python -m pytest tests" in told.stdout
