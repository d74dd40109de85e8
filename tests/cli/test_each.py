"""`loyalty run NOTEBOOK --each FILE`: a run for each line, on one kernel that forgets."""

import ast
import json
from pathlib import Path

import pytest

from loyalty_helpers import connect
from tests.commands import edited, loyalty, receipt
from tests.seed_world import PHONE_NEGATIVE, PHONE_RICH

NOTEBOOK = "02_adjust_points"


def each(text: str, *words: str, notebook: str | Path = NOTEBOOK):
    Path("each.csv").write_text(text, encoding="utf-8")
    return loyalty("run", str(notebook), "--each", "each.csv", *words)


@pytest.mark.slow
def test_each_line_is_a_run_with_its_own_receipt_and_a_bad_one_stops_nobody() -> None:
    result = each(
        "run_id,phone_number,points\n"
        f"a,{PHONE_RICH},1\n"
        f"b,{PHONE_NEGATIVE},-9999\n"
        f"c,{PHONE_RICH},2\n"
    )

    assert result.returncode == 1
    assert result.stdout.splitlines()[0].startswith("line 2: verified: balance")
    assert "line 3: failed:" in result.stderr
    assert result.stderr.splitlines()[-1] == "2 of 3 runs ended well"
    assert [receipt(run_id)["status"] for run_id in "abc"] == ["verified", "failed", "verified"]
    with connect("local") as client:
        account = client.find_account(phone_number=PHONE_RICH)
        added = [e.points for e in client.search_events(account_id=account.id)]
    assert {1, 2} <= set(added)


@pytest.mark.slow
def test_a_run_finds_nothing_of_the_one_before_it(tmp_path: Path) -> None:
    path = edited(
        tmp_path,
        NOTEBOOK,
        lambda text: (
            "import os\nfound = globals().get('left'), os.environ.get('LEFT'), os.getcwd()\n"
            "left = os.environ['LEFT'] = 'something'\nos.chdir('/')\nfound"
        ),
    )

    each("run_id\na\nb\n", notebook=path)

    for run_id in "ab":
        cells = json.loads(Path("runs", run_id, path.name).read_text())["cells"]
        shown = [c for c in cells if c["cell_type"] == "code" and c["outputs"]]
        first = shown[0]["outputs"][0]["data"]["text/plain"]
        assert ast.literal_eval("".join(first)) == (None, None, str(path.parent))


@pytest.mark.slow
def test_runs_without_a_run_id_have_a_folder_each_though_they_begin_in_the_same_second() -> None:
    result = each("phone_number\n" + f"{PHONE_RICH}\n" * 4, notebook="03_retrieve_account")

    assert result.stdout.splitlines()[-1] == "4 of 4 runs ended well"
    folders = [path for path in Path("runs").iterdir() if path.is_dir()]
    assert [4, 0] == [len(folders), sum((f / "earlier").exists() for f in folders)]


DIES = "import os\nif run_id == 'a':\n    {}\n1"
UNPROVEN = "the notebook ended without comparing what it did with the ledger"


@pytest.mark.slow
def test_a_kernel_that_dies_takes_its_own_run_along_and_no_other(tmp_path: Path) -> None:
    path = edited(tmp_path, NOTEBOOK, lambda text: DIES.format("os._exit(1)"))

    each("run_id\na\nb\n", notebook=path)

    assert [receipt(run_id)["status"] for run_id in "ab"] == ["interrupted", "failed"]
    assert receipt("b")["error"] == UNPROVEN


@pytest.mark.slow
def test_a_stop_ends_the_run_at_work_and_begins_no_other(tmp_path: Path) -> None:
    stop = "os.kill(os.getppid(), 15); import time; time.sleep(30)"
    path = edited(tmp_path, NOTEBOOK, lambda text: DIES.format(stop))

    result = each("run_id\na\nb\n", notebook=path)

    assert receipt("a")["status"] == "interrupted"
    assert result.returncode == 1
    assert "line 3: not begun" in result.stderr
    assert not Path("runs", "b").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("run_id,points\na,1\na,2\n", "line 3: run_id 'a' is that of line 2 too"),
        ("points\n1\n2\n", "line 3: run_id 'walkthrough-2' is that of line 2 too"),
        ("run_id,point\na,1\n", "line 2: point: there is no such parameter (did you mean points?)"),
        ("run_id,points\na,x\nb,0\n", "line 3: points: found '0'"),
        ("run_id,points\na,1,2\n", "line 2: 3 cells, and the header has 2"),
        ("run_id,run_id\na,b\n", "its header has 'run_id' more than once"),
        ("run_id\n", "no line below the header"),
        ('run_id,reason\na,"b\n', "line 2: unexpected end of data"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_before_anything_is_run(
    text: str, told: str
) -> None:
    result = each(text)

    assert result.returncode == 2
    assert told in result.stderr
    assert not Path("runs").exists()


def test_a_parameter_stands_in_the_file_or_on_the_command_line() -> None:
    result = each("run_id,points\na,1\n", "-p", "points", "2")

    assert result.returncode == 2
    assert "line 2: points: given on the command line as well" in result.stderr
