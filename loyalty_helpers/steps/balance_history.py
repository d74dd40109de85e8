"""The events behind a balance, with the balance after each."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from loyalty_helpers.records import (
    EVENT_COLUMNS,
    LoyaltyAccount,
    LoyaltyEvent,
    Table,
    Tabled,
    event_row,
)


@dataclass(frozen=True)
class HistoryEntry:
    """An event, and the balance after it in points."""

    event: LoyaltyEvent
    balance: int


@dataclass(frozen=True)
class BalanceHistory(Tabled):
    """The events of an account, oldest first, each with the running balance.

    Attributes:
        account_id: the loyalty account's id.
        entries: one for each event.
    """

    account_id: str
    entries: tuple[HistoryEntry, ...]

    @property
    def balance(self) -> int:
        """The sum of all events: what the account's balance must be."""
        return self.entries[-1].balance if self.entries else 0

    @property
    def by_type(self) -> "PointsByType":
        """How many events of each type there are, and the points they add up to."""
        return PointsByType(self.account_id, tuple(entry.event for entry in self.entries))

    def newest(self, count: int) -> "BalanceHistory":
        """The last entries only; their running balances stay what they are."""
        return BalanceHistory(self.account_id, self.entries[-count:] if count else ())

    def _table(self) -> Table:
        rows = tuple((entry.balance, *event_row(entry.event)) for entry in self.entries)
        columns = ("balance", *EVENT_COLUMNS)
        return Table(f"{len(rows)} events of account {self.account_id}", columns, rows)


@dataclass(frozen=True)
class PointsByType(Tabled):
    """Events counted and added up by type."""

    account_id: str
    events: tuple[LoyaltyEvent, ...]

    @property
    def totals(self) -> dict[str, int]:
        """Points by type, in the order of the types' names."""
        points: Counter[str] = Counter()
        for event in self.events:
            points[event.type] += event.points
        return dict(sorted(points.items()))

    def _table(self) -> Table:
        counts = Counter(event.type for event in self.events)
        rows = tuple((counts[kind], points, kind) for kind, points in self.totals.items())
        return Table(f"Events of account {self.account_id}", ("events", "points", "type"), rows)


def balance_history(account: LoyaltyAccount, events: Iterable[LoyaltyEvent]) -> BalanceHistory:
    """The running balance from all events of an account.

    Args:
        account: whose events they are.
        events: newest first, as Square sends them.
    """
    balance, entries = 0, []
    for event in reversed(list(events)):
        balance += event.points
        entries.append(HistoryEntry(event, balance))
    return BalanceHistory(account.id, tuple(entries))
