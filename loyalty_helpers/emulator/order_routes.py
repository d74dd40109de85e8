"""Orders and payments, as they are sent."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from .clock import rfc3339_ms
from .handling import Call, cents, required_cents
from .ledger import Ledger
from .orders import money, priced
from .payments import Payment, pay, pay_order
from .rules import the_location
from .validation import Reader
from .wire_errors import refusal
from .wire_json import without_absent
from .world import Answer, KeyedRequest, World

_PERCENTAGE: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,5})?")
_QUANTITY: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,5})?")


def create_order(call: Call) -> Answer:
    """Open an order; prices follow from its lines, taxes and discounts."""
    body = call.body.fields
    key = body.text("idempotency_key", longest=192)
    sent = body.required_object("order")
    location_id = sent.required_text("location_id")
    order = without_absent(
        {
            "reference_id": sent.text("reference_id", longest=40),
            "customer_id": sent.text("customer_id", longest=191),
        }
    )
    lines = [_line(each, i) for i, each in enumerate(sent.objects("line_items", most=500) or ())]
    taxes = [_tax(each, i) for i, each in enumerate(sent.objects("taxes", most=100) or ())]
    discounts = [
        _discount(each, i) for i, each in enumerate(sent.objects("discounts", most=100) or ())
    ]
    for name, entries in (("line_items", lines), ("taxes", taxes), ("discounts", discounts)):
        if len({each["uid"] for each in entries}) < len(entries):
            sent.report(name, "INVALID_VALUE", "Every uid must be there once.")
    body.finish()

    def work(ledger: Ledger, _: KeyedRequest) -> Answer:
        the_location(call.world, ledger, location_id, "order.location_id")
        priced_lines = [_with_catalog(ledger, line, i) for i, line in enumerate(lines)]
        parts = {"line_items": priced_lines, "taxes": taxes, "discounts": discounts}
        return {"order": _opened(call.world, ledger, location_id, {**order, **parts})}

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
    more = {
        name: body.text(name, longest=longest)
        for name, longest in (("customer_id", 191), ("reference_id", 40), ("note", 500))
    }
    asked = Payment(
        source_id=source_id,
        cents=required_cents(body, "amount_money", 1),
        tip=cents(body, "tip_money") or 0,
        order_id=body.text("order_id"),
        location_id=body.text("location_id"),
        autocomplete=not body.has("autocomplete") or body.boolean("autocomplete"),
        more=without_absent(more),
    )
    body.finish()

    def work(ledger: Ledger, _: KeyedRequest) -> Answer:
        return {"payment": pay(call.world, ledger, asked)}

    return call.once("CreatePayment", key, work)


def _line(sent: Reader, number: int) -> dict[str, Any]:
    quantity = sent.required_text("quantity", longest=12)
    if quantity and not (_QUANTITY.fullmatch(quantity) and Decimal(quantity) > 0):
        sent.report("quantity", "INVALID_VALUE", "Expected a positive decimal number.")
    price = cents(sent, "base_price_money")
    line = {
        "uid": sent.text("uid", longest=60) or f"line-{number + 1}",
        "catalog_object_id": sent.text("catalog_object_id", longest=192),
        "name": sent.text("name", longest=512),
        "quantity": quantity,
        "note": sent.text("note", longest=2000),
        "base_price_money": None if price is None else money(price),
    }
    if line["catalog_object_id"] is None:
        sent.required("base_price_money")
    return without_absent(line)


def _tax(sent: Reader, number: int) -> dict[str, Any]:
    _only(sent, "type", "ADDITIVE")
    _only(sent, "scope", "ORDER")
    return {
        "uid": sent.text("uid", longest=60) or f"tax-{number + 1}",
        "name": sent.text("name", longest=255) or "Tax",
        "percentage": _percentage(sent) or "0",
        "type": "ADDITIVE",
        "scope": "ORDER",
    }


def _discount(sent: Reader, number: int) -> dict[str, Any]:
    _only(sent, "scope", "ORDER")
    named = {
        "uid": sent.text("uid", longest=60) or f"discount-{number + 1}",
        "name": sent.text("name", longest=255) or "Discount",
        "scope": "ORDER",
    }
    percentage, amount = _percentage(sent), cents(sent, "amount_money")
    if percentage is not None and amount is None:
        return {**named, "type": "FIXED_PERCENTAGE", "percentage": percentage}
    if (percentage is None) == (amount is None):
        sent.report("percentage", "INVALID_VALUE", "Set either percentage or amount_money.")
    return {**named, "type": "FIXED_AMOUNT", "amount_money": money(amount or 0)}


def _only(sent: Reader, name: str, value: str) -> None:
    """Refuse what the emulator does not do, rather than ignore it."""
    if sent.text(name) not in (None, value):
        sent.report(name, "INVALID_VALUE", f"The emulator knows {value} only.")


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


def _opened(
    world: World, ledger: Ledger, location_id: str, order: dict[str, Any]
) -> dict[str, Any]:
    now = rfc3339_ms(world.clock())
    made = priced(
        {
            "id": ledger.unused("order", lambda: world.ids.code() + "ZY"),
            "location_id": location_id,
            **{name: value for name, value in order.items() if value},
            "created_at": now,
            "updated_at": now,
            "state": "OPEN",
            "version": 1,
            "source": {"name": "Emulator"},
        }
    )
    ledger.keep("order", made, owner=location_id, moment=now)
    return made
