"""Promotions: create, list, retrieve, cancel. There is no way to change one."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from .clock import event_id
from .handling import KEY_LENGTH, Call, cents
from .ledger import Ledger
from .pricing import money
from .promotions import Promotion, available, past_periods, promotions_of, shown
from .rules import the_program
from .validation import INT32_MAX, Reader
from .wire_errors import not_found, refusal
from .wire_json import without_absent
from .world import Answer, KeyedRequest

_STATUSES: Final = ("ACTIVE", "ENDED", "CANCELED", "SCHEDULED")
_MOST_AT_ONCE: Final = 10
_MOST_PERIODS: Final = 100
_MULTIPLIER: Final = re.compile(r"[0-9]{1,2}(\.[0-9]{1,3})?")


def create_loyalty_promotion(call: Call) -> Answer:
    """Let buyers earn extra points at certain times."""
    body = call.body.fields
    key = body.required_text("idempotency_key", longest=KEY_LENGTH)
    sent = body.required_object("loyalty_promotion")
    promotion = _promotion(call, sent)
    body.finish()

    def work(ledger: Ledger, request: KeyedRequest) -> Answer:
        program = the_program(ledger, call.target)
        _refuse_misfit(call, ledger, program, promotion)
        scope, now = request.scope(call.world.assumptions), call.world.now()
        made = {
            "id": f"loypromo_{event_id(scope, key)}",
            **promotion,
            "created_at": now,
            "updated_at": now,
            "loyalty_program_id": program["id"],
        }
        ledger.keep("promotion", made, owner=program["id"], moment=now)
        return {"loyalty_promotion": shown(call.world, ledger, made)}

    return call.once("CreateLoyaltyPromotion", key, work)


def list_loyalty_promotions(call: Call) -> Answer:
    """List a program's promotions, the newest first."""
    body = call.body.fields
    limit = body.integer("limit", 1, 30) or 30
    status = body.one_of("status", _STATUSES)

    def rows(ledger: Ledger, after: Any, most: int) -> Any:
        program_id = the_program(ledger, call.target)["id"]
        found = promotions_of(call.world, ledger, program_id)
        if status:
            found = [each for each in found if each[1]["status"] == status]
        return [each for each in found if after is None or each[0] < after][:most]

    asked = [call.target, status]
    return call.page("ListLoyaltyPromotions", "loyalty_promotions", limit, rows, asked)


def retrieve_loyalty_promotion(call: Call) -> Answer:
    """Return one promotion."""
    with call.reading() as ledger:
        promotion = _the_promotion(call, ledger)
        return {"loyalty_promotion": shown(call.world, ledger, promotion)}


def cancel_loyalty_promotion(call: Call) -> Answer:
    """End a promotion before its time, for good."""
    with call.writing() as ledger:
        promotion = _the_promotion(call, ledger)
        status = shown(call.world, ledger, promotion)["status"]
        if status not in ("ACTIVE", "SCHEDULED"):
            code = call.world.assumptions.promotion_over_code
            raise refusal(code, f"The promotion is {status}: it cannot be canceled.")
        now = call.world.now()
        promotion = {**promotion, "canceled_at": now, "updated_at": now}
        owner, moment = promotion["loyalty_program_id"], promotion["created_at"]
        ledger.keep("promotion", promotion, owner=owner, moment=moment)
        return {"loyalty_promotion": shown(call.world, ledger, promotion)}


def _the_promotion(call: Call, ledger: Ledger) -> Promotion:
    program = the_program(ledger, call.ids["program"])
    promotion = ledger.record("promotion", call.target)
    if promotion is None or promotion["loyalty_program_id"] != program["id"]:
        raise not_found("Loyalty promotion")
    return promotion


