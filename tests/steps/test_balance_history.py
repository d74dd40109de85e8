"""The events behind a balance, added up."""

from loyalty_helpers.records.models import LoyaltyAccount, LoyaltyEvent
from loyalty_helpers.records.tables import EventTable
from loyalty_helpers.session import connect
from loyalty_helpers.steps.balance_history import balance_history
from loyalty_helpers.steps.charts import balance_chart
from tests.doubles import ACCOUNT_BODY, EVENT

ACCOUNT = LoyaltyAccount.model_validate(ACCOUNT_BODY)


def event(points, kind="ADJUST_POINTS", **more):
    field = LoyaltyEvent.DETAILS[kind]
    bare = {key: value for key, value in EVENT.items() if key != "adjust_points"}
    details = {field: {"points": points, "reason": "call +14155550123"}}
    return LoyaltyEvent.model_validate(bare | {"type": kind} | details | more)


NEWEST_FIRST = [event(-20, "EXPIRE_POINTS"), event(5), event(12)]


def test_entries_are_oldest_first_with_the_balance_after_each():
    history = balance_history(ACCOUNT, NEWEST_FIRST)

    assert [(12, 12), (5, 17), (-20, -3)] == [(e.event.points, e.balance) for e in history.entries]


def test_the_balance_is_the_sum_of_all_events():
    assert -3 == balance_history(ACCOUNT, iter(NEWEST_FIRST)).balance


def test_no_events_make_no_balance():
    history = balance_history(ACCOUNT, [])

    assert (0, ()) == (history.balance, history.entries)


def test_the_newest_entries_keep_their_balances():
    newest = balance_history(ACCOUNT, NEWEST_FIRST).newest(2)

    assert [17, -3] == [entry.balance for entry in newest.entries]


def test_the_newest_none_are_none():
    assert () == balance_history(ACCOUNT, NEWEST_FIRST).newest(0).entries


def test_points_are_added_up_by_type():
    by_type = balance_history(ACCOUNT, NEWEST_FIRST).by_type

    assert {"ADJUST_POINTS": 17, "EXPIRE_POINTS": -20} == by_type.totals


def test_a_history_shows_balance_and_points_and_masks_phone_numbers():
    lines = str(balance_history(ACCOUNT, NEWEST_FIRST)).splitlines()

    columns = ["balance", "points", "type", "created_at", "source", "event_id", "reason"]
    assert columns == lines[1].split()
    assert lines[-1].split()[:3] == ["-3", "-20", "EXPIRE_POINTS"]
    assert lines[-1].endswith("call ***0123")


def test_events_are_shown_as_they_came():
    lines = str(EventTable(tuple(NEWEST_FIRST))).splitlines()

    assert ["-20", "5", "12"] == [line.split()[0] for line in lines[2:]]


def test_an_event_whose_time_cannot_exist_is_no_point_of_the_chart():
    events = [event(1, created_at="2020-05-11T25:11:07Z"), *NEWEST_FIRST]
    chart = balance_chart(balance_history(ACCOUNT, events))

    assert [12, 17, -3] == [value["balance"] for value in chart.spec["data"]["values"]]


def test_every_balance_of_the_seed_world_is_the_sum_of_its_events():
    with connect("local") as client:
        accounts = list(client.search_accounts(page_size=200))
        histories = [balance_history(a, client.search_events(account_id=a.id)) for a in accounts]

    assert [a.balance for a in accounts] == [history.balance for history in histories]
