"""What a purchase earns: the program's best rule, and the newest promotion on top of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .clock import event_id
from .ledger import Account, Event, Ledger
from .orders import item_of, own_discounts, spent, the_order
from .pricing import Line, Order, lines_of
from .promotions import promotion_for
from .rules import new_event, post, the_account, the_location
from .wire_errors import refusal
from .world import KeyedRequest, World


def accumulate(
    world: World,
    ledger: Ledger,
    request: KeyedRequest,
    location_id: str,
    order_id: str | None,
    points: int | None,
) -> list[Event]:
    """Add the points of a purchase, and return the events: none when it earned nothing."""
    account = the_account(ledger, request.target)
    the_location(world, ledger, location_id, "location_id")
    order = _completed_order(world, ledger, order_id, location_id) if order_id else None
    if order:
        points = base_points(world, ledger, account.program_id, order)
    if not points:
        if world.assumptions.purchase_that_earns_nothing_succeeds:
            return []
        raise refusal("BAD_REQUEST", "The purchase does not qualify for points.")
    scope, now = request.scope(world.assumptions), world.now()
    granted: list[tuple[str, str, dict[str, Any]]] = [
        (scope, "ACCUMULATE_POINTS", {"points": points, "order_id": order_id})
    ]
    promotion_id, extra = promotion_points(world, ledger, account, order, points)
    if extra:
        particulars = {"points": extra, "order_id": order_id, "loyalty_promotion_id": promotion_id}
        granted.append((f"{scope} promotion", "ACCUMULATE_PROMOTION_POINTS", particulars))
    account = account.enrolled(now)
    events = []
    for name, kind, particulars in granted:
        identifier = event_id(name, request.key)
        event = new_event(identifier, account, kind, now, particulars, location_id=location_id)
        field = "accumulate_points.points"
        account = post(world, ledger, account, event, field)
        events.append(event)
    return events


def base_points(world: World, ledger: Ledger, program_id: str, order: Order) -> int:
    """Return what the program's best rule grants for an order."""
    program = ledger.program(program_id) or {}
    rules = program.get("accrual_rules", ())
    return max((_granted(world, ledger, rule, order) for rule in rules), default=0)


def promotion_points(
    world: World, ledger: Ledger, account: Account | None, order: Order | None, points: int
) -> tuple[str, int]:
    """Return the promotion that an order qualifies for, and the points that it adds."""
    promotion = promotion_for(world, ledger, account, order) if order and points else None
    if promotion is None:
        return "", 0
    incentive = promotion["incentive"]
    if incentive["type"] == "POINTS_ADDITION":
        return promotion["id"], incentive["points_addition_data"]["points_addition"]
    multiplier = Decimal(incentive["points_multiplier_data"]["multiplier"])
    return promotion["id"], int(points * multiplier) - points


def _completed_order(world: World, ledger: Ledger, order_id: str, location_id: str) -> Order:
    field = "accumulate_points.order_id"
    order = the_order(ledger, order_id)
    if order["state"] != "COMPLETED":
        code = world.assumptions.order_not_completed_code
        raise refusal(code, f"The order is {order['state']}, not COMPLETED.", field)
    if order["location_id"] != location_id:
        code = world.assumptions.order_location_code
        raise refusal(code, "The order was made at another location.", "location_id")
    if world.assumptions.order_earns_once and ledger.has_earned(order_id):
        raise refusal("BAD_REQUEST", "The order has earned its points before.", field)
    return order


def _granted(world: World, ledger: Ledger, rule: dict[str, Any], order: Order) -> int:
    """Return what one rule grants; of a spend whole multiples only."""
    points: int = rule.get("points", 0)
    if spend := rule.get("spend_data"):
        per: int = spend["amount_money"]["amount"]
        return _amount(world, ledger, spend, order) // per * points
    if visit := rule.get("visit_data"):
        least = (visit.get("minimum_amount_money") or {}).get("amount", 0)
        return points if _amount(world, ledger, visit, order) >= least else 0
    wanted = {*rule.get("item_variation_data", {}).values()}
    wanted |= {*rule.get("category_data", {}).values()}
    lines = (line for line in lines_of(order) if wanted & {*item_of(world, ledger, line)})
    return sum(_full_price_units(world, line, order) for line in lines) * points


def _amount(world: World, ledger: Ledger, data: dict[str, Any], order: Order) -> int:
    """Return what a purchase came to after discounts, without what the rule excludes."""
    names = ("excluded_item_variation_ids", "excluded_category_ids")
    excluded = {each for name in names for each in data.get(name) or ()}
    before_tax = data["tax_mode"] == "BEFORE_TAX"
    return spent(world, ledger, order, before_tax=before_tax, excluded=excluded)


def _full_price_units(world: World, line: Line, order: Order) -> int:
    """Return how many units of a line earn points: those with a discount of their own do not."""
    is_off = any(each["scope"] == "ORDER" for each in order.get("discounts", ()))
    if is_off and world.assumptions.order_discount_stops_item_points:
        return 0
    own = own_discounts(line, order)
    if any("reward_ids" not in each for each in own):
        return 0
    # A reward is for one unit.
    return int(Decimal(line["quantity"])) - len(own)
