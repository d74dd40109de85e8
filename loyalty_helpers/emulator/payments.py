"""How an order is paid: one payment of its total, several together, or none when it is free."""

from typing import Any, Final

from .call import Call
from .ledger import Ledger
from .orders import keep_order, open_order, the_open_order
from .pricing import Order, cents_of, money
from .rewards import settle
from .validation import Sent
from .wire import Answer, WireError, not_found, refusal, without_absent

_ECHOED: Final = (
    "customer_id", "reference_id", "note", "team_member_id", "buyer_email_address",
    "statement_description_identifier", "billing_address", "shipping_address", "app_fee_money",
    "cash_details", "external_details",
)  # fmt: skip
_SOURCES: Final = {"CASH": "cash_details", "EXTERNAL": "external_details"}
"""Those that bring details of their own; all others are cards."""


def create(call: Call) -> Answer:
    """Take a payment; one of an order's total completes that order."""
    asked = call.sent
    _check_details(asked)
    ledger = call.once("CreatePayment")
    # It keeps its key although it is refused, so that nothing may be written before.
    if asked["source_id"].endswith("-declined"):
        raise refusal("GENERIC_DECLINE", "Authorization error: 'GENERIC_DECLINE'")
    if asked["order_id"]:
        order = the_open_order(ledger, asked["order_id"], "order_id")
        _must_fit(ledger, order, asked)
    else:
        order = _order_of(ledger, asked)
    payment = _new_payment(ledger, asked, order)
    if payment["status"] == "COMPLETED":
        _complete(ledger, order, [payment])
    return {"payment": payment}


def pay_order(call: Call) -> Answer:
    """Complete an order with approved payments, or with none when a reward made it free."""
    version, payment_ids = call.sent["order_version"], call.sent["payment_ids"]
    ledger = call.once("PayOrder")
    order = the_open_order(ledger, call.target, "order_id")
    if version not in (None, order["version"]):
        detail = f"The order's version is {order['version']}, not {version}."
        raise refusal("VERSION_MISMATCH", detail, "order_version")
    payments = [ledger.the("payment", each) for each in dict.fromkeys(payment_ids or ())]
    if any((p.get("order_id"), p["status"]) != (call.target, "APPROVED") for p in payments):
        raise not_found("Payment")
    paid = sum(payment["amount_money"]["amount"] for payment in payments)
    if paid != order["total_money"]["amount"]:
        raise _differs(ledger, order, paid, "payment_ids")
    for payment in payments:
        changed = {**payment, "status": "COMPLETED", "updated_at": ledger.now_ms()}
        ledger.keep("payment", changed, owner=call.target, moment=payment["created_at"])
    return {"order": _complete(ledger, order, payments)}


def _check_details(asked: Sent) -> None:
    """Check what goes with the kind of a payment, and the application's fee."""
    total = cents_of(asked, "amount_money") + cents_of(asked, "tip_money")
    if cents_of(asked, "app_fee_money") * 10 > total * 9:
        asked.report("app_fee_money", "VALUE_TOO_HIGH", "At most 90 % of the payment.")
    for source_id, name in _SOURCES.items():
        if asked["source_id"] == source_id:
            asked.required(name)
        elif asked[name] is not None:
            asked.report(name, "INVALID_VALUE", f"Send it only with the source_id {source_id}.")
    if cash := asked["cash_details"]:
        given = cents_of(cash, "buyer_supplied_money")
        if given < total:
            detail = f"The buyer gave {given}, the payment is {total}."
            cash.report("buyer_supplied_money", "VALUE_TOO_LOW", detail)
        cash["change_back_money"] = money(given - total)


def _complete(ledger: Ledger, order: Order, payments: list[dict[str, Any]]) -> Order:
    """Complete an order, and redeem the rewards that it has."""
    settle(ledger, order)
    paid = ledger.record("order", order["id"]) or order
    tenders = [_tender(payment) for payment in payments]
    closed = {
        "state": "COMPLETED",
        "closed_at": ledger.now_ms(),
        "total_tip_money": money(sum(cents_of(each, "tip_money") for each in payments)),
    }
    changed = {**paid, **({"tenders": tenders} if tenders else {}), **closed}
    return keep_order(ledger, changed)


def _order_of(ledger: Ledger, asked: Sent) -> Order:
    """Make the order of a payment that has none: Square makes one, too, of a custom amount."""
    location_id = asked["location_id"] or min(each["id"] for _, each in ledger.records("location"))
    ledger.the_location(location_id, "location_id")
    amount = {"item_type": "CUSTOM_AMOUNT", "base_price_money": asked["amount_money"]}
    line = {"uid": "line-1", "quantity": "1", **amount}
    order = {"line_items": [line], "customer_id": asked["customer_id"]}
    return open_order(ledger, location_id, order)


def _must_fit(ledger: Ledger, order: Order, asked: Sent) -> None:
    if asked["location_id"] not in (None, order["location_id"]):
        code = ledger.assumptions.order_location_code
        raise refusal(code, "The order was made at another location.", "location_id")
    paid = cents_of(asked, "amount_money")
    if asked["autocomplete"] and paid != order["total_money"]["amount"]:
        raise _differs(ledger, order, paid, "amount_money.amount")


def _differs(ledger: Ledger, order: Order, paid: int, field: str) -> WireError:
    total = order["total_money"]["amount"]
    detail = f"The payments come to {paid}, the order's total is {total}."
    return refusal(ledger.assumptions.payment_differs_code, detail, field)


def _new_payment(ledger: Ledger, asked: Sent, order: Order) -> dict[str, Any]:
    now, tip = ledger.now_ms(), cents_of(asked, "tip_money")
    total = money(cents_of(asked, "amount_money") + tip)
    echoed = {name: without_absent(asked[name]) for name in _ECHOED}
    payment = {
        "id": ledger.unused("payment", "ZY"),
        "created_at": now,
        "updated_at": now,
        "amount_money": asked["amount_money"],
        **({"tip_money": money(tip)} if tip else {}),
        "total_money": total,
        "approved_money": total,
        "status": "COMPLETED" if asked["autocomplete"] else "APPROVED",
        "source_type": asked["source_id"] if asked["source_id"] in _SOURCES else "CARD",
        "location_id": order["location_id"],
        "order_id": order["id"],
        **{name: value for name, value in echoed.items() if value},
    }
    ledger.keep("payment", payment, owner=order["id"], moment=now)
    return payment


def _tender(payment: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": payment["id"],
        "location_id": payment["location_id"],
        "transaction_id": payment["order_id"],
        "created_at": payment["created_at"],
        "amount_money": payment["total_money"],
        **({"tip_money": payment["tip_money"]} if "tip_money" in payment else {}),
        "type": payment["source_type"].replace("EXTERNAL", "OTHER"),
        "payment_id": payment["id"],
    }
