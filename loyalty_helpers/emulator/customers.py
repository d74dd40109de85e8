"""Customers: add one to the directory, and find some."""

import re
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from operator import itemgetter
from typing import Any, Final

from .call import Call
from .clock import parse_rfc3339
from .ledger import Ledger, Position, Where
from .validation import Sent
from .wire import Answer, refusal, without_absent

Customer = dict[str, Any]
Fits = Callable[[Customer], bool]

_IDENTIFYING: Final = ("company_name", "email_address", "family_name", "given_name", "phone_number")
_PHONE: Final = re.compile(r"\+?[0-9(][0-9 ().-]*")
_BIRTHDAY: Final = re.compile(r"(\d{4}-)?\d\d-\d\d", flags=re.ASCII)


def create(call: Call) -> Answer:
    """Add a customer to the directory."""
    profile = _profile(call.sent)
    call.sent.finish()
    if not profile.keys() & {*_IDENTIFYING}:
        code = call.world.assumptions.empty_customer_code
        raise refusal(code, f"At least one of {', '.join(_IDENTIFYING)} must be set.")
    ledger = call.once("CreateCustomer")
    return {"customer": add_customer(ledger, profile, _digits(profile.get("phone_number", "")))}


def search(call: Call) -> Answer:
    """Find customers by any of six filters, in alphabetical order or by their age."""
    query = call.sent["query"] or {"filter": None, "sort": None}
    where, tests = _conditions(query["filter"]) if query["filter"] else (Where(), [])
    sort = query["sort"] or {}
    place = itemgetter("created_at") if sort.get("field") == "CREATED_AT" else _name
    newest_first = sort.get("order") == "DESC"
    found: list[tuple[Position, Customer]] = []

    def rows(ledger: Ledger, after: Position | None, most: int) -> Any:
        for (_, seq), customer in ledger.records("customer", where):
            if all(fits(customer) for fits in tests):
                found.append((Position(place(customer), seq), customer))
        found.sort(key=lambda row: row[0], reverse=newest_first)
        if after is None:
            return found[:most]
        rest = [row for row in found if row[0] != after and (row[0] < after) == newest_first]
        return rest[:most]

    answer = call.page("SearchCustomers", "customers", rows)
    return {**answer, "count": len(found)} if call.sent["count"] else answer


def add_customer(
    ledger: Ledger, profile: dict[str, Any], phone_number: str | None
) -> dict[str, Any]:
    """Add a customer to the directory, who is found by the phone number in E.164."""
    now = ledger.now_ms()
    customer = {
        "id": ledger.unused("customer"),
        "created_at": now,
        "updated_at": now,
        **profile,
        "preferences": {"email_unsubscribed": False},
        "creation_source": "THIRD_PARTY",
        "version": 0,
    }
    ledger.keep("customer", customer, owner=phone_number, moment=now)
    return customer


def _profile(sent: Sent) -> Customer:
    phone, birthday = sent["phone_number"], sent["birthday"]
    if phone and _digits(phone) is None:
        detail = "Expected phone_number to be a valid phone number"
        sent.report("phone_number", "INVALID_PHONE_NUMBER", detail)
    if birthday:
        sent["birthday"] = _birthday(sent, birthday)
    profile: Customer = without_absent({**sent, "idempotency_key": None})
    if not profile.get("address"):
        profile.pop("address", None)
    return profile


def _birthday(sent: Sent, text: str) -> str:
    """Return a birthday with its year; 0000 stands for one that is not told."""
    full = text if len(text) > len("MM-DD") else f"0000-{text}"
    try:
        if not _BIRTHDAY.fullmatch(text):
            raise ValueError(text)
        # The year 2000 has a 29 February, too.
        date.fromisoformat(full.replace("0000-", "2000-", 1))
    except ValueError:
        sent.report("birthday", "INVALID_TIME", "Expected a day as YYYY-MM-DD or MM-DD.")
    return full


def _conditions(sent: Sent) -> tuple[Where, list[Fits]]:
    """Read the filters, which must all fit: what is looked up, and what each customer is asked."""
    where = Where()
    tests: list[Fits] = []
    for name in ("email_address", "reference_id", "phone_number"):
        text = sent[name]
        if text is None:
            continue
        exact, fuzzy = text["exact"], text["fuzzy"]
        if exact is None and fuzzy is None:
            text.required("exact")
        if exact is not None and fuzzy is not None:
            text.report("exact", "CONFLICTING_PARAMETERS", "Send exact or fuzzy, not both.")
        if exact and name == "phone_number":
            number = _digits(exact) if exact.startswith("+") else None
            if number is None:
                text.report("exact", "INVALID_PHONE_NUMBER", "Expected a number in E.164.")
            where.add("owner = ?", number or "")
        elif exact:
            tests.append(partial(_is, name, exact.casefold()))
        elif fuzzy:
            tests.append(partial(_holds, name, fuzzy))
    if source := sent["creation_source"]:
        values, excluded = source["values"], source["rule"] == "EXCLUDE"
        tests.append(lambda customer: (customer["creation_source"] in values) != excluded)
    for name in ("created_at", "updated_at"):
        tests.append(partial(_lies_in, name, *sent.period(name)))
    return where, tests


def _is(name: str, wanted: str, customer: Customer) -> bool:
    return bool(customer.get(name, "").casefold() == wanted)


def _holds(name: str, wanted: str, customer: Customer) -> bool:
    """Tell whether each word of `wanted` is somewhere in the field; of a phone, its digits."""
    found, words = customer.get(name, "").casefold(), wanted.casefold().split()
    if name == "phone_number":
        found, *words = (re.sub(r"\D", "", text) for text in (found, *words))
    words = [word for word in words if word]
    return bool(words) and all(word in found for word in words)


def _lies_in(name: str, start: datetime | None, end: datetime | None, customer: Customer) -> bool:
    moment = parse_rfc3339(customer[name])
    return not (start and moment < start) and not (end and moment >= end)


def _name(customer: Customer) -> str:
    """Return what a customer is sorted by: the names, else the first of what there is."""
    names = " ".join(customer.get(name, "") for name in ("given_name", "family_name")).strip()
    others = (customer.get(name) for name in ("company_name", "email_address", "phone_number"))
    return (names or next(filter(None, others), "")).casefold()


def _digits(phone_number: str) -> str | None:
    """Return a number of 9 to 16 digits without its separators, with a plus; None if it is none."""
    digits = re.sub(r"\D", "", phone_number, flags=re.ASCII)
    if not _PHONE.fullmatch(phone_number) or not 9 <= len(digits) <= 16:
        return None
    is_national = len(digits) == 10 and not phone_number.startswith("+")
    return f"+1{digits}" if is_national else f"+{digits}"
