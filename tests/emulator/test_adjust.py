"""AdjustLoyaltyPoints: balance, lifetime points, bounds and refusals."""

from datetime import timedelta

import pytest

from .conftest import problem, refused

POINTS = "adjust_points.points"


def test_answer_is_the_event_of_the_walkthrough(api):
    body = {"points": 12, "reason": "Granting 12 points to test redemption"}
    event = api.adjust(12, adjust_points=body).json()["event"]

    assert {
        "id": event["id"],
        "type": "ADJUST_POINTS",
        "created_at": "2026-11-02T09:30:00Z",
        "adjust_points": {"loyalty_program_id": "93afe66e-3a14-4be6-8d50-02755example", **body},
        "loyalty_account_id": "1beb38f9-54de-4cb6-8121-718bDexample",
        "source": "LOYALTY_API",
    } == event


def test_event_id_is_a_version_3_uuid(api):
    assert api.adjust(1).json()["event"]["id"].split("-")[2][0] == "3"


def test_positive_points_raise_balance_and_lifetime_points(api):
    api.adjust(12)

    account = api.account()
    assert (account["balance"], account["lifetime_points"]) == (12, 12)


def test_negative_points_leave_lifetime_points(api):
    api.adjust(12)
    api.adjust(-5, "other")

    account = api.account()
    assert (account["balance"], account["lifetime_points"]) == (7, 12)


def test_negative_points_lower_lifetime_points_if_so_assumed(open_api):
    api = open_api(negative_adjust_lowers_lifetime=True)
    api.adjust(12)
    api.adjust(-5, "other")

    assert api.account()["lifetime_points"] == 7


def test_enrolled_at_stays_absent(api):
    api.adjust(12)

    assert "enrolled_at" not in api.account()


def test_updated_at_moves_with_the_clock(api, clock):
    clock.advance(timedelta(hours=1))
    api.adjust(12)

    assert api.account()["updated_at"] == "2026-11-02T10:30:00Z"


def test_updated_at_stays_if_so_assumed(open_api):
    api = open_api(balance_change_moves_updated_at=False)
    api.adjust(12)

    assert api.account()["updated_at"] == "2020-05-11T22:55:18Z"


def test_below_zero_is_refused_and_nothing_written(api):
    assert refused("BAD_REQUEST") == problem(api.adjust(-1))
    assert api.account()["balance"] == 0
    assert (
        api.events({"loyalty_account_filter": {"loyalty_account_id": api.account()["id"]}}).json()
        == {}
    )


def test_below_zero_is_possible_when_allowed(api):
    assert api.adjust(-7, allow_negative_balance=True).status_code == 200
    assert api.account()["balance"] == -7


def test_down_to_zero_needs_no_allowance(api):
    api.adjust(5)

    assert api.adjust(-5, "other").status_code == 200


def test_negative_balance_may_rise(api):
    api.adjust(-7, allow_negative_balance=True)

    assert api.adjust(3, "other").status_code == 200


def test_negative_balance_does_not_fall_further(api):
    api.adjust(-7, allow_negative_balance=True)

    assert refused("BAD_REQUEST") == problem(api.adjust(-1, "other"))


def test_negative_balance_falls_further_if_so_assumed(open_api):
    api = open_api(negative_balance_may_fall_further=True)
    api.adjust(-7, allow_negative_balance=True)

    assert api.adjust(-1, "other").status_code == 200


def test_zero_is_refused(api):
    assert refused("INVALID_VALUE", POINTS) == problem(api.adjust(0))


def test_zero_is_accepted_if_so_assumed(open_api):
    assert open_api(zero_adjust_allowed=True).adjust(0).status_code == 200


@pytest.mark.parametrize(
    ("points", "code"),
    [
        (2**31, "VALUE_TOO_HIGH"),
        (-(2**31) - 1, "VALUE_TOO_LOW"),
        (10**400, "VALUE_TOO_HIGH"),
        ("12", "EXPECTED_INTEGER"),
        (12.0, "EXPECTED_INTEGER"),
        (True, "EXPECTED_INTEGER"),
        ([], "EXPECTED_INTEGER"),
        (None, "MISSING_REQUIRED_PARAMETER"),
    ],
)
def test_points_must_be_a_32_bit_integer(api, points, code):
    assert refused(code, POINTS) == problem(api.adjust(points))


