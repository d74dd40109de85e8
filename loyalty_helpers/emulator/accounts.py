"""Accounts: enrol a buyer, and find who is enrolled."""

import re
from typing import Any, Final

from .call import Call
from .clock import rfc3339
from .customers import add_customer
from .expiry import deadlines
from .ledger import Account, Ledger, Where
from .validation import Sent
from .wire import Answer, refusal, without_absent

# Square Loyalty is offered in AU, CA, FR, IE, JP, ES, GB and US: validity is by country code
# and length. https://developer.squareup.com/docs/loyalty-api/overview
_MARKETS: Final = frozenset({61, 1, 33, 353, 81, 34, 44})
_SHOWN: Final = (
    "id", "program_id", "balance", "lifetime_points", "customer_id", "enrolled_at", "created_at",
    "updated_at",
)  # fmt: skip
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")


def retrieve(call: Call) -> Answer:
    """Return one account."""
    ledger = call.reading()
    return {"loyalty_account": _shown(ledger, ledger.the_account(call.target))}


def create(call: Call) -> Answer:
    """Enrol a buyer by phone number."""
    sent = call.sent["loyalty_account"]
    program_id, enrolled_at = sent["program_id"], sent["enrolled_at"]
    if enrolled_at and enrolled_at > call.world.clock():
        sent.report("enrolled_at", "INVALID_TIME", "The time must not be in the future.")
    call.sent.finish()
    if not (sent["mapping"] and sent["mapping"]["phone_number"]):
        raise refusal("BAD_REQUEST", "Must provide phone_number in the mapping field")
    phone_number = _normal_phone(sent["mapping"]["phone_number"])
    ledger = call.once("CreateLoyaltyAccount")
    _refuse_unfit(ledger, program_id, phone_number)
    now = ledger.now()
    while ledger.account(account_id := ledger.ids.uuid()):
        pass  # seeded ids begin anew on a file that has some already
    account = Account(
        id=account_id,
        program_id=program_id,
        mapping_id=ledger.ids.uuid(),
        phone_number=phone_number,
        customer_id=_customer(ledger, phone_number, sent["customer_id"]),
        created_at=now,
        updated_at=now,
        enrolled_at=rfc3339(enrolled_at) if enrolled_at else None,
    )
    ledger.add_account(account)
    return {"loyalty_account": _shown(ledger, account)}


def search(call: Call) -> Answer:
    """Find accounts by phone numbers or customers, oldest first."""
    where = _where(call, call.sent["query"])

    def rows(ledger: Ledger, *page: Any) -> Any:
        return [(place, _shown(ledger, each)) for place, each in ledger.accounts(where, *page)]

    return call.page("SearchLoyaltyAccounts", "loyalty_accounts", rows)


def _normal_phone(text: str) -> str:
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
        raise refusal("INVALID_PHONE_NUMBER", detail, "loyalty_account.mapping.phone_number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _refuse_unfit(ledger: Ledger, program_id: str, phone_number: str) -> None:
    if program_id == "main" or ledger.program(program_id) is None:
        code, field = ledger.assumptions.unknown_program_code, "loyalty_account.program_id"
        raise refusal(code, "Loyalty program not found.", field)
    same = Where(["program_id = ?", "phone_number = ?"], [program_id, phone_number])
    if ledger.accounts(same, most=1):
        raise refusal(
            ledger.assumptions.duplicate_phone_code,
            "The program has a loyalty account with this phone number.",
            "loyalty_account.mapping.phone_number",
        )


def _customer(ledger: Ledger, phone_number: str, sent: str | None) -> str:
    """Return the customer that was sent, else the one with that phone, else a new one."""
    if sent is not None:
        known = ledger.assumptions.unknown_customer_accepted or ledger.record("customer", sent)
        if not known:
            code, field = ledger.assumptions.unknown_customer_code, "loyalty_account.customer_id"
            raise refusal(code, "Customer not found.", field)
        return sent
    namesakes = list(ledger.records("customer", Where(["owner = ?"], [phone_number])))
    if namesakes:
        return str(namesakes[-1][1]["id"])
    return str(add_customer(ledger, {"phone_number": phone_number}, phone_number)["id"])


def _where(call: Call, query: Sent | None) -> Where:
    where = Where()
    if query is None:
        return where
    mappings, customer_ids = query["mappings"], query["customer_ids"]
    if mappings is not None and customer_ids is not None:
        code = call.world.assumptions.mappings_and_customers_code
        query.report("customer_ids", code, "mappings and customer_ids cannot be combined.")
    if mappings is not None:
        where.among("phone_number", [each["phone_number"] for each in mappings])
    where.among("customer_id", customer_ids)
    return where


def _shown(ledger: Ledger, account: Account) -> dict[str, Any]:
    mapping = {
        "id": account.mapping_id,
        "created_at": account.created_at,
        "phone_number": account.phone_number,
    }
    shown = {
        **{name: getattr(account, name) for name in _SHOWN},
        "mapping": mapping,
        "expiring_point_deadlines": deadlines(ledger, account),
    }
    return dict(without_absent(shown))
