"""Applying: each row once, what is lost is found again, and nothing is done without approval."""

import csv
import os
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace

import pytest

from loyalty_helpers.errors import JournalError, ParameterError, PlanError, RunStoppedError
from loyalty_helpers.runbooks.apply.journal import JOURNAL, Journal
from loyalty_helpers.runbooks.limits import Time, errors_allowed

from .conftest import QUICK
from .harness import plan_by

DONE = [(-20, "Twice"), (-4, "Twice"), (12, "Late"), (50, "Late")]


def applied(world) -> list[tuple[int, str]]:
    return sorted(world.adjustments()[:4])


def test_without_approval_nothing_is_changed_and_the_command_is_shown(world) -> None:
    planned = world.plan()
    done = world.apply(planned, approved_plan="")

    assert 0 == world.wire.writes
    assert f"-p approved_plan {planned.plan.digest[:12]}" in str(done)


def test_each_row_is_applied_and_verified(world) -> None:
    planned = world.plan()
    world.apply(planned)

    assert DONE == applied(world)
    assert world.verify(planned).ok


def test_applying_again_sends_nothing(world) -> None:
    planned = world.plan()
    world.apply(planned)
    sent = world.wire.writes
    world.apply(planned)

    assert sent == world.wire.writes


@pytest.mark.parametrize("status", ["408", "409", "429", "500", "502", "503", "504"])
@pytest.mark.parametrize("when", ["", "-after"])
def test_an_error_of_the_moment_is_asked_again_with_the_same_key(world, status, when) -> None:
    planned = world.plan()
    world.fail(f"{status}{when}:path=/adjust,next=3")
    world.apply(planned)

    assert DONE == applied(world)


@pytest.mark.parametrize(
    "fault", ["drop", "drop-after", "refuse", "truncate", "html", "html-after"]
)
def test_an_answer_that_is_lost_is_asked_for_again(world, fault: str) -> None:
    planned = world.plan()
    world.fail(f"{fault}:path=/adjust,next=3")
    world.apply(planned)

    assert DONE == applied(world)
    assert world.verify(planned).ok


def test_an_answer_that_stays_lost_is_found_in_the_ledger(world) -> None:
    """Every answer is dropped after the write, and the keys are forgotten at once."""
    planned = world.plan()
    world.fail("drop-after:path=/adjust")
    with pytest.raises(RunStoppedError, match="3 rows one after another"):
        world.apply(planned, limits=replace(QUICK, tries=1))
    world.apply(planned, limits=replace(QUICK, tries=1))

    assert DONE == applied(world)
    assert world.verify(planned).ok


def test_a_journal_that_is_lost_is_made_anew_from_the_ledger(world) -> None:
    planned = world.plan()
    world.apply(planned)
    (planned.plan.folder / JOURNAL).unlink()
    sent = world.wire.writes
    world.emulator.forget_keys()
    world.apply(planned)
    with Journal.look(planned.plan.folder) as journal:
        told = Counter(entry.applied for entry in journal.entries())

    assert sent == world.wire.writes
    assert {"before": 4} == told


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE row SET points = 500 WHERE n = 1",
        "UPDATE row SET account_id = 'another' WHERE n = 1",
        "UPDATE row SET key = 'another' WHERE n = 1",
        "DELETE FROM row WHERE n = 4",
    ],
)
def test_a_row_that_was_changed_by_hand_in_the_journal_is_neither_sent_nor_verified(
    world, change: str
) -> None:
    planned = world.plan()
    path = planned.plan.folder / JOURNAL
    Journal.open(planned.plan).close()
    with closing(sqlite3.connect(path)) as journal, journal:
        journal.execute(change)
    for step in (world.apply, world.verify):
        with pytest.raises(JournalError, match=r"is damaged .*not those of its plan.*Move it away"):
            step(planned)
    assert 0 == world.wire.writes


def test_a_damaged_journal_is_told_and_left_alone(world) -> None:
    planned = world.plan()
    (planned.plan.folder / JOURNAL).write_bytes(b"no database" * 100)

    with pytest.raises(JournalError, match=r"is damaged .* Move it away"):
        world.apply(planned)
    assert 0 == world.wire.writes


def test_a_second_run_of_the_same_plan_is_refused(world) -> None:
    planned = world.plan()
    with Journal.open(planned.plan), pytest.raises(JournalError, match="another process is at"):
        world.apply(planned)


