"""AccumulateLoyaltyPoints: by points, and by the order of the purchase."""

import pytest

from tests import seed_world as seed
from tests.seed_world import LOCATIONS

from .conftest import problem, refused

ORDER = "accumulate_points.order_id"
POINTS = "accumulate_points.points"


def test_points_raise_balance_and_lifetime_points(api):
    api.accumulate(points=7)

    account = api.account()
    assert (account["balance"], account["lifetime_points"]) == (7, 7)


def test_first_purchase_sets_enrolled_at(api, clock):
    api.accumulate(points=7)
    clock.set(clock().replace(year=2027))
    api.accumulate(points=7, key="other")

    assert api.account()["enrolled_at"] == "2026-11-02T09:30:00Z"


def test_answer_is_a_list_of_one_event(api):
    (event,) = api.accumulate(order_id=seed.ORDER_EARNING_12).json()["events"]

    assert {
        "id": event["id"],
        "type": "ACCUMULATE_POINTS",
        "created_at": "2026-11-02T09:30:00Z",
        "accumulate_points": {
            "loyalty_program_id": seed.PROGRAM_ID,
            "points": 12,
            "order_id": seed.ORDER_EARNING_12,
        },
        "loyalty_account_id": seed.ACCOUNT_ID,
        "location_id": LOCATIONS[0],
        "source": "LOYALTY_API",
    } == event


def test_tax_earns_nothing_and_cents_are_dropped(api):
    (event,) = api.accumulate(order_id=seed.ORDER_WITH_TAX).json()["events"]

    assert event["accumulate_points"]["points"] == 49


def test_order_that_earns_nothing_gives_an_empty_answer(api):
    answer = api.accumulate(order_id=seed.ORDER_EARNING_NOTHING)

    assert (answer.status_code, answer.json()) == (200, {})
    assert "enrolled_at" not in api.account()


def test_order_that_earns_nothing_is_refused_if_so_assumed(open_api):
    api = open_api(purchase_that_earns_nothing_succeeds=False)

    answer = api.accumulate(order_id=seed.ORDER_EARNING_NOTHING)
    assert refused("BAD_REQUEST") == problem(answer)


def test_open_order_is_refused(api):
    answer = api.accumulate(order_id=seed.ORDER_OPEN)

    assert refused("BAD_REQUEST", ORDER) == problem(answer)


def test_location_of_another_order_is_refused(api):
    answer = api.accumulate(order_id=seed.ORDER_ELSEWHERE)

    assert refused("BAD_REQUEST", "location_id") == problem(answer)


def test_order_earns_once(api):
    api.accumulate(order_id=seed.ORDER_EARNING_12)
    answer = api.accumulate(order_id=seed.ORDER_EARNING_12, key="other")

    assert refused("BAD_REQUEST", ORDER) == problem(answer)


def test_order_earns_again_if_so_assumed(open_api):
    api = open_api(order_earns_once=False)
    api.accumulate(order_id=seed.ORDER_EARNING_12)
    api.accumulate(order_id=seed.ORDER_EARNING_12, key="other")

    assert api.account()["balance"] == 24


def test_unknown_order_is_not_found(api):
    assert refused("NOT_FOUND", status=404) == problem(api.accumulate(order_id="none"))


def test_unknown_location_is_refused(api):
    answer = api.accumulate(points=1, location="LNOWHERE")

    assert refused("INVALID_VALUE", "location_id") == problem(answer)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"points": 1, "order_id": "o"}, refused("CONFLICTING_PARAMETERS", "accumulate_points")),
        ({}, refused("MISSING_REQUIRED_PARAMETER", POINTS)),
        ({"points": 0}, refused("VALUE_TOO_LOW", POINTS)),
        ({"points": -3}, refused("VALUE_TOO_LOW", POINTS)),
        ({"points": 2**31}, refused("VALUE_TOO_HIGH", POINTS)),
        ({"points": "1"}, refused("EXPECTED_INTEGER", POINTS)),
        ({"order_id": ""}, refused("VALUE_EMPTY", ORDER)),
        ({"order_id": 5}, refused("EXPECTED_STRING", ORDER)),
    ],
)
def test_malformed_request_is_told(api, sent, expected):
    assert expected == problem(api.accumulate(**sent))


def test_location_is_required(api):
    answer = api.accumulate(points=1, location=None)

    assert refused("MISSING_REQUIRED_PARAMETER", "location_id") == problem(answer)


@pytest.mark.parametrize(
    ("switch", "sent", "location"),
    [
        ("order_not_completed_code", {"order_id": seed.ORDER_OPEN}, LOCATIONS[0]),
        ("order_location_code", {"order_id": seed.ORDER_ELSEWHERE}, LOCATIONS[0]),
        ("unknown_location_code", {"points": 1}, "LNOWHERE"),
        ("order_and_points_code", {"points": 1, "order_id": "o"}, LOCATIONS[0]),
    ],
)
def test_code_of_a_refusal_can_be_chosen(open_api, switch, sent, location):
    api = open_api(**{switch: "LOCATION_MISMATCH"})

    assert problem(api.accumulate(location=location, **sent))[2] == "LOCATION_MISMATCH"


@pytest.mark.parametrize(("version", "field"), [("2022-08-16", "event"), ("2022-08-17", "events")])
def test_older_versions_answer_with_one_event(api, version, field):
    api.client.headers["Square-Version"] = version
    answers = [api.accumulate(points=5).json() for _ in range(2)]

    assert answers[0] == answers[1]
    assert {field} == answers[0].keys()


def test_older_versions_leave_out_what_a_promotion_adds(api):
    api.promote()
    api.client.headers["Square-Version"] = "2021-05-13"

    event = api.accumulate(order_id=seed.ORDER_EARNING_12).json()["event"]
    assert event["accumulate_points"]["points"] == 12
