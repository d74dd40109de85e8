"""How an order is paid: one payment of its total, several together, or none when it is free."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from .call import Call
from .customers import address
from .ledger import Ledger
from .orders import keep_order, open_order, the_open_order
from .pricing import Order, cents_of, money
from .rewards import settle
from .validation import Reader
from .wire import Answer, WireError, not_found, refusal, without_absent

_ECHOED: Final = {
    "customer_id": 191, "reference_id": 40, "note": 500, "team_member_id": 192,
    "buyer_email_address": 255, "statement_description_identifier": 20,
}  # fmt: skip


class Payment(NamedTuple):
    """What a payment is asked to be; `cents` without the tip."""

    source_id: str
    cents: int
    tip: int
    order_id: str | None
    location_id: str | None
    autocomplete: bool
    more: dict[str, Any]


def create(call: Call) -> Answer:
    """Take a payment; one of an order's total completes that order."""
    sent = call.sent
    source_id = sent.required_text("source_id")
    key = sent.required_text("idempotency_key", longest=45)
    asked = Payment(
        source_id=source_id,
        cents=sent.required_cents("amount_money", 1),
        tip=sent.cents("tip_money") or 0,
        order_id=sent.text("order_id"),
        location_id=sent.text("location_id"),
        autocomplete=not sent.has("autocomplete") or sent.boolean("autocomplete"),
        more={},
    )
    more: dict[str, Any] = {name: sent.text(name, longest=most) for name, most in _ECHOED.items()}
    more |= {name: address(sent, name) for name in ("billing_address", "shipping_address")}
    more |= _details(sent, asked)
    asked.more.update(without_absent(more))
    sent.finish()
    return {"payment": _pay(call.once("CreatePayment", key), asked)}


def pay_order(call: Call) -> Answer:
    """Complete an order with approved payments, or with none when a reward made it free."""
    key = call.sent.required_text("idempotency_key", longest=192)
    version = call.sent.integer("order_version", 1, 2**31 - 1)
    # None of them is as good as an empty list here, unlike in a search.
    payment_ids = call.sent.texts("payment_ids") if call.body.data.get("payment_ids") else []
    call.sent.finish()
    ledger = call.once("PayOrder", key)
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


def _pay(ledger: Ledger, asked: Payment) -> dict[str, Any]:
    """Take a payment, complete its order if it pays all of that, and return it."""
    # It keeps its key although it is refused, so that nothing may be written before.
    if asked.source_id.endswith("-declined"):
        raise refusal("GENERIC_DECLINE", "Authorization error: 'GENERIC_DECLINE'")
    if asked.order_id:
        order = the_open_order(ledger, asked.order_id, "order_id")
        _must_fit(ledger, order, asked)
    else:
        order = _order_of(ledger, asked)
    payment = _new_payment(ledger, asked, order)
    if asked.autocomplete:
        _complete(ledger, order, [payment])
    return payment


def _details(sent: Reader, asked: Payment) -> dict[str, Any]:
    """Read what goes with the kind of a payment, and the application's fee."""
    details: dict[str, Any] = {}
    fee, total = sent.cents("app_fee_money"), asked.cents + asked.tip
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
        given = cash.required_cents("buyer_supplied_money")
        if given < total:
            detail = f"The buyer gave {given}, the payment is {total}."
            cash.report("buyer_supplied_money", "VALUE_TOO_LOW", detail)
        change = {"change_back_money": money(given - total)}
        details["cash_details"] = {"buyer_supplied_money": money(given), **change}
    if external := sent.object("external_details"):
        told = {name: external.required_text(name, longest=255) for name in ("type", "source")}
        fee = external.cents("source_fee_money")
        more = {
            "source_id": external.text("source_id", longest=255),
            "source_fee_money": None if fee is None else money(fee),
        }
        details["external_details"] = told | without_absent(more)
    return details


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


def _order_of(ledger: Ledger, asked: Payment) -> Order:
    """Make the order of a payment that has none: Square makes one, too, of a custom amount."""
    location_id = asked.location_id or min(each["id"] for _, each in ledger.records("location"))
    ledger.the_location(location_id, "location_id")
    amount = {"item_type": "CUSTOM_AMOUNT", "base_price_money": money(asked.cents)}
    line = {"uid": "line-1", "quantity": "1", **amount}
    customer = asked.more.get("customer_id")
    order = {"line_items": [line], **({"customer_id": customer} if customer else {})}
    return open_order(ledger, location_id, order)


def _must_fit(ledger: Ledger, order: Order, asked: Payment) -> None:
    if asked.location_id not in (None, order["location_id"]):
        code = ledger.assumptions.order_location_code
        raise refusal(code, "The order was made at another location.", "location_id")
    if asked.autocomplete and asked.cents != order["total_money"]["amount"]:
        raise _differs(ledger, order, asked.cents, "amount_money.amount")


def _differs(ledger: Ledger, order: Order, paid: int, field: str) -> WireError:
    total = order["total_money"]["amount"]
    detail = f"The payments come to {paid}, the order's total is {total}."
    return refusal(ledger.assumptions.payment_differs_code, detail, field)


def _new_payment(ledger: Ledger, asked: Payment, order: Order) -> dict[str, Any]:
    now = ledger.now_ms()
    payment = {
        "id": ledger.unused("payment", "ZY"),
        "created_at": now,
        "updated_at": now,
        "amount_money": money(asked.cents),
        **({"tip_money": money(asked.tip)} if asked.tip else {}),
        "total_money": money(asked.cents + asked.tip),
        "approved_money": money(asked.cents + asked.tip),
        "status": "COMPLETED" if asked.autocomplete else "APPROVED",
        "source_type": asked.source_id if asked.source_id in ("CASH", "EXTERNAL") else "CARD",
        "location_id": order["location_id"],
        "order_id": order["id"],
        **asked.more,
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
