"""A run id stands for one intent, and what the ledger holds already is not credited unseen."""

import csv
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loyalty_helpers.emulator import Emulator
from loyalty_helpers.emulator.clock import SettableClock
from loyalty_helpers.errors import PlanError

from .conftest import SHEET, World
from .harness import plan_by

ONE = {"phone_number": "+14155550101", "points": 50, "reason": "Late order credit"}
FILE = "phone_number,points,reason\n+14155550103,50,Late order credit\n"
FIRST = "phone_number,points,reason\n+12065551000,5,Late\n+12125551217,6,Late\n"
ON_TOP = "phone_number,points,reason\n+13035551434,7,Late\n" + FIRST.partition("\n")[2]


def one(world: World, run_id: str = "t1", **other):
    wish = ONE | {"run_id": run_id, "dry_run": False} | other
    planned = plan_by(world.client, "plan_one", **wish)
    world.apply(planned)
    return planned


def results(world: World, run_id: str) -> dict[str, tuple[str, str]]:
    path = world.folder / "runs" / run_id / "results.csv"
    with path.open(encoding="utf-8-sig") as file:
        return {row["row_id"]: (row["state"], row["note"]) for row in csv.DictReader(file)}


# One intent


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"phone_number": "+14155550103"}, "account "),
        ({"points": 51}, "+50 points"),
        ({"reason": "Another reason"}, "another reason"),
        ({"allow_negative_balance": True}, "allow_negative_balance false"),
        ({"allow_repeats": True}, "allow_repeats false"),
        ({"expected_balance": "7"}, "a balance of 322"),
    ],
)
@pytest.mark.parametrize("approved", [False, True])
def test_a_used_run_id_with_another_intent_is_refused(world: World, other, told, approved) -> None:
    digest = one(world).plan.digest
    before, sent = world.balances(), world.wire.writes
    extra = {"approved_plan": digest} if approved else {}

    with pytest.raises(PlanError, match="stands for another intent") as caught:
        one(world, **other, **extra)
    assert told in str(caught.value)
    assert (before, sent) == (world.balances(), world.wire.writes)


def test_a_used_run_id_with_the_same_intent_adds_nothing(world: World) -> None:
    one(world)
    one(world, reason="  late  order credit")

    assert world.balances() == world.balances() | {account(world, "+14155550101"): 372}


def test_an_approved_plan_is_not_applied_for_another_file(world: World) -> None:
    digest = world.plan(FIRST).plan.digest

    with pytest.raises(PlanError, match=r"the rows of sheet\.csv, which is not"):
        world.plan(ON_TOP, approved_plan=digest)


def test_an_approved_undoing_is_not_applied_for_another_run(world: World) -> None:
    world.apply(world.plan(FIRST, "first"))
    world.apply(world.plan(FILE, "second"))
    digest = plan_by(world.client, "plan_undo", "first", run_id="back").plan.digest

    with pytest.raises(PlanError, match="the undoing of run 'first', and not of 'second'"):
        plan_by(world.client, "plan_undo", "second", run_id="back", approved_plan=digest)


def account(world: World, phone_number: str) -> str:
    return world.client.find_account(phone_number=phone_number).id


# What the ledger holds


def test_the_same_file_under_another_run_id_is_refused_and_names_event_and_run(
    world: World,
) -> None:
    world.apply(world.plan(FILE, "first"))
    event = next(world.client.search_events(page_size=1)).id
    sent = world.wire.writes

    with pytest.raises(PlanError) as caught:
        world.plan(FILE, "second")
    assert str(caught.value) == (
        "no plan was made, and nothing was changed: the ledger holds it already\n"
        f"row 1: +50 points for account {account(world, '+14155550103')} with this reason are "
        f"event {event}, of run first, row 1\n"
        "Looked for within 90 days before the newest event. If they are meant once more: "
        "allow_repeats true"
    )
    assert sent == world.wire.writes


@pytest.mark.parametrize("receipt", ['{"event_id": "%s"}', "{}", "[]", "no JSON", ""])
def test_the_run_of_a_walkthrough_is_named_by_its_receipt_if_that_tells(
    world: World, receipt: str
) -> None:
    account_id = account(world, "+14155550103")
    done = {"reason": "Late order credit", "idempotency_key": "walkthrough"}
    event = world.client.adjust_points(account_id, 50, **done).id
    path = world.folder / "runs" / "walkthrough" / "receipt.json"
    path.parent.mkdir(parents=True)
    path.write_text(receipt % event if "%" in receipt else receipt)
    told = "of run walkthrough\n" if "%" in receipt else "of no run that is known here"

    with pytest.raises(PlanError, match=f"event {event}, {told}"):
        world.plan(FILE)


