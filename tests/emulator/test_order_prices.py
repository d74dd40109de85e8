"""What an order comes to: modifiers, discounts in their order, service charges, and every cent."""

import pytest

from loyalty_helpers.emulator import program
from tests.seed_world import COFFEE_ID

from .conftest import line, problem, refused

TABLE = {"name": "Table", "calculation_phase": "SUBTOTAL_PHASE"}


def usd(cents):
    return {"amount": cents, "currency": "USD"}


def ordered(api, *lines, **more):
    return api.order(*lines, **more).json()["order"]


def total(api, *lines, **more):
    return ordered(api, *lines, **more)["total_money"]["amount"]


def amounts(entries, name="applied_money"):
    return [each[name]["amount"] for each in entries]


def test_modifiers_and_service_charges_are_in_the_total(api):
    oat = {"name": "Oat", "base_price_money": usd(100)}
    latte = {**line("Latte", 900), "modifiers": [oat]}
    order = ordered(api, latte, service_charges=[{**TABLE, "amount_money": usd(200)}])

    assert 1200 == order["total_money"]["amount"]
    assert 200 == order["total_service_charge_money"]["amount"]
    assert 1000 == order["line_items"][0]["gross_sales_money"]["amount"]


def test_modifier_is_bought_with_each_unit(api):
    shot = {"name": "Shot", "quantity": "2", "base_price_money": usd(50)}
    (latte,) = ordered(api, {**line("Latte", 900, "3"), "modifiers": [shot]})["line_items"]

    assert (300, 3000) == (
        latte["modifiers"][0]["total_price_money"]["amount"],
        latte["total_money"]["amount"],
    )


PERCENT, FIXED = {"percentage": "10"}, {"amount_money": usd(100)}
ITEM, ORDER = {"scope": "LINE_ITEM"}, {"scope": "ORDER"}


@pytest.mark.parametrize(
    ("discounts", "left"),
    [
        ([FIXED | ORDER, PERCENT | ORDER], 800),
        ([FIXED | ITEM, PERCENT | ITEM], 800),
        ([FIXED | ITEM, PERCENT | ORDER], 800),
        ([FIXED | ORDER, PERCENT | ITEM], 800),
        ([{"amount_money": usd(950)} | ORDER, {"amount_money": usd(100)} | ITEM], 0),
    ],
)
def test_percentages_are_taken_off_before_fixed_amounts(api, discounts, left):
    named = [{"uid": f"d{i}", **each} for i, each in enumerate(discounts)]
    own = [{"discount_uid": each["uid"]} for each in named if each["scope"] == "LINE_ITEM"]
    tea = {**line("Tea", 1000), **({"applied_discounts": own} if own else {})}

    assert left == total(api, tea, discounts=named)


def test_discount_on_lines_leaves_the_others_alone(api):
    less = {"uid": "less", "percentage": "50", **ITEM}
    cake = {**line("Cake", 600), "applied_discounts": [{"discount_uid": "less"}]}
    order = ordered(api, line("Tea", 500), cake, discounts=[less])

    assert [500, 300] == amounts(order["line_items"], "total_money")
    assert 800 == order["total_money"]["amount"]


def test_order_is_the_published_one(api):
    """Square's example of CreateOrder, but that the discount of its catalog is sent here."""
    well = {"name": "Well", "base_price_money": usd(50)}
    steaks = {**line("New York Steak", 2200, "2"), "modifiers": [well]}
    steaks["applied_discounts"] = [{"discount_uid": "one-dollar-off"}]
    order = ordered(
        api,
        line("New York Strip Steak", 1599),
        steaks,
        discounts=[
            {"uid": "membership-discount", "percentage": "0.5", **ORDER},
            {"uid": "labor-day-sale", "percentage": "5", **ORDER},
            {"uid": "one-dollar-off", "amount_money": usd(100), **ITEM},
        ],
        taxes=[{"uid": "state-sales-tax", "percentage": "9", **ORDER}],
    )
    strip, steak = order["line_items"]
    by_uid = {each["discount_uid"]: each["applied_money"] for each in steak["applied_discounts"]}

    assert [8, 79] == amounts(strip["applied_discounts"])
    assert {"membership-discount": 22, "labor-day-sale": 224, "one-dollar-off": 100} == {
        uid: applied["amount"] for uid, applied in by_uid.items()
    }
    assert [30, 303, 100] == amounts(order["discounts"])
    assert [136, 374] == [each["total_tax_money"]["amount"] for each in (strip, steak)]
    assert (6176, 510, 433) == (
        order["total_money"]["amount"],
        order["total_tax_money"]["amount"],
        order["total_discount_money"]["amount"],
    )


