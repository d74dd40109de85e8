"""SearchLoyaltyEvents: its five filters, its order, and its refusals."""

import pytest

from loyalty_helpers.emulator.ledger import EVENT_FIELDS
from tests import seed_world as seed
from tests.seed_world import LOCATIONS, PHONE_NEGATIVE, PHONE_RICH

from .conftest import problem, refused

FILTER = "query.filter"


def of_account(account_id):
    return {"loyalty_account_filter": {"loyalty_account_id": account_id}}


def between(**times):
    return {"date_time_filter": {"created_at": times}}


def test_account_filter_finds_that_account_only(api):
    rich = api.account_by_phone(PHONE_RICH)

    assert {rich["id"]} == {
        event["loyalty_account_id"] for event in api.all_events(of_account(rich["id"]))
    }


def test_newest_comes_first(api):
    times = [event["created_at"] for event in api.all_events()]

    assert sorted(times, reverse=True) == times


def test_of_one_second_the_last_written_comes_first(api):
    written = [api.adjust(i, f"key {i}").json()["event"]["id"] for i in (1, 2, 3)]

    assert written[::-1] == [
        e["id"] for e in api.events(of_account(seed.ACCOUNT_ID)).json()["events"]
    ]


@pytest.mark.parametrize("kind", EVENT_FIELDS)
def test_type_filter_finds_each_type_with_its_particulars(api, kind):
    events = api.all_events({"type_filter": {"types": [kind]}})

    assert {kind} == {event["type"] for event in events}
    assert all(EVENT_FIELDS[kind] in event for event in events)


def test_type_filter_finds_any_of_several(api):
    kinds = {"OTHER", "EXPIRE_POINTS"}

    found = api.all_events({"type_filter": {"types": sorted(kinds)}})
    assert kinds == {event["type"] for event in found}


def test_location_filter_finds_that_location_only(api):
    found = api.all_events({"location_filter": {"location_ids": [LOCATIONS[1]]}})

    assert {LOCATIONS[1]} == {event["location_id"] for event in found}


def test_order_filter_finds_the_events_of_an_order(api):
    api.accumulate(order_id=seed.ORDER_EARNING_12)

    (event,) = api.all_events({"order_filter": {"order_id": seed.ORDER_EARNING_12}})
    assert event["accumulate_points"]["order_id"] == seed.ORDER_EARNING_12


@pytest.mark.parametrize(
    ("start", "end", "is_found"),
    [
        ("2026-11-02T09:30:00Z", None, True),
        ("2026-11-02T09:30:00.5Z", None, False),
        ("2026-11-02T10:30:00+01:00", "2026-11-02T10:30:01+01:00", True),
        (None, "2026-11-02T09:30:00Z", False),
        (None, "2026-11-02T09:30:00.5Z", True),
        ("2026-11-02T09:30:00Z", "2026-11-02T09:30:00Z", False),
    ],
)
def test_start_is_inside_the_range_and_end_is_not(api, start, end, is_found):
    api.adjust(1)

    found = api.events({**of_account(seed.ACCOUNT_ID), **between(start_at=start, end_at=end)})
    assert (found.status_code, "events" in found.json()) == (200, is_found)


def test_filters_must_all_hold(api):
    account_id = api.account_by_phone(PHONE_RICH)["id"]
    filters = {**of_account(account_id), "type_filter": {"types": ["OTHER"]}}

    found = api.all_events(filters)
    assert {(account_id, "OTHER")} == {(e["loyalty_account_id"], e["type"]) for e in found}


def test_nothing_found_is_an_empty_answer(api):
    assert api.events(of_account("nobody")).json() == {}


def test_search_without_filter_finds_all(api):
    answer = api.client.post("/v2/loyalty/events/search", json={})

    assert len(answer.json()["events"]) == 30


def test_event_never_changes(api):
    account_id = api.account_by_phone(PHONE_NEGATIVE)["id"]
    before = api.all_events(of_account(account_id))
    api.adjust(5, account=account_id)

    assert before == api.all_events(of_account(account_id))[1:]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (
            {"loyalty_account_filter": {}},
            refused(
                "MISSING_REQUIRED_PARAMETER", f"{FILTER}.loyalty_account_filter.loyalty_account_id"
            ),
        ),
        ({"type_filter": {}}, refused("MISSING_REQUIRED_PARAMETER", f"{FILTER}.type_filter.types")),
        ({"type_filter": {"types": []}}, refused("ARRAY_EMPTY", f"{FILTER}.type_filter.types")),
        (
            {"type_filter": {"types": ["OTHER", "GIFT"]}},
            refused("INVALID_ENUM_VALUE", f"{FILTER}.type_filter.types[1]"),
        ),
        (
            {"location_filter": {"location_ids": "L"}},
            refused("EXPECTED_ARRAY", f"{FILTER}.location_filter.location_ids"),
        ),
        (
            {"order_filter": {"order_id": ""}},
            refused("VALUE_EMPTY", f"{FILTER}.order_filter.order_id"),
        ),
        (
            {"date_time_filter": {}},
            refused("MISSING_REQUIRED_PARAMETER", f"{FILTER}.date_time_filter.created_at"),
        ),
        (
            between(start_at="2026-01-02T00:00:00Z", end_at="2026-01-01T00:00:00Z"),
            refused("INVALID_TIME_RANGE", f"{FILTER}.date_time_filter.created_at"),
        ),
        (
            between(start_at="yesterday"),
            refused("INVALID_TIME", f"{FILTER}.date_time_filter.created_at.start_at"),
        ),
        (
            between(end_at="9999-12-31T23:59:59.5Z"),
            refused("INVALID_TIME", f"{FILTER}.date_time_filter.created_at.end_at"),
        ),
        ([], refused("EXPECTED_OBJECT", FILTER)),
    ],
)
def test_malformed_filter_is_told(api, filters, expected):
    assert expected == problem(api.events(filters))


@pytest.mark.parametrize(("limit", "code"), [(0, "VALUE_TOO_LOW"), (31, "VALUE_TOO_HIGH")])
def test_limit_is_between_1_and_30(api, limit, code):
    assert refused(code, "limit") == problem(api.events(limit=limit))
