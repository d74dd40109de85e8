"""Cursors: whole, stable, and bound to their query."""

from datetime import timedelta

import pytest

from tests.seed_world import PHONE_RICH

from .conftest import problem, refused

INVALID = refused("INVALID_CURSOR", "cursor")


@pytest.fixture
def rich(api):
    account_id = api.account_by_phone(PHONE_RICH)["id"]
    return {"loyalty_account_filter": {"loyalty_account_id": account_id}}


@pytest.mark.parametrize("limit", [1, 7, 30])
def test_pages_give_every_event_once(api, rich, limit):
    events = api.all_events(rich, limit)

    assert 45 <= len(events) == len({event["id"] for event in events})


def test_pages_give_every_account_once(api):
    page = api.accounts(limit=7).json()
    found = page["loyalty_accounts"]
    while "cursor" in page:
        page = api.accounts(limit=7, cursor=page["cursor"]).json()
        found += page["loyalty_accounts"]

    assert found == api.accounts(limit=200).json()["loyalty_accounts"]


def test_last_full_page_has_no_cursor(api):
    kinds = {"type_filter": {"types": ["OTHER"]}}
    count = len(api.all_events(kinds))

    assert "cursor" not in api.events(kinds, limit=count).json()


@pytest.mark.parametrize("shift", [timedelta(0), timedelta(seconds=5), timedelta(days=-900)])
def test_events_that_arrive_meanwhile_skip_and_repeat_nothing(api, rich, clock, shift):
    account_id = rich["loyalty_account_filter"]["loyalty_account_id"]
    before = [event["id"] for event in api.all_events(rich)]
    clock.advance(shift)
    page, found = api.events(rich, limit=5).json(), []
    while True:
        found += [event["id"] for event in page["events"]]
        api.adjust(1, f"key {len(found)}", account=account_id)
        if "cursor" not in page:
            break
        page = api.events(rich, limit=5, cursor=page["cursor"]).json()

    assert before == [each for each in found if each in before]
    assert len(found) == len(set(found))


def test_cursor_is_safe_in_a_url(api):
    assert api.events(limit=1).json()["cursor"].replace("-", "").replace("_", "").isalnum()


def test_limit_may_change_between_pages(api):
    cursor = api.events(limit=1).json()["cursor"]

    assert len(api.events(limit=3, cursor=cursor).json()["events"]) == 3


def test_cursor_of_another_query_is_refused(api, rich):
    cursor = api.events(limit=1).json()["cursor"]

    assert problem(api.events(rich, cursor=cursor)) == INVALID


def test_cursor_of_another_endpoint_is_refused(api):
    cursor = api.events(limit=1).json()["cursor"]

    assert (
        problem(api.client.post("/v2/loyalty/accounts/search", json={"cursor": cursor})) == INVALID
    )


def test_cursor_of_another_query_is_accepted_if_so_assumed(open_api):
    api = open_api(cursor_bound_to_query=False)
    cursor = api.events(limit=1).json()["cursor"]

    answer = api.events({"type_filter": {"types": ["OTHER"]}}, cursor=cursor)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "cursor", ["x", "ä", "AAAA", "WzEsMiwzXQ", "W10", "bnVsbA", "!" * 40, "{}"]
)
def test_cursor_we_did_not_make_is_refused(api, cursor):
    assert problem(api.events(cursor=cursor)) == INVALID


def test_changed_cursor_is_refused(api):
    cursor = api.events(limit=1).json()["cursor"]

    assert problem(api.events(cursor="X" + cursor[1:])) == INVALID


def test_empty_cursor_is_refused(api):
    assert refused("VALUE_EMPTY", "cursor") == problem(api.events(cursor=""))