def test_a_repeat_is_applied_when_somebody_says_so(world: World) -> None:
    world.apply(world.plan(FILE, "first"))
    planned = world.plan(FILE, "second", allow_repeats=True)
    world.apply(planned)

    assert world.verify(planned).counts == {"APPLIED": 1}
    assert "1 row is by content in the ledger already: APPLIED ONCE MORE" in str(planned)


def test_a_row_added_on_top_is_applied_and_the_others_are_left_out(world: World) -> None:
    world.apply(world.plan(FIRST, "first"))
    planned = world.plan(ON_TOP, "second")
    world.apply(planned)
    verified = world.verify(planned)

    assert (planned.plan.header.added, planned.plan.header.repeats) == (7, 2)
    assert "2 rows are by content in the ledger already: left out" in str(planned)
    assert verified.ok
    assert verified.summary == (
        "verified: 1 APPLIED, 2 SKIPPED of 3 rows (2 in the ledger already and left out)"
    )
    assert verified.counts == {"APPLIED": 1, "SKIPPED": 2}
    assert ["APPLIED", "SKIPPED", "SKIPPED"] == [s for s, _ in results(world, "second").values()]
    assert "holds the same points with the same reason already" in results(world, "second")["2"][1]


def test_a_plan_shows_balances_without_the_rows_that_are_left_out(world: World) -> None:
    sheet = "row_id,phone_number,points,reason\na,+14155550103,50,Late order credit\n"
    world.apply(world.plan(sheet, "first"))
    rows = list(world.plan(sheet + "b,+14155550103,1,New\n", "second").plan.rows())

    assert [(142, 142), (142, 143)] == [(row.before, row.after) for row in rows]


@pytest.mark.parametrize(
    "reason", ["Late order credit", " late  ORDER credit", "Late\u00a0order credit"]
)
def test_what_a_person_gave_by_hand_is_a_repeat_however_it_is_spelt(world: World, reason) -> None:
    account_id = account(world, "+14155550103")
    world.client.adjust_points(account_id, 50, reason=reason, idempotency_key="by hand")

    with pytest.raises(PlanError, match="of no run that is known here"):
        world.plan(FILE)


@pytest.mark.parametrize("other", ["+14155550103,51,Late order credit", "+14155550103,50,Early"])
def test_other_points_or_another_reason_are_no_repeat(world: World, other: str) -> None:
    world.apply(world.plan(FILE, "first"))

    assert world.plan(f"phone_number,points,reason\n{other}\n", "second").plan.header.repeats == 0


def test_what_was_undone_is_held_no_more_until_that_is_undone(world: World) -> None:
    world.apply(world.plan(FILE, "first"))
    world.apply(plan_by(world.client, "plan_undo", "first", run_id="back"))
    assert world.plan(FILE, "second").plan.header.repeats == 0
    world.apply(plan_by(world.client, "plan_undo", "back", run_id="forth"))

    with pytest.raises(PlanError, match="the ledger holds it already"):
        world.plan(FILE, "third")


def test_what_came_between_plan_and_apply_is_left_out_as_well(world: World) -> None:
    first, second = world.plan(FILE, "first"), world.plan(FILE, "second")
    world.apply(first)
    world.apply(second)

    assert world.verify(second).counts == {"SKIPPED": 1}
    assert 142 == world.balances()[account(world, "+14155550103")]


def test_two_rows_of_a_file_that_are_both_meant_are_both_applied(world: World) -> None:
    planned = world.plan(
        "row_id,phone_number,points,reason\nx,+14155550101,1,r\ny,+14155550101,1,r\n"
    )
    world.apply(planned)
    world.apply(planned)

    assert world.verify(planned).counts == {"APPLIED": 2}


@pytest.fixture
def dated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[World, SettableClock]]:
    monkeypatch.setenv("LOYALTY_RUNS", str(tmp_path / "runs"))
    clock = SettableClock(datetime(2027, 1, 4, 9, tzinfo=UTC))
    with Emulator.open(tmp_path / "emulator.sqlite3", clock=clock) as emulator:
        yield World(tmp_path, emulator), clock


@pytest.mark.parametrize(("days", "repeats"), [(89, 1), (91, 0)])
def test_a_repeat_is_looked_for_within_ninety_days_before_the_newest_event(
    dated, days: int, repeats: int
) -> None:
    world, clock = dated
    world.apply(world.plan(FILE, "first"))
    clock.advance(timedelta(days=days))
    world.apply(world.plan(FIRST, "other"))
    planned = world.plan(FILE + "+14155550103,1,New\n", "second")

    assert planned.plan.header.repeats == repeats


