"""Every code that was assumed can be another one, and lifetime points can be counted otherwise."""

from dataclasses import fields

import pytest

from loyalty_helpers.emulator import Assumptions, program

from .conftest import line

PHONE = {"phone_number": "+14155551234"}
OTHER_LOCATION = "LQ7T3Z0XN4M1C"


def paid(api):
    return api.bought(line("Tea", 500))["id"]


def opened(api):
    return api.order(line("Tea", 500)).json()["order"]["id"]


def promotion(api):
    made = api.promote().json()["loyalty_promotion"]
    return f"/v2/loyalty/programs/main/promotions/{made['id']}/cancel"


def reward(api):
    api.adjust(12)
    return api.reward().json()["reward"]["id"]


def twice(call, *args):
    call(*args)
    return call(*args)


REFUSALS = {
    "duplicate_phone_code": lambda api: api.create("+14155551234"),
    "unknown_customer_code": lambda api: api.create(customer_id="nobody"),
    "unknown_program_code": lambda api: api.create(program_id="other"),
    "order_not_completed_code": lambda api: api.accumulate(order_id=opened(api)),
    "order_location_code": lambda api: api.accumulate(order_id=paid(api), location=OTHER_LOCATION),
    "unknown_location_code": lambda api: api.accumulate(points=1, location="nowhere"),
    "order_and_points_code": lambda api: api.accumulate(order_id="order", points=1),
    "neither_order_nor_points_code": lambda api: api.accumulate(),
    "promotion_qualifiers_code": lambda api: api.promote(
        qualifying_item_variation_ids=["a"], qualifying_category_ids=["b"]
    ),
    "too_many_promotions_code": lambda api: [api.promote(f"key {n}") for n in range(11)][-1],
    "promotion_over_code": lambda api: twice(api.client.post, promotion(api)),
    "inactive_program_code": lambda api: api.client.get("/v2/loyalty/programs/main"),
    "insufficient_points_code": lambda api: api.reward(),
    "unknown_tier_code": lambda api: api.reward(reward_tier_id="none"),
    "reward_not_issued_code": lambda api: twice(api.delete, reward(api)),
    "order_not_open_code": lambda api: api.pay(500, order_id=paid(api)),
    "payment_differs_code": lambda api: api.pay(1, order_id=opened(api)),
    "empty_customer_code": lambda api: api.client.post("/v2/customers", json={}),
    "mappings_and_customers_code": lambda api: api.accounts(
        {"mappings": [PHONE], "customer_ids": ["c"]}
    ),
    "array_too_long_code": lambda api: api.accounts({"customer_ids": ["c"] * 31}),
    "wrong_content_type_code": lambda api: api.client.post(
        "/v2/loyalty/accounts/search", content=b"{}", headers={"Content-Type": "text/plain"}
    ),
    "malformed_version_code": lambda api: api.client.get(
        "/v2/locations", headers={"Square-Version": "yesterday"}
    ),
}


def test_every_assumed_code_is_refused_with_somewhere():
    assert {f.name for f in fields(Assumptions) if f.name.endswith("_code")} == set(REFUSALS)


@pytest.mark.parametrize("name", REFUSALS)
def test_an_assumed_code_can_be_another_one(open_api, name):
    status = "INACTIVE" if name == "inactive_program_code" else "ACTIVE"
    usual = REFUSALS[name](open_api(program(status=status)))
    other = REFUSALS[name](open_api(program(status=status), **{name: "CONFLICT"}))

    assert usual.json()["errors"][0]["code"] == getattr(Assumptions(), name)
    assert other.json()["errors"][0]["code"] == "CONFLICT"


def lifetime(api):
    return api.account()["lifetime_points"]


@pytest.mark.parametrize(("raises", "points"), [(False, 12), (True, 22)])
def test_points_given_back_may_raise_the_lifetime_points(open_api, raises, points):
    api = open_api(returned_points_raise_lifetime=raises)
    api.delete(reward(api))

    assert lifetime(api) == points


@pytest.mark.parametrize(("raises", "points"), [(True, 10), (False, 5)])
def test_points_of_a_promotion_may_leave_the_lifetime_points(open_api, raises, points):
    api = open_api(promotion_points_raise_lifetime=raises)
    api.promote()
    api.accumulate(order_id=paid(api))

    assert lifetime(api) == points


@pytest.mark.parametrize(("lowers", "points"), [(False, 12), (True, 0)])
def test_points_that_expire_may_lower_the_lifetime_points(open_api, clock, lowers, points):
    api = open_api(
        program(expiration_policy={"expiration_duration": "P1M"}),
        expired_points_lower_lifetime=lowers,
    )
    api.adjust(12)
    clock.set(clock().replace(year=2027))

    assert lifetime(api) == points
