"""Verify a run from the ledger: what the journal says is what is judged, never the judge."""

from collections.abc import Iterator
from dataclasses import dataclass

from loyalty_helpers.client import LoyaltyClient
from loyalty_helpers.runbooks.batches import batches
from loyalty_helpers.runbooks.journal import Journal
from loyalty_helpers.runbooks.ledger import amiss, marked_events
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
    """Write down which events carry the markers of this plan's rows."""
    with journal.commit():
        journal.forget_sightings()
    for batch in batches(
        marked_events(client, since=plan.header.ledger_since), SIGHTINGS_PER_COMMIT
    ):
        with journal.commit():
            for marker, event in batch:
                if entry := journal.with_marker(marker):
                    journal.saw(event.id, entry.n, amiss(entry, event))


def _differences(journal: Journal) -> Iterator[Difference]:
    for found in journal.judged():
        yield Difference(*found)