# Doubles within a file


def test_two_names_of_one_account_with_the_same_content_are_a_double(world: World) -> None:
    sheet = (
        "phone_number,account_id,points,reason\n+14155550101,,10,Late\n"
        f",{account(world, '+14155550101')},10,  late\n"
    )
    with pytest.raises(PlanError) as caught:
        world.plan(sheet)
    assert str(caught.value).partition("\n")[2] == (
        "line 3: found the same as line 2; allowed: each row once; if both are meant, give them a "
        "row_id of their own"
    )


def test_every_double_is_told_and_not_only_the_last_of_three(world: World) -> None:
    sheet = "phone_number,points,reason\n" + "+14155550101,10,Late\n" * 3 + "+14155550103,1,x\n" * 2
    with pytest.raises(PlanError) as caught:
        world.plan(sheet)
    allowed = "each row once; if both are meant, give them a row_id of their own"
    assert str(caught.value).splitlines() == [
        "no plan was made, and nothing was changed. 3 problems:",
        f"line 3: found the same as line 2; allowed: {allowed}",
        f"line 4: found the same as line 2; allowed: {allowed}",
        f"line 6: found the same as line 5; allowed: {allowed}",
    ]


# Known for ever


def test_a_run_whose_folder_was_lost_days_ago_is_known_by_its_marks(dated) -> None:
    """Another machine, three days and other events later, and Square has forgotten the keys."""
    world, clock = dated
    world.apply(world.plan())
    shutil.rmtree(world.folder / "runs" / "run")
    clock.advance(timedelta(days=3))
    world.apply(world.plan(FIRST, "other"))
    world.emulator.forget_keys()
    sent = world.wire.writes
    planned = world.plan()
    world.apply(planned)

    assert (planned.plan.header.applied, planned.plan.header.added) == (4, 0)
    assert sent == world.wire.writes
    assert world.verify(planned).counts == {"APPLIED": 4}
    assert "4 rows are of this run id in the ledger already: applied before" in str(planned)


def test_a_run_whose_folder_was_lost_half_way_goes_on_with_the_rest(dated) -> None:
    world, clock = dated
    world.apply(world.plan(FIRST))
    shutil.rmtree(world.folder / "runs" / "run")
    clock.advance(timedelta(days=3))
    world.apply(world.plan(FILE, "other"))
    world.emulator.forget_keys()
    planned = world.plan(FIRST + "+13035551434,7,Late\n")
    world.apply(planned)

    assert world.verify(planned).counts == {"APPLIED": 3}
    assert sorted(world.adjustments()[:4]) == [
        (5, "Late"), (6, "Late"), (7, "Late"), (50, "Late order credit")
    ]  # fmt: skip


@pytest.mark.parametrize(("points", "reason"), [(50, "Another reason"), (51, "Late order credit")])
def test_a_lost_run_with_other_values_is_refused(world: World, points: int, reason: str) -> None:
    one(world)
    shutil.rmtree(world.folder / "runs" / "t1")

    with pytest.raises(PlanError, match="run id 't1' was used before for other values"):
        one(world, points=points, reason=reason)


def test_a_mark_that_is_there_twice_is_for_a_person(world: World) -> None:
    planned = world.plan()
    world.apply(planned)
    credit_again(world, planned)
    verified = world.verify(planned)

    assert verified.counts == {"APPLIED": 3, "REVIEW": 1}
    assert "NOT VERIFIED" in verified.summary
    assert results(world, "run")["a"][0] == "REVIEW"
    assert "more than once in the ledger" in results(world, "run")["a"][1]


def credit_again(world: World, planned, row_number: int = 1) -> None:
    """What must not happen: the row of a plan is there a second time."""
    world.emulator.forget_keys()
    [row] = [row for row in planned.plan.rows() if row.n == row_number]
    identity = planned.plan.header.identity(row)
    reason = identity.marked(row.reason)
    sent = {"reason": reason, "idempotency_key": identity.key}
    world.client.adjust_points(row.account_id, row.points, **sent)


# What the look costs


def searches(world: World, planning) -> int:
    world.wire.paths.clear()
    planning()
    return sum(path.endswith("/events/search") for path in world.wire.paths)


def grow(world: World, phone_number: str, events: int) -> None:
    account_id = account(world, phone_number)
    for n in range(events):
        world.client.adjust_points(account_id, 1, reason=f"r{n}", idempotency_key=f"k{n}")


