"""Finds loyalty accounts for a plan: as many a request as Square takes. Only reads."""

from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.errors import NotFoundError
from loyalty_helpers.records import LoyaltyAccount

Found = list[tuple[str, LoyaltyAccount]]


def by_phone(client: LoyaltyClient, numbers: list[str]) -> Found:
    """Accounts by phone number; Square may give it back without its plus."""
    found = client.search_accounts(phone_numbers=numbers)
    return [
        (f"+{a.mapping.phone_number.lstrip('+')}", a)
        for a in found
        if a.mapping and a.mapping.phone_number
    ]


def by_customer(client: LoyaltyClient, ids: list[str]) -> Found:
    """Accounts by the customers that they belong to."""
    return [(a.customer_id or "", a) for a in client.search_accounts(customer_ids=ids)]


def by_id(client: LoyaltyClient, ids: list[str]) -> Found:
    """Accounts by their own ids: Square has no search for these, so one at a time."""
    found = []
    for one in ids:
        try:
            found.append((one, client.retrieve_account(one)))
        except NotFoundError:
            continue  # told with the other problems
    return found


LOOK_UPS = {"account_id": by_id, "customer_id": by_customer, "phone_number": by_phone}
HINTS = {
    "account_id": "check the id, and the environment",
    "customer_id": "check the id, and the environment",
    "phone_number": "a buyer whose profile has no phone number is found by customer_id only",
}
