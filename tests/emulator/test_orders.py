"""Orders, payments and customers: as much of them as the walkthroughs need."""

import pytest

from loyalty_helpers.emulator import program
from tests import seed_world as seed
from tests.seed_world import COFFEE_ID, PERCENT_TIER_ID, PHONE_RICH, SANDWICH_ID, SANDWICH_TIER_ID

from .conftest import line, problem, refused

COFFEE = {"catalog_object_id": COFFEE_ID, "quantity": "1"}
SANDWICH = {"catalog_object_id": SANDWICH_ID, "quantity": "1"}


def amounts(order):
    names = ("total_money", "total_tax_money", "total_discount_money")
    return tuple(order[name]["amount"] for name in names)


def last_types(api, count):
    filters = {"loyalty_account_filter": {"loyalty_account_id": seed.ACCOUNT_ID}}
    return [event["type"] for event in api.events(filters).json()["events"][:count]]


# Orders


def test_new_order_is_open_and_due(api):
    order = api.order(line("Tea", 250, "2")).json()["order"]

    assert ("OPEN", 1) == (order["state"], order["version"])
    assert {"amount": 500, "currency": "USD"} == order["net_amount_due_money"]
    assert "2026-11-02T09:30:00.000Z" == order["created_at"]


def test_catalog_gives_name_and_price(api):
    (coffee,) = api.order(COFFEE).json()["order"]["line_items"]

    assert ("Coffee", 300) == (coffee["name"], coffee["base_price_money"]["amount"])


def test_order_without_lines_has_no_array_of_them(api):
    sent = {"location_id": "L88917AVBK2S5", "taxes": [{"percentage": "8.5"}]}
    order = api.client.post("/v2/orders", json={"order": sent}).json()["order"]

    assert "line_items" not in order
    assert 0 == order["total_money"]["amount"]
    assert 0 == api.calculate(order_id=order["id"]).json()["points"]


def test_order_of_another_version_is_not_paid(api):
    order = api.order(COFFEE).json()["order"]
    body = {"idempotency_key": "k", "payment_ids": [], "order_version": 2}
    answer = api.client.post(f"/v2/orders/{order['id']}/pay", json=body)

    assert refused("VERSION_MISMATCH", "order_version") == problem(answer)


def test_order_is_retrieved(api):
    order = api.order(COFFEE).json()["order"]

    assert order == api.found_order(order["id"])


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"taxes": [{"percentage": "8.5"}]}, (1085, 85, 0)),
        ({"discounts": [{"percentage": "10"}]}, (900, 0, 100)),
        ({"discounts": [{"amount_money": {"amount": 1500, "currency": "USD"}}]}, (0, 0, 1000)),
        ({"discounts": [{"percentage": "10"}], "taxes": [{"percentage": "10"}]}, (990, 90, 100)),
        ({"discounts": [{"percentage": "10"}, {"percentage": "10"}]}, (810, 0, 190)),
    ],
)
def test_tax_is_on_what_discounts_leave(api, more, expected):
    order = api.order(line("Tea", 333), line("Cake", 667), **more).json()["order"]

    assert expected == amounts(order)
    assert expected == tuple(
        sum(each[name]["amount"] for each in order["line_items"])
        for name in ("total_money", "total_tax_money", "total_discount_money")
    )


def test_key_of_an_order_is_optional(api):
    orders = [api.order(COFFEE).json()["order"]["id"] for _ in range(2)]

    assert 2 == len(set(orders))


def test_same_key_gives_the_same_order(api):
    assert api.order(COFFEE, key="k").json() == api.order(COFFEE, key="k").json()


@pytest.mark.parametrize("order", [seed.ORDER_WITH_TAX, seed.ORDER_OPEN])
def test_orders_of_the_seed_world_are_found(api, order):
    assert order == api.found_order(order)["id"]


def test_unknown_order_is_not_found(api):
    assert refused("NOT_FOUND", status=404) == problem(api.client.get("/v2/orders/x"))


@pytest.mark.parametrize(
    ("sent", "code", "field"),
    [
        ({"name": "Tea"}, "MISSING_REQUIRED_PARAMETER", "quantity"),
        (line("Tea", 5, "two"), "INVALID_VALUE", "quantity"),
        (line("Tea", 5, "0"), "INVALID_VALUE", "quantity"),
        (line("Tea", -5), "VALUE_TOO_LOW", "base_price_money.amount"),
        ({"name": "Tea", "quantity": "1"}, "MISSING_REQUIRED_PARAMETER", "base_price_money"),
        ({"catalog_object_id": "x", "quantity": "1"}, "NOT_FOUND", "catalog_object_id"),
    ],
)
def test_malformed_line_is_told(api, sent, code, field):
    status, _, found, path = problem(api.order(sent))

    assert (404 if code == "NOT_FOUND" else 400, code) == (status, found)
    assert f"order.line_items[0].{field}" == path


