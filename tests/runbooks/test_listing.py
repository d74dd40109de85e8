"""The runs in a folder: each with its state, read from what it left, and none of them disturbed."""

import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from loyalty_helpers.errors import RunStoppedError
from loyalty_helpers.runbooks import RunRecord, State, list_runs, look_at
from loyalty_helpers.runbooks.apply import Code, Journal
from loyalty_helpers.runbooks.apply.rows import Note
from loyalty_helpers.runbooks.run_rows import RunRows
from loyalty_helpers.runbooks.views import Planned
from tests.commands import files_in

from .harness import plan_by

REFUSED = "row_id,phone_number,points,reason\nx,+14155550103,-90,a\n"
RECEIPT = {
    "notebook": "02_adjust_points",
    "run_id": "walk",
    "environment": "local",
    "status": "verified",
    "started_at": "2026-11-28T14:00:00Z",
    "finished_at": "2026-11-28T14:00:02Z",
    "parameters": {},
    "error": None,
    "points": 12,
}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def left(runs: Path) -> Callable[..., RunRecord]:
    """What is said of a run that left this receipt."""

    def write(folder: str = "walk", **changed: object) -> RunRecord:
        (runs / folder).mkdir(parents=True, exist_ok=True)
        (runs / folder / "receipt.json").write_text(json.dumps(RECEIPT | changed))
        return look_at(runs / folder)

    return write


def look(planned: Planned) -> RunRecord:
    return look_at(planned.plan.folder)


def settle(planned: Planned, n: int, state: str, code: Code = Code.NONE) -> None:
    with Journal.open(planned.plan) as journal, journal.commit():
        journal.settle(n, state, note=Note(code))


def test_a_plan_waits_for_approval_with_its_totals_and_the_command(world) -> None:
    planned = world.plan()
    found = look(planned)

    assert (State.WAITING, {"PLANNED": 4}, 62, -24) == (
        *(found.state, found.rows),
        *(found.added, found.taken),
    )
    assert f"-p approved_plan {planned.plan.digest[:12]}" in found.next
    assert ("bulk_adjust", "local", "sheet.csv", "") == (
        *(found.runbook, found.environment),
        *(found.source, found.approved_by),
    )


def test_the_command_names_the_folder_that_was_named(world, runs: Path) -> None:
    world.plan()

    assert "--out elsewhere" in list_runs(runs, out="elsewhere")[0].next


def test_a_plan_that_is_too_old_to_be_approved_does_not_wait(world) -> None:
    planned = world.plan()
    moment = planned.plan.path.stat().st_mtime - 30 * 3600
    os.utime(planned.plan.path, (moment, moment))
    found = look(planned)

    assert (State.PLANNED, False, "") == (found.state, found.state.waits, found.next)


def test_an_applied_run_is_verified_only_once_the_ledger_was_asked(world) -> None:
    planned = world.plan()
    world.apply(planned, approved_by="Ann")
    before = look(planned)
    world.verify(planned)
    after = look(planned)

    assert (State.APPLIED, State.VERIFIED) == (before.state, after.state)
    assert ("Ann", {"APPLIED": 4}, "") == (after.approved_by, after.rows, after.next)


def test_a_row_for_review_makes_the_run_wait_for_a_person(world) -> None:
    planned = world.plan()
    world.apply(planned)
    settle(planned, 2, "REVIEW", Code.NOT_FOUND)
    found = look(planned)

    assert (State.REVIEW, True) == (found.state, found.state.waits)
    assert found.todo[0].startswith("1 REVIEW: for a person")


def test_rows_that_square_refused_make_a_run_failed(world) -> None:
    planned = world.plan(REFUSED)
    world.client.adjust_points(
        *(planned.plan.rows().__next__().account_id, -50), reason="b", idempotency_key="b"
    )
    with pytest.raises(RunStoppedError):
        world.apply(planned)
    found = look(planned)

    assert (State.FAILED, {"FAILED": 1}) == (found.state, found.rows)
    assert "correct them in a file of their own" in found.todo[0]


