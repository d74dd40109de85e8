"""Several records in one table."""

from dataclasses import dataclass

from loyalty_helpers.records.models import LoyaltyAccount, LoyaltyEvent
from loyalty_helpers.records.show import Bundle, Shown, plain, table
from loyalty_helpers.redaction import mask_reason

ACCOUNT_COLUMNS = ("balance", "phone_number", "customer_id", "account_id")
EVENT_COLUMNS = ("points", "type", "created_at", "source", "reason")


@dataclass(frozen=True)
class AccountTable(Shown):
    """Accounts as a search found them."""

    accounts: tuple[LoyaltyAccount, ...]

    def _view(self) -> Bundle:
        rows = [(a.balance, a.masked_phone_number, a.customer_id, a.id) for a in self.accounts]
        return table(_count(len(rows), "account"), ACCOUNT_COLUMNS, rows)


@dataclass(frozen=True)
class EventTable(Shown):
    """Events as a search found them."""

    events: tuple[LoyaltyEvent, ...]

    def _view(self) -> Bundle:
        return table(_count(len(self.events), "event"), EVENT_COLUMNS, map(event_row, self.events))


def event_row(event: LoyaltyEvent) -> tuple[object, ...]:
    """The values of an event under EVENT_COLUMNS."""
    return (
        event.points,
        event.type,
        plain(event.created_at),
        event.source,
        mask_reason(event.reason),
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
