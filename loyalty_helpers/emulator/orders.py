"""What an order costs: its lines, its taxes, its discounts, and the rewards attached to it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from .clock import rfc3339_ms
from .ledger import Ledger
from .wire_errors import found
from .world import World

CURRENCY: Final = "USD"

Order = dict[str, Any]
Line = dict[str, Any]


def the_order(ledger: Ledger, order_id: str) -> Order:
    """Return the order, or refuse with 404."""
    return found(ledger.record("order", order_id), "Order")


def money(amount: int) -> dict[str, Any]:
    """Return an amount, in cents, as Square writes it."""
    return {"amount": amount, "currency": CURRENCY}


def keep_order(world: World, ledger: Ledger, order: Order) -> Order:
    """Price a changed order, write it as its next version, and return it."""
    now = rfc3339_ms(world.clock())
    changed = {**priced(order), "version": order["version"] + 1, "updated_at": now}
    ledger.keep("order", changed, owner=order["location_id"], moment=now)
    return changed


def priced(order: Order) -> Order:
    """Return the order with all that follows from its lines, taxes and discounts."""
    own = _own_discounts(order)
    lines = [_fresh(line, own) for line in lines_of(order)]
    # What a line is off for itself comes first; the rest is off what is left.
    discounts = order.get("discounts", [])
    taken = {
        each["uid"]: _discount(each, lines)
        for each in sorted(discounts, key=lambda each: bool(each["scope"] == "ORDER"))
    }
    taxed = {each["uid"]: _tax(each, lines) for each in order.get("taxes", [])}
    tax, discount = sum(taxed.values()), sum(taken.values())
    total = sum(line["total_money"]["amount"] for line in lines)
    due = total if order["state"] == "OPEN" else 0
    amounts = {"total": total, "tax": tax, "discount": discount, "tip": 0, "service_charge": 0}
    return {
        **order,
        **({"line_items": lines} if lines else {}),
        **({"discounts": _with_applied(discounts, taken)} if discounts else {}),
        **({"taxes": _with_applied(order["taxes"], taxed)} if taxed else {}),
        "net_amounts": {f"{name}_money": money(value) for name, value in amounts.items()},
        "total_money": money(total),
        **{f"total_{name}_money": money(value) for name, value in list(amounts.items())[1:]},
        "net_amount_due_money": money(due),
    }


def attach(
    world: World, ledger: Ledger, order: Order, reward: dict[str, Any], tier: dict[str, Any]
) -> Order:
    """Return the order with a reward, and with its discount if the order has what it is for."""
    definition = ledger.record("definition", tier["id"]) or {}
    attached = {"id": reward["id"], "reward_tier_id": tier["id"]}
    changed = {**order, "rewards": [*order.get("rewards", ()), attached]}
    scope = "ORDER" if definition.get("scope") == "ORDER" else "LINE_ITEM"
    line = None if scope == "ORDER" else _line_for(world, ledger, order, definition)
    if scope == "LINE_ITEM" and line is None:
        return changed
    discount = {
        "uid": reward["id"],
        "name": tier["name"],
        **_worth(definition),
        "scope": scope,
        "reward_ids": [reward["id"]],
        "pricing_rule_id": tier["pricing_rule_reference"]["object_id"],
    }
    if line is not None:
        applied = {"uid": reward["id"], "discount_uid": reward["id"]}
        line["applied_discounts"] = [*line.get("applied_discounts", ()), applied]
    return {**changed, "discounts": [*order.get("discounts", ()), discount]}


def detach(order: Order, reward_id: str) -> Order:
    """Return the order without a reward and its discount."""
    lines = [
        {**line, "applied_discounts": _others(line, "applied_discounts", "uid", reward_id)}
        for line in lines_of(order)
    ]
    left = {
        "line_items": lines,
        "rewards": _others(order, "rewards", "id", reward_id),
        "discounts": _others(order, "discounts", "uid", reward_id),
    }
    kept = {name: value for name, value in order.items() if name not in left}
    return {**kept, **{name: value for name, value in left.items() if value}}


def lines_of(order: Order) -> list[Line]:
    """Return the lines of an order, which may have none."""
    lines: list[Line] = order.get("line_items", [])
    return lines


def has_discount_of(order: Order, reward_id: str) -> bool:
    """Tell whether a reward has found what it is for."""
    return any(reward_id in each.get("reward_ids", ()) for each in order.get("discounts", ()))


def item_of(world: World, ledger: Ledger, line: Line) -> tuple[str | None, str | None]:
    """Return the variation and the category of a line; lines without an id go by their name."""
    variation = line.get("catalog_object_id")
    by_name = variation is None and world.assumptions.named_lines_are_items
    name = line.get("name", "").casefold()
    for _, item in ledger.records("item"):
        if item["id"] == variation or (by_name and item["name"].casefold() == name):
            return item["id"], item["category_id"]
    return variation, None


def units_taken(line: Line, order: Order) -> int:
    """Return how many units of a line rewards have discounted; each reward takes one."""
    own, applied = _own_discounts(order), line.get("applied_discounts", ())
    return sum(each["discount_uid"] in own for each in applied)


def _own_discounts(order: Order) -> set[str]:
    """Return the discounts that are on one line each."""
    return {each["uid"] for each in order.get("discounts", ()) if each["scope"] == "LINE_ITEM"}


def _line_for(
    world: World, ledger: Ledger, order: Order, definition: dict[str, Any]
) -> Line | None:
    wanted = definition.get("catalog_object_ids", ())
    found: list[Line] = [
        line
        for line in lines_of(order)
        if units_taken(line, order) < int(Decimal(line["quantity"]))
        and any(each in wanted for each in item_of(world, ledger, line))
    ]
    if not world.assumptions.first_matching_line_is_free:
        found.sort(key=lambda line: -line["base_price_money"]["amount"])
    return found[0] if found else None


def _worth(definition: dict[str, Any]) -> dict[str, Any]:
    kind = definition["discount_type"]
    if kind == "FIXED_PERCENTAGE":
        return {"type": kind, "percentage": definition["percentage_discount"]}
    return {"type": kind, "amount_money": definition["fixed_discount_money"]}


def _others(record: dict[str, Any], name: str, field: str, value: str) -> list[dict[str, Any]]:
    return [each for each in record.get(name, ()) if each[field] != value]


def _fresh(line: Line, own: set[str]) -> dict[str, Any]:
    """Return a line as if no discount were taken from it and no tax added to it."""
    gross = _rounded(Decimal(line["quantity"]) * line["base_price_money"]["amount"])
    for_line = [
        {name: value for name, value in each.items() if name != "applied_money"}
        for each in line.get("applied_discounts", ())
        if each["discount_uid"] in own
    ]
    kept = {name: value for name, value in line.items() if not name.startswith("applied_")}
    return {
        **kept,
        **({"applied_discounts": for_line} if for_line else {}),
        "variation_total_price_money": money(gross),
        "gross_sales_money": money(gross),
        "total_tax_money": money(0),
        "total_discount_money": money(0),
        "total_money": money(gross),
    }


def _discount(discount: dict[str, Any], lines: list[Line]) -> int:
    """Take a discount from the lines it is for, and return what it came to."""
    if discount["scope"] == "ORDER":
        off: int = _off(discount, sum(line["total_money"]["amount"] for line in lines))
        for line, share in _shares(off, lines):
            applied = {
                "uid": f"{discount['uid']}-{line['uid']}"[:60],
                "discount_uid": discount["uid"],
            }
            _apply(line, "discount", -1, {**applied, "applied_money": money(share)}, share)
        return off
    for line in lines:
        for applied in line.get("applied_discounts", ()):
            if applied["discount_uid"] == discount["uid"]:
                left = line["total_money"]["amount"]
                off = min(left, _off(discount, line["base_price_money"]["amount"]))
                applied["applied_money"] = money(off)
                _apply(line, "discount", -1, None, off)
                return off
    return 0


def _tax(tax: dict[str, Any], lines: list[Line]) -> int:
    """Add a tax to all lines, on what is left after discounts, and return what it came to."""
    untaxed = [line["total_money"]["amount"] - line["total_tax_money"]["amount"] for line in lines]
    total = _rounded(Decimal(tax["percentage"]) / 100 * sum(untaxed))
    for line, share in _shares(total, lines):
        applied = {"uid": f"{tax['uid']}-{line['uid']}"[:60], "tax_uid": tax["uid"]}
        _apply(line, "tax", 1, {**applied, "applied_money": money(share)}, share)
    return total


def _apply(line: Line, kind: str, sign: int, applied: dict[str, Any] | None, amount: int) -> None:
    if applied:
        name = "applied_taxes" if kind == "tax" else "applied_discounts"
        line[name] = [*line.get(name, ()), applied]
    line[f"total_{kind}_money"] = money(line[f"total_{kind}_money"]["amount"] + amount)
    line["total_money"] = money(line["total_money"]["amount"] + sign * amount)


def _off(discount: dict[str, Any], amount: int) -> int:
    if discount["type"] == "FIXED_PERCENTAGE":
        return _rounded(Decimal(discount["percentage"]) / 100 * amount)
    return min(amount, int(discount["amount_money"]["amount"]))


def _shares(amount: int, lines: list[Line]) -> Iterable[tuple[Line, int]]:
    """Split an amount over the lines by what they come to; no cent is lost."""
    whole = sum(line["total_money"]["amount"] for line in lines)
    passed = given = 0
    shares = []
    for line in lines:
        passed += line["total_money"]["amount"]
        share = amount * passed // whole - given if whole else 0
        given += share
        shares.append((line, share))
    return shares


def _with_applied(entries: list[dict[str, Any]], came_to: dict[str, int]) -> list[dict[str, Any]]:
    return [{**each, "applied_money": money(came_to[each["uid"]])} for each in entries]


def _rounded(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_EVEN))
