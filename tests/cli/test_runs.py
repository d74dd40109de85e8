"""`loyalty runs`: a table that fits a terminal, JSON, and a page that a browser shows offline."""

import json
import stat
from html import unescape
from pathlib import Path

import pytest

from loyalty_helpers.redaction import mask_text
from tests.commands import Left, Result, loyalty

pytestmark = pytest.mark.slow

RECEIPT = {
    "notebook": "02_adjust_points",
    "environment": "local",
    "status": "verified",
    "started_at": "2026-11-28T14:00:00Z",
    "finished_at": "2026-11-28T14:00:02Z",
    "parameters": {},
    "error": None,
    "points": 12,
}


def leave(run_id: str, **changed: object) -> Path:
    """The folder of a run with nothing but a receipt."""
    folder = Path("runs", run_id)
    folder.mkdir(parents=True)
    (folder / "receipt.json").write_text(json.dumps(RECEIPT | {"run_id": run_id} | changed))
    return folder


def page() -> str:
    return Path("runs", "index.html").read_text(encoding="utf-8")


def test_runs_are_listed_with_what_waits_first(left_by: Left) -> None:
    left_by("run bulk_adjust")
    leave("walk")
    result = loyalty("runs")
    lines = result.stdout.splitlines()

    assert (0, "") == (result.returncode, result.stderr)
    assert f"2 runs, 1 waits for a person: {Path('runs').absolute()}" == lines[0]
    assert ["waiting", "verified"] == [line.split()[2] for line in lines if line[:2] == "20"]
    assert "bulk_adjust of adjustments.csv; 6 PLANNED; +122 -4 points" in result.stdout


def test_the_command_that_applies_is_in_one_piece_to_be_copied(left_by: Left) -> None:
    planned = left_by("run bulk_adjust")
    [command] = [line for line in planned.stdout.splitlines() if line.startswith("to apply: ")]

    assert f"\n  {command.removeprefix('to apply: ')}\n" in loyalty("runs").stdout


def test_lines_that_are_no_command_fit_80_columns() -> None:
    error = "nobody has this number, and that has to be told at some length " * 5
    leave("a-run-with-a-name-of-26-xy", status="failed", error=error)
    told = loyalty("runs").stdout.splitlines()

    assert [] == [line for line in told[1:-1] if len(line) > 80]


def test_without_runs_nothing_is_written_and_it_ends_well() -> None:
    result = loyalty("runs", "--out", "never")

    assert (0, False) == (result.returncode, Path("never").exists())
    assert result.stdout.startswith("No runs: ")


def test_where_no_page_can_be_written_the_list_is_told_all_the_same() -> None:
    leave("walk")
    Path("runs", "index.html").mkdir()
    result = loyalty("runs")

    assert (0, True) == (
        result.returncode,
        "verified              local       walk" in result.stdout,
    )
    assert "no page was written: " in result.stdout


def test_damaged_and_foreign_folders_are_told_by_name_and_it_ends_well() -> None:
    (leave("broken") / "receipt.json").write_text("{")
    Path("runs", "holiday-pictures").mkdir()
    result = loyalty("runs")

    assert 0 == result.returncode
    assert "damaged                           broken" in result.stdout
    assert "not runs: holiday-pictures" in result.stdout
    assert "Not runs: holiday-pictures" in page()


def test_as_json_it_has_the_same_runs() -> None:
    leave("walk")
    [found] = json.loads(loyalty("runs", "--json").stdout)

    assert ("walk", "verified", False, 12) == tuple(
        found[name] for name in ("run_id", "state", "waits", "added")
    )


def test_the_page_is_for_its_owner_only_and_links_each_report() -> None:
    (leave("walk") / "02_adjust_points.html").write_text("")
    loyalty("runs")

    assert 0o600 == stat.S_IMODE(Path("runs", "index.html").stat().st_mode)
    assert '<a href="walk/02_adjust_points.html">walk</a>' in page()


def test_the_page_runs_no_script_and_names_no_host() -> None:
    leave("walk", status="failed", error="<script>alert(1)</script>")
    loyalty("runs")

    assert ("<script" in page(), "http" in page().replace("http-equiv", "")) == (False, False)
    assert "default-src 'none'" in page()
    assert "<script>alert(1)</script>" in unescape(page())


@pytest.mark.parametrize("what", ["error", "environment", "notebook"])
def test_neither_page_nor_table_shows_a_phone_number(what: str) -> None:
    number = "+44 20 7946" + " 0187"
    leave("walk", **{"status": "failed", what: f"of {number}"})
    result: Result = loyalty("runs")

    for shown in (result.stdout, page(), loyalty("runs", "--json").stdout):
        assert (shown, True) == (mask_text(shown), "***0187" in shown)


def test_production_is_red_on_the_page() -> None:
    leave("walk", environment="production")
    loyalty("runs")

    assert '<span class="production">production</span>' in page()
