"""What a purchase earns: the program's best rule, and the newest promotion on top of it."""

from decimal import Decimal
from typing import Any, Final

from .call import Call
from .events import post
from .ledger import Account, Ledger, Where
from .orders import item_of, own_discounts, spent
from .pricing import Line, Order, lines_of, priced
from .promotions import promotion_for
from .validation import Sent
from .wire import Answer, refusal

_MANY_EVENTS_SINCE: Final = "2022-08-17"


def accumulate(call: Call) -> Answer:
    """Add the points of a purchase, given by its order or as a number."""
    sent, location_id = call.sent["accumulate_points"], call.sent["location_id"]
    both, neither = "accumulate_points", "accumulate_points.points"
    order_id, points = _one_of(call, sent, "points", both=both, neither=neither)
    if call.version < _MANY_EVENTS_SINCE:
        call.shown = lambda answer: {"event": answer["events"][0]} if answer else answer
    ledger = call.once("AccumulateLoyaltyPoints")
    account = ledger.the_account(call.target)
    ledger.the_location(location_id, "location_id")
    order = _completed_order(ledger, order_id, location_id) if order_id else None
    if order:
        points = _base_points(ledger, account.program_id, order)
    if not points:
        if ledger.assumptions.purchase_that_earns_nothing_succeeds:
            return {}
        raise refusal("BAD_REQUEST", "The purchase does not qualify for points.")
    earned = {"points": points, "order_id": order_id}
    granted = [("ACCUMULATE_POINTS", call.event_id(), earned)]
    promotion_id, extra = _promotion_points(ledger, account, order, points)
    if extra:
        more = {"points": extra, "order_id": order_id, "loyalty_promotion_id": promotion_id}
        granted.append(("ACCUMULATE_PROMOTION_POINTS", call.event_id(" promotion"), more))
    account, events = account.enrolled(ledger.now()), []
    at: dict[str, Any] = {"location_id": location_id, "field": "accumulate_points.points"}
    for each in granted:
        account, event = post(ledger, account, *each, **at)
        events.append(event)
    return {"events": events}


def calculate(call: Call) -> Answer:
    """Tell what an order or an amount would earn; nothing is earned by it."""
    name, account_id = "transaction_amount_money", call.sent["loyalty_account_id"]
    order_id, amount = _one_of(call, call.sent, name, both="order_id", neither="order_id")
    ledger = call.reading()
    program = ledger.the_program(call.target)
    account = ledger.the_account(account_id) if account_id else None
    kinds = {rule["accrual_type"] for rule in program["accrual_rules"]}
    nothing = call.world.assumptions.amount_earns_nothing_with_item_rules
    if amount is not None and not (nothing or kinds & {"VISIT", "SPEND"}):
        detail = "The program grants points for items, which an amount has none of."
        raise refusal("BAD_REQUEST", detail, "transaction_amount_money")
    # Without an order it is a thing that no rule asks for by name.
    bare = {"line_items": [{"uid": "line-1", "quantity": "1", "base_price_money": amount}]}
    order = ledger.the("order", order_id) if order_id else priced({**bare, "state": "OPEN"})
    points = _base_points(ledger, program["id"], order)
    # A promotion is for orders only.
    _, extra = _promotion_points(ledger, account, order if order_id else None, points)
    return {"points": points, "promotion_points": extra}


def _one_of(call: Call, sent: Sent, name: str, *, both: str, neither: str) -> tuple[Any, Any]:
    """Return the order and the field `name`: there must be one, not `both` nor `neither`."""
    call.sent.finish()
    order_id, other, assumptions = sent["order_id"], sent[name], call.world.assumptions
    if order_id is not None and other is not None:
        detail = f"Send order_id or {name}, not both."
        raise refusal(assumptions.order_and_points_code, detail, both)
    if order_id is None and other is None:
        raise refusal(assumptions.neither_order_nor_points_code, "Field must be set", neither)
    return order_id, other


def _base_points(ledger: Ledger, program_id: str, order: Order) -> int:
    """Return what the program's best rule grants for an order."""
    program = ledger.program(program_id) or {}
    rules = program.get("accrual_rules", ())
    return max((_granted(ledger, rule, order) for rule in rules), default=0)


def _promotion_points(
    ledger: Ledger, account: Account | None, order: Order | None, points: int
) -> tuple[str, int]:
    """Return the promotion that an order qualifies for, and the points that it adds."""
    promotion = promotion_for(ledger, account, order) if order and points else None
    if promotion is None:
        return "", 0
    incentive = promotion["incentive"]
    if incentive["type"] == "POINTS_ADDITION":
        return promotion["id"], incentive["points_addition_data"]["points_addition"]
    multiplier = Decimal(incentive["points_multiplier_data"]["multiplier"])
    return promotion["id"], int(points * multiplier) - points


def _completed_order(ledger: Ledger, order_id: str, location_id: str) -> Order:
    field = "accumulate_points.order_id"
    order = ledger.the("order", order_id)
    if order["state"] != "COMPLETED":
        code = ledger.assumptions.order_not_completed_code
        raise refusal(code, f"The order is {order['state']}, not COMPLETED.", field)
    if order["location_id"] != location_id:
        code = ledger.assumptions.order_location_code
        raise refusal(code, "The order was made at another location.", "location_id")
    earned = Where(["order_id = ?", "type = 'ACCUMULATE_POINTS'"], [order_id])
    if ledger.assumptions.order_earns_once and any(ledger.events(earned, None, 1)):
        raise refusal("BAD_REQUEST", "The order has earned its points before.", field)
    return order


def _granted(ledger: Ledger, rule: dict[str, Any], order: Order) -> int:
    """Return what one rule grants; of a spend whole multiples only."""
    points: int = rule.get("points", 0)
    if spend := rule.get("spend_data"):
        per: int = spend["amount_money"]["amount"]
        return _amount(ledger, spend, order) // per * points
    if visit := rule.get("visit_data"):
        least = (visit.get("minimum_amount_money") or {}).get("amount", 0)
        return points if _amount(ledger, visit, order) >= least else 0
    wanted = {*rule.get("item_variation_data", {}).values()}
    wanted |= {*rule.get("category_data", {}).values()}
    lines = (line for line in lines_of(order) if wanted & {*item_of(ledger, line)})
    return sum(_full_price_units(ledger, line, order) for line in lines) * points


def _amount(ledger: Ledger, data: dict[str, Any], order: Order) -> int:
    """Return what a purchase came to after discounts, without what the rule excludes."""
    names = ("excluded_item_variation_ids", "excluded_category_ids")
    excluded = {each for name in names for each in data.get(name) or ()}
    before_tax = data["tax_mode"] == "BEFORE_TAX"
    return spent(ledger, order, before_tax=before_tax, excluded=excluded)


def _full_price_units(ledger: Ledger, line: Line, order: Order) -> int:
    """Return how many units of a line earn points: those with a discount of their own do not."""
    is_off = any(each["scope"] == "ORDER" for each in order.get("discounts", ()))
    if is_off and ledger.assumptions.order_discount_stops_item_points:
        return 0
    own = own_discounts(line, order)
    if any("reward_ids" not in each for each in own):
        return 0
    # A reward is for one unit.
    return int(Decimal(line["quantity"])) - len(own)
