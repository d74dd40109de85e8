"""Every field that Square documents for a request is acted on, or refused by name.

What is documented is read from Square's own SDK.
"""

import inspect
import json
import re
from importlib import import_module

import pytest
from square.customers.client import CustomersClient
from square.loyalty.accounts.client import AccountsClient
from square.loyalty.client import LoyaltyClient
from square.loyalty.programs.client import ProgramsClient
from square.loyalty.programs.promotions.client import PromotionsClient
from square.loyalty.rewards.client import RewardsClient
from square.orders.client import OrdersClient
from square.payments.client import PaymentsClient

from loyalty_helpers.emulator.routes import ROUTES
from tests.seed_world import ACCOUNT_ID, ORDER_OPEN, PROGRAM_ID

from .conftest import line, problem, refused
from .test_package import FOLDER

OPERATIONS = {
    f"/v2/loyalty/accounts/{ACCOUNT_ID}/adjust": AccountsClient.adjust,
    f"/v2/loyalty/accounts/{ACCOUNT_ID}/accumulate": AccountsClient.accumulate_points,
    "/v2/loyalty/accounts/search": AccountsClient.search,
    "/v2/loyalty/accounts": AccountsClient.create,
    "/v2/loyalty/events/search": LoyaltyClient.search_events,
    f"/v2/loyalty/programs/{PROGRAM_ID}/calculate": ProgramsClient.calculate,
    f"/v2/loyalty/programs/{PROGRAM_ID}/promotions": PromotionsClient.create,
    "/v2/loyalty/rewards/x/redeem": RewardsClient.redeem,
    "/v2/loyalty/rewards/search": RewardsClient.search,
    "/v2/loyalty/rewards": RewardsClient.create,
    "/v2/customers/search": CustomersClient.search,
    "/v2/customers": CustomersClient.create,
    f"/v2/orders/{ORDER_OPEN}/pay": OrdersClient.pay,
    "/v2/orders": OrdersClient.create,
    "/v2/payments": PaymentsClient.create,
}
NOT_SENT = {"self", "request_options", "account_id", "program_id", "reward_id"}
IN_THE_PATH = {"pay": {*NOT_SENT, "order_id"}}
# Those that Square sets itself, whatever is sent; the last ones belong to records that a request
# shares with answers. See readOnly in Square's OpenAPI document.
READ_ONLY = {
    "id", "created_at", "updated_at", "closed_at", "canceled_at", "redeemed_at", "status",
    "balance", "lifetime_points", "loyalty_program_id", "start_date", "end_date", "points",
    "returns", "return_amounts", "net_amounts", "net_amount_due_money", "rounding_adjustment",
    "tenders", "refunds", "rewards", "total_money", "total_tax_money", "total_discount_money",
    "total_tip_money", "total_service_charge_money", "variation_total_price_money",
    "gross_sales_money", "total_price_money", "applied_money", "auto_applied", "reward_ids",
    "pricing_rule_id", "change_back_money",
}  # fmt: skip
READ_ONLY_SOMEWHERE = {"service_charges.type"}


def inner(annotation):
    """The record in an annotation, and whether it is an array's; None for plain values."""
    text = str(getattr(annotation, "__forward_arg__", annotation))
    found = re.search(r"(\w+Params)\b", text)
    if found is None:
        return None
    words = re.findall("[A-Z][a-z0-9]*", found[1].removesuffix("Params"))
    module = import_module(f"square.requests.{'_'.join(words).lower()}")
    return getattr(module, found[1]), "Sequence" in text


def wire_name(name, annotation):
    text = str(annotation)
    for digit in "123":
        if "FieldMetadata" in text and name.endswith(digit):
            return f"{name[:-1]}_{digit}"
    return name


def fields(annotations, path=()):
    """The way to every documented field: names, each with whether it is an array's."""
    for name, annotation in annotations.items():
        found = inner(annotation)
        way = (*path, (wire_name(name, annotation), bool(found and found[1])))
        yield way
        if found and len(path) < 4:
            yield from fields(found[0].__annotations__, way)


