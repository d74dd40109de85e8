"""Variables, `.env` and paths, from the command into the kernel that works in another folder."""

import json
import os
import subprocess
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from waitress.server import create_server

from loyalty_helpers.emulator import Emulator, Server
from tests import commands
from tests.commands import COMMAND, Result

pytestmark = pytest.mark.slow

TOKEN = "canary-" + "token-7e20"


def loyalty(*arguments: str, **variables: str) -> Result:
    """As a user types it who has set nothing, and whose home is empty."""
    (home := Path("home-of-the-user").absolute()).mkdir(exist_ok=True)
    kept = {n: v for n, v in os.environ.items() if n in ("PATH", "PYTHONPATH", "TMPDIR")}
    return commands.loyalty(*arguments, options={"env": kept | {"HOME": str(home)} | variables})


def written(name: str, text: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path.absolute()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    with (
        Emulator.open(tmp_path / "served.sqlite3", token=TOKEN) as emulator,
        Server(emulator) as server,
    ):
        yield server.url


# What cannot be read


def test_a_line_with_a_colon_is_refused_before_anything_runs() -> None:
    file = written(".env", "LOYALTY_ENVIRONMENT: recorded\n")
    result = loyalty("run", "02_adjust_points")

    assert (2, "", False) == (result.returncode, result.stdout, Path("runs").exists())
    assert result.stderr == (
        "refused:\n"
        f"  {file}, line 1: it cannot be read: a line is NAME=value, and a comment begins with # "
        "(did you mean LOYALTY_ENVIRONMENT=...?)\n"
    )


@pytest.mark.parametrize(
    "arguments", ["run 02_adjust_points", "drift 02_adjust_points", "emulator reset"]
)
def test_every_command_refuses_a_variable_that_nobody_reads(arguments: str) -> None:
    result = loyalty(*arguments.split(), loyalty_environment="recorded")

    told = "loyalty_environment: there is no such variable (did you mean LOYALTY_ENVIRONMENT?)"
    assert (2, "", f"refused:\n  {told}\n") == (result.returncode, result.stdout, result.stderr)


def test_help_is_given_whatever_the_variables_say() -> None:
    result = loyalty("run", "--help", LOYALTY_X="1")

    assert (0, True) == (result.returncode, result.stdout.startswith("Usage: loyalty run"))


def test_a_current_folder_that_is_gone_is_refused(tmp_path: Path) -> None:
    command = [COMMAND, "emulator", "reset"]
    (tmp_path / "gone").mkdir()
    result = subprocess.run(
        ["sh", "-c", 'cd gone && rmdir ../gone && exec "$0" "$@"', *command],
        capture_output=True,
        text=True,
        check=False,
    )

    told = "refused:\n  the current folder is gone: change to one that exists\n"
    assert (2, told) == (result.returncode, result.stderr)


# The command and its kernel understand the same


def test_a_relative_env_file_says_the_environment_and_the_last_line_names_it() -> None:
    written("11_good.env", "LOYALTY_ENVIRONMENT=recorded\n")
    result = loyalty("run", "02_adjust_points", LOYALTY_ENV_FILE="11_good.env")

    *_, last = result.stdout.splitlines()
    report = "runs/walkthrough-2/02_adjust_points.html"
    assert (0, "") == (result.returncode, result.stderr)
    assert last.startswith("verified: balance 0 -> 12 points (+12), event ")
    assert last.endswith(f", environment recorded, report {report}")


def test_a_relative_home_is_one_folder_for_command_and_kernel(tmp_path: Path) -> None:
    loyalty("run", "02_adjust_points", LOYALTY_HOME="state")
    again = loyalty("run", "02_adjust_points", LOYALTY_HOME=str(tmp_path / "state"))

    assert (0, True) == (again.returncode, "applied before" in again.stdout)
    assert ["emulator.sqlite3"] == [path.name for path in Path("state").glob("*.sqlite3")]


def test_relative_runs_are_one_folder_for_command_and_kernel() -> None:
    written(".env", "LOYALTY_RUNS=my/runs\nLOYALTY_HOME=~/state\n")
    result = loyalty("run", "bulk_adjust")

    assert (0, "") == (result.returncode, result.stderr)
    assert {"plan.json", "receipt.json"} <= {p.name for p in Path("my/runs/example-bulk").iterdir()}
    assert Path("home-of-the-user/state/emulator.sqlite3").exists()


def test_relative_recordings_are_one_folder_for_command_and_kernel(tmp_path: Path) -> None:
    variables = {"LOYALTY_RECORDINGS": "mine", "LOYALTY_ENVIRONMENT": "recorded"}
    Path("mine").mkdir()
    result = loyalty("run", "03_retrieve_account", **variables)

    assert (1, True) == (result.returncode, f"{tmp_path}/mine/03" in result.stderr), result.stderr


@pytest.mark.parametrize("out", ["out", "~/out"])
def test_the_folder_named_on_the_command_line_may_be_relative_or_at_home(out: str) -> None:
    result = loyalty("run", "bulk_adjust", "--out", out, LOYALTY_HOME="state")

    folder = Path(out.replace("~", "home-of-the-user"))
    assert (0, True) == (result.returncode, (folder / "example-bulk" / "plan.json").exists())
    assert f"--out {out if out == 'out' else repr(out)} " in result.stdout


def test_an_adjustments_file_at_home_is_found(tmp_path: Path) -> None:
    file = "home-of-the-user/mine.csv"
    written(file, "phone_number,points,reason\n+14155551234,5,Late\n")
    result = loyalty("run", "bulk_adjust", "-p", "adjustments_file", "~/mine.csv")

    assert (0, "") == (result.returncode, result.stderr)
    receipt = json.loads(Path("runs/example-bulk/receipt.json").read_text())
    assert str(tmp_path / file) == receipt["parameters"]["adjustments_file"]


@pytest.mark.parametrize(
    ("notebook", "name", "value"),
    [
        ("bulk_adjust", "adjustments_file", "missing.csv"),
        ("bulk_adjust", "adjustments_file", "data/adjustments.csv"),
        ("undo_adjustments", "undo", "runs/never/receipt.json"),
    ],
)
def test_a_missing_file_is_refused_with_its_path(
    tmp_path: Path, notebook: str, name: str, value: str
) -> None:
    result = loyalty("run", notebook, "-p", name, value)

    told = f"refused:\n  {name}: there is no file {tmp_path / value}\n"
    assert (2, told, False) == (result.returncode, result.stderr, Path("runs").exists())


# Whose .env, and who sees what is in it


def test_dotenv_in_a_shared_folder_above_says_nothing(tmp_path: Path) -> None:
    """As somebody else could have put into the folder for temporary files."""
    (tmp_path / "shared" / "mine").mkdir(parents=True)
    written("shared/.env", "LOYALTY_ENVIRONMENT=recorded\n")
    (tmp_path / "shared").chmod(0o1777)
    os.chdir("shared/mine")  # put back by the fixture that every test has
    result = loyalty("run", "03_retrieve_account")

    assert (0, True) == (result.returncode, ", environment local, report" in result.stdout)


def test_the_kernel_gets_what_the_command_read_and_reads_nothing_itself(
    tmp_path: Path, served: str
) -> None:
    """The file is gone when the kernel starts: it was a pipe."""
    lines = f"LOYALTY_EMULATOR_URL={served}\nLOYALTY_EMULATOR_TOKEN={TOKEN}\n"
    written("lines", lines)
    line = f"LOYALTY_ENV_FILE=<(cat lines) {COMMAND} run 03_retrieve_account"
    result = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)

    assert (0, "") == (result.returncode, result.stderr)


