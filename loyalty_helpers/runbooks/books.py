"""What accounts hold and what their events come to, added up while they are read.

Memory is taken by accounts and by groups of adjustments, and not by events.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from loyalty_helpers.api import MARKER
from loyalty_helpers.plain import plain
from loyalty_helpers.records import ImpossibleTime, LoyaltyAccount, LoyaltyEvent
from loyalty_helpers.redaction import mask_reason
from loyalty_helpers.runbooks.ledger import is_since, over_again

SHIFTED = 300  # events; what comes meanwhile shifts the pages of a walk, and gives some again
RAISING = ("ACCUMULATE_POINTS", "ACCUMULATE_PROMOTION_POINTS", "ADJUST_POINTS")
GROUPED_BY = ("day", "source", "reason")


class Difference(NamedTuple):
    """An account whose balance, or whose lifetime points, are not what its events make."""

    account_id: str
    phone_number: str
    balance: int
    events_make: int
    difference: int
    lifetime_points: int
    events_raise: int


class Group(NamedTuple):
    """Adjustments that share a source, a reason or a day; points without a sign."""

    name: str
    adjustments: int
    added: int
    taken: int


class Period(NamedTuple):
    """Days in UTC: from the first to before the last; None has no border."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, moment: datetime | ImpossibleTime) -> bool:
        """Whether an event belongs here; one whose time cannot exist only where all do."""
        if isinstance(moment, ImpossibleTime):
            return self == (None, None)
        after_start = self.start is None or moment >= self.start
        return after_start and (self.end is None or moment < self.end)


@dataclass(slots=True)
class Book:
    """One account, and what its events come to; it has no balance until it was read itself."""

    phone: str = ""
    balance: int | None = None
    lifetime: int = 0
    events: int = 0
    made: int = 0
    raised: int = 0


class Books:
    """The accounts that were read, and the adjustments of a period.

    Args:
        period: of the adjustments; balances need all events.
        late: seconds after which every event can be found.
        show_phone_numbers: keep them readable.
    """

    def __init__(self, period: Period, late: float, *, show_phone_numbers: bool) -> None:
        self._period, self._late, self._shown = period, timedelta(seconds=late), show_phone_numbers
        self.accounts: defaultdict[str, Book] = defaultdict(Book)
        self.unsettled: tuple[str, ...] = ()
        self._clear("")

    def put_account(self, account: LoyaltyAccount) -> None:
        """Keep an account as it is now."""
        number = account.mapping.phone_number if account.mapping else None
        book = self.accounts[account.id]
        book.phone = (number or "") if self._shown else account.masked_phone_number
        book.balance, book.lifetime = account.balance, account.lifetime_points

    def put_events(
        self, search: Callable[[], Iterator[LoyaltyEvent]], account_id: str = ""
    ) -> None:
        """Count what a search finds, the newest first: all events of an account, or of everybody.

        What was known of them is forgotten before, also where the search has to begin again.
        """
        last: deque[str] = deque(maxlen=SHIFTED)

        def begin() -> Iterator[LoyaltyEvent]:
            last.clear()
            self._clear(account_id)
            return search()

        for event in over_again(begin):
            if event.id not in last:
                last.append(event.id)
                self._put(event, account_id)

    def _clear(self, account_id: str) -> None:
        for book in [self.accounts[account_id]] if account_id else self.accounts.values():
            book.events = book.made = book.raised = 0
        if not account_id:
            self._groups: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
            self._walked: datetime | None = None  # the walk over all has found what is older
            self._young: set[str] = set()  # adjustments that it may have found or not

    def _put(self, event: LoyaltyEvent, account_id: str) -> None:
        book = self.accounts[event.loyalty_account_id]
        book.events += 1
        book.made += event.points
        book.raised += max(event.points, 0) if event.type in RAISING else 0
        if not account_id and self._walked is None and isinstance(event.created_at, datetime):
            self._walked = event.created_at - self._late
        if event.type == "ADJUST_POINTS" and self._period.holds(event.created_at):
            self._group(event, alone=bool(account_id))

    def _group(self, event: LoyaltyEvent, *, alone: bool) -> None:
        """Count an adjustment once, though its account is read again on its own."""
        young = self._walked is None or is_since(event, self._walked)
        if event.id in self._young or (alone and not young):
            return
        if young:
            self._young.add(event.id)
        reason = plain(mask_reason(MARKER.sub("", event.reason).rstrip()))
        at = event.created_at
        day = "unknown" if isinstance(at, ImpossibleTime) else f"{at:%Y-%m-%d}"
        group = self._groups[day, plain(event.source), reason]
        group.update(adjustments=1, added=max(event.points, 0), taken=max(-event.points, 0))

    def suspects(self, most: int) -> list[str]:
        """Accounts that differ, and those of events that belong to none that was read.

        Those beyond the first `most` are unsettled, and so neither right nor wrong.
        """
        found = sorted(one for one, book in self.accounts.items() if book.balance != book.made)
        self.unsettled = tuple(found[most:])
        return found[:most]

    def forget(self, account_ids: Iterable[str]) -> None:
        """These accounts are gone; their events stay."""
        for account_id in account_ids:
            self.accounts[account_id].balance = None
            if not self.accounts[account_id].events:
                del self.accounts[account_id]

    def gone(self) -> int:
        """How many accounts have events and do not exist."""
        lost = {one for one, book in self.accounts.items() if book.balance is None}
        return len(lost.difference(self.unsettled))

    def amiss(self) -> Iterator[Difference]:
        """Accounts whose balance, or whose lifetime points, are not what their events make."""
        for one in sorted(self.accounts.keys() - self.unsettled):
            book = self.accounts[one]
            held, made = (book.balance, book.lifetime), (book.made, book.raised)
            if book.balance is not None and held != made:
                points = (book.balance, book.made, book.balance - book.made)
                yield Difference(one, book.phone, *points, book.lifetime, book.raised)

    def adjustments(self) -> Iterator[tuple[object, ...]]:
        """Adjustments by day, source and reason, the oldest first."""
        return ((*names, *self._groups[names].values()) for names in sorted(self._groups))

    def grouped(self, by: str, most: int) -> tuple[Group, ...]:
        """Adjustments by `source`, `reason` or `day`: the most frequent, or the newest, first."""
        sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for names, group in self._groups.items():
            sums[names[GROUPED_BY.index(by)]].update(group)
        groups = [Group(name, **sums[name]) for name in sorted(sums)]
        if by == "day":
            groups.reverse()
        else:
            groups.sort(key=lambda group: -group.adjustments)
        return tuple(groups[:most])