def documented():
    for url, method in OPERATIONS.items():
        parameters = inspect.signature(method).parameters
        for way in fields({name: parameters[name].annotation for name in parameters}):
            if way[0][0] not in IN_THE_PATH.get(url.split("/")[-1], NOT_SENT):
                yield url, way


def body_with(way):
    """A request that has one field, and the objects that it is in."""
    (name, is_array), rest = way[0], way[1:]
    value = body_with(rest) if rest else "x"
    return {name: [value] if rest and is_array else value}


def dotted(way):
    names = [f"{name}[0]" if is_array else name for name, is_array in way[:-1]]
    return ".".join([*names, way[-1][0]])


@pytest.mark.parametrize("url", OPERATIONS)
def test_documented_field_is_read_or_refused_by_name_or_set_by_square(open_api, url):
    api = open_api(unread_fields_refused=True)
    passed_over = set()
    for found, way in documented():
        if found != url:
            continue
        answer = api.client.post(url, json=body_with(way)).json()
        told = {(each["code"], each.get("field")) for each in answer.get("errors", ())}
        if ("UNKNOWN_BODY_PARAMETER", dotted(way)) in told and way[-1][0] not in READ_ONLY:
            passed_over.add(".".join(name for name, _ in way[-2:]))

    assert passed_over <= READ_ONLY_SOMEWHERE


def test_walk_through_the_documentation_reaches_what_is_deep():
    ways = {dotted(way) for _, way in documented()}

    assert {
        "order.line_items[0].modifiers[0].base_price_money.amount",
        "query.filter.creation_source.values",
        "loyalty_promotion.incentive.points_multiplier_data.multiplier",
        "address.address_line_1",
        "cash_details.buyer_supplied_money.amount",
    } <= ways


@pytest.mark.parametrize(("refused", "status"), [(False, 200), (True, 400)])
def test_field_that_square_does_not_document_is_refused_as_the_switch_says(
    open_api, refused, status
):
    api = open_api(unread_fields_refused=refused)

    assert status == api.accounts(limit=1, colour="red").status_code
    assert status == api.accounts({"colour": "red"}).status_code


def test_null_in_an_array_is_no_object(api):
    answer = api.accounts({"mappings": [None]})

    field = "query.mappings[0]"
    assert refused("EXPECTED_OBJECT", field) == problem(answer)


@pytest.mark.parametrize("wrong", ["", 0, {}])
def test_what_is_no_array_is_not_as_good_as_none(api, wrong):
    body = {"idempotency_key": "key", "payment_ids": wrong}
    answer = api.client.post(f"/v2/orders/{ORDER_OPEN}/pay", json=body)

    assert refused("EXPECTED_ARRAY", "payment_ids") == problem(answer)


def test_names_of_the_senders_own_may_have_any_form(api):
    metadata = {"till!": "2", "*": "", "only": "x"}
    order = api.order(line("Tea", 500), metadata=metadata).json()["order"]

    assert metadata == order["metadata"]


def plain_values(shape):
    """What the table says of each plain value in a shape."""
    if isinstance(shape, str):
        return {shape.partition(" = ")[0].split()[0]}
    inner = shape.values() if isinstance(shape, dict) else shape[:1]
    return {found for each in inner for found in plain_values(each)}


def test_table_of_bodies_holds_no_word_that_the_reader_does_not_know():
    tables = json.loads((FOLDER / "bodies.json").read_text(encoding="utf-8"))
    named = {name for table in ("shapes", "words", "patterns") for name in tables[table]}
    kinds = {"text", "free-text", "integer", "boolean", "time", "only", "ignored"}
    used = {each for part in ("bodies", "shapes") for each in plain_values(tables[part])}

    assert {each for each in used if "|" not in each} == named | kinds
    assert tables["bodies"].keys() <= {route.operation for route in ROUTES}