def test_a_refusal_is_final_and_stops_the_run(world) -> None:
    """The balance was enough when the plan was made."""
    sheet = "phone_number,points,reason\n+14155550103,-90,a\n"
    planned = world.plan(sheet)
    account = world.client.find_account(phone_number="+14155550103")
    world.client.adjust_points(account.id, -50, idempotency_key="spent", reason="spent")

    with pytest.raises(RunStoppedError, match="more rows ended without success"):
        world.apply(planned)
    result = world.verify(planned)
    assert ({"FAILED": 1}, False, ()) == (result.counts, result.ok, result.differences)


def test_a_refused_token_stops_at_once(world) -> None:
    planned = world.plan()
    sent = []

    def refuse(request):
        if request.url.path.endswith("/adjust"):
            sent.append(request)
            request.headers["Authorization"] = "Bearer another"
        return type(world.wire).handle_request(world.wire, request)

    world.wire.handle_request = refuse
    with pytest.raises(RunStoppedError, match="refuses the token"):
        world.apply(planned, limits=replace(QUICK, in_flight=1))
    assert 1 == len(sent)


@pytest.mark.parametrize(
    ("on_drift", "points"), [("note", {12, 50, -4, -20}), ("skip", {50, -4, -20})]
)
def test_a_balance_that_has_moved_is_noted_or_skipped(world, on_drift, points) -> None:
    planned = world.plan()
    account = world.client.find_account(phone_number="+14155551234")
    world.client.adjust_points(account.id, 1, idempotency_key="moved", reason="moved")
    world.apply(planned, on_drift=on_drift)
    result = world.verify(planned)
    results = (planned.plan.folder / "results.csv").read_text()

    assert points == {p for p, reason in world.adjustments()[:4] if reason != "moved"}
    assert result.ok
    assert "moved since the plan was made" in results


def test_the_canary_stops_before_the_rest(world) -> None:
    planned = world.plan()
    world.fail("drop-after:path=/adjust,next=1")
    world.fail("late-events:seconds=3600")

    with pytest.raises(RunStoppedError):
        world.apply(planned, limits=replace(QUICK, canary=1, tries=1, in_flight=1))
    assert 1 == world.wire.writes


def test_an_old_key_is_not_trusted_and_a_person_has_to_look(world) -> None:
    """The answer was lost before the write, and the run goes on an hour later."""
    planned = world.plan()
    clock = [1_000.0]
    time = Time(now=lambda: clock[0], sleep=lambda _: None)
    world.fail("drop:path=/adjust,next=1")
    journal = Journal.open(planned.plan)
    with journal, journal.commit():
        journal.sent(1, clock[0])
    clock[0] += 3_600
    world.apply(planned, time=time)

    with Journal.look(planned.plan.folder) as journal:
        assert "REVIEW" == next(journal.entries()).state
    assert [(-20, "Twice"), (-4, "Twice"), (50, "Late")] == sorted(world.adjustments()[:3])


def for_review(world):
    """A plan of which one row was sent an hour ago, and is nowhere."""
    planned = world.plan()
    with Journal.open(planned.plan) as journal, journal.commit():
        journal.sent(1, Time().now() - 3_600)
    world.apply(planned)
    return planned


def test_a_row_for_review_is_sent_once_more_when_a_person_says_so(world) -> None:
    planned = for_review(world)
    world.apply(planned, limits=replace(QUICK, resend_unknown=True))

    assert DONE == applied(world)
    assert world.verify(planned).counts == {"APPLIED": 4}


def test_a_row_for_review_that_has_turned_up_is_not_sent_again(world) -> None:
    planned = for_review(world)
    row = next(planned.plan.rows())
    identity = planned.plan.header.identity(row)
    world.client.adjust_points(
        row.account_id,
        row.points,
        reason=identity.marked(row.reason),
        idempotency_key="as if the first try had come through by another way",
    )
    sent = world.wire.writes
    world.apply(planned, limits=replace(QUICK, resend_unknown=True))

    assert sent == world.wire.writes
    assert DONE == applied(world)


def test_a_row_for_review_stays_so_unless_a_person_says_otherwise(world) -> None:
    planned = for_review(world)
    world.apply(planned)

    assert world.verify(planned).counts == {"APPLIED": 3, "REVIEW": 1}