@pytest.mark.parametrize(
    ("charge", "expected"),
    [
        ({"percentage": "10"}, 1000 + 100 + 100),
        ({"percentage": "10", "taxable": True}, 1000 + 100 + 110),
        ({"percentage": "10", "calculation_phase": "TOTAL_PHASE"}, 1000 + 100 + 110),
    ],
)
def test_service_charge_has_its_phase_and_may_be_taxed(api, charge, expected):
    tax = {"percentage": "10"}

    assert expected == total(
        api, line("Tea", 1000), taxes=[tax], service_charges=[{**TABLE, **charge}]
    )


def test_tax_on_lines_leaves_the_others_alone(api):
    tax = {"uid": "tax", "percentage": "10", **ITEM}
    cake = {**line("Cake", 600), "applied_taxes": [{"tax_uid": "tax"}]}

    assert 1160 == total(api, line("Tea", 500), cake, taxes=[tax])


def test_what_was_sent_to_describe_an_order_is_answered(api):
    told = {"ticket_name": "Ann", "metadata": {"till": "2"}, "source": {"name": "Kiosk"}}
    order = ordered(api, {**line("Tea", 5), "variation_name": "Green"}, **told)

    assert told == {name: order[name] for name in told}
    assert "Green" == order["line_items"][0]["variation_name"]


def test_discount_changes_the_points(api):
    both = [{"amount_money": usd(100)}, {"percentage": "10"}]
    order = api.bought(line("Tea", 1000), discounts=both)

    assert 8 == api.calculate(order_id=order["id"]).json()["points"]


def test_discounted_line_earns_nothing_where_items_earn(open_api):
    api = open_api(program("walkthrough-2"))
    coffee = {"catalog_object_id": COFFEE_ID, "quantity": "2"}
    off = {**coffee, "applied_discounts": [{"discount_uid": "less"}]}
    less = {"uid": "less", "percentage": "10", **ITEM}
    order = api.bought(coffee, off, discounts=[less])

    assert 2 == api.calculate(order_id=order["id"]).json()["points"]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"pricing_options": {"auto_apply_taxes": True}}, "pricing_options"),
        ({"fulfillments": [{"type": "PICKUP"}]}, "fulfillments"),
        ({"state": "DRAFT"}, "state"),
        ({"discounts": [{"catalog_object_id": "D"}]}, "discounts[0].catalog_object_id"),
        ({"discounts": [{**PERCENT, "type": "VARIABLE_AMOUNT"}]}, "discounts[0].type"),
        ({"discounts": [{**PERCENT, "type": "FIXED_AMOUNT"}]}, "discounts[0].type"),
        ({"taxes": [{"percentage": "5", "scope": "OTHER_TAX_SCOPE"}]}, "taxes[0].scope"),
        (
            {"service_charges": [{**PERCENT, "calculation_phase": "APPORTIONED_AMOUNT_PHASE"}]},
            "service_charges[0].calculation_phase",
        ),
        (
            {"service_charges": [{**PERCENT, "calculation_phase": "TOTAL_PHASE", "taxable": True}]},
            "service_charges[0].taxable",
        ),
        ({"service_charges": [TABLE]}, "service_charges[0].percentage"),
    ],
)
def test_what_would_change_the_price_and_is_not_acted_on_is_refused_by_name(api, more, field):
    assert refused("INVALID_VALUE", f"order.{field}") == problem(api.order(line("Tea", 5), **more))


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"quantity_unit": {"precision": 2}}, "INVALID_VALUE", "quantity_unit"),
        ({"item_type": "GIFT_CARD"}, "INVALID_VALUE", "item_type"),
        ({"applied_discounts": [{"discount_uid": "x"}]}, "INVALID_VALUE", "applied_discounts"),
        ({"applied_taxes": [{"tax_uid": "x"}]}, "INVALID_VALUE", "applied_taxes"),
        (
            {"modifiers": [{"name": "Oat"}]},
            "MISSING_REQUIRED_PARAMETER",
            "modifiers[0].base_price_money",
        ),
        (
            {"modifiers": [{"catalog_object_id": "M", "base_price_money": usd(5)}]},
            "INVALID_VALUE",
            "modifiers[0].catalog_object_id",
        ),
    ],
)
def test_line_that_cannot_be_priced_is_refused_by_name(api, more, code, field):
    answer = api.order({**line("Tea", 5), **more})

    assert refused(code, f"order.line_items[0].{field}") == problem(answer)


