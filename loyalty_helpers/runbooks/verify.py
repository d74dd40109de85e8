"""Verify a run from the ledger: what the journal says is what is judged, never the judge."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.runbooks.apply.journal import Journal
from loyalty_helpers.runbooks.apply.rows import amiss
from loyalty_helpers.runbooks.batches import batches
from loyalty_helpers.runbooks.identity import marker_in
from loyalty_helpers.runbooks.ledger import adjustments_of
from loyalty_helpers.runbooks.limits import Limits, Time
from loyalty_helpers.runbooks.plan import Plan

SIGHTINGS_PER_COMMIT = 500


@dataclass(frozen=True)
class Difference:
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


def verify_rows(
    client: LoyaltyClient,
    plan: Plan,
    journal: Journal,
    limits: Limits,
    time: Time | None = None,
) -> list[Difference]:
    """Compare every row of the plan with the ledger.

    An applied row's marker is there once, on its account, with its points; the marker of a row
    that was not applied is not there; one for REVIEW is there once at most. An event that cannot
    be found yet is given its time, once.

    Returns:
        What does not agree; empty when everything does.
    """
    clock = time or Time()
    for wait in (0.0, limits.settle):
        clock.sleep(wait)
        _sight(client, plan, journal)
        differences = list(_differences(journal))
        if not any(d.state == "APPLIED" and d.times == 0 for d in differences):
            break
    return differences


def _sight(client: LoyaltyClient, plan: Plan, journal: Journal) -> None:
    """Write down which events carry the markers of this plan's rows.

    What is older than the plan was looked at when it was made, and is read again for the rows
    that it was found for.
    """
    since, held = plan.header.marks_since, journal.accounts("APPLIED", "REVIEW", "UNKNOWN")
    newer = adjustments_of(client, journal.accounts(), since=since)
    with journal.commit():
        journal.forget_sightings()
    for batch in batches(chain(newer, adjustments_of(client, held)), SIGHTINGS_PER_COMMIT):
        with journal.commit():
            for event in batch:
                if entry := journal.with_marker(marker_in(event.reason)):
                    what = (event.id, event.loyalty_account_id, event.points)
                    journal.saw(entry.n, *what, amiss(entry, event))


def _differences(journal: Journal) -> Iterator[Difference]:
    """What does not agree; a row that is there more than once is for a person."""
    for found in [Difference(*found) for found in journal.judged()]:
        if found.state == "APPLIED" and found.times > 1:
            with journal.commit():
                journal.doubled(found.row_id)
            found = replace(found, state="REVIEW")
        yield found