def test_out_of_range_is_no_integer_if_so_assumed(open_api):
    api = open_api(int32_overflow_is_out_of_range=False)

    assert refused("EXPECTED_INTEGER", POINTS) == problem(api.adjust(2**31))


def test_balance_stays_within_32_bits(api):
    assert api.adjust(2**31 - 1).status_code == 200
    assert refused("VALUE_TOO_HIGH", POINTS) == problem(api.adjust(1, "other"))


def test_lifetime_points_stay_within_32_bits(api):
    api.adjust(2**31 - 1)
    api.adjust(-10, "minus")

    assert refused("VALUE_TOO_HIGH", POINTS) == problem(api.adjust(5, "plus"))


def test_unknown_account_is_not_found(api):
    assert refused("NOT_FOUND", status=404) == problem(api.adjust(1, account="nobody"))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"idempotency_key": None}, refused("MISSING_REQUIRED_PARAMETER", "idempotency_key")),
        ({"idempotency_key": ""}, refused("VALUE_EMPTY", "idempotency_key")),
        ({"idempotency_key": "k" * 129}, refused("VALUE_TOO_LONG", "idempotency_key")),
        ({"idempotency_key": 7}, refused("EXPECTED_STRING", "idempotency_key")),
        ({"adjust_points": None}, refused("MISSING_REQUIRED_PARAMETER", "adjust_points")),
        ({"adjust_points": {}}, refused("MISSING_REQUIRED_PARAMETER", POINTS)),
        ({"adjust_points": 12}, refused("EXPECTED_OBJECT", "adjust_points")),
        (
            {"adjust_points": {"points": 1, "reason": "r" * 3501}},
            refused("VALUE_TOO_LONG", "adjust_points.reason"),
        ),
        ({"allow_negative_balance": "yes"}, refused("EXPECTED_BOOLEAN", "allow_negative_balance")),
    ],
)
def test_malformed_field_is_told(api, change, expected):
    assert expected == problem(api.adjust(1, **change))


def test_all_problems_are_told_at_once(api):
    errors = api.adjust("x", key="").json()["errors"]

    assert [error["field"] for error in errors] == ["idempotency_key", POINTS]


def test_texts_of_refusals_are_those_seen_on_the_wire(api):
    details = [error["detail"] for error in api.adjust(None, key="k" * 129).json()["errors"]]

    assert details == ["Field must not be greater than 128 length", "Field must be set"]


@pytest.mark.parametrize("reason", ["r" * 3500, "<img src=x>", "naïve ☃ 🎉", "nul \0 inside"])
def test_reason_comes_back_as_sent(api, reason):
    event = api.adjust(1, adjust_points={"points": 1, "reason": reason}).json()["event"]

    assert reason == event["adjust_points"]["reason"]
    assert [event] == api.events({"type_filter": {"types": ["ADJUST_POINTS"]}}, limit=1).json()[
        "events"
    ]


def test_empty_reason_is_no_reason(api):
    event = api.adjust(1, adjust_points={"points": 1, "reason": ""}).json()["event"]

    assert "reason" not in event["adjust_points"]


def test_null_counts_as_absent(api):
    assert api.adjust(1, allow_negative_balance=None).status_code == 200


def test_unknown_and_read_only_fields_are_ignored(api):
    sent = {"points": 1, "loyalty_program_id": "x", "colour": "red"}

    assert api.adjust(1, adjust_points=sent).status_code == 200


def test_unread_fields_are_refused_if_so_assumed(open_api):
    answer = open_api(unread_fields_refused=True).adjust(1, colour="red")

    assert refused("UNKNOWN_BODY_PARAMETER", "colour") == problem(answer)
