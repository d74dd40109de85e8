"""What `pip install` gives to somebody without a clone: the wheel, and only its base around it."""

import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from loyalty_helpers.settings import NOTEBOOKS
from tests.commands import SLOW

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("installed")]

ROOT = Path(__file__).parent.parent
NOT_IN_THE_BASE = ("jupyterlab", "jupyter_server", "voila", "dask", "pytest", "square")


def closure(requirements: Iterable[str], extras: set[str], found: dict[str, set[str]]) -> None:
    """Find the distributions that are needed for requirements, each with its extras."""
    for text in requirements:
        wanted = Requirement(text)
        name, known = canonicalize_name(wanted.name), found.get(canonicalize_name(wanted.name))
        if wanted.marker and not any(wanted.marker.evaluate({"extra": e}) for e in extras | {""}):
            continue
        if known is None or wanted.extras - known:
            found[name] = wanted.extras | (known or set())
            closure(distribution(name).requires or (), found[name], found)


def copied(name: str, target: Path) -> None:
    """Link what a distribution has installed here into another environment."""
    source = distribution(name)
    for file in source.files or ():
        if "__pycache__" not in file.parts and "bin" not in file.parts:  # data is in share/
            place = Path(os.path.normpath(target / file))
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(source.locate_file(file))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and its base; nothing is fetched."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT]
    subprocess.run([*pip, *build], check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    venv.create(folder / "env")
    [packages] = (folder / "env" / "lib").glob("python*/site-packages")
    into = ["--python", folder / "env" / "bin" / "python", "install", "--no-deps", "--no-index"]
    subprocess.run([*pip, *into, wheel], check=True, capture_output=True)
    [metadata] = packages.glob("*.dist-info/METADATA")
    base: dict[str, set[str]] = {}
    closure(re.findall(r"Requires-Dist: (.*)", metadata.read_text()), set(), base)
    for name in base:
        copied(name, packages)
    return folder / "env" / "bin"


def outside(program: Path, *arguments: str, at: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder that has nothing to do with the clone."""
    home = at.parent / f"{at.name}-home"
    home.mkdir(exist_ok=True)
    clean = {"PATH": os.environ["PATH"], "HOME": str(home)}
    result = subprocess.run(
        [program, *arguments], cwd=at, env=clean, capture_output=True, text=True, check=False
    )
    result.stderr = SLOW.sub("", result.stderr)
    return result


def test_the_first_run_verifies_and_leaves_its_files_here(installed: Path, tmp_path: Path) -> None:
    ran = outside(installed / "loyalty", "run", "02_adjust_points", at=tmp_path)

    assert (0, "") == (ran.returncode, ran.stderr)
    assert ran.stdout.startswith("verified: balance 0 -> 12 points (+12)")
    assert (tmp_path / "runs" / "walkthrough-2" / "receipt.json").is_file()


def test_a_runbook_plans_with_the_sample_file(installed: Path, tmp_path: Path) -> None:
    ran = outside(installed / "loyalty", "run", "bulk_adjust", at=tmp_path)

    assert (0, "planned") == (ran.returncode, ran.stdout.partition(":")[0])


def test_the_recordings_come_along(installed: Path, tmp_path: Path) -> None:
    wanted = ("run", "01_search_accounts", "-p", "environment", "recorded")
    ran = outside(installed / "loyalty", *wanted, at=tmp_path)

    assert (0, "environment recorded" in ran.stdout) == (ran.returncode, True)


@pytest.mark.parametrize("name", NOT_IN_THE_BASE)
def test_the_base_does_without(name: str, installed: Path, tmp_path: Path) -> None:
    ran = outside(installed / "python", "-c", f"import {name}", at=tmp_path)

    assert "ModuleNotFoundError" in ran.stderr


def test_notebooks_are_copied_to_be_changed_and_run_there(installed: Path, tmp_path: Path) -> None:
    copy = outside(installed / "loyalty", "notebooks", "mine", at=tmp_path)
    ran = outside(installed / "loyalty", "run", "mine/03_retrieve_account.ipynb", at=tmp_path)

    count = len(list(NOTEBOOKS.rglob("*.ipynb")))
    assert (0, f"copied: {count} notebooks to mine\n") == (copy.returncode, copy.stdout)
    assert (0, "") == (ran.returncode, ran.stderr)


def test_a_folder_with_something_in_it_is_left_alone(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    copy = outside(installed / "loyalty", "notebooks", ".", at=tmp_path)

    assert (2, ["mine.txt"]) == (copy.returncode, [path.name for path in tmp_path.iterdir()])
    assert "is not empty" in copy.stderr


def test_the_package_is_typed_and_runs_as_a_module(installed: Path, tmp_path: Path) -> None:
    where = "import loyalty_helpers; print(loyalty_helpers.__path__[0])"
    package = outside(installed / "python", "-c", where, at=tmp_path).stdout.strip()
    told = outside(installed / "python", "-m", "loyalty_helpers", "--version", at=tmp_path).stdout

    assert Path(package, "py.typed").is_file()
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", told)
