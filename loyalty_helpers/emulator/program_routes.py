"""The seller's side: locations and the program."""

from __future__ import annotations

from .handling import Call
from .rules import the_program
from .world import Answer


def list_locations(call: Call) -> Answer:
    """List the merchant's locations, ordered by name.
    https://developer.squareup.com/reference/square/locations-api/list-locations
    """
    with call.reading() as ledger:
        locations = [location for _, location in ledger.records("location")]
    return {"locations": sorted(locations, key=lambda each: (each["name"], each["id"]))}


def retrieve_loyalty_program(call: Call) -> Answer:
    """Return the program, by its id or as `main`.
    https://developer.squareup.com/reference/square/loyalty-api/retrieve-loyalty-program
    """
    with call.reading() as ledger:
        return {"program": the_program(ledger, call.target)}
