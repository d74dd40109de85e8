"""Verify a run from the ledger: what the journal says is what is judged, never the judge."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from operator import attrgetter
from sys import intern
from typing import NamedTuple

from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.runbooks.apply import Journal, amiss
from loyalty_helpers.runbooks.identity import marker_in
from loyalty_helpers.runbooks.ledger import adjustments_of
from loyalty_helpers.runbooks.limits import Limits, Time
from loyalty_helpers.runbooks.plan import Plan


@dataclass(frozen=True)
class Contradiction:
    """A row that the ledger contradicts.

    Attributes:
        row_id: the row.
        state: what the journal says of it.
        times: how often the ledger holds its marker.
        amiss: what its event holds other than planned.
    """

    row_id: str
    state: str
    times: int
    amiss: str

    def __str__(self) -> str:
        found = f"{self.times} time{'s' * (self.times != 1)} in the ledger"
        return f"row {self.row_id} is {self.state}, and {found}" + (
            f": {self.amiss}" if self.amiss else ""
        )


class Held(NamedTuple):
    """An event with the marker of a row, as the ledger holds it.

    Attributes:
        n, row_id: the row.
        event_id, account_id, points: of the event.
        amiss: what it holds other than planned, or an empty text.
    """

    n: int
    row_id: str
    event_id: str
    account_id: str
    points: int
    amiss: str


def verify_rows(
    client: LoyaltyClient,
    plan: Plan,
    journal: Journal,
    limits: Limits,
    time: Time,
) -> tuple[list[Contradiction], list[Held]]:
    """Compare every row of the plan with the ledger.

    An applied row's marker is there once, on its account, with its points; the marker of a row
    that was not applied is not there; one for REVIEW is there once at most. An event that cannot
    be found yet is given its time, once.

    Returns:
        What does not agree, and nothing when everything does; and all that the ledger holds.
    """
    for wait in (0.0, limits.settle):
        time.sleep(wait)
        held = _held(client, plan, journal)
        differences = list(_differences(journal, held))
        if not any(d.state == "APPLIED" and d.times == 0 for d in differences):
            break
    return differences, held


def _held(client: LoyaltyClient, plan: Plan, journal: Journal) -> list[Held]:
    """The events that carry the markers of this plan's rows.

    What is older than the plan was looked at when it was made, and is read again for the rows
    that it was found for.
    """
    since, before = plan.header.marks_since, journal.accounts("APPLIED", "REVIEW", "UNKNOWN")
    newer = adjustments_of(client, journal.accounts(), since=since)
    held: dict[str, Held] = {}
    for event in chain(newer, adjustments_of(client, before)):
        if entry := journal.with_marker(marker_in(event.reason)):
            account_id = intern(event.loyalty_account_id)
            found = (entry.n, entry.row_id, event.id, account_id, event.points)
            held[event.id] = Held(*found, amiss(entry, event))
    return sorted(held.values())


def _differences(journal: Journal, held: list[Held]) -> Iterator[Contradiction]:
    """What does not agree; a row that is there more than once is for a person."""
    of_rows = {n: list(events) for n, events in groupby(held, attrgetter("n"))}
    for entry in journal.entries():
        found = of_rows.get(entry.n, [])
        times, state = len(found), entry.state
        wrong = "; ".join(event.amiss for event in found if event.amiss)
        if wrong or (times != (state == "APPLIED") and not (state == "REVIEW" and times < 2)):
            if state == "APPLIED" and times > 1:
                state = "REVIEW"
                with journal.commit():
                    journal.doubled(entry, [event.event_id for event in found])
            yield Contradiction(entry.row_id, state, times, wrong)
