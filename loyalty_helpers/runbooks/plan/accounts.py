"""Finds the loyalty accounts of rows, as many a request as Square takes. Only reads."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from loyalty_helpers.api import PER_SEARCH, LoyaltyClient
from loyalty_helpers.errors import NotFoundError
from loyalty_helpers.records import LoyaltyAccount
from loyalty_helpers.runbooks.batches import batches
from loyalty_helpers.runbooks.plan.rows import Row

LOOKUPS_AT_ONCE = 8
Found = list[tuple[str, LoyaltyAccount]]


@dataclass(slots=True)
class Account:
    """What a plan needs of an account: the buyer's profile and number, and the balance now."""

    customer_id: str
    phone_number: str
    balance: int


class Accounts:
    """The accounts that rows name.

    Attributes:
        by_id: what was found.
    """

    def __init__(self, client: LoyaltyClient, rows: Iterable[Row]) -> None:
        self.by_id: dict[str, Account] = {}
        self._named: dict[str, dict[str, list[str]]] = {kind: {} for kind in _LOOK_UPS}
        with ThreadPoolExecutor(LOOKUPS_AT_ONCE) as pool:
            for kind, values in _wanted(rows).items():
                # As many at a time as threads: what is found is far larger than what is kept.
                for batch in batches(batches(sorted(values), PER_SEARCH), LOOKUPS_AT_ONCE):
                    for found in pool.map(partial(_LOOK_UPS[kind], client), batch):
                        self._keep(kind, found)

    def _keep(self, kind: str, found: Found) -> None:
        for value, account in found:
            ids = self._named[kind].setdefault(value, [])
            ids += [account.id] if account.id not in ids else []
            number = (account.mapping and account.mapping.phone_number) or ""
            self.by_id[account.id] = Account(account.customer_id or "", number, account.balance)

    def named(self, kind: str, value: str) -> list[str]:
        """The ids of the accounts with a name; there should be one."""
        return sorted(self._named[kind].get(value, ()))


def name_of(row: Row) -> tuple[str, str]:
    """What names the account of a row best: the kind, and the value."""
    return next((kind, value) for kind in _LOOK_UPS if (value := getattr(row, kind)))


def _wanted(rows: Iterable[Row]) -> dict[str, set[str]]:
    wanted: dict[str, set[str]] = {kind: set() for kind in _LOOK_UPS}
    for row in rows:
        kind, value = name_of(row)
        wanted[kind].add(value)
        if row.phone_number:  # beside an id it has to be that of the same account
            wanted["phone_number"].add(row.phone_number)
    return wanted


def _by_phone(client: LoyaltyClient, numbers: list[str]) -> Found:
    """Accounts by phone number; Square may give it back without its plus."""
    found = client.search_accounts(phone_numbers=numbers)
    return [
        (f"+{a.mapping.phone_number.lstrip('+')}", a)
        for a in found
        if a.mapping and a.mapping.phone_number
    ]


def _by_customer(client: LoyaltyClient, ids: list[str]) -> Found:
    """Accounts by the customers that they belong to."""
    return [(a.customer_id or "", a) for a in client.search_accounts(customer_ids=ids)]


def _by_id(client: LoyaltyClient, ids: list[str]) -> Found:
    """Accounts by their own ids: Square has no search for these, so one at a time."""
    found = []
    for one in ids:
        try:
            found.append((one, client.retrieve_account(one)))
        except NotFoundError:
            continue  # told with the other problems
    return found


# What names an account, and how it is found by that; the best name first.
_LOOK_UPS = {"account_id": _by_id, "customer_id": _by_customer, "phone_number": _by_phone}