def test_a_run_with_rows_that_were_not_sent_is_stopped_and_can_be_resumed(world) -> None:
    planned = world.plan()
    world.fail("expired-token:path=/adjust")
    with pytest.raises(RunStoppedError):
        world.apply(planned, approved_by="Ann")
    found = look(planned)

    assert State.STOPPED == found.state
    assert found.next.endswith("-p approved_by Ann")


def test_rows_that_the_ledger_contradicts_make_a_run_not_verified(world) -> None:
    planned = world.plan()
    world.apply(planned)
    settle(planned, 1, "SKIPPED")
    world.verify(planned)

    assert State.APART == look(planned).state


def test_a_verdict_about_other_states_is_none(world) -> None:
    planned = world.plan()
    world.apply(planned)
    world.verify(planned)
    settle(planned, 1, "SKIPPED")

    assert State.APPLIED == look(planned).state


def test_a_run_that_is_at_work_is_applying_and_keeps_what_its_plan_says(world) -> None:
    planned = world.plan()
    with Journal.open(planned.plan):
        found = look(planned)

    assert (State.APPLYING, 62, False) == (found.state, found.added, found.state.waits)


def test_looking_changes_no_file(world, runs: Path) -> None:
    planned = world.plan()
    world.apply(planned)
    before = files_in(runs)
    list_runs(runs)
    list(map(str, [RunRows(planned.plan.folder)]))

    assert before == files_in(runs)


def test_a_run_that_begins_while_somebody_looks_is_not_refused(world) -> None:
    planned = world.plan()
    Journal.open(planned.plan).close()
    path = planned.plan.folder / "journal.sqlite3"
    looking = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    looking.execute("BEGIN")
    looking.execute("SELECT count(*) FROM row").fetchone()
    ended = threading.Timer(0.03, looking.close)
    ended.start()
    try:
        world.apply(planned)
    finally:
        ended.join()

    assert {"APPLIED": 4} == look(planned).rows


def test_an_undoing_names_the_run_that_it_undoes(world) -> None:
    planned = world.plan()
    world.apply(planned)
    undo = plan_by(world.client, "plan_undo", "run", run_id="undo")

    assert ("undo_adjustments", "run") == (look(undo).runbook, look(undo).source)


def test_a_run_that_is_undone_names_the_run_that_undoes_it(world, runs: Path) -> None:
    world.apply(world.plan())
    plan_by(world.client, "plan_undo", "run", run_id="undo")
    told = {run.run_id: run.told for run in list_runs(runs)}

    assert {"run": "run undo undoes it: waiting for approval", "undo": ""} == told


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda folder: (folder / "plan.json").write_text("{}"), "is not as it was written"),
        (lambda folder: (folder / "plan.json").unlink(), "there is no plan"),
        (lambda folder: (folder / "journal.sqlite3").write_text("?" * 999), "is damaged"),
        (lambda folder: (folder / "receipt.json").write_text("[]"), "receipt.json is not as it"),
        (lambda folder: (folder / "receipt.json").mkdir(), "Is a directory"),
    ],
    ids=["plan", "no plan", "journal", "receipt", "a folder in its place"],
)
def test_a_damaged_folder_is_told_by_its_name_beside_the_others(
    world, runs: Path, damage: Callable[[Path], object], told: str
) -> None:
    planned = world.plan()
    world.apply(planned)
    world.plan(run_id="other", allow_repeats=True)
    damage(planned.plan.folder)
    [found, other] = list_runs(runs)

    assert ("run", State.DAMAGED, True) == (found.run_id, found.state, found.state.waits)
    assert told in found.told
    assert ("other", State.WAITING) == (other.run_id, other.state)


def test_a_journal_of_another_plan_is_told(world, runs: Path) -> None:
    world.apply(world.plan())
    other = world.plan(run_id="other", allow_repeats=True)
    shutil.copy(runs / "run/journal.sqlite3", runs / "other")

    assert "is the journal of another plan" in look(other).told


def test_a_copied_folder_is_not_taken_for_the_run(world, runs: Path) -> None:
    shutil.copytree(world.plan().plan.folder, runs / "copy")
    found = look_at(runs / "copy")

    assert (State.DAMAGED, "this is the folder of run 'run': it was copied or renamed") == (
        found.state,
        found.told,
    )