def test_what_is_not_emulated_is_refused(api):
    answer = api.order(COFFEE, taxes=[{"percentage": "5", "type": "INCLUSIVE"}])

    assert refused("INVALID_VALUE", "order.taxes[0].type") == problem(answer)


def test_uid_is_there_once(api):
    answer = api.order({**COFFEE, "uid": "x"}, {**COFFEE, "uid": "x"})

    assert refused("INVALID_VALUE", "order.line_items") == problem(answer)


# Payments


def test_payment_of_the_total_completes_the_order(api):
    order = api.order(COFFEE).json()["order"]
    payment = api.pay(300, order_id=order["id"]).json()["payment"]

    assert ("COMPLETED", 300) == (payment["status"], payment["total_money"]["amount"])
    assert "COMPLETED" == api.found_order(order["id"])["state"]


def test_tip_is_beside_the_total(api):
    order = api.order(COFFEE).json()["order"]
    tip = {"amount": 50, "currency": "USD"}
    payment = api.pay(300, order_id=order["id"], tip_money=tip).json()["payment"]

    assert 350 == payment["total_money"]["amount"]


def test_payment_of_another_amount_is_refused(api):
    order = api.order(COFFEE).json()["order"]

    answer = api.pay(299, order_id=order["id"])
    assert refused("BAD_REQUEST", "amount_money.amount") == problem(answer)
    assert "OPEN" == api.found_order(order["id"])["state"]


def test_paid_order_cannot_be_paid_again(api):
    order = api.bought(COFFEE)

    answer = api.pay(300, "other", order_id=order["id"])
    assert refused("BAD_REQUEST", "order_id") == problem(answer)


def test_declined_card_is_told(api):
    answer = api.pay(300, source_id="cnon:card-nonce-declined")

    assert (400, "PAYMENT_METHOD_ERROR", "GENERIC_DECLINE", None) == problem(answer)


def test_key_of_a_payment_has_45_characters_at_most(api):
    assert refused("VALUE_TOO_LONG", "idempotency_key") == problem(api.pay(1, "k" * 46))


def test_amount_of_nothing_is_refused(api):
    assert refused("VALUE_TOO_LOW", "amount_money.amount") == problem(api.pay(0))


def test_approved_payments_pay_an_order_together(api):
    order = api.order(COFFEE).json()["order"]["id"]
    parts = [
        api.pay(cents, str(cents), order_id=order, autocomplete=False).json()["payment"]["id"]
        for cents in (100, 200)
    ]
    body = {"idempotency_key": "k", "payment_ids": parts}
    paid = api.client.post(f"/v2/orders/{order}/pay", json=body).json()["order"]

    assert ("COMPLETED", parts) == (paid["state"], [each["payment_id"] for each in paid["tenders"]])


def test_payment_counts_once_however_often_it_is_named(api):
    order = api.order(COFFEE).json()["order"]["id"]
    part = api.pay(150, order_id=order, autocomplete=False).json()["payment"]["id"]
    body = {"idempotency_key": "k", "payment_ids": [part, part]}

    answer = api.client.post(f"/v2/orders/{order}/pay", json=body)
    assert refused("BAD_REQUEST", "payment_ids") == problem(answer)


# Rewards on orders


@pytest.fixture
def rewarded(api):
    api.adjust(30)
    order = api.order({**COFFEE, "quantity": "4"}).json()["order"]["id"]
    reward = api.reward(order_id=order).json()["reward"]["id"]
    return order, reward


def test_reward_for_an_item_takes_one_unit_off(api, rewarded):
    order, reward = rewarded
    found = api.found_order(order)

    assert (900, 0, 300) == amounts(found)
    assert [reward] == found["discounts"][0]["reward_ids"]
    assert [reward] == [each["id"] for each in found["rewards"]]


def test_reward_for_the_order_takes_a_percentage_off(open_api):
    api = open_api(program("walkthrough-1"))
    api.adjust(12)
    order = api.order(line("Lunch", 1000)).json()["order"]["id"]
    api.reward(order_id=order, reward_tier_id=PERCENT_TIER_ID)

    assert (900, 0, 100) == amounts(api.found_order(order))


def test_two_rewards_take_two_units_off(api, rewarded):
    api.reward(order_id=rewarded[0], key="other")

    assert (600, 0, 600) == amounts(api.found_order(rewarded[0]))


def test_line_named_as_an_item_is_that_item(api):
    api.adjust(10)
    order = api.order(line("coffee", 275)).json()["order"]["id"]
    api.reward(order_id=order)

    assert (0, 0, 275) == amounts(api.found_order(order))


def test_line_is_no_item_by_its_name_if_so_assumed(open_api):
    api = open_api(named_lines_are_items=False)
    api.adjust(10)
    order = api.order(line("coffee", 275)).json()["order"]["id"]
    api.reward(order_id=order)

    assert (275, 0, 0) == amounts(api.found_order(order))


