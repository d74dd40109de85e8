"""Points expire at the end of a month; a program out of force answers nothing."""

from datetime import UTC, datetime

import pytest

from loyalty_helpers.emulator import program
from tests import seed_world as seed

from .conftest import problem

YEAR = program(expiration_policy={"expiration_duration": "P12M"})


@pytest.fixture
def api(open_api):
    return open_api(YEAR)


def lots(api):
    deadlines = api.account().get("expiring_point_deadlines", [])
    return [(each["expires_at"][:10], each["points"]) for each in deadlines]


def expired(api):
    filters = {
        "loyalty_account_filter": {"loyalty_account_id": seed.ACCOUNT_ID},
        "type_filter": {"types": ["EXPIRE_POINTS"]},
    }
    return api.events(filters).json().get("events", [])


def go(clock, day):
    clock.set(datetime.fromisoformat(f"{day}T12:00:00Z"))


def test_points_last_to_the_end_of_the_month(api, clock):
    """Square's example: earned on 6 July 2020 under P12M, they expire on 1 August 2021."""
    go(clock, "2020-07-06")
    api.adjust(12)

    deadlines = api.account()["expiring_point_deadlines"]
    assert [{"points": 12, "expires_at": "2021-08-01T00:00:00Z"}] == deadlines


@pytest.mark.parametrize(
    ("duration", "day"), [("P1M", "2027-01-01"), ("P18M", "2028-06-01"), ("P2Y", "2028-12-01")]
)
def test_policy_says_how_long(open_api, duration, day):
    api = open_api(program(expiration_policy={"expiration_duration": duration}))
    api.adjust(5)

    assert [(day, 5)] == lots(api)


def test_points_of_a_month_expire_together(api, clock):
    api.adjust(5, "a")
    api.adjust(7, "b")
    go(clock, "2026-12-01")
    api.adjust(9, "c")

    assert [("2027-12-01", 12), ("2028-01-01", 9)] == lots(api)


@pytest.mark.parametrize(
    ("oldest_first", "expected"),
    [
        (True, [("2027-12-01", 2), ("2028-01-01", 9)]),
        (False, [("2027-12-01", 11)]),
    ],
)
def test_oldest_points_go_first_unless_assumed_otherwise(open_api, clock, oldest_first, expected):
    api = open_api(YEAR, oldest_points_go_first=oldest_first)
    api.adjust(12, "a")
    go(clock, "2026-12-01")
    api.adjust(9, "b")
    api.reward()

    assert expected == lots(api)


@pytest.mark.parametrize("oldest_first", [True, False])
def test_points_that_pay_a_debt_expire_no_more(open_api, clock, oldest_first):
    api = open_api(YEAR, oldest_points_go_first=oldest_first)
    api.adjust(-5, "a", allow_negative_balance=True)
    go(clock, "2026-12-01")
    api.adjust(9, "b")

    assert [("2028-01-01", 4)] == lots(api)


def test_no_balance_has_no_deadlines(api):
    api.adjust(-5, allow_negative_balance=True)

    assert "expiring_point_deadlines" not in api.account()


def test_program_without_a_policy_has_no_deadlines(open_api):
    api = open_api()
    api.adjust(5)

    assert "expiring_point_deadlines" not in api.account()


def test_points_are_there_until_the_deadline(api, clock):
    api.adjust(12)
    clock.set(datetime(2027, 11, 30, 23, 59, 59, tzinfo=UTC))

    assert (12, []) == (api.account()["balance"], expired(api))


def test_expired_points_leave_the_balance_but_not_the_lifetime_points(api, clock):
    api.adjust(12)
    go(clock, "2027-12-01")

    account = api.account()
    assert (0, 12) == (account["balance"], account["lifetime_points"])


def test_event_of_the_expiry_is_dated_at_the_deadline(api, clock):
    api.adjust(12)
    go(clock, "2027-12-20")

    (event,) = expired(api)
    assert ("2027-12-01T00:00:00Z", "SQUARE") == (event["created_at"], event["source"])
    assert {"loyalty_program_id": seed.PROGRAM_ID, "points": -12} == event["expire_points"]


