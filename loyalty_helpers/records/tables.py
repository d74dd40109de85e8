"""Several records in one table."""

from dataclasses import dataclass

from loyalty_helpers.records.models import LoyaltyAccount, LoyaltyEvent
from loyalty_helpers.records.show import Table, Tabled
from loyalty_helpers.redaction import mask_reason

ACCOUNT_COLUMNS = ("balance", "phone_number", "customer_id", "account_id")
EVENT_COLUMNS = ("points", "type", "created_at", "source", "event_id", "reason")


@dataclass(frozen=True)
class AccountTable(Tabled):
    """Accounts as a search found them."""

    accounts: tuple[LoyaltyAccount, ...]

    def _table(self) -> Table:
        rows = [(a.balance, a.masked_phone_number, a.customer_id, a.id) for a in self.accounts]
        return Table(_count(len(rows), "account"), ACCOUNT_COLUMNS, tuple(rows))


@dataclass(frozen=True)
class EventTable(Tabled):
    """Events as a search found them."""

    events: tuple[LoyaltyEvent, ...]

    def _table(self) -> Table:
        rows = tuple(map(event_row, self.events))
        return Table(_count(len(rows), "event"), EVENT_COLUMNS, rows)


def event_row(event: LoyaltyEvent) -> tuple[object, ...]:
    """The values of an event under EVENT_COLUMNS."""
    return (
        event.points,
        event.type,
        event.created_at,
        event.source,
        event.id,
        mask_reason(event.reason),
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
