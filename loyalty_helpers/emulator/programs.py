"""The seller's side: the locations, and the program, which Square has no API to change."""

from typing import Any

from .call import Call
from .ledger import Ledger
from .wire import Answer


def list_locations(call: Call) -> Answer:
    """List the merchant's locations, ordered by name."""
    locations = [location for _, location in call.reading().records("location")]
    return {"locations": sorted(locations, key=lambda each: (each["name"], each["id"]))}


def list_all(call: Call) -> Answer:
    """List the one program that there is; `main` has taken the place of this."""
    program = call.reading().program()
    return {"programs": [program]} if program else {}


def retrieve(call: Call) -> Answer:
    """Return the program, by its id or as `main`."""
    return {"program": call.reading().the_program(call.target)}


def keep_program(ledger: Ledger, changed: dict[str, Any]) -> None:
    """Write the seller's program, of which there is one, in the transaction that is open."""
    ledger.run("DELETE FROM record WHERE kind IN ('program', 'definition', 'expired')")
    tiers = [dict(tier) for tier in changed.get("reward_tiers", ())]
    for tier in tiers:
        if "definition" in tier:
            ledger.keep("definition", {**tier.pop("definition"), "id": tier["id"]})
    ledger.keep("program", {**changed, "reward_tiers": tiers})
