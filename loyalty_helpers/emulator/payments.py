"""How an order is paid: one payment of its total, several together, or none when it is free."""

from __future__ import annotations

from typing import Any, NamedTuple

from .clock import rfc3339_ms
from .ledger import Ledger
from .orders import keep_order, open_order
from .pricing import Order, cents_of, money
from .rewards import settle, the_open_order
from .rules import the_location
from .wire_errors import not_found, refusal
from .world import World


class Payment(NamedTuple):
    """What a payment is asked to be; `cents` without the tip."""

    source_id: str
    cents: int
    tip: int
    order_id: str | None
    location_id: str | None
    autocomplete: bool
    more: dict[str, Any]


def pay(world: World, ledger: Ledger, asked: Payment) -> dict[str, Any]:
    """Take a payment, complete its order if it pays all of that, and return it."""
    if asked.source_id.endswith("-declined"):
        raise refusal("GENERIC_DECLINE", "Authorization error: 'GENERIC_DECLINE'")
    if asked.order_id:
        order = the_open_order(world, ledger, asked.order_id, "order_id")
        _must_fit(world, order, asked)
    else:
        order = _order_of(world, ledger, asked)
    payment = _new_payment(world, ledger, asked, order)
    if asked.autocomplete:
        complete(world, ledger, order, [payment])
    return payment


def pay_order(
    world: World, ledger: Ledger, order_id: str, version: int | None, payment_ids: list[str]
) -> Order:
    """Complete an order with payments that were approved for it; a free one needs none."""
    order = the_open_order(world, ledger, order_id, "order_id")
    if version not in (None, order["version"]):
        detail = f"The order's version is {order['version']}, not {version}."
        raise refusal("VERSION_MISMATCH", detail, "order_version")
    payments = [_approved(ledger, order_id, each) for each in dict.fromkeys(payment_ids)]
    paid = sum(payment["amount_money"]["amount"] for payment in payments)
    if paid != order["total_money"]["amount"]:
        raise _differs(world, order, paid, "payment_ids")
    now = rfc3339_ms(world.clock())
    for payment in payments:
        changed = {**payment, "status": "COMPLETED", "updated_at": now}
        ledger.keep("payment", changed, owner=order_id, moment=payment["created_at"])
    return complete(world, ledger, order, payments)


def complete(world: World, ledger: Ledger, order: Order, payments: list[dict[str, Any]]) -> Order:
    """Complete an order, and redeem the rewards that it has."""
    settle(world, ledger, order)
    paid = ledger.record("order", order["id"]) or order
    tenders = [_tender(payment) for payment in payments]
    closed = {
        "state": "COMPLETED",
        "closed_at": rfc3339_ms(world.clock()),
        "total_tip_money": money(sum(cents_of(each, "tip_money") for each in payments)),
    }
    changed = {**paid, **({"tenders": tenders} if tenders else {}), **closed}
    return keep_order(world, ledger, changed)


def _order_of(world: World, ledger: Ledger, asked: Payment) -> Order:
    """Make the order of a payment that has none: Square makes one, too, of a custom amount."""
    location_id = asked.location_id or _main(ledger)
    the_location(world, ledger, location_id, "location_id")
    amount = {"item_type": "CUSTOM_AMOUNT", "base_price_money": money(asked.cents)}
    line = {"uid": "line-1", "quantity": "1", **amount}
    customer = asked.more.get("customer_id")
    order = {"line_items": [line], **({"customer_id": customer} if customer else {})}
    return open_order(world, ledger, location_id, order)


def _must_fit(world: World, order: Order, asked: Payment) -> None:
    if asked.location_id not in (None, order["location_id"]):
        code = world.assumptions.order_location_code
        raise refusal(code, "The order was made at another location.", "location_id")
    if asked.autocomplete and asked.cents != order["total_money"]["amount"]:
        raise _differs(world, order, asked.cents, "amount_money.amount")


def _differs(world: World, order: Order, paid: int, field: str) -> Exception:
    total = order["total_money"]["amount"]
    detail = f"The payments come to {paid}, the order's total is {total}."
    return refusal(world.assumptions.payment_differs_code, detail, field)


def _approved(ledger: Ledger, order_id: str, payment_id: str) -> dict[str, Any]:
    payment = ledger.record("payment", payment_id)
    if payment is None or payment.get("order_id") != order_id or payment["status"] != "APPROVED":
        raise not_found("Payment")
    return payment


def _new_payment(world: World, ledger: Ledger, asked: Payment, order: Order) -> dict[str, Any]:
    now = rfc3339_ms(world.clock())
    payment = {
        "id": ledger.unused("payment", lambda: world.ids.code() + "ZY"),
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


def _main(ledger: Ledger) -> str:
    return min(str(location["id"]) for _, location in ledger.records("location"))
