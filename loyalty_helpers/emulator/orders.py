"""Orders: opened, found, changed, and with rewards attached to them."""

from decimal import Decimal
from typing import Any, Final

from .call import Call
from .ledger import Ledger
from .pricing import REFERENCES, Entry, Line, Order, is_on_lines, lines_of, priced
from .validation import Sent
from .wire import Answer, refusal, without_absent

_PLAIN: Final = ("reference_id", "customer_id", "ticket_name", "metadata", "source")
_UIDS: Final = {
    "line_items": "line", "taxes": "tax", "discounts": "discount",
    "service_charges": "service-charge",
}  # fmt: skip
_NAMED: Final = {"applied_discounts": "discounts", "applied_taxes": "taxes"}


def create(call: Call) -> Answer:
    """Open an order; prices follow from its lines, discounts, service charges and taxes."""
    order, location_id = _read_order(call.sent["order"]), call.sent["order"]["location_id"]
    ledger = call.once("CreateOrder")
    ledger.the_location(location_id, "order.location_id")
    lines = [_with_catalog(ledger, line, i) for i, line in enumerate(lines_of(order))]
    return {"order": open_order(ledger, location_id, {**order, "line_items": lines})}


def the_open_order(ledger: Ledger, order_id: str, field: str) -> Order:
    """Return the order, or refuse one that does not exist or is done."""
    order = ledger.the("order", order_id)
    if order["state"] != "OPEN":
        code = ledger.assumptions.order_not_open_code
        raise refusal(code, f"The order is {order['state']}, not OPEN.", field)
    return order


def open_order(ledger: Ledger, location_id: str, order: Order) -> Order:
    """Make an order of what was sent, price it, write it, and return it."""
    now = ledger.now_ms()
    made = priced(
        {
            "id": ledger.unused("order", "ZY"),
            "location_id": location_id,
            **{name: value for name, value in order.items() if value},
            "created_at": now,
            "updated_at": now,
            "state": "OPEN",
            "version": 1,
            "source": order.get("source") or {"name": "Emulator"},
        }
    )
    ledger.keep("order", made, owner=location_id, moment=now)
    return made


def keep_order(ledger: Ledger, order: Order) -> Order:
    """Price a changed order, write it as its next version, and return it."""
    now = ledger.now_ms()
    changed = {**priced(order), "version": order["version"] + 1, "updated_at": now}
    ledger.keep("order", changed, owner=order["location_id"], moment=now)
    return changed


