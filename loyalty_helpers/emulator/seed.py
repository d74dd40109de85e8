"""The seed world: Square's walkthrough account, made-up buyers, and a few orders.

Buyers are made up, and their phone numbers are 555 numbers. Every date is fixed, so that the
world is the same wherever and whenever it is made.
"""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from .enrolment import customer
from .ledger import Account, Ledger
from .pricing import priced
from .rewards import keep_reward
from .seed_buyers import LOCATIONS, PROGRAM_ID, buyers
from .seed_histories import history
from .seed_program import ITEMS, keep_program, program
from .wire_json import without_absent

MERCHANT_ID: Final = "ML7RT2C9WQ5XK"

ACCOUNT_ID: Final = "1beb38f9-54de-4cb6-8121-718bDexample"
"""The account of Square's walkthroughs: phone number +14155551234, no points."""

ORDER_EARNING_12: Final = "RFZfrdtm3mhO1oGzf5Cx7fEMsmGZY"
"""COMPLETED at the first location, $12.00."""
ORDER_WITH_TAX: Final = "PyATxhYLfsMqpVkcKJITPydgEYfZY"
"""COMPLETED at the first location, $54.20, of which $4.25 are tax: earns 49 points."""
ORDER_ELSEWHERE: Final = "k3VtQx0eZLb5mTnR8yCwAuJdHgEZY"
"""COMPLETED at the second location, $31.99."""
ORDER_OPEN: Final = "w9GhLq2sNfX4vPzKc7RbTjYmDaQZY"
"""OPEN at the first location, $20.00."""
ORDER_EARNING_NOTHING: Final = "d5XuMn8kRjC1tWyFb6HeVpLsZoTZY"
"""COMPLETED at the first location, $0.99: less than what earns a point."""

_ORDERED_AT: Final = "2026-10-28T16:20:11.000Z"
# Id, location, state, item, price in cents, tax in percent.
_ORDERS: Final = (
    (ORDER_EARNING_12, LOCATIONS[0], "COMPLETED", "Breakfast", 1200, None),
    (ORDER_WITH_TAX, LOCATIONS[0], "COMPLETED", "Lunch for four", 4995, "8.5"),
    (ORDER_ELSEWHERE, LOCATIONS[1], "COMPLETED", "Coffee beans", 3199, None),
    (ORDER_OPEN, LOCATIONS[0], "OPEN", "Lunch for two", 2000, None),
    (ORDER_EARNING_NOTHING, LOCATIONS[0], "COMPLETED", "Postcard", 99, None),
)

_WALKTHROUGH_ACCOUNT: Final = Account(
    id=ACCOUNT_ID,
    program_id=PROGRAM_ID,
    mapping_id="e27de0ff-e56f-450d-95cb-a49a4example",
    phone_number="+14155551234",
    customer_id="Q80035RNBEZ4WYTB1P9PTAMTexample",
    created_at="2020-05-11T22:55:18Z",
    updated_at="2020-05-11T22:55:18Z",
)


def build(connection: sqlite3.Connection) -> None:
    """Make the tables and the seed world, in the transaction that is open."""
    ledger = Ledger(connection)
    ledger.create()
    _plant(ledger)


def rebuild(connection: sqlite3.Connection) -> None:
    """Go back to the seed world, in the transaction that is open."""
    ledger = Ledger(connection)
    ledger.clear()
    _plant(ledger)


def _plant(ledger: Ledger) -> None:
    keep_program(ledger, program())
    for item in ITEMS:
        ledger.keep("item", item)
    for i, name in enumerate(("Harbor Street", "Mill Road")):
        ledger.keep("location", _location(LOCATIONS[i], name))
    for order in _ORDERS:
        ledger.keep("order", _order(*order))
    ledger.add_account(_WALKTHROUGH_ACCOUNT)
    customers = {_WALKTHROUGH_ACCOUNT.customer_id: _WALKTHROUGH_ACCOUNT}
    for story in map(history, buyers()):
        customers.setdefault(story.account.customer_id, story.account)
        ledger.add_account(story.account)
        for event in story.events:
            ledger.add_event(event)
        for reward in story.rewards:
            keep_reward(ledger, reward)
    for account in customers.values():
        made = _customer(account)
        ledger.keep("customer", made, owner=account.phone_number, moment=made["created_at"])


def _customer(account: Account) -> dict[str, Any]:
    created_at = account.created_at.replace("Z", ".000Z")
    profile = without_absent({"phone_number": account.phone_number})
    return customer(str(account.customer_id), created_at, profile, "LOYALTY")


def _order(
    order_id: str, location_id: str, state: str, item: str, price: int, percentage: str | None
) -> dict[str, Any]:
    base_price = {"amount": price, "currency": "USD"}
    line = {"uid": "line-1", "name": item, "quantity": "1", "base_price_money": base_price}
    tax = {"uid": "tax-1", "name": "Tax", "type": "ADDITIVE", "scope": "ORDER"}
    return priced(
        {
            "id": order_id,
            "location_id": location_id,
            "line_items": [line],
            **({"taxes": [{**tax, "percentage": percentage}]} if percentage else {}),
            "created_at": _ORDERED_AT,
            "updated_at": _ORDERED_AT,
            **({"closed_at": _ORDERED_AT} if state == "COMPLETED" else {}),
            "state": state,
            "version": 1,
        }
    )


def _location(location_id: str, name: str) -> dict[str, Any]:
    return {
        "id": location_id,
        "name": name,
        "timezone": "America/Los_Angeles",
        "status": "ACTIVE",
        "created_at": "2020-04-13T17:05:14Z",
        "merchant_id": MERCHANT_ID,
        "country": "US",
        "language_code": "en-US",
        "currency": "USD",
        "type": "PHYSICAL",
    }