def _promotion(call: Call, sent: Reader) -> Promotion:
    spend = cents(sent, "minimum_spend_amount_money", 1)
    names = ("qualifying_item_variation_ids", "qualifying_category_ids")
    return without_absent(
        {
            "name": sent.required_text("name", longest=70),
            "incentive": _incentive(sent.required_object("incentive")),
            "available_time": _available_time(sent.required_object("available_time")),
            "trigger_limit": _trigger_limit(sent.object("trigger_limit")),
            "minimum_spend_amount_money": money(spend) if spend else None,
            **{name: sent.texts(name) for name in names},
        }
    )


def _incentive(sent: Reader) -> dict[str, Any]:
    kind = sent.one_of("type", ("POINTS_MULTIPLIER", "POINTS_ADDITION"))
    sent.required("type")
    for each in ("POINTS_ADDITION", "POINTS_MULTIPLIER"):
        name = f"{each.lower()}_data"
        if sent.has(name) and kind != each:
            sent.report(name, "CONFLICTING_PARAMETERS", f"Send it only with the type {each}.")
    if kind == "POINTS_ADDITION":
        data = sent.required_object("points_addition_data")
        points = data.required_integer("points_addition", 1, INT32_MAX)
        return {"type": kind, "points_addition_data": {"points_addition": points}}
    if kind == "POINTS_MULTIPLIER":
        multiplier = _multiplier(sent.required_object("points_multiplier_data"))
        whole = {"points_multiplier": int(multiplier)} if multiplier % 1 == 0 else {}
        # Five characters at most, also for ten times.
        shown_as = {"multiplier": f"{multiplier:.3f}"[:5], **whole}
        return {"type": kind, "points_multiplier_data": shown_as}
    return {}


def _multiplier(sent: Reader) -> Decimal:
    text, number = sent.text("multiplier", longest=5), sent.integer("points_multiplier", 2, 10)
    if text is None and number is None:
        sent.required("multiplier")
    if text and not (_MULTIPLIER.fullmatch(text) and 1 < Decimal(text) <= 10):
        sent.report("multiplier", "INVALID_VALUE", "Expected a decimal above 1, 10 at most.")
        return Decimal(1)
    return Decimal(text or number or 1)


def _available_time(sent: Reader) -> dict[str, Any]:
    periods = sent.texts("time_periods", most=_MOST_PERIODS)
    if periods is None:
        sent.required("time_periods")
    try:
        return available(periods) if periods else {}
    except (ValueError, OverflowError) as error:
        sent.report("time_periods", "INVALID_VALUE", f"Expected VEVENTs: {error}.")
        return {}


def _trigger_limit(sent: Reader | None) -> dict[str, Any] | None:
    if sent is None:
        return None
    times = sent.required_integer("times", 1, 30)
    return {"times": times, "interval": sent.one_of("interval", ("ALL_TIME", "DAY")) or "ALL_TIME"}


def _refuse_misfit(
    call: Call, ledger: Ledger, program: dict[str, Any], promotion: Promotion
) -> None:
    """Refuse what is over, does not go with the program, or is one promotion too many."""
    assumptions = call.world.assumptions
    if past := past_periods(call.world, ledger, promotion):
        field = "loyalty_promotion.available_time.time_periods"
        raise refusal("INVALID_VALUE", f"The time period {past[0]!r} is wholly past.", field)
    qualifiers = {name for name in promotion if name.startswith("qualifying_")}
    kinds = {rule["accrual_type"] for rule in program["accrual_rules"]}
    if len(qualifiers) > 1 or (qualifiers and not kinds & {"VISIT", "SPEND"}):
        detail = "Set items or categories, not both, and with VISIT or SPEND programs only."
        field = f"loyalty_promotion.{max(qualifiers)}"
        raise refusal(assumptions.promotion_qualifiers_code, detail, field)
    found = promotions_of(call.world, ledger, program["id"])
    if sum(each["status"] in ("ACTIVE", "SCHEDULED") for _, each in found) >= _MOST_AT_ONCE:
        detail = f"A program has at most {_MOST_AT_ONCE} active or scheduled promotions."
        raise refusal(assumptions.too_many_promotions_code, detail)
