"""Whom a text means: it is looked for in every way in which it can name a buyer.

People on the telephone give whatever they have at hand. One field takes all of it, and what could
mean two buyers shows both, so that nobody is taken for another.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from loyalty_helpers.api import ID_PATTERN, PER_SEARCH, LoyaltyClient, check_phone_number
from loyalty_helpers.errors import (
    AccountNotFoundError,
    AuthenticationError,
    InvalidRequestError,
    ParameterError,
)
from loyalty_helpers.records import Customer, LoyaltyAccount
from loyalty_helpers.redaction import mask_phone

NAMES = "a phone number, an e-mail address, a reference id, a customer id or an account id"
# What a number of the seller's own country is written with.
NATIONAL = re.compile(r"[0-9\s()./\u00ad\u2010-\u2015\u2212-]{3,40}")
Found = Iterable[LoyaltyAccount]
Ways = Iterator[tuple[str, Callable[[], Found]]]


def find_accounts(client: LoyaltyClient, typed: str) -> tuple[LoyaltyAccount, ...]:
    """The accounts that a text names, each once.

    Args:
        client: answers the searches.
        typed: a phone number, in the national form of the seller's country as well; an e-mail
            address, a reference id, a customer id or an account id.

    Raises:
        ParameterError: it is empty, or can name nobody.
        AccountNotFoundError: it names nobody.
        AuthenticationError: it may name somebody, but the token may not look for profiles.
    """
    text = typed.strip()
    if not text:
        raise ParameterError(f"Please type {NAMES}.")
    tried, found, refused = [], dict[str, LoyaltyAccount](), None
    for way, search in _ways(client, text):
        tried.append(way)
        try:
            found |= {account.id: account for account in search()}
        except AuthenticationError as error:  # the token may be one for loyalty alone
            refused = error
    if refused and not found:
        raise refused
    if not found:
        raise AccountNotFoundError(_nobody(text, tried))
    return tuple(found.values())


def _nobody(text: str, tried: list[str]) -> str:
    told = f"Nobody was found. Looked for this as {', '.join(tried)}. Ask for another of {NAMES}"
    if NATIONAL.fullmatch(text) and tried == ["reference id"]:
        return f"{told}; a phone number of another country begins with a plus."
    return f"{told}, and look whether this is the right environment."


def _ways(client: LoyaltyClient, text: str) -> Ways:
    """In which ways a text can name buyers, each with its search."""
    if text.startswith("+"):
        yield _by_phone(client, check_phone_number(text))
        return
    if NATIONAL.fullmatch(text):
        yield from (_by_phone(client, number) for number in _national(client, text))
    elif "@" in text:
        yield "e-mail address", lambda: _of(client, client.search_customers(email_address=text))
    elif ID_PATTERN.fullmatch(text):
        yield "account id", lambda: _if_known(lambda: [client.find_account(account_id=text)])
        yield "customer id", lambda: _if_known(lambda: client.search_accounts(customer_ids=[text]))
    yield "reference id", lambda: _of(client, client.search_customers(reference_id=text))


def _by_phone(client: LoyaltyClient, number: str) -> tuple[str, Callable[[], Found]]:
    def search() -> Found:
        return client.search_accounts(phone_numbers=[number])

    return f"phone number {mask_phone(number)}", search


def _national(client: LoyaltyClient, text: str) -> list[str]:
    """The numbers, in E.164, that the seller's countries would read this as."""
    import phonenumbers  # 20 ms, needed only where a number is given

    try:
        countries = {location.country for location in client.list_locations() if location.country}
    except AuthenticationError:  # without the right to ask, a number needs its plus
        return []
    numbers = []
    for country in sorted(countries):
        try:
            number = phonenumbers.parse(text, country)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            numbers.append(check_phone_number(written))
    return list(dict.fromkeys(numbers))


def _if_known(search: Callable[[], Found]) -> Found:
    """What a search by id finds; an id that Square refuses as it is written names nobody."""
    try:
        return list(search())
    except (AccountNotFoundError, InvalidRequestError):
        return []


def _of(client: LoyaltyClient, customers: Iterable[Customer]) -> Found:
    """The accounts of customers; so many that nobody could choose are too many."""
    ids = [customer.id for customer in islice(customers, PER_SEARCH + 1)]
    if len(ids) > PER_SEARCH:
        raise ParameterError(
            f"More than {PER_SEARCH} customers have this. Ask for something that only one has, "
            "such as a phone number."
        )
    return client.search_accounts(customer_ids=ids) if ids else []
