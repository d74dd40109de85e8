"""The steps of one adjustment: preview it, make it once, verify it in the account's ledger.

Each step is a plain function that a notebook cell, a form's button and a test call alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from loyalty_helpers.api import (
    EVENTS_PER_PAGE,
    MARKER,
    LoyaltyClient,
    adjustment_key,
    check_points,
    check_reason,
    check_run_id,
    same_words,
)
from loyalty_helpers.records import (
    Bundle,
    LoyaltyAccount,
    LoyaltyEvent,
    Shown,
    card,
    plain,
    points_text,
)
from loyalty_helpers.redaction import mask_reason
from loyalty_helpers.steps.intents import check_intent, digest, kept_intent
from loyalty_helpers.steps.snapshots import around, balance_problems, ids_of, snapshot, was_there
from loyalty_helpers.steps.verification import Verification


@dataclass(frozen=True)
class Preview(Shown):
    """What an adjustment would do. Made by reading only.

    Attributes:
        account: the account as it is now.
        points: whole points to add; negative takes away.
        reason: the text for the account's history.
        run_id: the name of the intent.
        allow_negative_balance: let the balance fall below 0.
        alike: those of the account's newest 30 adjustments that have the same points and, but
            for spaces, case and the mark of a runbook, the same reason.
    """

    account: LoyaltyAccount
    points: int
    reason: str
    run_id: str
    allow_negative_balance: bool = False
    alike: tuple[LoyaltyEvent, ...] = field(default=(), repr=False)

    @property
    def intent(self) -> dict[str, Any]:
        """The whole intent, as it is kept for the run id."""
        return {
            "account_id": self.account.id,
            "points": self.points,
            "reason_sha256": digest(self.reason),
            "allow_negative_balance": self.allow_negative_balance,
        }

    @property
    def balance_after(self) -> int:
        """The balance after the adjustment, if nothing else happens meanwhile."""
        return self.account.balance + self.points

    def _view(self) -> Bundle:
        rows = [
            ("phone_number", self.account.masked_phone_number),
            ("balance now", self.account.balance),
            ("change", points_text(self.points)),
            ("balance after", self.balance_after),
            ("reason", mask_reason(self.reason)),
            ("run_id", self.run_id),
        ]
        note = "\n".join(filter(None, [self._refusal(), self._repetition()]))
        tone = "care" if note else ""
        return card(f"Preview for account {self.account.id}", rows, note=note, tone=tone)

    def _refusal(self) -> str:
        if self.points > 0 or self.balance_after >= 0 or self.allow_negative_balance:
            return ""
        return "Square will refuse this: the balance would fall below 0."

    def _repetition(self) -> str:
        if not self.alike:
            return ""
        found = "; ".join(map(_event_told, self.alike))
        return (
            f"The ledger already holds {points_text(self.points)} with this reason: {found} (of "
            f"the newest {EVENTS_PER_PAGE} adjustments, which are looked at). If that was this run "
            "id, adjusting adds nothing; under a new run id it would be added once more."
        )


@dataclass(frozen=True)
class Adjustment(Shown):
    """An adjustment that Square has confirmed.

    Attributes:
        event: the event that Square answered with.
        before: the account as it was just before the request.
        applied: `now`, or `before` when the same run had been applied earlier.
        run_id: the name of the intent.
        known: the newest page of the account's events just before the request.
    """

    event: LoyaltyEvent
    before: LoyaltyAccount
    applied: str
    run_id: str
    known: tuple[LoyaltyEvent, ...] = field(repr=False)

    @property
    def told(self) -> str:
        """`applied now`, or `applied before, at <time>`: the points were credited once."""
        if self.applied == "now":
            return "applied now"
        return f"applied before, at {plain(self.event.created_at)}"

    @property
    def note(self) -> str:
        """What a reader might take wrongly: points that are shown, but were not added again."""
        again = "This run had been applied already: nothing was added this time."
        return again if self.applied == "before" else ""

    def _view(self) -> Bundle:
        rows = [
            ("result", self.told),
            ("points", points_text(self.event.points)),
            ("reason", mask_reason(self.event.reason)),
            ("event", self.event.id),
            ("event made at", self.event.created_at),
            ("run_id", self.run_id),
        ]
        return card(f"Adjustment of account {self.before.id}", rows, note=self.note)


def preview(
    client: LoyaltyClient,
    account: LoyaltyAccount,
    *,
    points: int,
    reason: str,
    run_id: str,
    allow_negative_balance: bool = False,
) -> Preview:
    """Show what an adjustment would do; reads the account and its adjustments, changes nothing.

    Raises:
        ParameterError: points, reason or run id are not allowed, or the run id stands for
            another intent.
    """
    check_points(points)
    check_reason(reason)
    check_run_id(run_id)
    asked = Preview(account, points, reason, run_id, allow_negative_balance)
    check_intent(client.environment, run_id, asked.intent)
    now = client.retrieve_account(account.id)
    earlier = client.search_events(account_id=account.id, types=["ADJUST_POINTS"])
    alike = tuple(
        event
        for event in islice(earlier, EVENTS_PER_PAGE)
        if (event.points, same_words(event.reason)) == (points, same_words(reason))
    )
    return replace(asked, account=now, alike=alike)


def adjust(client: LoyaltyClient, planned: Preview) -> Adjustment:
    """Make the adjustment, once for its run id: again under the same run id, it adds nothing.

    The ledger is read just before, so that an event which was there already is told as
    "applied before". No clock of this machine is compared for that.

    Raises:
        ParameterError: the run id stands for another intent, or what it stands for cannot be
            written down; nothing was sent.
        IdempotencyKeyReusedError: the run id was used elsewhere with other points or reason.
        OutcomeUnknownError: no answer; call it again, with the same preview or run id.
    """
    with kept_intent(client.environment, planned.run_id, planned.intent):
        before, known = snapshot(client, planned.account.id)
        event = client.adjust_points(
            before.id,
            planned.points,
            reason=planned.reason,
            idempotency_key=adjustment_key(planned.run_id, before.id),
            allow_negative_balance=planned.allow_negative_balance,
        )
    applied = "before" if was_there(client, event, known) else "now"
    return Adjustment(event, before, applied, planned.run_id, tuple(known))


def verify(client: LoyaltyClient, done: Adjustment) -> Verification:
    """Read account and ledger again, and compare both with the adjustment."""
    after, events = snapshot(client, done.before.id, known=done.known)
    problems = [
        *_ledger_problems(client, done, events),
        *balance_problems(done.before, done.known, after, events),
    ]
    points = done.event.points
    again = "" if done.applied == "now" else f", {done.told}"
    return Verification(
        before=done.before,
        after=after,
        points=points,
        applied=done.applied,
        told=done.told,
        note=done.note,
        rows=(("points", points_text(points)),),
        change=f" ({points:+d}{again}), event {done.event.id}",
        event_id=done.event.id,
        problems=tuple(problems),
    )


def _event_told(event: LoyaltyEvent) -> str:
    runbook = ", made by a runbook," if MARKER.search(event.reason) else ""
    return f"event {plain(event.id)}{runbook} at {plain(event.created_at)}"


def _ledger_problems(
    client: LoyaltyClient, done: Adjustment, events: Sequence[LoyaltyEvent]
) -> list[str]:
    found = [event for event in events if event.id == done.event.id]
    if not found and done.applied == "before":  # deeper than what was read
        found = [event for event in around(client, done.event) if event.id == done.event.id]
    if len(found) != 1:
        return [f"the event is {len(found)} times in the account's ledger, not once"]
    if found != [done.event]:
        return ["the event in the ledger is not the one that Square answered with"]
    there = ids_of(done.known) | {done.event.id}
    return [
        f"event {event.id} came since with the same points and reason: they may be credited twice"
        for event in events
        if event.id not in there and _substance(event) == _substance(done.event)
    ]


def _substance(event: LoyaltyEvent) -> tuple[str, int, str]:
    return event.type, event.points, same_words(event.reason)