def test_year_of_expiry_gives_an_event_a_month(api, clock):
    for month in range(1, 13):
        go(clock, f"2027-{month:02}-10")
        api.adjust(month, str(month))
    go(clock, "2029-06-01")

    months = [event["created_at"][:7] for event in expired(api)]
    assert [f"2028-{month:02}" for month in range(12, 1, -1)] == months[1:]
    assert "2029-01" == months[0]
    assert 0 == api.account()["balance"]


@pytest.mark.parametrize("oldest_first", [True, False])
def test_points_that_are_left_expire_later(open_api, clock, oldest_first):
    api = open_api(YEAR, oldest_points_go_first=oldest_first)
    api.adjust(12, "a")
    go(clock, "2027-03-05")
    api.adjust(9, "b")
    go(clock, "2027-12-05")

    assert [("2028-04-01", 9)] == lots(api)


def test_spending_finds_expired_points_gone(api, clock):
    api.adjust(12)
    go(clock, "2027-12-01")

    assert 400 == api.reward().status_code


def test_new_policy_expires_the_old_points_of_the_seed_world(api):
    accounts = api.accounts(limit=200).json()["loyalty_accounts"]

    for account in accounts:
        deadlines = account.get("expiring_point_deadlines", [])
        assert max(account["balance"], 0) == sum(each["points"] for each in deadlines)
        assert all(each["expires_at"] > "2026-11-02" for each in deadlines)


def test_program_out_of_force_answers_nothing(open_api):
    api = open_api(program(status="INACTIVE"))

    code = "MERCHANT_SUBSCRIPTION_NOT_FOUND"
    assert (403, "MERCHANT_SUBSCRIPTION_ERROR", code, None) == problem(api.adjust(1))
    assert 200 == api.client.get("/v2/locations").status_code


def test_program_back_in_force_answers_again(open_api):
    api = open_api(program(status="INACTIVE"))
    api.emulator.set_program(program())

    assert 200 == api.adjust(1).status_code


def test_reset_brings_the_program_of_the_seed_world_back(api):
    api.adjust(5)
    api.emulator.reset()
    api.adjust(5)

    assert "expiring_point_deadlines" not in api.account()


def test_code_of_a_program_out_of_force_can_be_chosen(open_api):
    api = open_api(program(status="INACTIVE"), inactive_program_code="BAD_REQUEST")

    assert 400 == api.adjust(1).status_code


def test_status_of_a_program_out_of_force_can_be_chosen(open_api):
    api = open_api(program(status="INACTIVE"), inactive_program_status=400)

    expected = 400, "MERCHANT_SUBSCRIPTION_ERROR", "MERCHANT_SUBSCRIPTION_NOT_FOUND", None
    assert expected == problem(api.adjust(1))


@pytest.mark.parametrize("oldest_first", [True, False])
@pytest.mark.parametrize(
    ("anew", "expected"),
    [(True, [("2027-12-01", 2), ("2028-01-01", 10)]), (False, [("2027-12-01", 12)])],
)
def test_returned_points_last_anew_unless_assumed_otherwise(
    open_api, clock, oldest_first, anew, expected
):
    switches = {"oldest_points_go_first": oldest_first, "returned_points_last_anew": anew}
    api = open_api(YEAR, **switches)
    api.adjust(12)
    go(clock, "2026-12-05")
    reward = api.reward().json()["reward"]["id"]
    api.delete(reward)

    assert expected == lots(api)


@pytest.mark.parametrize(
    ("in_utc", "expected"),
    [(True, "2028-01-01T00:00:00Z"), (False, "2027-12-01T08:00:00Z")],
)
def test_months_are_those_of_utc_unless_assumed_otherwise(open_api, clock, in_utc, expected):
    api = open_api(YEAR, months_are_in_utc=in_utc)
    clock.set(datetime(2026, 12, 1, 3, tzinfo=UTC))
    api.adjust(12)
    [deadline] = api.account()["expiring_point_deadlines"]
    assert expected == deadline["expires_at"]

    clock.set(datetime.fromisoformat(expected))
    assert api.account()["balance"] == 0
