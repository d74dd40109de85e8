"""Orders as they are sent."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from .pricing import REFERENCES, money
from .validation import Reader
from .wire import without_absent

_PERCENTAGE: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,5})?")
_QUANTITY: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,5})?")
_NAMED: Final = {"applied_discounts": "discounts", "applied_taxes": "taxes"}


def read_order(sent: Reader) -> dict[str, Any]:
    """Read what an order is made of, without its location."""
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
    price = sent.cents("base_price_money")
    return None if price is None else money(price)


def _quantity(sent: Reader, text: str, *, positive: bool) -> str:
    """Return a quantity; a wrong one is reported, and stands in for one."""
    if text and not (_QUANTITY.fullmatch(text) and (Decimal(text) > 0 or not positive)):
        sent.report("quantity", "INVALID_VALUE", "Expected a positive decimal number.")
    return text


def _percentage_or_amount(sent: Reader) -> dict[str, Any]:
    percentage, amount = _percentage(sent), sent.cents("amount_money")
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