def test_a_token_of_a_file_is_on_no_command_line(tmp_path: Path) -> None:
    seen: list[bytes] = []
    with Emulator.open(tmp_path / "served.sqlite3", token=TOKEN) as emulator:

        def looks(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            seen.extend(path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline"))
            return emulator(environ, start_response)

        server = create_server(looks, host="127.0.0.1", port=0)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        url = f"LOYALTY_EMULATOR_URL=http://127.0.0.1:{server.effective_port}"
        written(".env", f"{url}\nLOYALTY_EMULATOR_TOKEN={TOKEN}\n")
        result = loyalty("run", "03_retrieve_account")
        server.close()
        thread.join(5)

    assert (0, True) == (result.returncode, any(b"ipykernel" in line for line in seen))
    assert [] == [line for line in seen if TOKEN.encode() in line]


def test_a_wrong_token_of_an_emulator_is_told_by_its_variable(served: str) -> None:
    result = loyalty(
        "run", "03_retrieve_account", LOYALTY_EMULATOR_URL=served, LOYALTY_EMULATOR_TOKEN="another"
    )

    assert 1 == result.returncode
    assert "Check that LOYALTY_EMULATOR_TOKEN is the token" in result.stderr
    assert "SQUARE_ACCESS_TOKEN" not in result.stderr


# Readers that go away


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("run 02_adjust_points", 0),
        ("run bulk_adjust", 0),
        ("run 02_adjust_points -p phone_number +12125550199", 1),
        ("run 02_adjust_points -p points 0", 2),
        ("drift 03_retrieve_account", 0),
        ("emulator reset", 0),
        ("--help", 0),
        ("run --help", 0),
        ("--version", 0),
    ],
)
@pytest.mark.parametrize("gone", ["stdout", "stderr"])
def test_a_reader_that_goes_away_changes_no_exit_code(arguments: str, code: int, gone: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run(
        [COMMAND, *arguments.split()],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, gone: writer},
        text=True,
        check=False,
    )
    os.close(writer)

    assert code == result.returncode
    assert "Traceback" not in f"{result.stdout}{result.stderr}"
    assert "BrokenPipe" not in f"{result.stdout}{result.stderr}"


def test_a_notebook_that_is_missing_is_refused_with_its_path(tmp_path: Path) -> None:
    result = loyalty("run", "copies/02_adjust_points.ipynb")

    told = f"refused:\n  there is no notebook {tmp_path}/copies/02_adjust_points.ipynb\n"
    assert (2, told) == (result.returncode, result.stderr)
