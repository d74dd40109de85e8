"""Promotions: what they are, when they are on, and what they add."""

from datetime import UTC, datetime, timedelta

import pytest

from loyalty_helpers.emulator import program
from loyalty_helpers.emulator.periods import read_period
from tests import seed_world as seed
from tests.seed_world import COFFEE_ID, FOOD_ID

from .conftest import line, problem, refused

URL = f"/v2/loyalty/programs/{seed.PROGRAM_ID}/promotions"
HAPPY_HOUR = "DTSTART:20220816T160000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY;BYDAY=TU"


def multiplied(**data):
    return {"type": "POINTS_MULTIPLIER", "points_multiplier_data": data}


def added(points):
    data = {"points_addition": points}
    return {"type": "POINTS_ADDITION", "points_addition_data": data}


def at(*periods):
    return {"time_periods": list(periods)}


def extra(api, key="key", **order):
    """Buy for $5 and return the points that promotions added."""
    bought = api.bought(line("Tea", 500), **order)
    events = api.accumulate(order_id=bought["id"], key=key).json()["events"]
    return sum(e.get("accumulate_promotion_points", {}).get("points", 0) for e in events)


def promotion(answer):
    return answer.json()["loyalty_promotion"]


def cancel_twice(api):
    url = f"{URL}/{promotion(api.promote())['id']}/cancel"
    return [api.client.post(url) for _ in range(2)][-1]


# The promotion


def test_answer_is_the_documented_one(api, clock):
    clock.set(datetime(2022, 8, 16, 8, 38, 54, tzinfo=UTC))
    made = promotion(
        api.promote(
            name="Tuesday Happy Hour Promo",
            incentive=multiplied(multiplier="3"),
            available_time=at(HAPPY_HOUR),
            trigger_limit={"times": 1, "interval": "DAY"},
            minimum_spend_amount_money={"amount": 2000, "currency": "USD"},
            qualifying_category_ids=[FOOD_ID],
        )
    )

    assert made.pop("id").startswith("loypromo_")
    assert {
        "name": "Tuesday Happy Hour Promo",
        "incentive": {
            "type": "POINTS_MULTIPLIER",
            "points_multiplier_data": {"multiplier": "3.000", "points_multiplier": 3},
        },
        "available_time": {
            "start_date": "2022-08-16",
            "time_periods": [
                f"BEGIN:VEVENT\n{HAPPY_HOUR}\nEND:VEVENT",
            ],
        },
        "trigger_limit": {"times": 1, "interval": "DAY"},
        "minimum_spend_amount_money": {"amount": 2000, "currency": "USD"},
        "qualifying_category_ids": [FOOD_ID],
        "created_at": "2022-08-16T08:38:54Z",
        "updated_at": "2022-08-16T08:38:54Z",
        "loyalty_program_id": seed.PROGRAM_ID,
        "status": "ACTIVE",
    } == made


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"multiplier": "1.5"}, {"multiplier": "1.500"}),
        ({"points_multiplier": 2}, {"multiplier": "2.000", "points_multiplier": 2}),
        ({"multiplier": "10"}, {"multiplier": "10.00", "points_multiplier": 10}),
    ],
)
def test_multiplier_has_three_decimals_and_is_whole_if_it_can(api, sent, shown):
    made = promotion(api.promote(incentive=multiplied(**sent)))

    assert shown == made["incentive"]["points_multiplier_data"]


def test_promotion_is_retrieved(api):
    made = promotion(api.promote())

    assert made == promotion(api.client.get(f"{URL}/{made['id']}"))


def test_unknown_promotion_or_program_is_not_found(api):
    made = promotion(api.promote())["id"]
    urls = (f"{URL}/x", f"/v2/loyalty/programs/x/promotions/{made}")

    assert {refused("NOT_FOUND", status=404)} == {problem(api.client.get(url)) for url in urls}


@pytest.mark.parametrize(
    ("now", "status"),
    [
        ("2026-11-02", "SCHEDULED"),
        ("2026-11-05", "ACTIVE"),
        ("2026-11-10", "ACTIVE"),
        ("2026-11-11", "ENDED"),
    ],
)
def test_status_follows_the_clock(api, clock, now, status):
    always = "DTSTART:20261105T000000\nDURATION:P1D\nRRULE:FREQ=DAILY;UNTIL=20261110T235959"
    made = promotion(api.promote(available_time=at(always)))
    clock.set(datetime.fromisoformat(f"{now}T20:00:00Z"))

    assert "2026-11-10" == made["available_time"]["end_date"]
    assert status == promotion(api.client.get(f"{URL}/{made['id']}"))["status"]


