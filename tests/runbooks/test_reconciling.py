"""Reconcile: balances against their events, who adjusted what and why, a run against the ledger."""

import csv
import sqlite3
import sys
import weakref
from contextlib import closing
from pathlib import Path

import pytest

from loyalty_helpers import runbooks
from loyalty_helpers.api import square_error
from loyalty_helpers.errors import ParameterError, PlanError
from loyalty_helpers.records.show import VERIFICATION_MIME
from loyalty_helpers.runbooks.apply import progress
from loyalty_helpers.runbooks.apply.journal import JOURNAL
from loyalty_helpers.runbooks.apply.progress import Reading, standing_of
from loyalty_helpers.runbooks.limits import Time
from tests.seed_world import ACCOUNT_ID

from .conftest import QUICK
from .test_progress import Terminal

OTHER = "00000000-0000-4000-8000-000000000000"


def adjust(world, points, reason="Late order", account_id=ACCOUNT_ID, key=None):
    return world.client.adjust_points(
        account_id,
        points,
        reason=reason,
        idempotency_key=key or f"{points}{reason}{account_id}",
        allow_negative_balance=True,
    )


def reconcile(world, **options):
    at_once = {"run_id": "audit", "time": Time(sleep=lambda _: None)}
    return runbooks.reconcile(world.client, **(at_once | options))


def tamper(world, statement, *values):
    """Change one row of the emulator's file behind its back."""
    with closing(sqlite3.connect(world.folder / "emulator.sqlite3")) as connection, connection:
        assert connection.execute(statement, values).rowcount == 1


