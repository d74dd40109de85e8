"""The documented fields that the emulator does not act on: it refuses them by name.

What is passed over would make an answer that is wrong and looks right. Fields that Square calls
read-only are not among them: Square sets those, whatever is sent.
"""

from __future__ import annotations

from typing import Final

from .validation import Unsupported

_CATALOG: Final = "catalog_object_id catalog_version"

# By operation, then by where the fields are; a value after a name is one that is acted on.
_FIELDS: Final[dict[str, dict[str, str]]] = {
    "POST /v2/loyalty/accounts": {"loyalty_account": "expiring_point_deadlines"},
    "POST /v2/customers/search": {"query.filter": "custom_attribute group_ids segment_ids"},
    "POST /v2/orders": {
        "order": "fulfillments pricing_options state=OPEN version=1",
        "order.line_items": (
            "applied_service_charges catalog_version item_type=ITEM item_type=CUSTOM_AMOUNT"
            " pricing_blocklists quantity_unit"
        ),
        "order.line_items.modifiers": f"{_CATALOG} parent_modifier_uid",
        "order.taxes": f"{_CATALOG} type=ADDITIVE scope=ORDER scope=LINE_ITEM",
        "order.discounts": (
            f"{_CATALOG} scope=ORDER scope=LINE_ITEM type=FIXED_PERCENTAGE type=FIXED_AMOUNT"
        ),
        "order.service_charges": (
            f"{_CATALOG} applied_taxes calculation_phase=SUBTOTAL_PHASE"
            " calculation_phase=TOTAL_PHASE scope=ORDER treatment_type=LINE_ITEM_TREATMENT"
        ),
    },
    "POST /v2/payments": {
        "": (
            "accept_partial_authorization=False app_fee_allocations buyer_phone_number"
            " customer_details delay_action delay_duration offline_payment_details"
            " verification_token"
        ),
    },
}


def unsupported(operation: str) -> Unsupported:
    """Return what an operation, such as `POST /v2/orders`, does not act on."""
    found: Unsupported = {}
    for place, words in _FIELDS.get(operation, {}).items():
        fields = found.setdefault(place, {})
        for name, _, value in (word.partition("=") for word in words.split()):
            fields.setdefault(name, []).extend([value] if value else [])
    return found