def attach(ledger: Ledger, order: Order, reward: dict[str, Any], tier: dict[str, Any]) -> Order:
    """Return the order with a reward, and with its discount if the order has what it is for."""
    definition = ledger.record("definition", tier["id"]) or {}
    attached = {"id": reward["id"], "reward_tier_id": tier["id"]}
    changed = {**order, "rewards": [*order.get("rewards", ()), attached]}
    scope = "ORDER" if definition.get("scope") == "ORDER" else "LINE_ITEM"
    line = None if scope == "ORDER" else _line_for(ledger, order, definition)
    if scope == "LINE_ITEM" and line is None:
        return changed
    kind = definition["discount_type"]
    if kind == "FIXED_PERCENTAGE":
        worth = {"percentage": definition["percentage_discount"]}
    else:
        worth = {"amount_money": definition["fixed_discount_money"]}
    discount = {
        "uid": reward["id"],
        "name": tier["name"],
        "type": kind,
        **worth,
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


def has_discount_of(order: Order, reward_id: str) -> bool:
    """Tell whether a reward has found what it is for."""
    return any(reward_id in each.get("reward_ids", ()) for each in order.get("discounts", ()))


def item_of(ledger: Ledger, line: Line) -> tuple[str | None, str | None]:
    """Return the variation and the category of a line; lines without an id go by their name."""
    variation = line.get("catalog_object_id")
    by_name = variation is None and ledger.assumptions.named_lines_are_items
    name = line.get("name", "").casefold()
    for _, item in ledger.records("item"):
        if item["id"] == variation or (by_name and item["name"].casefold() == name):
            return item["id"], item["category_id"]
    return variation, None


def own_discounts(line: Line, order: Order) -> list[Entry]:
    """Return the discounts that are on a line for itself, not on the whole order."""
    own = {each["uid"]: each for each in order.get("discounts", ()) if is_on_lines(each)}
    named = (each["discount_uid"] for each in line.get("applied_discounts", ()))
    return [own[uid] for uid in named if uid in own]


def spent(ledger: Ledger, order: Order, *, before_tax: bool, excluded: set[str]) -> int:
    """Return what the lines of an order came to after discounts, without excluded items."""
    return sum(
        line["total_money"]["amount"] - before_tax * line["total_tax_money"]["amount"]
        for line in lines_of(order)
        if not excluded & {*item_of(ledger, line)}
    )


def _line_for(ledger: Ledger, order: Order, definition: dict[str, Any]) -> Line | None:
    wanted = definition.get("catalog_object_ids", ())
    found: list[Line] = [
        line
        for line in lines_of(order)
        # Each reward takes one unit.
        if sum("reward_ids" in each for each in own_discounts(line, order))
        < int(Decimal(line["quantity"]))
        and any(each in wanted for each in item_of(ledger, line))
    ]
    if not ledger.assumptions.first_matching_line_is_free:
        found.sort(key=lambda line: -line["base_price_money"]["amount"])
    return found[0] if found else None


def _others(record: dict[str, Any], name: str, field: str, value: str) -> list[dict[str, Any]]:
    return [each for each in record.get(name, ()) if each[field] != value]


def _with_catalog(ledger: Ledger, line: dict[str, Any], number: int) -> dict[str, Any]:
    """Return the line with the name and the price that the catalog has for its item."""
    item = ledger.record("item", line.get("catalog_object_id", "")) or {}
    if "base_price_money" not in line and not item:
        field = f"order.line_items[{number}].catalog_object_id"
        raise refusal("NOT_FOUND", "Catalog object not found.", field)
    known = {"name": item.get("name"), "base_price_money": item.get("price_money")}
    return {**without_absent(known), **line}


def _read_order(sent: Sent) -> dict[str, Any]:
    """Read what an order is made of, without its location."""
    for name, kind in _UIDS.items():
        _give_uids(sent[name], kind)
        _refuse_doubles(sent, name, [each["uid"] for each in sent[name] or ()])
    for i, line in enumerate(sent["line_items"] or ()):
        if line["catalog_object_id"] is None:
            line.required("base_price_money")
        _give_uids(line["modifiers"], "modifier")
        for applied, name in _NAMED.items():
            _give_uids(line[applied], line["uid"])
            named = [each[REFERENCES[applied]] for each in line[applied] or ()]
            place = f"line_items[{i}].{applied}"
            _refuse_doubles(sent, place, named)
            if not {each["uid"] for each in sent[name] or ()}.issuperset(named):
                sent.report(place, "INVALID_VALUE", f"Expected uids of the order's {name}.")
    for discount in sent["discounts"] or ():
        _check_discount(discount)
    for charge in sent["service_charges"] or ():
        _check_charge(charge)
    return dict(without_absent({name: sent[name] for name in (*_PLAIN, *_UIDS)}))


def _give_uids(entries: list[Sent] | None, kind: str) -> None:
    """Give a uid to each entry that was sent without one."""
    for i, entry in enumerate(entries or ()):
        entry["uid"] = entry["uid"] or f"{kind}-{i + 1}"[:60]


def _refuse_doubles(sent: Sent, place: str, uids: list[str]) -> None:
    if len(set(uids)) < len(uids):
        sent.report(place, "INVALID_VALUE", "Every uid must be there once.")


def _check_discount(sent: Sent) -> None:
    _check_worth(sent)
    kind = "FIXED_AMOUNT" if sent["percentage"] is None else "FIXED_PERCENTAGE"
    if sent["type"] not in (None, kind):
        sent.report("type", "INVALID_VALUE", f"What was sent makes it {kind}.")
    sent["type"] = kind


def _check_charge(sent: Sent) -> None:
    _check_worth(sent)
    if sent["taxable"] and sent["calculation_phase"] == "TOTAL_PHASE":
        sent.report("taxable", "INVALID_VALUE", "What comes after taxes cannot be taxed.")
    # They have one value here, which is not shown.
    sent["treatment_type"] = sent["scope"] = None


def _check_worth(sent: Sent) -> None:
    if (sent["percentage"] is None) == (sent["amount_money"] is None):
        sent.report("percentage", "INVALID_VALUE", "Set either percentage or amount_money.")