def test_a_row_whose_key_was_used_by_another_request_is_never_released(world) -> None:
    planned = world.plan()
    row = next(planned.plan.rows())
    key = planned.plan.header.identity(row).key
    world.client.adjust_points(row.account_id, 1, reason="Somebody", idempotency_key=key)
    with pytest.raises(RunStoppedError):
        world.apply(planned)
    world.apply(planned)
    world.apply(planned, limits=replace(QUICK, resend_unknown=True))

    assert world.verify(planned).counts["REVIEW"] == 1


def test_a_young_key_is_sent_again(world) -> None:
    planned = world.plan()
    journal = Journal.open(planned.plan)
    with journal, journal.commit():
        journal.sent(1, Time().now())
    world.apply(planned)

    assert DONE == applied(world)


def test_undo_brings_every_balance_back(world) -> None:
    before = world.balances()
    world.apply(world.plan())
    undo = plan_by(world.client, "plan_undo", "run", run_id="back")
    world.apply(undo)

    assert before == world.balances()
    assert world.verify(undo).ok
    assert all(reason.startswith("Undo of event") for _, reason in world.adjustments()[:4])


def test_undo_of_a_run_that_stopped_undoes_its_part(world) -> None:
    before = world.balances()
    planned = world.plan()
    world.fail("503:path=/adjust,next=1000")
    with pytest.raises(RunStoppedError):
        world.apply(planned, limits=replace(QUICK, retries=0))
    world.emulator.faults.clear()
    with pytest.raises(PlanError, match="has nothing to undo"):
        plan_by(world.client, "plan_undo", "run", run_id="back")

    assert before == world.balances()


def test_what_has_been_undone_is_not_undone_again(world) -> None:
    world.apply(world.plan())
    world.apply(plan_by(world.client, "plan_undo", "run", run_id="back"))

    with pytest.raises(PlanError, match="has nothing to undo"):
        plan_by(world.client, "plan_undo", "run", run_id="back-again")


def test_two_undoings_planned_side_by_side_undo_once(world) -> None:
    before = world.balances()
    world.apply(world.plan())
    first = plan_by(world.client, "plan_undo", "run", run_id="one")
    second = plan_by(world.client, "plan_undo", "run", run_id="two")
    world.apply(first)
    world.apply(second)

    assert before == world.balances()


def test_an_undoing_is_undone_by_the_same_means(world) -> None:
    world.apply(world.plan())
    after = world.balances()
    world.apply(plan_by(world.client, "plan_undo", "run", run_id="back"))
    world.apply(plan_by(world.client, "plan_undo", "back", run_id="forth"))

    assert after == world.balances()


def test_one_adjustment_without_dry_run_is_planned_and_applied_once(world) -> None:
    one = {"phone_number": "+14155551234", "points": 7, "reason": "r", "run_id": "one"}
    for _ in range(2):
        planned = plan_by(world.client, "plan_one", dry_run=False, **one)
        world.apply(planned)

    assert 7 == world.client.find_account(phone_number="+14155551234").balance
    with pytest.raises(PlanError, match="stands for another intent: \\+7 points"):
        plan_by(world.client, "plan_one", dry_run=False, **one | {"points": 8})


def test_an_unexpected_balance_stops_the_plan(world) -> None:
    with pytest.raises(PlanError, match="the balance is 0; allowed: expected_balance 5"):
        plan_by(
            world.client,
            "plan_one",
            phone_number="+14155551234",
            points=7,
            reason="r",
            run_id="one",
            expected_balance="5",
        )


@pytest.mark.parametrize(("text", "rows", "allowed"), [("0", 9, 0), ("3", 9, 3), ("2%", 99, 1)])
def test_errors_are_allowed_by_number_or_share(text: str, rows: int, allowed: int) -> None:
    assert allowed == errors_allowed(text, rows)


@pytest.mark.parametrize("text", ["", "-1", "x", "1.5", "%"])
def test_no_number_and_no_share(text: str) -> None:
    with pytest.raises(ParameterError, match="neither a number nor a share"):
        errors_allowed(text)


def test_results_end_with_the_balance_after_each_row(world) -> None:
    planned = world.plan()
    world.apply(planned)
    world.verify(planned)
    before = {row.account_id: row.before for row in reversed(list(planned.plan.rows()))}
    with (planned.plan.folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))

    assert "balance_after" == list(rows[0])[-1]
    for row in rows:
        before[row["account_id"]] += int(row["points"])
        assert str(before[row["account_id"]]) == row["balance_after"]