def test_a_long_ledger_of_others_costs_a_plan_of_one_buyer_nothing(world: World) -> None:
    few = searches(world, lambda: world.plan(FILE, "few"))
    grow(world, "+14155550101", 200)

    assert few == searches(world, lambda: world.plan(FILE, "many"))


def test_many_buyers_are_looked_up_together_where_that_takes_fewer_requests(world: World) -> None:
    accounts = [each.id for each in world.client.search_accounts()]
    sheet = "account_id,points,reason\n" + "".join(f"{each},1,r\n" for each in accounts)
    pages = -(-sum(1 for _ in world.client.search_events(types=["ADJUST_POINTS"])) // 30)

    assert pages < len(accounts)
    assert searches(world, lambda: world.plan(sheet)) <= pages + 1


def test_two_buyers_of_a_seller_with_a_long_ledger_are_looked_up_by_themselves(
    world: World,
) -> None:
    grow(world, "+14155550101", 300)

    assert searches(world, lambda: world.plan(FIRST)) <= 1 + 3 + 2


# Undoing


def undo(world: World, run_id: str = "back", **options):
    return plan_by(world.client, "plan_undo", "run", run_id=run_id, **options)


def spent(world: World) -> str:
    """The first buyer of FIRST has spent everything meanwhile."""
    account_id = account(world, "+12065551000")
    balance = world.balances()[account_id]
    world.client.adjust_points(account_id, -balance, reason="Spent", idempotency_key="spent")
    return account_id


def test_an_undoing_that_is_not_possible_names_account_and_row(world: World) -> None:
    world.apply(world.plan(FIRST))
    account_id = spent(world)

    with pytest.raises(PlanError) as caught:
        undo(world)
    assert "row 1, points: found account" in str(caught.value)
    assert "balance 0, change -5 makes -5" in str(caught.value)
    assert account_id in str(caught.value)


def test_the_rest_is_undone_when_somebody_says_so(world: World) -> None:
    world.apply(world.plan(FIRST))
    account_id = spent(world)
    planned = undo(world, allow_partial=True)
    world.apply(planned)

    assert world.verify(planned).counts == {"APPLIED": 1}
    assert "1 row is not possible, and left out: left_out.csv" in str(planned)
    left_out = (planned.plan.folder / "left_out.csv").read_text(encoding="utf-8-sig")
    assert account_id in left_out
    assert "balance 0, change -5 makes -5" in left_out


def test_each_event_of_a_doubled_row_is_undone(world: World) -> None:
    before = world.balances()
    planned = world.plan()
    world.apply(planned)
    credit_again(world, planned)
    world.verify(planned)
    undoing = undo(world)
    world.apply(undoing)

    assert world.verify(undoing).counts == {"APPLIED": 5}
    assert before == world.balances()


def test_undo_csv_holds_each_event_of_a_doubled_row(world: World) -> None:
    planned = world.plan()
    world.apply(planned)
    credit_again(world, planned)
    world.verify(planned)
    before = world.balances()
    content = (planned.plan.folder / "undo.csv").read_text(encoding="utf-8-sig")
    undoing = world.plan(content, "by-file")
    world.apply(undoing)

    assert world.verify(undoing).counts == {"APPLIED": 5}
    assert sum(before.values()) - 50 == sum(world.balances().values())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda row: row | {"undoes": "no-such-event"}, "the id of an adjustment of this account"),
        (lambda row: row | {"points": "-11"}, "found -11 points; allowed: -12, the opposite"),
    ],
)
def test_what_a_file_undoes_is_checked_while_planning(world: World, change, told: str) -> None:
    planned = world.plan()
    world.apply(planned)
    world.verify(planned)
    path = planned.plan.folder / "undo.csv"
    with path.open(encoding="utf-8-sig") as file:
        rows = [change(row) for row in csv.DictReader(file) if row["row_id"] == "a"]
    sheet = ",".join(rows[0]) + "\n" + "".join(",".join(row.values()) + "\n" for row in rows)

    with pytest.raises(PlanError, match=told):
        world.plan(sheet, "by-file")


def test_a_file_that_undoes_an_event_twice_is_refused(world: World) -> None:
    planned = world.plan(SHEET)
    world.apply(planned)
    world.verify(planned)
    path = planned.plan.folder / "undo.csv"
    head, first, *_ = path.read_text(encoding="utf-8-sig").splitlines()
    sheet = "\n".join([head, first, "again," + first.partition(",")[2]])

    with pytest.raises(
        PlanError, match="undoes: found the same event as line 2; allowed: each event"
    ):
        world.plan(sheet, "by-file")