def rows_of(world, name):
    with (world.folder / "runs" / "audit" / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def compare(world, run_id="run"):
    return runbooks.compare_run(world.client, run_id, limits=QUICK)


def test_every_balance_of_the_seed_world_is_what_its_events_make(world):
    reconciled = reconcile(world)

    assert reconciled.ok
    assert reconciled.accounts == len(world.balances())
    assert reconciled.events == sum(1 for _ in world.client.search_events())


def test_nothing_is_written_to_square(world):
    reconcile(world)
    reconcile(world, account_ids=ACCOUNT_ID)

    assert {path.split("/")[-1] for path in world.wire.paths} <= {"search", ACCOUNT_ID}


def test_a_balance_that_no_event_explains_is_told_with_its_figures(world):
    adjust(world, 12)
    tamper(world, "UPDATE account SET balance = 15 WHERE id = ?", ACCOUNT_ID)

    reconciled = reconcile(world)

    [found] = reconciled.differences
    assert not reconciled.ok
    assert found == (ACCOUNT_ID, "***1234", 15, 12, 3, 12, 12)
    assert "1 balance is not what its events make" in reconciled.summary


def test_an_event_that_is_gone_is_told(world):
    event = adjust(world, 12)
    tamper(world, "DELETE FROM event WHERE id = ?", event.id)

    assert [found[0] for found in reconcile(world).differences] == [ACCOUNT_ID]


def test_differences_are_written_for_a_spreadsheet(world):
    tamper(world, "UPDATE account SET balance = 15 WHERE id = ?", ACCOUNT_ID)
    reconcile(world)

    [row] = rows_of(world, "differences.csv")
    assert (row["account_id"], row["balance"], row["difference"]) == (ACCOUNT_ID, "15", "15")


def test_phone_numbers_are_shown_only_when_that_is_asked_for(world):
    tamper(world, "UPDATE account SET balance = 15 WHERE id = ?", ACCOUNT_ID)

    assert "+14155551234" not in str(reconcile(world))
    assert "+14155551234" in str(reconcile(world, show_phone_numbers=True))


def test_an_account_that_moves_while_others_are_read_is_no_difference(world):
    """The walk over all events finds one more than the account had when it was read."""
    search = world.client.search_events

    def moving(**filters):
        if not filters.get("account_id"):
            adjust(world, 7, key="meanwhile")
        return search(**filters)

    world.client.search_events = moving

    assert reconcile(world).ok


def between_the_walks(world, act):
    """Do something when all accounts have been read, and no event has."""
    search, left = world.client.search_events, [1]

    def acting(**filters):
        if left and not filters.get("account_id"):
            left.clear()
            act()
        return search(**filters)

    world.client.search_events = acting


def test_a_buyer_who_is_enrolled_meanwhile_is_compared_as_well(world):
    def enrol():
        program = world.client.retrieve_program().id
        made = world.client.create_account(
            "+14155550177", program_id=program, idempotency_key="new"
        )
        adjust(world, 12, account_id=made.id)
        tamper(world, "UPDATE account SET balance = 15 WHERE id = ?", made.id)

    before = len(world.balances())
    between_the_walks(world, enrol)
    reconciled = reconcile(world)

    assert (reconciled.accounts, len(reconciled.differences)) == (before + 1, 1)


def test_an_account_that_is_gone_meanwhile_is_noted_and_is_no_difference(world):
    adjust(world, 12)
    delete = "DELETE FROM account WHERE id = ?"
    tamper(world, "UPDATE account SET balance = 15 WHERE id = ?", ACCOUNT_ID)
    between_the_walks(world, lambda: tamper(world, delete, ACCOUNT_ID))
    reconciled = reconcile(world)

    assert reconciled.ok, reconciled.summary
    assert "1 account has events and does not exist" in str(reconciled)


def test_a_cursor_that_expires_among_the_accounts_begins_their_reading_again(world):
    search, left = world.client.search_accounts, [1]

    def expiring(**query):
        for n, account in enumerate(search(**query)):
            if n == 2 and left:
                left.clear()
                raise square_error(400, [{"code": "INVALID_CURSOR"}], request="POST /search")
            yield account

    world.client.search_accounts = expiring

    assert reconcile(world).ok


def counted(world):
    """How many adjustments the file counts whose reason nobody else gives."""
    rows = rows_of(world, "adjustments.csv")
    return [row["adjustments"] for row in rows if row["reason"] == "Counted"]


def again(world, number):
    """A walk over all events gives the one with this number once more, and goes on."""
    search = world.client.search_events

    def shifted(**filters):
        for n, event in enumerate(search(**filters)):
            yield event
            if n == number and not filters.get("account_id"):
                yield event

    world.client.search_events = shifted


def test_an_event_that_a_shifted_page_gives_again_is_counted_once(world):
    adjust(world, 12, "Counted")
    again(world, 0)
    reconciled = reconcile(world)

    assert reconciled.ok
    assert reconciled.events == sum(1 for _ in world.client.search_events()) - 1
    assert ["1"] == counted(world)


def test_a_walk_over_events_that_begins_again_counts_each_once(world):
    adjust(world, 12, "Counted")
    search, left = world.client.search_events, [1]

    def expiring(**filters):
        for n, event in enumerate(search(**filters)):
            if n == 2 and left:
                left.clear()
                raise square_error(400, [{"code": "INVALID_CURSOR"}], request="POST /search")
            yield event

    world.client.search_events = expiring
    reconciled = reconcile(world)

    assert reconciled.ok
    assert ["1"] == counted(world)


def test_adjustments_of_an_account_that_is_read_again_are_counted_once(world):
    adjust(world, 12, "Counted")
    tamper(world, "UPDATE account SET balance = 15 WHERE id = ?", ACCOUNT_ID)
    reconcile(world)
    whole = counted(world)
    reconcile(world, account_ids=ACCOUNT_ID)
    alone = counted(world)

    assert ["1", "1"] == [*whole, *alone]


def test_an_adjustment_that_is_found_late_is_counted(world):
    world.fail("late-events:seconds=3600")
    adjust(world, 12, "Counted")
    reconcile(world, time=Time(sleep=lambda _: world.emulator.faults.clear()))

    assert ["1"] == counted(world)


def test_accounts_with_other_lifetime_points_are_named_in_the_file(world):
    tamper(world, "UPDATE account SET lifetime_points = 5 WHERE id = ?", ACCOUNT_ID)
    reconcile(world)

    [row] = rows_of(world, "differences.csv")
    assert (row["account_id"], row["difference"]) == (ACCOUNT_ID, "0")
    assert (row["lifetime_points"], row["events_raise"]) == ("5", "0")


def test_an_event_that_cannot_be_found_yet_is_given_its_time(world):
    waits = []

    def wait(seconds):
        waits.append(seconds)
        world.emulator.faults.clear()

    world.fail("late-events:seconds=3600")
    adjust(world, 12)
    reconciled = reconcile(world, time=Time(sleep=wait))

    assert reconciled.ok
    assert waits == [2.0]


def test_the_folder_of_a_run_with_a_plan_is_not_taken(world):
    world.plan(run_id="bulk")
    world.wire.paths.clear()

    with pytest.raises(ParameterError, match="is a run with a plan: give it as check_run_id"):
        reconcile(world, run_id="bulk")
    assert world.wire.paths == []


def test_named_accounts_are_read_and_no_others(world):
    adjust(world, 12)
    reconciled = reconcile(world, account_ids=f" {ACCOUNT_ID}, {ACCOUNT_ID} ")

    assert (reconciled.accounts, reconciled.events, reconciled.ok) == (1, 1, True)


def test_an_account_that_does_not_exist_is_told_and_the_others_are_read(world):
    reconciled = reconcile(world, account_ids=f"{OTHER},{ACCOUNT_ID}")

    assert (reconciled.ok, reconciled.missing, reconciled.accounts) == (False, (OTHER,), 1)
    assert OTHER in reconciled.summary
    assert OTHER in str(reconciled)


def test_an_account_that_is_deleted_while_it_is_read_alone_is_missing_once(world):
    adjust(world, 12)
    retrieve, left = world.client.retrieve_account, [1]

    def deleting(account_id):
        found = retrieve(account_id)
        if left:
            left.clear()
            tamper(world, "DELETE FROM account WHERE id = ?", account_id)
        return found

    world.client.retrieve_account = deleting
    reconciled = reconcile(world, account_ids=ACCOUNT_ID)

    assert (ACCOUNT_ID,) == reconciled.missing


def test_accounts_that_do_not_exist_are_shown_beside_balances_that_differ(world):
    adjust(world, 12)
    tamper(world, "UPDATE account SET balance = 15 WHERE id = ?", ACCOUNT_ID)
    reconciled = reconcile(world, account_ids=f"{OTHER},{ACCOUNT_ID}")

    told = f"1 account does not exist: {OTHER}"
    assert (1, (OTHER,)) == (len(reconciled.differences), reconciled.missing)
    assert "1 of 1 balances" in str(reconciled)
    assert f"  {told}." in str(reconciled).splitlines()
    assert told in reconciled._repr_mimebundle_()["text/html"]
    assert f"1 balance is not what its events make, {told}" in reconciled.summary


def test_a_summary_speaks_of_no_balance_when_only_accounts_are_missing(world):
    reconciled = reconcile(world, account_ids=OTHER)

    told = f"1 account does not exist: {OTHER}"
    assert f"NOT VERIFIED: 0 accounts, 0 events, {told}" == reconciled.summary
    assert str(reconciled).startswith("Every balance that was found is")


def test_of_many_accounts_that_do_not_exist_the_view_names_all_and_the_summary_says_how_many(world):
    ids = [f"{n:08}-0000-4000-8000-000000000000" for n in range(7)]
    reconciled = reconcile(world, account_ids=",".join(ids))

    assert f"7 accounts do not exist: {', '.join(ids)}." in str(reconciled)
    assert f"7 accounts do not exist: {', '.join(ids[:5])} and 2 more" in reconciled.summary


@pytest.mark.parametrize("ids", ["a b", "../accounts", "x" * 37])
def test_what_cannot_be_an_id_is_refused_before_anything_is_read(world, ids):
    with pytest.raises(ParameterError, match="account_ids"):
        reconcile(world, account_ids=ids)
    assert world.wire.paths == []


def test_lifetime_points_are_noted_and_are_no_error(world):
    tamper(world, "UPDATE account SET lifetime_points = 5 WHERE id = ?", ACCOUNT_ID)
    reconciled = reconcile(world, account_ids=ACCOUNT_ID)

    assert reconciled.ok
    assert "1 account has other lifetime points" in str(reconciled)


def test_points_taken_away_leave_the_lifetime_points_as_they_are(world):
    adjust(world, 12)
    adjust(world, -5)

    assert reconcile(world, account_ids=ACCOUNT_ID).lifetimes_apart == 0


def test_adjustments_are_counted_by_source_reason_and_day(world):
    adjust(world, 12)
    adjust(world, 3, "Birthday")
    adjust(world, -5)
    reconciled = reconcile(world, account_ids=ACCOUNT_ID)

    assert reconciled.by_source.groups == (("LOYALTY_API", 3, 15, 5),)
    assert reconciled.by_reason.groups == (("Late order", 2, 12, 5), ("Birthday", 1, 3, 0))
    [day] = reconciled.by_day.groups
    assert day[1:] == (3, 15, 5)


def test_rows_of_a_run_stand_under_their_reason_without_its_mark(world):
    world.apply(world.plan())
    reasons = [group.name for group in reconcile(world).by_reason.groups]

    assert "Late" in reasons
    assert not any("[lr1:" in reason for reason in reasons)


def test_only_adjustments_of_the_period_are_counted_and_balances_need_all_events(world):
    adjust(world, 12)
    past = reconcile(world, account_ids=ACCOUNT_ID, end_date="2021-01-01")
    since = reconcile(world, account_ids=ACCOUNT_ID, start_date="2021-01-01")

    assert (past.ok, past.by_source.groups) == (True, ())
    assert [group.adjustments for group in since.by_source.groups] == [1]


def test_the_period_begins_with_its_first_day_and_ends_before_its_last(world):
    day = f"{adjust(world, 12).created_at:%Y-%m-%d}"

    assert reconcile(world, account_ids=ACCOUNT_ID, start_date=day).by_day.groups
    assert not reconcile(world, account_ids=ACCOUNT_ID, end_date=day).by_day.groups


def test_adjustments_are_written_for_a_spreadsheet_and_no_cell_is_a_formula(world):
    adjust(world, 12, "=1+1")
    reconcile(world, account_ids=ACCOUNT_ID)

    [row] = rows_of(world, "adjustments.csv")
    assert (row["reason"], row["points_added"], row["points_taken"]) == ("'=1+1", "12", "0")


def test_a_phone_number_in_a_reason_is_masked(world):
    adjust(world, 12, "Call +14155550123")
    reconciled = reconcile(world, account_ids=ACCOUNT_ID)

    assert "+14155550123" not in str(reconciled.by_reason)
    assert "+14155550123" not in rows_of(world, "adjustments.csv")[0]["reason"]


def test_the_chart_has_points_added_and_taken_of_each_day(world):
    adjust(world, 12)
    adjust(world, -5)
    values = reconcile(world, account_ids=ACCOUNT_ID).chart.spec["data"]["values"]

    assert [value["points"] for value in values] == [12, -5]


def test_the_chart_of_differences_has_each_account_with_its_points(world):
    tamper(world, "UPDATE account SET balance = 15 WHERE id = ?", ACCOUNT_ID)
    chart = reconcile(world).differences_chart

    assert chart.title == "Accounts whose balance differs: 1"
    assert chart.spec["data"]["values"] == [{"account": ACCOUNT_ID, "points": 15}]


def test_the_chart_of_no_differences_says_so(world):
    assert reconcile(world).differences_chart.title == "Accounts whose balance differs: 0"


def test_many_differences_are_counted_and_the_first_are_shown(world):
    with closing(sqlite3.connect(world.folder / "emulator.sqlite3")) as connection, connection:
        connection.execute("UPDATE account SET balance = balance + 1")
    reconciled = reconcile(world)

    assert len(reconciled.differences) == reconciled.accounts
    assert f"... and {reconciled.accounts - 20} more in differences.csv" in str(reconciled)


def test_the_receipt_gets_one_line(world):
    facts = reconcile(world)._repr_mimebundle_()[VERIFICATION_MIME]

    assert facts["verified"]
    assert facts["summary"].startswith("verified: ")


def test_a_short_reading_tells_nothing(world):
    reconcile(world)

    assert standing_of(world.folder / "runs" / "audit") is None


def test_a_long_reading_tells_how_far_it_is(tmp_path):
    now = iter(range(100))
    reading = Reading(tmp_path, clock=lambda: float(next(now)))
    for _ in reading.counted(range(600)):
        continue
    before = standing_of(tmp_path)
    reading.end()

    assert (500, 0, "500 records read, 250/s") == tuple(before.values())
    assert (600, 600) == ((after := standing_of(tmp_path))["done"], after["rows"])


# A run against the ledger


def test_without_a_run_nothing_is_compared(world):
    compared = compare(world, "")

    assert compared.ok
    assert "No run is compared" in str(compared)


def test_a_run_that_was_applied_agrees(world):
    world.apply(world.plan())
    compared = compare(world)

    assert compared.ok
    assert compared.summary == "verified: 4 APPLIED of 4 rows"


def test_a_row_that_the_ledger_lost_is_told(world):
    world.apply(world.plan())
    tamper(world, "DELETE FROM event WHERE body LIKE '%-20%[lr1:%'")
    compared = compare(world)

    assert not compared.ok
    assert "row d is APPLIED, and 0 times in the ledger" in compared.summary


def test_rows_in_the_ledger_are_told_when_the_journal_was_lost(world):
    planned = world.plan()
    world.apply(planned)
    (planned.plan.folder / JOURNAL).unlink()
    compared = compare(world)

    assert "row a is PLANNED, and 1 time in the ledger" in compared.summary
    assert not (planned.plan.folder / JOURNAL).exists()


def test_a_run_that_was_only_planned_agrees(world):
    world.plan()

    assert compare(world).ok


def test_a_run_that_is_not_there_is_told(world):
    with pytest.raises(PlanError, match="there is no run 'never' to compare"):
        compare(world, "never")


def test_memory_does_not_grow_with_what_is_read(world, monkeypatch):
    """No more events are alive at a time than two pages hold."""
    alive, most = set(), [0]
    search = world.client.search_events

    def watched(**filters):
        for event in search(**filters):
            alive.add(ref := weakref.ref(event, alive.discard))
            most[0] = max(most[0], len(alive))
            del ref
            yield event

    monkeypatch.setattr(world.client, "search_events", watched)
    reconciled = reconcile(world)

    assert most[0] <= 60 < reconciled.events


def test_files_are_for_their_owner_only(world):
    reconcile(world)
    folder = Path(world.folder / "runs" / "audit")

    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "differences.csv": 0o600,
        "adjustments.csv": 0o600,
    }
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.fixture
def three_differ(world, monkeypatch):
    """Three balances differ, and at most two accounts are read once more; the ids in order."""
    monkeypatch.setattr(sys.modules["loyalty_helpers.runbooks.reconcile"], "MOST_READ_AGAIN", 2)
    ids = sorted(world.balances())[:3]
    for account_id in ids:
        tamper(world, "UPDATE account SET balance = balance + 1 WHERE id = ?", account_id)
    return ids