def test_refusal_says_that_the_emulator_does_not_act_on_the_field(api):
    answer = api.order(line("Tea", 5), taxes=[{"percentage": "5", "type": "INCLUSIVE"}])

    assert (
        "The emulator does not act on this field beside ADDITIVE. Leave it out."
        == answer.json()["errors"][0]["detail"]
    )


# Payments


def test_payment_without_an_order_makes_one(api):
    payment = api.pay(300).json()["payment"]
    order = api.found_order(payment["order_id"])

    assert ("COMPLETED", 300) == (order["state"], order["total_money"]["amount"])
    assert [payment["id"]] == [each["payment_id"] for each in order["tenders"]]


def test_payment_that_waits_leaves_its_order_open(api):
    payment = api.pay(300, autocomplete=False).json()["payment"]

    assert "OPEN" == api.found_order(payment["order_id"])["state"]


def test_tip_is_told_in_the_order(api):
    order = ordered(api, line("Tea", 300))["id"]
    api.pay(300, order_id=order, tip_money=usd(50))
    paid = api.found_order(order)

    assert (50, 350) == (paid["total_tip_money"]["amount"], paid["total_money"]["amount"])


def test_tip_earns_nothing(api):
    order = ordered(api, line("Tea", 300))["id"]
    api.pay(300, order_id=order, tip_money=usd(500))

    assert 3 == api.calculate(order_id=order).json()["points"]


def test_fee_of_the_application_is_answered(api):
    assert usd(10) == api.pay(300, app_fee_money=usd(10)).json()["payment"]["app_fee_money"]


def test_cash_gives_change(api):
    sent = {"cash_details": {"buyer_supplied_money": usd(500)}}
    payment = api.pay(300, source_id="CASH", **sent).json()["payment"]

    assert usd(200) == payment["cash_details"]["change_back_money"]


@pytest.mark.parametrize(
    ("sent", "code", "field"),
    [
        ({"source_id": "CASH"}, "MISSING_REQUIRED_PARAMETER", "cash_details"),
        ({"source_id": "EXTERNAL"}, "MISSING_REQUIRED_PARAMETER", "external_details"),
        (
            {"source_id": "CASH", "cash_details": {"buyer_supplied_money": usd(299)}},
            "VALUE_TOO_LOW",
            "cash_details.buyer_supplied_money",
        ),
        ({"app_fee_money": usd(271)}, "VALUE_TOO_HIGH", "app_fee_money"),
        ({"delay_duration": "PT1H"}, "INVALID_VALUE", "delay_duration"),
        ({"verification_token": "v"}, "INVALID_VALUE", "verification_token"),
        ({"accept_partial_authorization": True}, "INVALID_VALUE", "accept_partial_authorization"),
    ],
)
def test_payment_that_lacks_something_or_asks_too_much_is_refused_by_name(api, sent, code, field):
    assert refused(code, field) == problem(api.pay(300, **sent))


def test_partial_authorization_may_be_declined(api):
    assert 200 == api.pay(300, accept_partial_authorization=False).status_code


def test_key_of_a_declined_payment_is_kept(api):
    declined = api.pay(300, source_id="cnon:card-nonce-declined")
    again = api.pay(300, source_id="cnon:card-nonce-declined")

    assert declined.json() == again.json()
    assert refused("IDEMPOTENCY_KEY_REUSED", "idempotency_key") == problem(api.pay(300))
