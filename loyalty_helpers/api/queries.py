"""The bodies of Square's two searches, what people type for them, and the one that is found."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from loyalty_helpers.api.checks import (
    check_id,
    check_list,
    check_page_size,
    check_phone_number,
    next_second,
    rfc3339,
)
from loyalty_helpers.errors import AccountNotFoundError, ParameterError, SeveralAccountsError
from loyalty_helpers.records import LoyaltyAccount, LoyaltyEvent

PER_SEARCH = 30  # phone numbers or customer ids that one search takes
ACCOUNTS_PER_PAGE = 200
EVENTS_PER_PAGE = 30


def accounts_query(
    phone_numbers: Sequence[str], customer_ids: Sequence[str], page_size: int
) -> dict[str, Any]:
    """A search for accounts: by phone numbers, by customer ids, or for all there are."""
    numbers = check_list(phone_numbers, "phone_numbers")
    customers = check_list(customer_ids, "customer_ids")
    if numbers and customers:
        raise ParameterError("search by phone numbers or by customer ids, not by both")
    if max(len(numbers), len(customers)) > PER_SEARCH:
        raise ParameterError(f"a search takes up to {PER_SEARCH} phone numbers or customer ids")
    body: dict[str, Any] = {"limit": check_page_size(page_size, ACCOUNTS_PER_PAGE)}
    if numbers:
        mappings = [{"phone_number": check_phone_number(number)} for number in numbers]
        body["query"] = {"mappings": mappings}
    if customers:
        body["query"] = {"customer_ids": customers}
    return body


def events_query(
    account_id: str,
    types: Sequence[str],
    period: tuple[datetime | None, datetime | None],
    location_ids: Sequence[str],
    order_id: str,
    page_size: int,
) -> dict[str, Any]:
    """A search for events; every filter that is given must hold."""
    filters: dict[str, Any] = {}
    if account_id:
        checked = check_id(account_id, "account_id")
        filters["loyalty_account_filter"] = {"loyalty_account_id": checked}
    if types:
        filters["type_filter"] = {"types": check_list(types, "types")}
    if any(period):
        named = zip(("start_at", "end_at"), period, strict=True)
        created = {name: rfc3339(next_second(moment), name) for name, moment in named if moment}
        filters["date_time_filter"] = {"created_at": created}
    if location_ids:
        filters["location_filter"] = {"location_ids": check_list(location_ids, "location_ids")}
    if order_id:
        filters["order_filter"] = {"order_id": order_id}
    body: dict[str, Any] = {"limit": check_page_size(page_size, EVENTS_PER_PAGE)}
    return body | {"query": {"filter": filters}} if filters else body


def event_types(text: str) -> list[str]:
    """`"ADJUST_POINTS, OTHER"` as a list; raises ParameterError for a name that is no type."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in LoyaltyEvent.DETAILS]
    if unknown:
        raise ParameterError(
            f"event_types: {', '.join(unknown)} is none of {', '.join(LoyaltyEvent.DETAILS)}"
        )
    return names


def start_of_day(text: str, name: str) -> datetime | None:
    """Midnight UTC of `YYYY-MM-DD`; None for an empty text."""
    if not text:
        return None
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError(text)
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise ParameterError(f"{name} {text!r} is not a date like '2026-01-31'") from None


def check_one_given(**given: str) -> None:
    """Raise ParameterError unless exactly one of the values is given."""
    names = [name for name, value in given.items() if value]
    if len(names) != 1:
        raise ParameterError(
            f"fill in exactly one of {', '.join(given)}, and leave the others empty; "
            f"found {' and '.join(names) or 'none'}"
        )


def the_only(accounts: Iterable[LoyaltyAccount], *, by_phone: bool) -> LoyaltyAccount:
    """The account, if there is just one; else the error that says none, or lists which."""
    found = list(accounts)
    if len(found) == 1:
        return found[0]
    if not found:
        hint = (
            " A buyer whose profile has no phone number is not found by one: search by customer_id."
            if by_phone
            else " Check the id, and the environment."
        )
        name = "this phone number" if by_phone else "this customer_id"
        raise AccountNotFoundError(f"no loyalty account has {name}.{hint}")
    listed = "\n".join(
        f"  {a.id}  balance {a.balance}  phone_number {a.masked_phone_number or '(none)'}"
        for a in found
    )
    raise SeveralAccountsError(
        f"{len(found)} loyalty accounts fit; name one of them by account_id:\n{listed}",
        [account.id for account in found],
    )