def test_canceled_promotion_adds_nothing_any_more(api):
    made = promotion(api.promote())
    canceled = promotion(api.client.post(f"{URL}/{made['id']}/cancel"))

    assert ("CANCELED", "2026-11-02T09:30:00Z") == (canceled["status"], canceled["canceled_at"])
    assert 0 == extra(api)


def test_canceled_promotion_cannot_be_canceled(api):
    assert refused("BAD_REQUEST") == problem(cancel_twice(api))


def test_list_gives_the_newest_first(api, clock):
    made = []
    for key in "abc":
        made.append(promotion(api.promote(key))["id"])
        clock.advance(timedelta(minutes=1))

    found = api.client.get(URL).json()["loyalty_promotions"]
    assert made[::-1] == [each["id"] for each in found]


def test_list_has_pages_and_a_status(api):
    made = [promotion(api.promote(key))["id"] for key in "abc"]
    api.client.post(f"{URL}/{made[1]}/cancel")
    first = api.client.get(URL, params={"limit": 1, "status": "ACTIVE"}).json()
    cursor = {"limit": 1, "status": "ACTIVE", "cursor": first["cursor"]}
    second = api.client.get(URL, params=cursor).json()

    assert [made[2], made[0]] == [page["loyalty_promotions"][0]["id"] for page in (first, second)]
    assert "cursor" not in second


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"limit": 31}, refused("VALUE_TOO_HIGH", "limit")),
        ({"limit": "many"}, refused("EXPECTED_INTEGER", "limit")),
        ({"status": "NEW"}, refused("INVALID_ENUM_VALUE", "status")),
        ({"cursor": "x"}, refused("INVALID_CURSOR", "cursor")),
    ],
)
def test_malformed_list_is_told(api, params, expected):
    assert expected == problem(api.client.get(URL, params=params))


def test_eleventh_promotion_is_refused_until_one_is_canceled(api):
    made = [promotion(api.promote(str(i)))["id"] for i in range(10)]
    answer = api.promote("10")
    api.client.post(f"{URL}/{made[0]}/cancel")

    assert refused("BAD_REQUEST") == problem(answer)
    assert 200 == api.promote("10").status_code


PROMOTION = "loyalty_promotion"


@pytest.mark.parametrize(
    ("sent", "code", "field"),
    [
        ({"name": None}, "MISSING_REQUIRED_PARAMETER", "name"),
        ({"name": "x" * 71}, "VALUE_TOO_LONG", "name"),
        ({"incentive": None}, "MISSING_REQUIRED_PARAMETER", "incentive"),
        ({"incentive": {}}, "MISSING_REQUIRED_PARAMETER", "incentive.type"),
        ({"incentive": {"type": "GIFT"}}, "INVALID_ENUM_VALUE", "incentive.type"),
        (
            {"incentive": multiplied()},
            "MISSING_REQUIRED_PARAMETER",
            "incentive.points_multiplier_data.multiplier",
        ),
        (
            {"incentive": multiplied(multiplier="10.5")},
            "INVALID_VALUE",
            "incentive.points_multiplier_data.multiplier",
        ),
        (
            {"incentive": added(0)},
            "VALUE_TOO_LOW",
            "incentive.points_addition_data.points_addition",
        ),
        ({"available_time": at()}, "ARRAY_EMPTY", "available_time.time_periods"),
        (
            {"available_time": at("DTSTART:20261101T000000")},
            "INVALID_VALUE",
            "available_time.time_periods",
        ),
        (
            {"available_time": at("DTSTART:99991231T230000\nDURATION:PT2H")},
            "INVALID_VALUE",
            "available_time.time_periods",
        ),
        ({"trigger_limit": {"times": 31}}, "VALUE_TOO_HIGH", "trigger_limit.times"),
        (
            {"minimum_spend_amount_money": {"amount": 0, "currency": "USD"}},
            "VALUE_TOO_LOW",
            "minimum_spend_amount_money.amount",
        ),
        (
            {"qualifying_category_ids": ["a"], "qualifying_item_variation_ids": ["b"]},
            "CONFLICTING_PARAMETERS",
            "qualifying_item_variation_ids",
        ),
    ],
)
def test_malformed_promotion_is_told(api, sent, code, field):
    assert refused(code, f"{PROMOTION}.{field}") == problem(api.promote(**sent))


def test_item_program_takes_no_qualifying_items(open_api):
    answer = open_api(program("walkthrough-2")).promote(qualifying_category_ids=[FOOD_ID])

    field = f"{PROMOTION}.qualifying_category_ids"
    assert refused("CONFLICTING_PARAMETERS", field) == problem(answer)


# What it adds


