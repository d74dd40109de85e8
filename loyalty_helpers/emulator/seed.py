"""The seed world: Square's walkthrough account, made-up buyers, and a few orders.

It is data, in seed.json, and the same wherever and whenever it is made. Phone numbers are 555
numbers.
"""

import json
from pathlib import Path
from typing import Any, Final

from .ledger import Account, Ledger
from .programs import keep_program

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
    return dict(json.loads(_DATA.read_text(encoding="utf-8")))
