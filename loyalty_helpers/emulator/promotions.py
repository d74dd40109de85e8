"""Promotions: when they are on, for which purchases, and for whom not any more.

They are created, listed, retrieved and canceled; there is no way to change one.
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from .call import Call
from .clock import rfc3339
from .ledger import Account, Ledger, Where
from .orders import item_of, spent
from .periods import available, read_period
from .pricing import Order, lines_of
from .validation import Sent
from .wire import Answer, not_found, refusal, without_absent

Promotion = dict[str, Any]

_MOST_AT_ONCE: Final = 10
_MULTIPLIER: Final = re.compile(r"[0-9]{1,2}(\.[0-9]{1,3})?")


def create(call: Call) -> Answer:
    """Let buyers earn extra points at certain times."""
    sent = call.sent["loyalty_promotion"]
    sent["incentive"] = _incentive(sent["incentive"])
    sent["available_time"] = _available_time(sent["available_time"])
    promotion = without_absent(sent)
    ledger = call.once("CreateLoyaltyPromotion")
    program = ledger.the_program(call.target)
    _refuse_misfit(ledger, program, promotion)
    now = ledger.now()
    made = {
        "id": f"loypromo_{call.event_id()}",
        **promotion,
        "created_at": now,
        "updated_at": now,
        "loyalty_program_id": program["id"],
    }
    ledger.keep("promotion", made, owner=program["id"], moment=now)
    return {"loyalty_promotion": _shown(ledger, made)}


def list_all(call: Call) -> Answer:
    """List a program's promotions, the newest first."""
    status = call.sent["status"]

    def rows(ledger: Ledger, after: Any, most: int) -> Any:
        found = _promotions_of(ledger, ledger.the_program(call.target)["id"])
        if status:
            found = [each for each in found if each[1]["status"] == status]
        return [each for each in found if after is None or each[0] < after][:most]

    asked = [call.target, status]
    return call.page("ListLoyaltyPromotions", "loyalty_promotions", rows, asked)


def retrieve(call: Call) -> Answer:
    """Return one promotion."""
    ledger = call.reading()
    return {"loyalty_promotion": _shown(ledger, _the_promotion(call, ledger))}


def cancel(call: Call) -> Answer:
    """End a promotion before its time, for good."""
    ledger = call.writing()
    promotion = _the_promotion(call, ledger)
    status = _shown(ledger, promotion)["status"]
    if status not in ("ACTIVE", "SCHEDULED"):
        code = call.world.assumptions.promotion_over_code
        raise refusal(code, f"The promotion is {status}: it cannot be canceled.")
    now = ledger.now()
    promotion = {**promotion, "canceled_at": now, "updated_at": now}
    owner, moment = promotion["loyalty_program_id"], promotion["created_at"]
    ledger.keep("promotion", promotion, owner=owner, moment=moment)
    return {"loyalty_promotion": _shown(ledger, promotion)}


def promotion_for(ledger: Ledger, account: Account | None, order: Order) -> Promotion | None:
    """Return the newest promotion that an order, and its buyer if known, can trigger."""
    now = _local_now(ledger)
    program_id = account.program_id if account else (ledger.program() or {}).get("id", "")
    for _, promotion in _promotions_of(ledger, program_id):
        periods = promotion["available_time"]["time_periods"]
        if (
            promotion["status"] == "ACTIVE"
            and any(read_period(each).covers(now) for each in periods)
            and _qualifies(ledger, promotion, order)
            and not (account and _used_up(ledger, promotion, account, now))
        ):
            return promotion
    return None


def _the_promotion(call: Call, ledger: Ledger) -> Promotion:
    program = ledger.the_program(call.ids["program"])
    promotion = ledger.record("promotion", call.target)
    if promotion is None or promotion["loyalty_program_id"] != program["id"]:
        raise not_found("Loyalty promotion")
    return promotion


def _incentive(sent: Sent) -> dict[str, Any]:
    kind = sent["type"]
    for each in ("POINTS_ADDITION", "POINTS_MULTIPLIER"):
        name = f"{each.lower()}_data"
        if kind != each and sent[name] is not None:
            sent.report(name, "CONFLICTING_PARAMETERS", f"Send it only with the type {each}.")
    if kind:
        sent.required(f"{kind.lower()}_data")
    if kind == "POINTS_MULTIPLIER" and sent["points_multiplier_data"]:
        multiplier = _multiplier(sent["points_multiplier_data"])
        whole = {"points_multiplier": int(multiplier)} if multiplier % 1 == 0 else {}
        # Five characters at most, also for ten times.
        shown_as = {"multiplier": f"{multiplier:.3f}"[:5], **whole}
        return {"type": kind, "points_multiplier_data": shown_as}
    return sent