def test_a_folder_that_is_no_run_comes_last_and_files_are_passed_over(world, runs: Path) -> None:
    world.plan()
    (runs / "screens").mkdir()
    (runs / "index.html").write_text("")

    assert [("run", State.WAITING), ("screens", State.FOREIGN)] == [
        (run.run_id, run.state) for run in list_runs(runs)
    ]


def test_without_a_folder_there_are_no_runs(tmp_path: Path) -> None:
    assert [] == list_runs(tmp_path / "never")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("verified", State.VERIFIED),
        ("ended", State.ENDED),
        ("failed", State.FAILED),
        ("interrupted", State.UNFINISHED),
        ("fine", State.DAMAGED),
    ],
)
def test_a_walkthrough_is_as_its_receipt_says(left, status: str, state: State) -> None:
    found = left(status=status)

    assert (state, 12, 0, "02_adjust_points") == (
        *(found.state, found.added),
        *(found.taken, found.runbook),
    )


def test_an_error_is_told_in_its_first_line_and_masked(left) -> None:
    told = left(status="failed", error="no account has +44 20 7946 0187\nmore").told

    assert "no account has ***0187" == told


@pytest.mark.parametrize(
    "changed", [{"started_at": "0001-01-01T00:00:00+14:00", "finished_at": None}, {"run_id": "b"}]
)
def test_a_receipt_that_cannot_be_is_told_and_no_crash(left, changed) -> None:
    assert State.DAMAGED == left(**changed).state


def test_a_report_is_linked_only_where_it_is_and_never_outside(left, runs: Path) -> None:
    none = left().report
    (runs / "walk" / "02_adjust_points.html").write_text("")
    (runs / "secret.html").write_text("")

    assert ("", "walk/02_adjust_points.html", "") == (
        none,
        left().report,
        left(notebook="../secret").report,
    )


def test_what_was_done_by_hand_is_said_to_have_no_receipt(runs: Path) -> None:
    (runs / "hand").mkdir(parents=True)
    (runs / "hand" / "intent.json").write_text("{}")

    assert State.BY_HAND == look_at(runs / "hand").state


def test_what_waits_comes_first_and_then_the_newest(left, runs: Path) -> None:
    for name, at, status in [
        ("old", "2026-11-01T00:00:00Z", "verified"),
        ("new", "2026-11-03T00:00:00Z", "verified"),
        ("wrong", "2026-11-02T00:00:00Z", "failed"),
    ]:
        left(name, run_id=name, finished_at=at, status=status)

    assert ["wrong", "new", "old"] == [run.run_id for run in list_runs(runs)]


def test_a_record_is_json(world) -> None:
    found = json.loads(json.dumps(look(world.plan()).as_json()))

    assert ("waiting for approval", True) == (found["state"], found["waits"])
    assert found["at"].endswith("Z")


def test_rows_for_a_person_are_on_top_with_what_to_do(world) -> None:
    planned = world.plan()
    world.apply(planned)
    settle(planned, 3, "REVIEW", Code.DOUBLED)
    lines = str(RunRows(planned.plan.folder)).splitlines()

    assert lines[2].split()[0] == "c"
    assert "put the line of the surplus event in undo.csv alone into a file" in lines[2]


def test_rows_of_a_plan_are_shown_as_planned(world) -> None:
    lines = str(RunRows(world.plan().plan.folder, most=3)).splitlines()

    assert ["PLANNED"] * 3 == [line.split()[-1] for line in lines[2:5]]
    assert "  ... and 1 more rows" == lines[5]


def test_a_stop_is_told_by_its_reason(world) -> None:
    planned = world.plan()
    world.fail("expired-token:path=/adjust")
    with pytest.raises(RunStoppedError) as stopped:
        world.apply(planned)
    told = {"error": f"RunStoppedError: {stopped.value}", "plan": planned.plan.digest}
    receipt = RECEIPT | {"run_id": "run", "status": "failed"} | told
    (planned.plan.folder / "receipt.json").write_text(json.dumps(receipt))

    assert "Square refuses the token (401 ACCESS_TOKEN_EXPIRED)" == look(planned).told
