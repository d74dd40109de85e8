"""What may be in the ledger, judged by somebody who knows only what was approved, and the ledger.

The judge reads every event once, and never asks the journals what they think.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from loyalty_helpers.api.client import LoyaltyClient
from loyalty_helpers.api.keys import same_words
from loyalty_helpers.records.models import LoyaltyEvent
from loyalty_helpers.runbooks.apply.journal import Journal
from loyalty_helpers.runbooks.identity import marker_in, undo_identity
from loyalty_helpers.runbooks.plan import Plan

WINDOW = timedelta(days=90)
Content = tuple[str, int, str]


def content_of(event: LoyaltyEvent) -> Content:
    return event.loyalty_account_id, event.points, same_words(event.reason)


@dataclass(frozen=True)
class Wish:
    """What somebody approved: one row, and whether its content may be there already."""

    content: Content
    repeats: bool


class Judge:
    """Keeps what was approved, and compares the ledger with it."""

    def __init__(self, client: LoyaltyClient) -> None:
        self._client = client
        self._known = {event.id for event in client.search_events()}
        self._by_hand: set[str] = set()
        self._wishes: dict[str, Wish] = {}
        self._events: dict[str, list[LoyaltyEvent]] = defaultdict(list)  # by mark
        self._alike: dict[Content, list[LoyaltyEvent]] = defaultdict(list)
        self.broken: list[str] = []

    def approved(self, plan: Plan) -> None:
        """Somebody has looked at a plan, and wants it."""
        rows = list(plan.rows())
        contents = [(r.account_id, r.points, same_words(r.reason)) for r in rows]
        for row, content in zip(rows, contents, strict=True):
            repeats = plan.header.allow_repeats or contents.count(content) > 1
            marker = plan.header.identity(row).marker
            earlier = self._wishes.setdefault(marker, Wish(content, repeats))
            self._check(earlier.content == content, f"one mark for two intents: {content}")

    def by_hand(self, event: LoyaltyEvent) -> None:
        """A person, or a purchase, has moved points beside all runs."""
        self._by_hand.add(event.id)

    def look(self) -> None:
        """Read what is new in the ledger, and judge it."""
        new = []
        for event in self._client.search_events():
            if event.id in self._known:
                break
            new.append(event)
        for event in reversed(new):
            self._known.add(event.id)
            self._judge(event)

    def _judge(self, event: LoyaltyEvent) -> None:
        marker, content = marker_in(event.reason), content_of(event)
        if not marker:
            self._check(event.id in self._by_hand, f"points that nobody asked for: {event!r}")
        else:
            wish = self._wishes.get(marker)
            self._check(wish is not None, f"points that nobody approved: {event!r}")
            self._check(not self._events[marker], f"doubled: {event!r}")
            if wish is not None:
                self._check(wish.content == content, f"not what was approved: {event!r}")
                self._check(wish.repeats or not self._alive(event), f"repeated: {event!r}")
            self._events[marker].append(event)
        self._alike[content].append(event)

    def _alive(self, event: LoyaltyEvent) -> list[LoyaltyEvent]:
        """Events with the same content that are recent, and were not undone."""
        return [
            other
            for other in self._alike[content_of(event)]
            if not self._undone(other.id) and _at(event) - _at(other) < WINDOW
        ]

    def _undone(self, event_id: str) -> bool:
        marker = undo_identity("local", MERCHANT, event_id).marker
        return any(not self._undone(each.id) for each in self._events.get(marker, ()))

    def told(self, plan: Plan, *, success: bool) -> dict[str, int]:
        """What a run says of its rows must be what the ledger holds; gives its states."""
        with Journal.look(plan.folder) as journal:
            states = {entry.marker: entry.state for entry in journal.entries()}
        for marker, state in states.items():
            times = len(self._events.get(marker, ()))
            if success or state == "APPLIED":
                expected = int(state == "APPLIED")
                self._check(times == expected, f"{state}, and {times} times in the ledger")
        if success:
            self._check(set(states.values()) <= {"APPLIED", "SKIPPED"}, f"success: {states}")
        self._check(len(states) == plan.header.rows, "a row was lost")
        return {state: list(states.values()).count(state) for state in states.values()}

    def _check(self, right: bool, otherwise: str) -> None:
        if not right:
            self.broken.append(otherwise)


MERCHANT = "ML7RT2C9WQ5XK"


def _at(event: LoyaltyEvent) -> datetime:
    assert isinstance(event.created_at, datetime)
    return event.created_at
