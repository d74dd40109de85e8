"""What an order comes to: lines with modifiers, then discounts, service charges and taxes.

https://developer.squareup.com/docs/orders-api/how-it-works#how-totals-are-calculated
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

CURRENCY: Final = "USD"
Order = dict[str, Any]
Line = dict[str, Any]
Entry = dict[str, Any]
"""A discount, a tax or a service charge of an order."""

REFERENCES: Final = {"applied_discounts": "discount_uid", "applied_taxes": "tax_uid"}
"""Where a line tells what is on it, and the field that names a discount or tax of the order."""


def money(amount: int) -> dict[str, Any]:
    """Return an amount, in cents, as Square writes it."""
    return {"amount": amount, "currency": CURRENCY}


def cents_of(record: dict[str, Any], name: str) -> int:
    """Return the cents of an amount; one that is not there is nothing."""
    return int((record.get(name) or money(0))["amount"])


def lines_of(order: Order) -> list[Line]:
    """Return the lines of an order, which may have none."""
    lines: list[Line] = order.get("line_items", [])
    return lines


def priced(order: Order) -> Order:
    """Return the order with all that follows from what was sent and what was added to it."""
    discounts, taxes = ([{**each} for each in order.get(n, ())] for n in ("discounts", "taxes"))
    named = (("applied_discounts", discounts), ("applied_taxes", taxes))
    own = {name: {each["uid"] for each in of if is_on_lines(each)} for name, of in named}
    lines = [_fresh_line(line, own) for line in lines_of(order)]
    # Percentages come first, and of them those of items.
    for each in sorted(discounts, key=lambda d: (d["type"] == "FIXED_AMOUNT", not is_on_lines(d))):
        each["applied_money"] = money(_discount(each, lines))
    charges = [{**each} for each in order.get("service_charges", ())]
    for each in charges:
        each.update(dict.fromkeys(("applied_money", "total_money", "total_tax_money"), money(0)))
    early = [each for each in charges if each["calculation_phase"] == "SUBTOTAL_PHASE"]
    _charge(early, lines)
    taxable = [*lines, *(each for each in early if each.get("taxable"))]
    for each in taxes:
        each["applied_money"] = money(_tax(each, taxable))
    _charge([each for each in charges if each not in early], [*lines, *early])
    tip = cents_of(order, "total_tip_money")
    amounts = {
        "total": _sum([*lines, *charges]) + tip,
        "tax": _sum(taxes, "applied_money"),
        "discount": _sum(discounts, "applied_money"),
        "tip": tip,
        "service_charge": _sum(charges, "applied_money"),
    }
    parts = {
        "line_items": lines,
        "discounts": discounts,
        "taxes": taxes,
        "service_charges": charges,
    }
    return {
        **order,
        **{name: entries for name, entries in parts.items() if entries},
        "net_amounts": {f"{name}_money": money(value) for name, value in amounts.items()},
        "total_money": money(amounts.pop("total")),
        **{f"total_{name}_money": money(value) for name, value in amounts.items()},
        "net_amount_due_money": money(_sum([*lines, *charges]) if order["state"] == "OPEN" else 0),
    }


def is_on_lines(entry: Entry) -> bool:
    """Tell whether a discount or a tax is on those lines only that name it."""
    return bool(entry["scope"] == "LINE_ITEM")


def _fresh_line(line: Line, own: dict[str, set[str]]) -> Line:
    """Return a line as if no discount were taken from it and no tax added to it."""
    quantity = Decimal(line["quantity"])
    bare = _rounded(quantity * line["base_price_money"]["amount"])
    kept = {name: value for name, value in line.items() if name not in REFERENCES}
    for name, field in REFERENCES.items():
        applied = [{"uid": each["uid"], field: each[field]} for each in line.get(name, ())]
        kept[name] = [each for each in applied if each[field] in own[name]]
    modifiers = [{**each} for each in line.get("modifiers", ())]
    for each in modifiers:
        many = quantity * Decimal(each.get("quantity", "1"))
        each["total_price_money"] = money(_rounded(many * each["base_price_money"]["amount"]))
    gross = bare + _sum(modifiers, "total_price_money")
    return {
        **{name: value for name, value in kept.items() if value or name not in REFERENCES},
        **({"modifiers": modifiers} if modifiers else {}),
        "variation_total_price_money": money(bare),
        "gross_sales_money": money(gross),
        "total_tax_money": money(0),
        "total_discount_money": money(0),
        "total_money": money(gross),
    }


def _discount(discount: Entry, lines: list[Line]) -> int:
    """Take a discount from the lines that it is for, and return what it came to."""
    lines = _targets(discount, lines, "applied_discounts")
    if not is_on_lines(discount):
        whole = _sum(lines)
        taken = min(whole, _worth(discount, whole))
        shares = _shares(taken, [_sum([line]) for line in lines])
    else:
        # A reward is for one unit.
        basis = "base_price_money" if "reward_ids" in discount else "total_money"
        most = [(_sum([line]), _sum([line], basis)) for line in lines]
        shares = [min(total, unit, _worth(discount, unit)) for total, unit in most]
    for line, share in zip(lines, shares, strict=True):
        _apply(discount, line, "applied_discounts", share)
        _add(line, "total_discount_money", share)
        _add(line, "total_money", -share)
    return sum(shares)


def _tax(tax: Entry, parts: list[dict[str, Any]]) -> int:
    """Add a tax to what it is on, after discounts, and return what it came to."""
    parts = _targets(tax, parts, "applied_taxes")
    untaxed = [_sum([part]) - _sum([part], "total_tax_money") for part in parts]
    shares = _shares(_worth(tax, sum(untaxed)), untaxed)
    for part, share in zip(parts, shares, strict=True):
        _apply(tax, part, "applied_taxes", share)
        _add(part, "total_tax_money", share)
        _add(part, "total_money", share)
    return sum(shares)


def _charge(charges: list[Entry], parts: list[dict[str, Any]]) -> None:
    """Price service charges on what `parts` come to."""
    amount = _sum(parts)
    for charge in charges:
        worth = money(_worth(charge, amount))
        charge.update(applied_money=worth, total_money=worth)


def _targets(entry: Entry, parts: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    if not is_on_lines(entry):
        return parts
    field = REFERENCES[name]
    return [
        part for part in parts if any(each[field] == entry["uid"] for each in part.get(name, ()))
    ]


def _apply(entry: Entry, part: dict[str, Any], name: str, amount: int) -> None:
    """Tell in a line, or in a service charge, what came to it."""
    field = REFERENCES[name]
    applied = part.setdefault(name, [])
    own = next((each for each in applied if each[field] == entry["uid"]), None)
    if own is None:
        own = {"uid": f"{entry['uid']}-{part['uid']}"[:60], field: entry["uid"]}
        applied.append(own)
    own["applied_money"] = money(amount)


def _add(part: dict[str, Any], name: str, amount: int) -> None:
    part[name] = money(part[name]["amount"] + amount)


def _worth(entry: Entry, amount: int) -> int:
    """Return what a percentage of an amount comes to, or a fixed amount."""
    if "percentage" in entry:
        return _rounded(Decimal(entry["percentage"]) / 100 * amount)
    return int(entry["amount_money"]["amount"])


def _shares(amount: int, weights: list[int]) -> list[int]:
    """Split an amount by weights: the running sum is rounded, so that no cent is lost."""
    whole, passed, given = sum(weights), 0, 0
    shares = []
    for weight in weights:
        passed += weight
        share = (2 * amount * passed + whole) // (2 * whole) - given if whole else 0
        given += share
        shares.append(share)
    return shares


def _sum(parts: Sequence[dict[str, Any]], name: str = "total_money") -> int:
    return sum(part[name]["amount"] for part in parts)


def _rounded(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_EVEN))
