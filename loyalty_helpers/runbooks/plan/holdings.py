"""What the ledger holds already of the rows that are planned: by their marks, and by content.

A mark is looked for in all that an account ever had, since an intent is known for ever. Content
(account, points, and the words of the reason) is compared with what is young enough to be the
same wish, whoever made it: another run id, a person, another program. What was undone since is
not held any more.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from loyalty_helpers.api import same_words
from loyalty_helpers.records import LoyaltyEvent
from loyalty_helpers.runbooks.identity import marker_in
from loyalty_helpers.runbooks.ledger import is_since, is_undone
from loyalty_helpers.runbooks.plan.guards import Place
from loyalty_helpers.runbooks.plan.rows import Row

REPEAT_DAYS = 90  # before the newest event, in which the same content counts as a repeat
Content = tuple[str, int, str]  # account, points, and the words of the reason


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