def test_a_row_that_was_not_applied_has_no_balance_after(world) -> None:
    planned = world.plan()
    account = world.client.find_account(phone_number="+14155551234")
    world.client.adjust_points(account.id, 1, idempotency_key="moved", reason="moved")
    world.apply(planned, on_drift="skip")
    world.verify(planned)
    with (planned.plan.folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        [skipped] = [row for row in csv.DictReader(file) if row["state"] == "SKIPPED"]

    assert "" == skipped["balance_after"]


DAY = 24 * 3600.0


def dated(planned, seconds: float) -> None:
    """As if the plan had been written so many seconds from now."""
    moment = planned.plan.path.stat().st_mtime + seconds
    os.utime(planned.plan.path, (moment, moment))


@pytest.mark.parametrize(
    ("seconds", "told"), [(-25 * 3600, "made 25 hours ago"), (30 * 3600, "dated 30 hours from now")]
)
def test_a_plan_that_is_older_than_a_day_is_made_anew(world, refused, seconds, told) -> None:
    planned = world.plan()
    dated(planned, seconds)
    text = refused(PlanError, lambda: world.apply(planned))

    assert told in text
    assert "max_plan_age allows 24" in text
    assert world.wire.writes == 0
    assert not (planned.plan.folder / JOURNAL).exists()


def test_a_plan_that_is_made_anew_keeps_its_approval_where_nothing_has_changed(world) -> None:
    planned = world.plan()
    dated(planned, -2 * DAY)
    world.plan()
    world.apply(planned)

    assert world.verify(planned).ok


def test_an_older_plan_is_applied_where_that_is_allowed(world) -> None:
    planned = world.plan()
    dated(planned, -2 * DAY)
    world.apply(planned, max_plan_age=49)

    assert world.verify(planned).ok


def test_a_run_that_was_begun_is_resumed_however_old_its_plan_is(world) -> None:
    planned = world.plan()
    world.fail("read-only:path=/adjust,next=1")
    with pytest.raises(RunStoppedError):
        world.apply(planned, replace(QUICK, in_flight=1))
    world.emulator.faults.clear()
    dated(planned, -100 * DAY)
    world.apply(planned)

    assert world.verify(planned).ok


def test_rows_whose_balance_had_moved_are_in_every_summary(world) -> None:
    """a's buyer is given 3 points between plan and apply; b and d have one account."""
    planned = world.plan()
    first = next(iter(planned.plan.rows()))
    world.client.adjust_points(first.account_id, 3, reason="At the till", idempotency_key="till")
    applied, verified = world.apply(planned), world.verify(planned)

    moved = "1 of them on a balance that had moved since the plan was made"
    assert f"{moved}: results.csv has both" in str(applied)
    assert verified.summary == f"verified: 4 APPLIED of 4 rows, {moved}"
    assert "balance had moved" in str(verified)


def test_where_no_balance_has_moved_nothing_is_said_of_it(world) -> None:
    planned = world.plan()

    assert "moved" not in str(world.apply(planned))
    assert world.verify(planned).summary == "verified: 4 APPLIED of 4 rows"


def test_results_that_cannot_be_written_are_told_in_one_line(world, refused) -> None:
    planned = world.plan()
    world.apply(planned)
    (planned.plan.folder / "results.csv").mkdir()

    assert "results.csv cannot be written: Is a directory" in refused(
        JournalError, lambda: world.verify(planned)
    )


def test_a_run_that_stops_leaves_its_rows_with_their_states_and_notes(world) -> None:
    planned = world.plan()
    last = list(planned.plan.rows())[2]  # which takes 4 points that are spent meanwhile
    world.client.adjust_points(
        last.account_id, -last.before, reason="Spent", idempotency_key="spent"
    )
    with pytest.raises(RunStoppedError, match=r"for the reason in results\.csv"):
        world.apply(planned, replace(QUICK, in_flight=1))
    with (planned.plan.folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        found = [(row["state"], row["note"].split()[0:2]) for row in csv.DictReader(file)]

    assert found == [
        ("APPLIED", []),
        ("APPLIED", []),
        ("FAILED", ["400", "BAD_REQUEST"]),
        ("PLANNED", []),
    ]
