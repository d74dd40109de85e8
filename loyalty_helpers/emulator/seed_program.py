"""The seller's program and catalog: those of the seed world, and those of both walkthroughs."""

from __future__ import annotations

from typing import Any, Final

from .ledger import Ledger
from .pricing import money
from .seed_buyers import LOCATIONS, PROGRAM_ID

COFFEE_TIER_ID: Final = "e1b39225-9da5-43d1-a5db-782cdd8ad94f"
SANDWICH_TIER_ID: Final = "8f6b1d3c-52a7-4e0b-9c41-6d2f7a90be15"
PERCENT_TIER_ID: Final = "3d1f6a0e-7c58-4b92-8e4d-f0a917c26b53"

COFFEE_ID: Final = "7FCDIXZPKWLJQ4YTGH2OMNSB"
SANDWICH_ID: Final = "EIXPWHBVQ5ZJ2KRDLN7TYSA4"
DRINKS_ID: Final = "XTQPYLR3IIU9C44VRCB3XD12"
FOOD_ID: Final = "WQ2NHZ7LJTRVY4PXKB5DMSC6"
ITEMS: Final = (
    {"id": COFFEE_ID, "name": "Coffee", "category_id": DRINKS_ID, "price_money": money(300)},
    {"id": SANDWICH_ID, "name": "Sandwich", "category_id": FOOD_ID, "price_money": money(800)},
)
"""The catalog, which has no API here: one variation an item."""

_BEGAN: Final = "2020-04-20T16:55:11Z"


def program(**changes: Any) -> dict[str, Any]:
    """Return the program of the seed world as Square writes it, but for `changes`.

    There is no Catalog API here to say what a tier's reward is worth: each tier has that in its
    `definition`, the form that Square used until 2025. No answer shows it.
    """
    spend = {"amount_money": money(100), "tax_mode": "BEFORE_TAX"}
    return {
        "id": PROGRAM_ID,
        "status": "ACTIVE",
        "reward_tiers": [
            _tier(COFFEE_TIER_ID, 10, "Free coffee", "74C4JSHESNLTB2A7ITO5HO6F", COFFEE_ID),
            _tier(SANDWICH_TIER_ID, 15, "Free sandwich", "OJV7DLRQ3XW6HTYKB5NEC2SA", SANDWICH_ID),
        ],
        "terminology": {"one": "Point", "other": "Points"},
        "location_ids": list(LOCATIONS),
        "created_at": _BEGAN,
        "updated_at": "2020-05-01T02:00:02Z",
        "accrual_rules": [{"accrual_type": "SPEND", "points": 1, "spend_data": spend}],
        **changes,
    }


def walkthrough_1() -> dict[str, Any]:
    """Return Square's first example: a point for each dollar, 10 points for 10 % off."""
    return program(
        reward_tiers=[_tier(PERCENT_TIER_ID, 10, "10% off", "EOQ4BZT7QKXNV2HDRWLM3YSA", None)]
    )


def walkthrough_2() -> dict[str, Any]:
    """Return Square's second example: a point for each coffee, 10 points for a free one."""
    coffee = {"item_variation_id": COFFEE_ID}
    rule = {"accrual_type": "ITEM_VARIATION", "points": 1, "item_variation_data": coffee}
    return program(accrual_rules=[rule])


PROGRAMS: Final = {
    "seed": program,
    "walkthrough-1": walkthrough_1,
    "walkthrough-2": walkthrough_2,
}
"""What `loyalty emulator serve --program` knows by name."""


def keep_program(ledger: Ledger, changed: dict[str, Any]) -> None:
    """Write the seller's program, of which there is one, in the transaction that is open."""
    for kind in ("program", "definition", "expired"):
        ledger.forget(kind)
    tiers = [dict(tier) for tier in changed.get("reward_tiers", ())]
    for tier in tiers:
        if "definition" in tier:
            ledger.keep("definition", {**tier.pop("definition"), "id": tier["id"]})
    ledger.keep("program", {**changed, "reward_tiers": tiers})


def _tier(
    tier_id: str, points: int, name: str, pricing_rule_id: str, free_item_id: str | None
) -> dict[str, Any]:
    percentage = {"scope": "ORDER", "percentage_discount": "10"}
    free = {
        "scope": "ITEM_VARIATION",
        "percentage_discount": "100",
        "catalog_object_ids": [free_item_id],
    }
    worth = free if free_item_id else percentage
    return {
        "id": tier_id,
        "points": points,
        "name": name,
        "created_at": _BEGAN,
        "pricing_rule_reference": {"object_id": pricing_rule_id, "catalog_version": 1605486402527},
        "definition": {"discount_type": "FIXED_PERCENTAGE", **worth},
    }
