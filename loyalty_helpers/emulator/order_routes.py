"""Orders and payments, as they are sent."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from .customer_routes import address
from .handling import Call, cents, required_cents
from .ledger import Ledger
from .orders import open_order
from .payments import Payment, pay, pay_order
from .pricing import REFERENCES, money
from .rules import the_location
from .validation import Reader
from .wire_errors import refusal
from .wire_json import without_absent
from .world import Answer, KeyedRequest

_PERCENTAGE: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,5})?")
_QUANTITY: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,5})?")
_ECHOED: Final = {
    "customer_id": 191, "reference_id": 40, "note": 500, "team_member_id": 192,
    "buyer_email_address": 255, "statement_description_identifier": 20,
}  # fmt: skip
_NAMED: Final = {"applied_discounts": "discounts", "applied_taxes": "taxes"}


def create_order(call: Call) -> Answer:
    """Open an order; prices follow from its lines, discounts, service charges and taxes."""
    body = call.body.fields
    key = body.text("idempotency_key", longest=192)
    sent = body.required_object("order")
    location_id = sent.required_text("location_id")
    order = _order(sent)
    body.finish()

    def work(ledger: Ledger, _: KeyedRequest) -> Answer:
        the_location(call.world, ledger, location_id, "order.location_id")
        lines = [_with_catalog(ledger, line, i) for i, line in enumerate(order["line_items"])]
        return {
            "order": open_order(call.world, ledger, location_id, {**order, "line_items": lines})
        }

    return call.once("CreateOrder", key, work)


def pay_for_order(call: Call) -> Answer:
    """Complete an order with approved payments, or with none when a reward made it free."""
    body = call.body.fields
    key = body.required_text("idempotency_key", longest=192)
    version = body.integer("order_version", 1, 2**31 - 1)
    # None of them is as good as an empty list here, unlike in a search.
    payment_ids = body.texts("payment_ids") if call.body.data.get("payment_ids") else []
    body.finish()

    def work(ledger: Ledger, _: KeyedRequest) -> Answer:
        return {"order": pay_order(call.world, ledger, call.target, version, payment_ids or [])}

    return call.once("PayOrder", key, work)


def create_payment(call: Call) -> Answer:
    """Take a payment; one of an order's total completes that order."""
    body = call.body.fields
    source_id = body.required_text("source_id")
    key = body.required_text("idempotency_key", longest=45)
    asked = Payment(
        source_id=source_id,
        cents=required_cents(body, "amount_money", 1),
        tip=cents(body, "tip_money") or 0,
        order_id=body.text("order_id"),
        location_id=body.text("location_id"),
        autocomplete=not body.has("autocomplete") or body.boolean("autocomplete"),
        more={},
    )
    more: dict[str, Any] = {name: body.text(name, longest=most) for name, most in _ECHOED.items()}
    more |= {name: address(body, name) for name in ("billing_address", "shipping_address")}
    more |= _details(body, asked)
    asked.more.update(without_absent(more))
    body.finish()

    def work(ledger: Ledger, _: KeyedRequest) -> Answer:
        return {"payment": pay(call.world, ledger, asked)}

    return call.once("CreatePayment", key, work)


def _details(sent: Reader, asked: Payment) -> dict[str, Any]:
    """Read what goes with the kind of a payment, and the application's fee."""
    details: dict[str, Any] = {}
    fee, total = cents(sent, "app_fee_money"), asked.cents + asked.tip
    if fee is not None:
        details["app_fee_money"] = money(fee)
        if fee * 10 > total * 9:
            sent.report("app_fee_money", "VALUE_TOO_HIGH", "At most 90 % of the payment.")
    for source_id, name in (("CASH", "cash_details"), ("EXTERNAL", "external_details")):
        if asked.source_id == source_id:
            sent.required(name)
        elif sent.has(name):
            sent.report(name, "INVALID_VALUE", f"Send it only with the source_id {source_id}.")
    if cash := sent.object("cash_details"):
        given = required_cents(cash, "buyer_supplied_money")
        if given < total:
            detail = f"The buyer gave {given}, the payment is {total}."
            cash.report("buyer_supplied_money", "VALUE_TOO_LOW", detail)
        change = {"change_back_money": money(given - total)}
        details["cash_details"] = {"buyer_supplied_money": money(given), **change}
    if external := sent.object("external_details"):
        told = {name: external.required_text(name, longest=255) for name in ("type", "source")}
        fee = cents(external, "source_fee_money")
        more = {
            "source_id": external.text("source_id", longest=255),
            "source_fee_money": None if fee is None else money(fee),
        }
        details["external_details"] = told | without_absent(more)
    return details


def _order(sent: Reader) -> dict[str, Any]:
    parts = {
        name: [read(each, i) for i, each in enumerate(sent.objects(name, most=most) or ())]
        for name, (read, most) in _PARTS.items()
    }
    for name, entries in parts.items():
        _once(sent, name, [each["uid"] for each in entries])
    for i, line in enumerate(parts["line_items"]):
        for applied, name in _NAMED.items():
            named = [each[REFERENCES[applied]] for each in line.get(applied, ())]
            place = f"line_items[{i}].{applied}"
            _once(sent, place, named)
            if not {each["uid"] for each in parts[name]}.issuperset(named):
                sent.report(place, "INVALID_VALUE", f"Expected uids of the order's {name}.")
    source = sent.object("source")
    more = {
        "reference_id": sent.text("reference_id", longest=40),
        "customer_id": sent.text("customer_id", longest=191),
        "ticket_name": sent.text("ticket_name", longest=30),
        "metadata": sent.texts_by_name("metadata"),
        "source": without_absent({"name": source.text("name")}) if source else None,
    }
    return {**without_absent(more), **parts}