@pytest.mark.parametrize(
    ("incentive", "points"),
    [
        (multiplied(multiplier="3"), 10),
        (multiplied(multiplier="1.5"), 2),
        (multiplied(multiplier="1.1"), 0),
        (added(7), 7),
    ],
)
def test_promotion_adds_points(api, incentive, points):
    api.promote(incentive=incentive)

    assert points == extra(api)
    account = api.account()
    assert (5 + points, 5 + points) == (account["balance"], account["lifetime_points"])


def test_event_of_the_promotion_names_it(api):
    made = promotion(api.promote())["id"]
    order = api.bought(line("Tea", 500))["id"]
    first, second = api.accumulate(order_id=order).json()["events"]

    assert "ACCUMULATE_PROMOTION_POINTS" == second["type"]
    assert first["id"] != second["id"]
    assert {
        "loyalty_program_id": seed.PROGRAM_ID,
        "points": 5,
        "order_id": order,
        "loyalty_promotion_id": made,
    } == second["accumulate_promotion_points"]


def test_calculated_points_have_the_promotion(api):
    api.promote()

    answer = api.calculate(order_id=seed.ORDER_EARNING_12).json()
    assert {"points": 12, "promotion_points": 12} == answer


def test_purchase_without_an_order_gets_no_promotion(api):
    api.promote()

    assert 1 == len(api.accumulate(points=5).json()["events"])


def test_purchase_that_earns_nothing_gets_no_promotion(api):
    api.promote(incentive=added(7))

    assert {} == api.accumulate(order_id=seed.ORDER_EARNING_NOTHING).json()


def test_refusal_of_the_second_event_takes_the_first_one_back(open_api):
    api = open_api(refused_requests_consume_keys=True)
    api.adjust(2**31 - 7)
    api.promote()
    order = api.bought(line("Tea", 500))["id"]
    answers = [api.accumulate(order_id=order) for _ in range(2)]

    assert {refused("VALUE_TOO_HIGH", "accumulate_points.points")} == set(map(problem, answers))
    assert 2**31 - 7 == api.account()["balance"]


def test_newest_promotion_wins(api, clock):
    api.promote("a", incentive=added(1))
    clock.advance(timedelta(minutes=1))
    api.promote("b", incentive=added(2))

    assert 2 == extra(api)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [({"times": 2}, [3, 3, 0, 0]), ({"times": 1, "interval": "DAY"}, [3, 0, 0, 3])],
)
def test_trigger_limit_ends_it_for_a_buyer(api, clock, limit, expected):
    """The fourth purchase is made on the day after the others."""
    api.promote(incentive=added(3), trigger_limit=limit)
    found = [extra(api, str(i)) for i in range(3)]
    clock.advance(timedelta(days=1))

    assert expected == [*found, extra(api, "3")]


def test_older_promotion_takes_over_from_one_that_is_used_up(api, clock):
    api.promote("a", incentive=added(1))
    clock.advance(timedelta(minutes=1))
    api.promote("b", incentive=added(2), trigger_limit={"times": 1})

    assert [2, 1] == [extra(api, "first"), extra(api, "second")]


def test_trigger_limit_counts_when_calculating_for_a_buyer(api):
    api.promote(incentive=added(3), trigger_limit={"times": 1})
    extra(api)
    found = [
        api.calculate(order_id=seed.ORDER_EARNING_12, **more).json()["promotion_points"]
        for more in ({}, {"loyalty_account_id": seed.ACCOUNT_ID})
    ]

    assert [3, 0] == found


@pytest.mark.parametrize(("cents", "points"), [(500, 3), (501, 0)])
def test_minimum_spend_must_be_reached(api, cents, points):
    api.promote(incentive=added(3), minimum_spend_amount_money={"amount": cents, "currency": "USD"})

    assert points == extra(api)


@pytest.mark.parametrize(("switch", "points"), [(False, 0), (True, 3)])
def test_minimum_spend_may_include_tax(open_api, switch, points):
    api = open_api(minimum_spend_includes_tax=switch)
    spend = {"amount": 550, "currency": "USD"}
    api.promote(incentive=added(3), minimum_spend_amount_money=spend)

    assert points == extra(api, taxes=[{"percentage": "10"}])


@pytest.mark.parametrize(("item", "points"), [(COFFEE_ID, 0), ("T", 3)])
def test_purchase_must_have_a_qualifying_item(api, item, points):
    api.promote(incentive=added(3), qualifying_item_variation_ids=[item])
    tea = {**line("Tea", 500), "catalog_object_id": "T"}
    order = api.bought(tea)["id"]
    api.accumulate(order_id=order)

    assert 5 + points == api.account()["balance"]