def test_accounts_beyond_those_that_are_read_again_are_not_settled(world, three_differ):
    reconciled = reconcile(world)

    assert [found.account_id for found in reconciled.differences] == three_differ[:2]
    assert not reconciled.ok
    assert f"1 account not settled: {three_differ[2]}" in reconciled.summary
    assert "not_settled.csv names all of them" in str(reconciled)
    assert [row["account_id"] for row in rows_of(world, "not_settled.csv")] == three_differ[2:]


def test_no_more_accounts_are_read_again_than_allowed(world, three_differ):
    world.wire.paths.clear()
    reconcile(world)

    read = {path.rpartition("/")[2] for path in world.wire.paths} - {"search"}
    assert read == set(three_differ[:2])


def test_nothing_is_verified_while_an_account_is_not_settled(world, three_differ):
    """All that was read again has become right meanwhile, and of the rest nothing is known."""

    def mend(_: float) -> None:
        for account_id in three_differ[:2]:
            tamper(world, "UPDATE account SET balance = balance - 1 WHERE id = ?", account_id)

    reconciled = reconcile(world, time=Time(sleep=mend))

    assert (reconciled.differences, reconciled.unsettled) == ((), (three_differ[2],))
    assert not reconciled.ok
    assert "NOT VERIFIED" in reconciled.summary
    assert "Every balance that was settled is what its events make" in str(reconciled)