def test_order_filter_finds_the_events_of_rewards_that_were_made_for_it(api, rewarded):
    order, reward = rewarded
    api.delete(reward)
    events = api.events({"order_filter": {"order_id": order}}).json()["events"]

    assert ["DELETE_REWARD", "CREATE_REWARD"] == [each["type"] for each in events]
    assert not {"order_id"} & {*events[0]["delete_reward"], *events[1]["create_reward"]}


def test_deleted_reward_leaves_the_order(api, rewarded):
    order, reward = rewarded
    api.delete(reward)
    found = api.found_order(order)

    assert (1200, 0, 0) == amounts(found)
    assert not found.keys() & {"rewards", "discounts"}


def test_paying_redeems_the_reward(api, rewarded):
    order, reward = rewarded
    api.pay(900, order_id=order)

    (found,) = api.rewards(status="REDEEMED").json()["rewards"]
    assert (reward, order) == (found["id"], found["order_id"])
    assert ["REDEEM_REWARD", "CREATE_REWARD"] == last_types(api, 2)


def test_reward_whose_item_is_not_bought_is_given_back(api):
    api.adjust(20)
    order = api.order(COFFEE).json()["order"]["id"]
    api.reward(order_id=order, reward_tier_id=SANDWICH_TIER_ID)
    api.pay(300, order_id=order)

    assert 20 == api.account()["balance"]
    assert ["DELETE_REWARD", "CREATE_REWARD"] == last_types(api, 2)
    assert "rewards" not in api.found_order(order)


def test_free_order_is_paid_with_no_payment(api):
    api.adjust(10)
    order = api.order(COFFEE).json()["order"]["id"]
    reward = api.reward(order_id=order).json()["reward"]["id"]
    body = {"idempotency_key": "k", "payment_ids": []}
    paid = api.client.post(f"/v2/orders/{order}/pay", json=body).json()["order"]

    assert ("COMPLETED", 0) == (paid["state"], paid["total_money"]["amount"])
    assert [reward] == [each["id"] for each in api.rewards(status="REDEEMED").json()["rewards"]]


def test_completed_order_takes_no_reward(api):
    api.adjust(10)

    answer = api.reward(order_id=seed.ORDER_EARNING_12)
    assert refused("BAD_REQUEST", "reward.order_id") == problem(answer)
    assert 10 == api.account()["balance"]


def test_unknown_order_takes_no_reward(api):
    api.adjust(10)

    assert refused("NOT_FOUND", status=404) == problem(api.reward(order_id="none"))
    assert 10 == api.account()["balance"]


# Customers


def test_customer_is_found_by_phone_whatever_its_separators(api):
    body = {"given_name": "Test", "phone_number": "+1 (415) 555-7788"}
    made = api.client.post("/v2/customers", json=body).json()["customer"]
    query = {"filter": {"phone_number": {"exact": "+14155557788"}}}
    found = api.client.post("/v2/customers/search", json={"query": query}).json()

    assert {"customers": [made]} == found
    assert {"customer": made} == api.client.get(f"/v2/customers/{made['id']}").json()


def test_new_account_is_linked_to_the_customer_with_its_phone(api):
    body = {"phone_number": "+14155559876"}
    made = api.client.post("/v2/customers", json=body).json()["customer"]

    assert made["id"] == api.create().json()["loyalty_account"]["customer_id"]


def test_every_account_of_the_seed_world_has_its_customer(api):
    customer = api.account_by_phone(PHONE_RICH)["customer_id"]
    found = api.client.get(f"/v2/customers/{customer}").json()["customer"]

    assert PHONE_RICH == found["phone_number"]


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("", {"note": "x"}, refused("BAD_REQUEST")),
        ("", {"phone_number": "+1415"}, refused("INVALID_PHONE_NUMBER", "phone_number")),
        ("/search", {"limit": 0}, refused("VALUE_TOO_LOW", "limit")),
        ("/search", {"limit": 101}, refused("VALUE_TOO_HIGH", "limit")),
        (
            "/search",
            {"query": {"filter": {"phone_number": {"exact": "4155557788"}}}},
            refused("INVALID_PHONE_NUMBER", "query.filter.phone_number.exact"),
        ),
    ],
)
def test_malformed_customer_is_told(api, path, body, expected):
    assert expected == problem(api.client.post(f"/v2/customers{path}", json=body))


@pytest.mark.parametrize(
    ("switch", "act"),
    [
        ("order_not_open_code", lambda api: api.reward(order_id=seed.ORDER_EARNING_12)),
        ("payment_differs_code", lambda api: api.pay(1, order_id=seed.ORDER_OPEN)),
        ("empty_customer_code", lambda api: api.client.post("/v2/customers", json={})),
    ],
)
def test_code_of_a_refusal_can_be_chosen(open_api, switch, act):
    api = open_api(**{switch: "CONFLICT"})
    api.adjust(12)

    assert "CONFLICT" == problem(act(api))[2]
