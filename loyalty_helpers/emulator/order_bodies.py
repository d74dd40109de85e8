"""Orders as they are sent."""

from __future__ import annotations

from typing import Any, Final

from .pricing import REFERENCES
from .validation import Sent
from .wire import without_absent

_PLAIN: Final = ("reference_id", "customer_id", "ticket_name", "metadata", "source")
_UIDS: Final = {
    "line_items": "line", "taxes": "tax", "discounts": "discount",
    "service_charges": "service-charge",
}  # fmt: skip
_NAMED: Final = {"applied_discounts": "discounts", "applied_taxes": "taxes"}


def read_order(sent: Sent) -> dict[str, Any]:
    """Read what an order is made of, without its location."""
    for name, kind in _UIDS.items():
        _name(sent[name], kind)
        _once(sent, name, [each["uid"] for each in sent[name] or ()])
    for i, line in enumerate(sent["line_items"] or ()):
        if line["catalog_object_id"] is None:
            line.required("base_price_money")
        _name(line["modifiers"], "modifier")
        for applied, name in _NAMED.items():
            _name(line[applied], line["uid"])
            named = [each[REFERENCES[applied]] for each in line[applied] or ()]
            place = f"line_items[{i}].{applied}"
            _once(sent, place, named)
            if not {each["uid"] for each in sent[name] or ()}.issuperset(named):
                sent.report(place, "INVALID_VALUE", f"Expected uids of the order's {name}.")
    for discount in sent["discounts"] or ():
        _check_discount(discount)
    for charge in sent["service_charges"] or ():
        _check_charge(charge)
    return dict(without_absent({name: sent[name] for name in (*_PLAIN, *_UIDS)}))


def _name(entries: list[Sent] | None, kind: str) -> None:
    """Give a uid to each entry that was sent without one."""
    for i, entry in enumerate(entries or ()):
        entry["uid"] = entry["uid"] or f"{kind}-{i + 1}"[:60]


def _once(sent: Sent, place: str, uids: list[str]) -> None:
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
    sent["taxable"] = bool(sent["taxable"])
    # They have one value here, which is not shown.
    sent["treatment_type"] = sent["scope"] = None


def _check_worth(sent: Sent) -> None:
    if (sent["percentage"] is None) == (sent["amount_money"] is None):
        sent.report("percentage", "INVALID_VALUE", "Set either percentage or amount_money.")