def test_what_was_not_settled_is_forgotten_when_it_is(world, three_differ, monkeypatch):
    reconcile(world)
    monkeypatch.setattr(sys.modules["loyalty_helpers.runbooks.reconcile"], "MOST_READ_AGAIN", 3)

    assert len(reconcile(world).differences) == 3
    assert not (world.folder / "runs" / "audit" / "not_settled.csv").exists()


def test_accounts_that_are_read_one_by_one_are_told_on_the_way(tmp_path, capsys):
    seconds = iter(range(100))
    reading = Reading(tmp_path, clock=lambda: next(seconds))

    assert list(reading.one_by_one("abc")) == ["a", "b", "c"]
    assert standing_of(tmp_path)["text"].startswith("2 of 3 accounts read one by one")
    assert "of 3 accounts read one by one" in capsys.readouterr().err


def test_how_far_it_is_is_told_while_accounts_are_read_again(world, three_differ, monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.0)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    reconcile(world)

    assert "1 of 2 accounts read one by one" in terminal.getvalue()


def test_a_full_disk_does_not_stop_what_only_tells_how_far_it_is(tmp_path):
    (tmp_path / "progress.json").mkdir()  # nothing can be moved to its place
    seconds = iter(range(100))

    assert list(Reading(tmp_path, clock=lambda: next(seconds)).one_by_one("abc")) == [*"abc"]
