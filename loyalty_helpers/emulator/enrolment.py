"""How an account comes into being: phone numbers, programs and customers."""

from __future__ import annotations

import re
from typing import Any, Final

from .clock import rfc3339_ms, unused
from .ledger import Account, Ledger, Where
from .wire_errors import found, refusal
from .world import World

# Square Loyalty is offered in AU, CA, FR, IE, JP, ES, GB and US: validity is by country code
# and length. https://developer.squareup.com/docs/loyalty-api/overview
_MARKETS: Final = frozenset({61, 1, 33, 353, 81, 34, 44})
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")


def normal_phone(text: str, field: str) -> str:
    """Return a phone number of a Loyalty market in E.164, without a national zero."""
    # phonenumbers takes 30 ms to load, and only enrolling needs it.
    import phonenumbers

    try:
        number = phonenumbers.parse(text if _E164.fullmatch(text) else "")
    except phonenumbers.NumberParseException:
        number = None
    if (
        number is None
        or number.country_code not in _MARKETS
        or not phonenumbers.is_possible_number(number)
    ):
        detail = "Expected phone_number to be a valid phone number"
        raise refusal("INVALID_PHONE_NUMBER", detail, field)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def enrol(
    world: World,
    ledger: Ledger,
    program_id: str,
    phone_number: str,
    customer_id: str | None,
    enrolled_at: str | None,
) -> Account:
    """Make an account with nothing on it."""
    if program_id == "main" or ledger.program(program_id) is None:
        raise refusal(
            world.assumptions.unknown_program_code,
            "Loyalty program not found.",
            "loyalty_account.program_id",
        )
    if ledger.account_with_phone(program_id, phone_number):
        raise refusal(
            world.assumptions.duplicate_phone_code,
            "The program has a loyalty account with this phone number.",
            "loyalty_account.mapping.phone_number",
        )
    now = world.now()
    account = Account(
        id=unused(world.ids.uuid, ledger.account),
        program_id=program_id,
        mapping_id=world.ids.uuid(),
        phone_number=phone_number,
        customer_id=_customer(world, ledger, phone_number, customer_id),
        created_at=now,
        updated_at=now,
        enrolled_at=enrolled_at,
    )
    ledger.add_account(account)
    return account


def _customer(world: World, ledger: Ledger, phone_number: str, sent: str | None) -> str:
    """Return the customer that was sent, else the one with that phone, else a new one."""
    if sent is not None:
        known = world.assumptions.unknown_customer_accepted or ledger.record("customer", sent)
        if not known:
            field = "loyalty_account.customer_id"
            code = world.assumptions.unknown_customer_code
            raise refusal(code, "Customer not found.", field)
        return sent
    namesakes = list(ledger.records("customer", Where(["owner = ?"], [phone_number])))
    if namesakes:
        return str(namesakes[-1][1]["id"])
    return str(add_customer(world, ledger, {"phone_number": phone_number}, phone_number)["id"])


def the_customer(ledger: Ledger, customer_id: str) -> dict[str, Any]:
    """Return the customer, or refuse with 404."""
    return found(ledger.record("customer", customer_id), "Customer")


def add_customer(
    world: World, ledger: Ledger, profile: dict[str, Any], phone_number: str | None
) -> dict[str, Any]:
    """Add a customer to the directory, who is found by the phone number in E.164."""
    now = rfc3339_ms(world.clock())
    made = customer(ledger.unused("customer", world.ids.code), now, profile, "THIRD_PARTY")
    ledger.keep("customer", made, owner=phone_number, moment=now)
    return made


def customer(customer_id: str, now: str, profile: dict[str, Any], source: str) -> dict[str, Any]:
    """Return a new customer as Square writes one."""
    return {
        "id": customer_id,
        "created_at": now,
        "updated_at": now,
        **profile,
        "preferences": {"email_unsubscribed": False},
        "creation_source": source,
        "version": 0,
    }
