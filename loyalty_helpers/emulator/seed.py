"""The seed world: Square's walkthrough account, made-up buyers, and a few orders.

It is data, in seed.json, and the same wherever and whenever it is made. Phone numbers are 555
numbers. Here are the ids and numbers that lessons and tests rely on.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from .ledger import Account, Ledger
from .programs import keep_program

MERCHANT_ID: Final = "ML7RT2C9WQ5XK"
LOCATIONS: Final = ("L88917AVBK2S5", "LQ7T3Z0XN4M1C")
PROGRAM_ID: Final = "93afe66e-3a14-4be6-8d50-02755example"
COFFEE_TIER_ID: Final = "e1b39225-9da5-43d1-a5db-782cdd8ad94f"
SANDWICH_TIER_ID: Final = "8f6b1d3c-52a7-4e0b-9c41-6d2f7a90be15"
PERCENT_TIER_ID: Final = "3d1f6a0e-7c58-4b92-8e4d-f0a917c26b53"
"""The reward tier of walkthrough-1."""

# The catalog has no API here: it is one variation an item.
COFFEE_ID: Final = "7FCDIXZPKWLJQ4YTGH2OMNSB"
SANDWICH_ID: Final = "EIXPWHBVQ5ZJ2KRDLN7TYSA4"
DRINKS_ID: Final = "XTQPYLR3IIU9C44VRCB3XD12"
FOOD_ID: Final = "WQ2NHZ7LJTRVY4PXKB5DMSC6"

ACCOUNT_ID: Final = "1beb38f9-54de-4cb6-8121-718bDexample"
"""The account of Square's walkthroughs: phone number +14155551234, no points."""

PHONE_RICH: Final = "+14155550101"
"""49 events of all types: more than a page holds."""
PHONE_NEGATIVE: Final = "+14155550102"
"""A refund has left the balance below zero."""
PHONE_HTML: Final = "+14155550103"
"""The reason of one adjustment is HTML, which a page must not run."""
PHONE_TWIN: Final = "+14155550142"
"""Masked to its last four digits it looks like PHONE_OTHER_TWIN."""
PHONE_OTHER_TWIN: Final = "+12125550142"
"""Masked to its last four digits it looks like PHONE_TWIN."""
PHONES_SHARED_CUSTOMER: Final = ("+14155550160", "+14155550161")
"""Two accounts of one customer: CUSTOMER_SHARED."""
CUSTOMER_SHARED: Final = "4YZDTUDC3JNIAISY3IJILOOWLA"
"""Two accounts have this customer id."""
CUSTOMER_WITHOUT_PHONE: Final = "HWBCKHTKRUHFJSNBURNW4GUDIE"
"""The buyer is enrolled, but no phone number finds the account: only this customer id does."""

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

_SCHEMA: Final = Path(__file__).with_name("schema.sql")
_DATA: Final = Path(__file__).with_name("seed.json")


def program(name: str = "seed", **changes: Any) -> dict[str, Any]:
    """Return a program as Square writes it, but for `changes`.

    `walkthrough-1` is Square's first example: a point for each dollar, 10 points for 10 % off.
    `walkthrough-2` is the second one: a point for each coffee, 10 points for a free one.

    There is no Catalog API here to say what a tier's reward is worth: each tier has that in its
    `definition`, the form that Square used until 2025. No answer shows it.
    """
    programs = _read()["programs"]
    return {**programs["seed"], **programs[name], **changes}


def build(ledger: Ledger) -> None:
    """Make the tables and the seed world, in the transaction that is open."""
    ledger.run(_SCHEMA.read_text(encoding="utf-8"))
    _plant(ledger)


def rebuild(ledger: Ledger) -> None:
    """Go back to the seed world, in the transaction that is open."""
    ledger.run("DELETE FROM record; DELETE FROM account; DELETE FROM event; DELETE FROM answered")
    _plant(ledger)


def _plant(ledger: Ledger) -> None:
    data = _read()
    keep_program(ledger, data["programs"]["seed"])
    for kind, owner, moment, body in data["records"]:
        ledger.keep(kind, body, owner=owner, moment=moment)
    for account in data["accounts"]:
        ledger.add_account(Account(*account))
    for event in data["events"]:
        ledger.add_event(event)


def _read() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(_DATA.read_text(encoding="utf-8"))
    return data