@pytest.mark.parametrize(
    ("period", "moment", "is_on"),
    [
        ("DTSTART:20260303T160000\nDURATION:PT2H", "2026-03-03T17:59:59", True),
        ("DTSTART:20260303T160000\nDURATION:PT2H", "2026-03-03T18:00:00", False),
        ("DTSTART:20260303T160000\nDURATION:PT2H", "2026-03-04T17:00:00", False),
        ("DTSTART:20260303T160000\nDURATION:P9D", "2026-03-12T15:59:59", True),
        ("DTSTART:20260303T160000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY", "2026-03-10T16:00:00", True),
        ("DTSTART:20260303T160000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY", "2026-03-11T16:00:00", False),
        (
            "DTSTART:20260303T220000\nDURATION:PT4H\nRRULE:FREQ=WEEKLY;BYDAY=FR,SA",
            "2026-03-08T01:00:00",
            True,
        ),
        (
            "DTSTART:20260303T000000\nDURATION:P1D\nRRULE:FREQ=DAILY;UNTIL=20260305T235959",
            "2026-03-06T00:00:00",
            False,
        ),
    ],
)
def test_period_covers_its_repetitions(period, moment, is_on):
    assert is_on == read_period(period).covers(datetime.fromisoformat(moment))


@pytest.mark.parametrize(
    "period",
    [
        "",
        "DTSTART:20260303T160000Z\nDURATION:PT2H",
        "DTSTART:20260303T160000\nDURATION:2H",
        "DTSTART:20260303T160000\nDURATION:P",
        "DTSTART:20260303T160000\nDURATION:PT2H\nSUMMARY:x",
        "DTSTART:20260303T160000\nDURATION:PT2H\nRRULE:FREQ=YEARLY",
        "DTSTART:20260303T160000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY;BYDAY=XX",
        "DTSTART:20260303T160000\nDURATION:PT2H\nRRULE:FREQ=DAILY;UNTIL=soon",
    ],
)
def test_period_that_square_does_not_support_is_refused(period):
    with pytest.raises(ValueError):  # noqa: PT011 - the text is shown as a whole
        read_period(period)


@pytest.mark.parametrize(
    ("switch", "act"),
    [
        (
            "promotion_qualifiers_code",
            lambda api: api.promote(
                qualifying_category_ids=["a"], qualifying_item_variation_ids=["b"]
            ),
        ),
        ("too_many_promotions_code", lambda api: [api.promote(str(i)) for i in range(11)][-1]),
        ("promotion_over_code", cancel_twice),
    ],
)
def test_code_of_a_refusal_can_be_chosen(open_api, switch, act):
    assert "CONFLICT" == problem(act(open_api(**{switch: "CONFLICT"})))[2]


# Periods that cannot be


@pytest.mark.parametrize(
    "period",
    [
        "DTSTART:20261101T090000\nDURATION:PT2H",
        "DTSTART:20260301T090000\nDURATION:PT2H\nRRULE:FREQ=DAILY;UNTIL=20261030T235959",
    ],
)
def test_period_that_is_wholly_past_is_refused(api, period):
    later = "DTSTART:20261205T090000\nDURATION:PT2H"
    answer = api.promote(available_time=at(later, period))

    field = "loyalty_promotion.available_time.time_periods"
    assert refused("INVALID_VALUE", field) == problem(answer)


EACH_TUESDAY = "DTSTART:20261103T160000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY"


@pytest.mark.parametrize(
    "other",
    [
        "DTSTART:20261103T200000\nDURATION:PT1H",
        "DTSTART:20261110T090000\nDURATION:PT1H",
        "DTSTART:20261102T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU",
        "DTSTART:20261101T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY",
    ],
)
def test_second_period_on_a_day_is_refused(api, other):
    for periods in ((EACH_TUESDAY, other), (other, EACH_TUESDAY)):
        answer = api.promote(available_time=at(*periods))

        field = "loyalty_promotion.available_time.time_periods"
        assert refused("INVALID_VALUE", field) == problem(answer)


@pytest.mark.parametrize(
    "other",
    [
        "DTSTART:20261104T160000\nDURATION:PT1H",
        "DTSTART:20261105T160000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;BYDAY=TH,FR",
        "DTSTART:20261101T160000\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20261102T235959",
    ],
)
def test_periods_on_different_days_pass(api, clock, other):
    clock.set(datetime(2026, 11, 1, 9, tzinfo=UTC))

    assert 200 == api.promote(available_time=at(EACH_TUESDAY, other)).status_code


def test_data_of_another_kind_of_incentive_is_refused(api):
    answer = api.promote(incentive={**multiplied(multiplier="2"), **{"type": "POINTS_ADDITION"}})

    field = "loyalty_promotion.incentive.points_multiplier_data"
    assert refused("CONFLICTING_PARAMETERS", field) == problem(answer)
