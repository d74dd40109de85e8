"""The form that filters the events of an account."""

from datetime import UTC, datetime
from typing import Any

from loyalty_helpers.client import LoyaltyClient
from loyalty_helpers.errors import ParameterError
from loyalty_helpers.forms.base import Form, text_field
from loyalty_helpers.models import LoyaltyAccount, LoyaltyEvent
from loyalty_helpers.tables import EventTable


class EventsForm(Form):
    """Holds a filter: `event_types`, `start_date` and `end_date`; an empty one filters nothing."""

    def __init__(
        self,
        client: LoyaltyClient,
        account: LoyaltyAccount,
        event_types: str,
        start_date: str,
        end_date: str,
    ) -> None:
        types = "all types; or for example ADJUST_POINTS, OTHER"
        first, last = "the first day, like 2026-01-01", "the day after the last, like 2027-01-01"
        fields = {
            "event_types": text_field("event_types", event_types, types),
            "start_date": text_field("start_date", start_date, first),
            "end_date": text_field("end_date", end_date, last),
        }
        self._client, self._account = client, account
        super().__init__(
            f"Filter the events of account {account.id}", fields, {"Search events": self.search}
        )

    @property
    def filters(self) -> dict[str, Any]:
        """The values as arguments of `client.search_events`."""
        values = self.values
        return {
            "types": event_types(values["event_types"]),
            "start_at": start_of_day(values["start_date"], "start_date"),
            "end_at": start_of_day(values["end_date"], "end_date"),
        }

    def search(self) -> EventTable:
        """The events that the filter lets through, newest first."""
        found = self._client.search_events(account_id=self._account.id, **self.filters)
        return EventTable(tuple(found))


def events_form(
    client: LoyaltyClient,
    account: LoyaltyAccount,
    *,
    event_types: str = "",
    start_date: str = "",
    end_date: str = "",
) -> EventsForm:
    """A form for `client.search_events(account_id=..., **form.filters)`.

    Args:
        client: answers the search.
        account: whose events are filtered.
        event_types: Square's names, separated by commas; empty for all.
        start_date: the first day, `YYYY-MM-DD` in UTC; empty for no beginning.
        end_date: the day after the last, `YYYY-MM-DD` in UTC; empty for no end.
    """
    return EventsForm(client, account, event_types, start_date, end_date)


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
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ParameterError(f"{name} {text!r} is not a date like '2026-01-31'") from None
