"""Facts of the seed world that lessons and tests rely on."""

import re
from collections import Counter
from itertools import groupby

import pytest

from loyalty_helpers.emulator.ledger import EVENT_FIELDS
from tests import seed_world as seed

EARNING = {"ACCUMULATE_POINTS", "ACCUMULATE_PROMOTION_POINTS", "ADJUST_POINTS"}


@pytest.fixture
def accounts(api):
    return api.accounts(limit=200).json()["loyalty_accounts"]


@pytest.fixture
def events(api):
    return api.all_events()[::-1]


def points(event):
    return event[EVENT_FIELDS[event["type"]]].get("points", 0)


def by_account(events):
    ordered = sorted(events, key=lambda event: event["loyalty_account_id"])
    return {key: list(group) for key, group in groupby(ordered, lambda e: e["loyalty_account_id"])}


def test_walkthrough_account_is_the_documented_one(api):
    assert api.account() == {
        "id": "1beb38f9-54de-4cb6-8121-718bDexample",
        "program_id": "93afe66e-3a14-4be6-8d50-02755example",
        "balance": 0,
        "lifetime_points": 0,
        "customer_id": "Q80035RNBEZ4WYTB1P9PTAMTexample",
        "created_at": "2020-05-11T22:55:18Z",
        "updated_at": "2020-05-11T22:55:18Z",
        "mapping": {
            "id": "e27de0ff-e56f-450d-95cb-a49a4example",
            "created_at": "2020-05-11T22:55:18Z",
            "phone_number": "+14155551234",
        },
    }


def test_there_are_more_than_40_buyers(accounts):
    assert len(accounts) >= 41


def test_every_balance_is_the_sum_of_its_events(accounts, events):
    sums = Counter()
    for event in events:
        sums[event["loyalty_account_id"]] += points(event)

    assert {a["id"]: a["balance"] for a in accounts} == {a["id"]: sums[a["id"]] for a in accounts}


def test_lifetime_points_are_what_was_earned(accounts, events):
    earned = Counter()
    for event in events:
        if event["type"] in EARNING and points(event) > 0:
            earned[event["loyalty_account_id"]] += points(event)

    assert {a["id"]: a["lifetime_points"] for a in accounts} == {
        a["id"]: earned[a["id"]] for a in accounts
    }


def test_updated_at_is_the_last_event(accounts, events):
    histories = by_account(events)

    for account in accounts[1:]:
        assert histories[account["id"]][-1]["created_at"] == account["updated_at"]


def test_no_event_is_before_its_account(accounts, events):
    created = {account["id"]: account["created_at"] for account in accounts}

    assert all(created[e["loyalty_account_id"]] < e["created_at"] for e in events)


def test_histories_lie_between_2025_and_october_2026(events):
    assert events[0]["created_at"] >= "2025-01"
    assert events[-1]["created_at"] < "2026-11"
    assert events[-1]["created_at"] > "2026-09"


def test_no_reward_or_expiry_takes_more_than_there_is(events):
    for history in by_account(events).values():
        balance = 0
        for event in history:
            balance += points(event)
            assert balance >= 0 or event["type"] == "ADJUST_POINTS"


def test_phones_are_unique_555_numbers(accounts):
    phones = [a["mapping"]["phone_number"] for a in accounts if "phone_number" in a["mapping"]]

    assert len(phones) == len(set(phones)) == len(accounts) - 1
    assert all(re.fullmatch(r"\+1[2-9]\d\d555\d{4}", phone) for phone in phones)


def test_event_ids_are_unique_version_3_uuids(events):
    assert {"3"} == {event["id"][14] for event in events}
    assert len(events) == len({event["id"] for event in events})


def test_account_ids_are_version_4_uuids(accounts):
    assert {"4"} == {account["id"][14] for account in accounts}


def test_rich_buyer_has_more_than_a_page_and_all_types(api, events):
    account = api.account_by_phone(seed.PHONE_RICH)
    history = by_account(events)[account["id"]]

    assert len(history) >= 45
    assert EVENT_FIELDS.keys() == {event["type"] for event in history}


def test_negative_buyer_is_below_zero(api):
    assert api.account_by_phone(seed.PHONE_NEGATIVE)["balance"] < 0


def test_one_reason_is_html(api, events):
    account = api.account_by_phone(seed.PHONE_HTML)
    last = by_account(events)[account["id"]][-1]

    assert last["adjust_points"]["reason"] == "<img src=x onerror=alert(1)>"


def test_twins_look_alike_when_masked():
    assert seed.PHONE_TWIN[-4:] == seed.PHONE_OTHER_TWIN[-4:]


def test_adjustments_in_store_have_a_location_and_those_by_api_have_none(events):
    adjusted = [event for event in events if event["type"] == "ADJUST_POINTS"]

    assert {("SQUARE", True), ("LOYALTY_API", False)} == {
        (event["source"], "location_id" in event) for event in adjusted
    }


def test_purchases_come_with_and_without_an_order(events):
    bought = [event for event in events if event["type"] == "ACCUMULATE_POINTS"]

    assert {True, False} == {"order_id" in event["accumulate_points"] for event in bought}


def test_program_is_the_documented_one(api):
    program = api.client.get("/v2/loyalty/programs/main").json()["program"]

    assert program["id"] == seed.PROGRAM_ID
    assert program["terminology"] == {"one": "Point", "other": "Points"}
    assert program["status"] == "ACTIVE"
