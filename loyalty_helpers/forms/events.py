"""The form that filters the events of an account."""

from typing import Any

from loyalty_helpers.api import LoyaltyClient, start_of_day
from loyalty_helpers.api import event_types as read_event_types
from loyalty_helpers.forms.base import Form, text_field
from loyalty_helpers.records import EventTable, LoyaltyAccount


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
            "types": read_event_types(values["event_types"]),
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
