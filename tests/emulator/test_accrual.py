"""What an order earns, by each kind of rule; and what it would earn."""

import pytest

from loyalty_helpers.emulator import program
from tests import seed_world as seed
from tests.seed_world import COFFEE_ID, DRINKS_ID, PERCENT_TIER_ID, SANDWICH_ID

from .conftest import line, problem, refused

COFFEE = {"catalog_object_id": COFFEE_ID, "quantity": "1"}
SANDWICH = {"catalog_object_id": SANDWICH_ID, "quantity": "1"}
TAX = [{"percentage": "10"}]


def usd(amount):
    return {"amount": amount, "currency": "USD"}


def spend(points=1, per=100, tax_mode="BEFORE_TAX", **more):
    data = {"amount_money": usd(per), "tax_mode": tax_mode, **more}
    return {"accrual_type": "SPEND", "points": points, "spend_data": data}


def visit(points=5, least=None, tax_mode="BEFORE_TAX"):
    data = {"tax_mode": tax_mode, **({"minimum_amount_money": usd(least)} if least else {})}
    return {"accrual_type": "VISIT", "points": points, "visit_data": data}


def item(points=1, item_id=COFFEE_ID):
    data = {"item_variation_id": item_id}
    return {"accrual_type": "ITEM_VARIATION", "points": points, "item_variation_data": data}


def category(points=1, category_id=DRINKS_ID):
    data = {"category_id": category_id}
    return {"accrual_type": "CATEGORY", "points": points, "category_data": data}


def earned(open_api, rules, *lines, **order):
    api = open_api(program(accrual_rules=rules))
    bought = api.bought(*lines, **order)
    events = api.accumulate(order_id=bought["id"]).json().get("events", [{}])
    return events[0].get("accumulate_points", {}).get("points", 0)


@pytest.mark.parametrize(
    ("rules", "points"),
    [
        ([spend(1, 100)], 14),
        ([spend(1, 1000)], 1),
        ([spend(3, 500)], 6),
        ([spend(1, 100, "AFTER_TAX")], 15),
        ([spend(excluded_item_variation_ids=[COFFEE_ID])], 8),
        ([spend(excluded_category_ids=[DRINKS_ID])], 8),
        ([visit(5)], 5),
        ([visit(5, 1400)], 5),
        ([visit(5, 1401)], 0),
        ([visit(5, 1540, "AFTER_TAX")], 5),
        ([item()], 2),
        ([item(3)], 6),
        ([item(3, "other")], 0),
        ([category(2)], 4),
        ([visit(5), item(2), spend()], 14),
        ([visit(50), item(2), spend()], 50),
        ([], 0),
    ],
    ids=str,
)
def test_best_rule_wins(open_api, rules, points):
    lines = ({**COFFEE, "quantity": "2"}, SANDWICH)

    assert points == earned(open_api, rules, *lines, taxes=TAX)


def test_discount_of_a_reward_earns_nothing(open_api):
    """Walkthrough 1: $10 less 10 % earn 9 points."""
    api = open_api(program("walkthrough-1"))
    api.accumulate(order_id=api.bought(line("Breakfast", 1200))["id"])
    order = api.order(line("Lunch", 1000)).json()["order"]["id"]
    api.reward(order_id=order, reward_tier_id=PERCENT_TIER_ID)
    api.pay(900, order_id=order)
    (event,) = api.accumulate(order_id=order, key="other").json()["events"]

    assert 9 == event["accumulate_points"]["points"]
    assert 11 == api.account()["balance"]


def test_free_item_earns_nothing(open_api):
    """Walkthrough 2: of four coffees one is free, three earn a point each."""
    api = open_api(program("walkthrough-2"))
    api.adjust(12)
    order = api.order({**COFFEE, "quantity": "4"}).json()["order"]["id"]
    api.reward(order_id=order)
    api.pay(900, order_id=order)
    (event,) = api.accumulate(order_id=order).json()["events"]

    assert 3 == event["accumulate_points"]["points"]
    assert 5 == api.account()["balance"]


@pytest.mark.parametrize(("stops", "points"), [(False, 1), (True, 0)])
def test_discount_on_the_order_leaves_items_their_points(open_api, stops, points):
    api = open_api(program("walkthrough-2"), order_discount_stops_item_points=stops)
    order = api.bought(COFFEE, discounts=[{"percentage": "10"}])["id"]
    api.accumulate(order_id=order)

    assert points == api.account()["balance"]


# Calculate


@pytest.mark.parametrize("order", [seed.ORDER_EARNING_12, seed.ORDER_WITH_TAX])
def test_calculated_points_are_those_that_are_earned(api, order):
    calculated = api.calculate(order_id=order).json()
    (event,) = api.accumulate(order_id=order).json()["events"]

    assert {"points": event["accumulate_points"]["points"], "promotion_points": 0} == calculated


def test_calculating_earns_nothing(api):
    api.calculate(order_id=seed.ORDER_EARNING_12, loyalty_account_id=seed.ACCOUNT_ID)

    assert 0 == api.account()["balance"]


def test_amount_will_do_for_a_spend(api):
    answer = api.calculate(transaction_amount_money=usd(1999))

    assert {"points": 19, "promotion_points": 0} == answer.json()


def test_amount_earns_no_item_points(open_api):
    answer = open_api(program("walkthrough-2")).calculate(transaction_amount_money=usd(1999))

    assert {"points": 0, "promotion_points": 0} == answer.json()


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, refused("MISSING_REQUIRED_PARAMETER", "order_id")),
        (
            {"order_id": "o", "transaction_amount_money": usd(1)},
            refused("CONFLICTING_PARAMETERS", "order_id"),
        ),
        ({"order_id": "none"}, refused("NOT_FOUND", status=404)),
        (
            {"order_id": seed.ORDER_OPEN, "loyalty_account_id": "x"},
            refused("NOT_FOUND", status=404),
        ),
        (
            {"transaction_amount_money": {"amount": 1, "currency": "JPY"}},
            refused("INVALID_VALUE", "transaction_amount_money.currency"),
        ),
    ],
)
def test_malformed_calculation_is_told(api, sent, expected):
    assert expected == problem(api.calculate(**sent))


def test_programs_are_listed(api):
    (listed,) = api.client.get("/v2/loyalty/programs").json()["programs"]

    assert {"program": listed} == api.client.get("/v2/loyalty/programs/main").json()


def test_program_shows_nothing_that_is_not_square_s(api):
    tiers = api.client.get("/v2/loyalty/programs/main").json()["program"]["reward_tiers"]

    assert {("id", "points", "name", "created_at", "pricing_rule_reference")} == {
        tuple(tier) for tier in tiers
    }


def test_amount_can_be_refused_where_items_earn(open_api):
    api = open_api(program("walkthrough-2"), amount_earns_nothing_with_item_rules=False)

    answer = api.calculate(transaction_amount_money=usd(1999))
    assert refused("BAD_REQUEST", "transaction_amount_money") == problem(answer)


@pytest.mark.parametrize(("first", "free"), [(True, 300), (False, 450)])
def test_first_matching_line_is_free_unless_assumed_otherwise(open_api, first, free):
    api = open_api(program("walkthrough-2"), first_matching_line_is_free=first)
    api.adjust(12)
    large = {**COFFEE, "base_price_money": usd(450)}
    order = api.order(COFFEE, large).json()["order"]
    api.reward(order_id=order["id"])

    assert free == api.found_order(order["id"])["total_discount_money"]["amount"]
