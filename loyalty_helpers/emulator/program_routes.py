"""The seller's side: locations and the program, and what it would grant."""

from __future__ import annotations

from typing import Any

from .accrual import base_points, promotion_points
from .handling import Call, cents
from .orders import the_order
from .pricing import money, priced
from .rules import the_account, the_program
from .wire_errors import refusal
from .world import Answer


def list_locations(call: Call) -> Answer:
    """List the merchant's locations, ordered by name."""
    with call.reading() as ledger:
        locations = [location for _, location in ledger.records("location")]
    return {"locations": sorted(locations, key=lambda each: (each["name"], each["id"]))}


def list_loyalty_programs(call: Call) -> Answer:
    """List the one program that there is; `main` has taken the place of this."""
    with call.reading() as ledger:
        program = ledger.program()
    return {"programs": [program]} if program else {}


def calculate_loyalty_points(call: Call) -> Answer:
    """Tell what an order or an amount would earn; nothing is earned by it."""
    body = call.body.fields
    order_id, amount = body.text("order_id"), cents(body, "transaction_amount_money")
    account_id = body.text("loyalty_account_id", longest=36)
    body.finish()
    if order_id is not None and amount is not None:
        code = call.world.assumptions.order_and_points_code
        raise refusal(code, "Send order_id or transaction_amount_money, not both.", "order_id")
    if order_id is None and amount is None:
        code = call.world.assumptions.neither_order_nor_points_code
        raise refusal(code, "Field must be set", "order_id")
    with call.reading() as ledger:
        program = the_program(ledger, call.target)
        account = the_account(ledger, account_id) if account_id else None
        if amount is not None:
            _refuse_amount_for_items(call, program)
        order = the_order(ledger, order_id) if order_id else _purchase(amount or 0)
        points = base_points(call.world, ledger, program["id"], order)
        # A promotion is for orders only.
        known = order if order_id else None
        _, extra = promotion_points(call.world, ledger, account, known, points)
    return {"points": points, "promotion_points": extra}


def _refuse_amount_for_items(call: Call, program: dict[str, Any]) -> None:
    """Refuse an amount where items alone earn points, if so assumed."""
    by_items = not {rule["accrual_type"] for rule in program["accrual_rules"]} & {"VISIT", "SPEND"}
    if by_items and not call.world.assumptions.amount_earns_nothing_with_item_rules:
        detail = "The program grants points for items, which an amount has none of."
        raise refusal("BAD_REQUEST", detail, "transaction_amount_money")


def _purchase(amount: int) -> dict[str, object]:
    """Return an order of a thing that no rule asks for by name."""
    line = {"uid": "line-1", "quantity": "1", "base_price_money": money(amount)}
    return priced({"line_items": [line], "state": "OPEN"})
