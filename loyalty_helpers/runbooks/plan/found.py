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
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from loyalty_helpers.api import PER_SEARCH, LoyaltyClient, same_words
from loyalty_helpers.errors import NotFoundError
from loyalty_helpers.records import LoyaltyAccount, LoyaltyEvent
from loyalty_helpers.redaction import mask_phone
from loyalty_helpers.runbooks.batches import batches
from loyalty_helpers.runbooks.identity import marker_in
from loyalty_helpers.runbooks.ledger import is_since, is_undone
from loyalty_helpers.runbooks.plan.guards import Place
from loyalty_helpers.runbooks.plan.rows import Row

LOOKUPS_AT_ONCE = 8
REPEAT_DAYS = 90  # before the newest event, in which the same content counts as a repeat
Found = list[tuple[str, LoyaltyAccount]]
Content = tuple[str, int, str]  # account, points, and the words of the reason


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

    def settle(self, rows: Iterable[Row], *, show_phone_numbers: bool) -> None:
        """Give each row what it needs of the one account that it names."""
        for row in rows:
            [row.account_id] = self.named(*name_of(row))
            account = self.by_id[row.account_id]
            row.customer_id, row.before = account.customer_id, account.balance
            shown = show_phone_numbers or not account.phone_number
            row.phone = account.phone_number if shown else mask_phone(account.phone_number)


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
        return [one for one in found if not is_undone(one, *self._place, self._marked.get)]