def _once(sent: Reader, place: str, uids: list[str]) -> None:
    if len(set(uids)) < len(uids):
        sent.report(place, "INVALID_VALUE", "Every uid must be there once.")


def _named(sent: Reader, kind: str, number: int, longest: int) -> dict[str, Any]:
    return {
        "uid": sent.text("uid", longest=60) or f"{kind}-{number + 1}",
        "name": sent.text("name", longest=longest),
        "metadata": sent.texts_by_name("metadata"),
    }


def _line(sent: Reader, number: int) -> dict[str, Any]:
    line = _named(sent, "line", number, 512)
    price = _price(sent)
    line |= {
        "catalog_object_id": sent.text("catalog_object_id", longest=192),
        "quantity": _quantity(sent, sent.required_text("quantity", longest=12), positive=True),
        "note": sent.text("note", longest=2000),
        "variation_name": sent.text("variation_name", longest=400),
        "item_type": sent.text("item_type"),
        "base_price_money": price,
        "modifiers": [
            _modifier(each, i) for i, each in enumerate(sent.objects("modifiers", most=100) or ())
        ],
    }
    for applied, field in REFERENCES.items():
        line[applied] = [
            {"uid": each.text("uid", longest=60) or f"{line['uid']}-{i + 1}"[:60]}
            | {field: each.required_text(field, longest=60)}
            for i, each in enumerate(sent.objects(applied, most=100) or ())
        ]
    if line["catalog_object_id"] is None:
        sent.required("base_price_money")
    return {name: value for name, value in without_absent(line).items() if value != []}


def _modifier(sent: Reader, number: int) -> dict[str, Any]:
    sent.required("base_price_money")
    quantity = sent.text("quantity", longest=12)
    more = {
        "quantity": quantity and _quantity(sent, quantity, positive=False),
        "base_price_money": _price(sent),
    }
    return without_absent(_named(sent, "modifier", number, 255) | more)


def _tax(sent: Reader, number: int) -> dict[str, Any]:
    tax = without_absent(_named(sent, "tax", number, 255))
    sent.text("type")
    more = {
        "percentage": _percentage(sent) or "0",
        "type": "ADDITIVE",
        "scope": sent.text("scope") or "ORDER",
    }
    return {"name": "Tax"} | tax | more


def _discount(sent: Reader, number: int) -> dict[str, Any]:
    discount = without_absent(_named(sent, "discount", number, 255))
    worth = _percentage_or_amount(sent)
    kind = "FIXED_PERCENTAGE" if "percentage" in worth else "FIXED_AMOUNT"
    if sent.text("type") not in (None, kind):
        sent.report("type", "INVALID_VALUE", f"What was sent makes it {kind}.")
    scope = sent.text("scope") or "ORDER"
    return {"name": "Discount"} | discount | worth | {"type": kind, "scope": scope}


def _service_charge(sent: Reader, number: int) -> dict[str, Any]:
    charge = _named(sent, "service-charge", number, 512) | _percentage_or_amount(sent)
    charge["calculation_phase"] = sent.required_text("calculation_phase")
    charge["taxable"] = sent.boolean("taxable")
    for name in ("treatment_type", "scope"):
        sent.text(name)
    if charge["taxable"] and charge["calculation_phase"] == "TOTAL_PHASE":
        sent.report("taxable", "INVALID_VALUE", "What comes after taxes cannot be taxed.")
    return without_absent(charge)


_PARTS: Final = {
    "line_items": (_line, 500),
    "taxes": (_tax, 100),
    "discounts": (_discount, 100),
    "service_charges": (_service_charge, 100),
}


def _price(sent: Reader) -> dict[str, Any] | None:
    price = cents(sent, "base_price_money")
    return None if price is None else money(price)


def _quantity(sent: Reader, text: str, *, positive: bool) -> str:
    """Return a quantity; a wrong one is reported, and stands in for one."""
    if text and not (_QUANTITY.fullmatch(text) and (Decimal(text) > 0 or not positive)):
        sent.report("quantity", "INVALID_VALUE", "Expected a positive decimal number.")
    return text


def _percentage_or_amount(sent: Reader) -> dict[str, Any]:
    percentage, amount = _percentage(sent), cents(sent, "amount_money")
    if (percentage is None) == (amount is None):
        sent.report("percentage", "INVALID_VALUE", "Set either percentage or amount_money.")
    if percentage is not None:
        return {"percentage": percentage}
    return {"amount_money": money(amount or 0)}


def _percentage(sent: Reader) -> str | None:
    percentage = sent.text("percentage", longest=10)
    if percentage and not (_PERCENTAGE.fullmatch(percentage) and Decimal(percentage) <= 100):
        sent.report("percentage", "INVALID_VALUE", "Expected a percentage, 100 at most.")
        return None
    return percentage


def _with_catalog(ledger: Ledger, line: dict[str, Any], number: int) -> dict[str, Any]:
    """Return the line with the name and the price that the catalog has for its item."""
    item = ledger.record("item", line.get("catalog_object_id", "")) or {}
    if "base_price_money" not in line and not item:
        field = f"order.line_items[{number}].catalog_object_id"
        raise refusal("NOT_FOUND", "Catalog object not found.", field)
    known = {"name": item.get("name"), "base_price_money": item.get("price_money")}
    return {**without_absent(known), **line}
