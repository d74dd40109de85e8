"""What Square has of the rows of a plan: their accounts, and what the ledger holds already of them.

An account is looked for by what the row names best, as many a request as Square takes.

A mark is looked for in all that an account ever had, since an intent is known for ever. Content
(account, points, and the words of the reason) is compared with what is young enough to be the
same wish, whoever made it: another run id, a person, another program. What was undone since is
not held any more.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from loyalty_helpers.api import PER_SEARCH, LoyaltyClient, same_words
from loyalty_helpers.errors import NotFoundError
from loyalty_helpers.records import LoyaltyAccount, LoyaltyEvent
from loyalty_helpers.runbooks.identity import marker_in
from loyalty_helpers.runbooks.ledger import batches, is_since, is_undone
from loyalty_helpers.runbooks.plan.guards import Place
from loyalty_helpers.runbooks.plan.rows import Row

LOOKUPS_AT_ONCE = 8
REPEAT_DAYS = 90  # before the newest event, in which the same content counts as a repeat
Named = list[tuple[str, LoyaltyAccount]]
Content = tuple[str, int, str]  # account, points, and the words of the reason


class Account(NamedTuple):
    """What a plan needs of an account: the buyer's profile and number, and the balance now."""

    account_id: str
    customer_id: str
    phone_number: str
    balance: int


# By the kind of a name and its value: the accounts that it names; there should be one.
Found = dict[tuple[str, str], list[Account]]


def find_accounts(client: LoyaltyClient, rows: Sequence[Row]) -> Found:
    """The accounts that rows name."""
    found: Found = defaultdict(list)
    wanted = {name_of(row) for row in rows}
    # A number beside an id has to be that of the same account.
    wanted |= {("phone_number", row.phone_number) for row in rows if row.phone_number}
    with ThreadPoolExecutor(LOOKUPS_AT_ONCE) as pool:
        for kind, look_up in _LOOK_UPS.items():
            values = sorted(value for named, value in wanted if named == kind)
            # As many at a time as threads: what is found is far larger than what is kept.
            for batch in batches(batches(values, PER_SEARCH), LOOKUPS_AT_ONCE):
                for some in pool.map(partial(look_up, client), batch):
                    for value, account in some:
                        _keep(found[kind, value], account)
    return found


def _keep(named: list[Account], account: LoyaltyAccount) -> None:
    if all(account.id != one.account_id for one in named):
        number = (account.mapping and account.mapping.phone_number) or ""
        named.append(Account(account.id, account.customer_id or "", number, account.balance))


def name_of(row: Row) -> tuple[str, str]:
    """What names the account of a row best: the kind, and the value."""
    return next((kind, value) for kind in _LOOK_UPS if (value := getattr(row, kind)))


def _by_phone(client: LoyaltyClient, numbers: list[str]) -> Named:
    """Accounts by phone number; Square may give it back without its plus."""
    found = client.search_accounts(phone_numbers=numbers)
    return [
        (f"+{a.mapping.phone_number.lstrip('+')}", a)
        for a in found
        if a.mapping and a.mapping.phone_number
    ]


def _by_customer(client: LoyaltyClient, ids: list[str]) -> Named:
    """Accounts by the customers that they belong to."""
    return [(a.customer_id or "", a) for a in client.search_accounts(customer_ids=ids)]


def _by_id(client: LoyaltyClient, ids: list[str]) -> Named:
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


def content_of(row: Row) -> Content:
    """What makes two adjustments the same, whoever made them."""
    return row.account_id, row.points, same_words(row.reason)


class Holdings:
    """The adjustments that say something about the rows of a plan.

    They carry a row's mark, are undone by a row, or are of as many points on a row's account, up
    or down: what a row may repeat, and what undid that. All others are passed over.

    Args:
        rows: with their accounts and marks.
        place: where the plan is for; marks depend on it.
        newest: when the newest event of all was made, by the service's own clock.
        events: all adjustments of the rows' accounts; others do no harm.

    Attributes:
        contents: of these adjustments, by the ids of their events.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        place: Place,
        newest: datetime | None,
        events: Iterable[LoyaltyEvent],
    ) -> None:
        self.contents: dict[str, Content] = {}
        self._place = (place.environment, place.merchant_id)
        self._marked: defaultdict[str, list[str]] = defaultdict(list)
        self._recent: defaultdict[Content, list[str]] = defaultdict(list)
        since = newest - timedelta(days=REPEAT_DAYS) if newest else None
        marks = {row.marker for row in rows}
        undone = {row.undoes for row in rows}
        changes = {(row.account_id, abs(row.points)) for row in rows}
        for event in events:
            marker, account_id = marker_in(event.reason), event.loyalty_account_id
            alike = (account_id, abs(event.points)) in changes
            if alike or marker in marks or event.id in undone:
                self._keep(event, marker, recent=since is None or is_since(event, since))

    def _keep(self, event: LoyaltyEvent, marker: str, *, recent: bool) -> None:
        if event.id in self.contents:  # an event can come twice
            return
        content = event.loyalty_account_id, event.points, same_words(event.reason)
        self.contents[event.id] = content
        if marker:
            self._marked[marker].append(event.id)
        if recent:
            self._recent[content].append(event.id)

    def marked(self, marker: str) -> list[str]:
        """Ids of the events with a mark: one, if the row was applied; more, if it was doubled."""
        return sorted(self._marked.get(marker, ()))

    def alike(self, content: Content) -> list[str]:
        """Ids of recent events with this content that were not undone."""
        found = sorted(self._recent.get(content, ()))
        return [one for one in found if not is_undone(one, self._place, self._marked)]