def _multiplier(sent: Sent) -> Decimal:
    text, number = sent["multiplier"], sent["points_multiplier"]
    if text is None and number is None:
        sent.required("multiplier")
    if text and not (_MULTIPLIER.fullmatch(text) and 1 < Decimal(text) <= 10):
        sent.report("multiplier", "INVALID_VALUE", "Expected a decimal above 1, 10 at most.")
        return Decimal(1)
    return Decimal(text or number or 1)


def _available_time(sent: Sent) -> dict[str, Any]:
    try:
        return available(sent["time_periods"]) if sent["time_periods"] else {}
    except (ValueError, OverflowError) as error:
        sent.report("time_periods", "INVALID_VALUE", f"Expected VEVENTs: {error}.")
        return {}


def _refuse_misfit(ledger: Ledger, program: dict[str, Any], promotion: Promotion) -> None:
    """Refuse what is over, does not go with the program, or is one promotion too many."""
    assumptions = ledger.assumptions
    now = _local_now(ledger)
    periods = promotion["available_time"]["time_periods"]
    ends = [(each, read_period(each).end()) for each in periods]
    if past := [each for each, end in ends if end and end < now]:
        field = "loyalty_promotion.available_time.time_periods"
        raise refusal("INVALID_VALUE", f"The time period {past[0]!r} is wholly past.", field)
    qualifiers = {name for name in promotion if name.startswith("qualifying_")}
    kinds = {rule["accrual_type"] for rule in program["accrual_rules"]}
    if len(qualifiers) > 1 or (qualifiers and not kinds & {"VISIT", "SPEND"}):
        detail = "Set items or categories, not both, and with VISIT or SPEND programs only."
        field = f"loyalty_promotion.{max(qualifiers)}"
        raise refusal(assumptions.promotion_qualifiers_code, detail, field)
    found = _promotions_of(ledger, program["id"])
    if sum(each["status"] in ("ACTIVE", "SCHEDULED") for _, each in found) >= _MOST_AT_ONCE:
        detail = f"A program has at most {_MOST_AT_ONCE} active or scheduled promotions."
        raise refusal(assumptions.too_many_promotions_code, detail)


def _shown(ledger: Ledger, promotion: Promotion) -> Promotion:
    """Return a promotion with the status that it has now."""
    today = _local_now(ledger).date().isoformat()
    dates = promotion["available_time"]
    if "canceled_at" in promotion:
        status = "CANCELED"
    elif today < dates["start_date"]:
        status = "SCHEDULED"
    elif today > dates.get("end_date", today):
        status = "ENDED"
    else:
        status = "ACTIVE"
    return {**promotion, "status": status}


def _promotions_of(ledger: Ledger, program_id: str) -> list[tuple[Any, Promotion]]:
    """Return the promotions of a program with their positions, the newest first."""
    rows = ledger.records("promotion", Where(["owner = ?"], [program_id]))
    return [(place, _shown(ledger, promotion)) for place, promotion in rows]


def _qualifies(ledger: Ledger, promotion: Promotion, order: Order) -> bool:
    before_tax = not ledger.assumptions.minimum_spend_includes_tax
    amount = spent(ledger, order, before_tax=before_tax, excluded=set())
    names = ("qualifying_item_variation_ids", "qualifying_category_ids")
    wanted = {each for name in names for each in promotion.get(name, ())}
    least: int = promotion.get("minimum_spend_amount_money", {}).get("amount", 0)
    if amount < least or not wanted:
        return amount >= least
    return any(wanted & {*item_of(ledger, line)} for line in lines_of(order))


def _used_up(ledger: Ledger, promotion: Promotion, account: Account, now: datetime) -> bool:
    limit = promotion.get("trigger_limit")
    if limit is None:
        return False
    path = "$.accumulate_promotion_points.loyalty_promotion_id"
    where = Where(["account_id = ?", "type = 'ACCUMULATE_PROMOTION_POINTS'"], [account.id])
    where.add("json_extract(body, ?) = ?", path, promotion["id"])
    if limit["interval"] == "DAY":
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        where.add("created_at >= ?", rfc3339(midnight.replace(tzinfo=ledger.zone())))
    times: int = limit["times"]
    return len(list(ledger.events(where, None, times))) == times


def _local_now(ledger: Ledger) -> datetime:
    return ledger.moment.astimezone(ledger.zone()).replace(tzinfo=None)
