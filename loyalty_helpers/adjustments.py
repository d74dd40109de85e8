"""The steps of one adjustment: preview it, make it once, verify it in the account's ledger.

Each step is a plain function that a notebook cell, a form's button and a test call alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from loyalty_helpers.checks import check_points, check_reason
from loyalty_helpers.client import LoyaltyClient
from loyalty_helpers.idempotency import adjustment_key, check_run_id
from loyalty_helpers.models import LoyaltyAccount, LoyaltyEvent
from loyalty_helpers.redaction import mask_reason
from loyalty_helpers.rendering import (
    VERIFICATION_MIME,
    Bundle,
    Shown,
    card,
    plain,
    points_text,
)

SNAPSHOT_READS = 3


@dataclass(frozen=True)
class Preview(Shown):
    """What an adjustment would do. Made by reading only.

    Attributes:
        account: the account as it is now.
        points: whole points to add; negative takes away.
        reason: the text for the account's history.
        run_id: the name of the intent.
        allow_negative_balance: let the balance fall below 0.
        alike: adjustments already in the ledger with the same points and reason.
    """

    account: LoyaltyAccount
    points: int
    reason: str
    run_id: str
    allow_negative_balance: bool = False
    alike: tuple[LoyaltyEvent, ...] = field(default=(), repr=False)

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
        last = self.alike[0]
        return (
            f"The ledger already holds {points_text(last.points)} with this reason, at "
            f"{plain(last.created_at)}. If that was this run id, adjusting adds nothing; under a "
            "new run id it would be added once more."
        )


@dataclass(frozen=True)
class Adjustment(Shown):
    """An adjustment that Square has confirmed.

    Attributes:
        event: the event that Square answered with.
        before: the account as it was just before the request.
        applied: `now`, or `before` when the same run had been applied earlier.
        known_events: ids of the account's events just before the request.
        run_id: the name of the intent.
    """

    event: LoyaltyEvent
    before: LoyaltyAccount
    applied: str
    run_id: str
    known_events: frozenset[str] = field(repr=False)

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


@dataclass(frozen=True)
class Verification(Shown):
    """What account and ledger say after an adjustment.

    Attributes:
        adjustment: what is verified.
        after: the account, read again.
        problems: what does not agree; empty when everything does.
    """

    adjustment: Adjustment
    after: LoyaltyAccount
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether ledger and balance agree with the adjustment."""
        return not self.problems

    @property
    def summary(self) -> str:
        """One line, for logs: `verified: balance 0 -> 12 points (+12), event ...`."""
        done, before = self.adjustment, self.adjustment.before.balance
        change = f"{done.event.points:+d}" + ("" if done.applied == "now" else f", {done.told}")
        return (
            f"{'verified' if self.ok else 'NOT VERIFIED'}: balance {before} -> "
            f"{self.after.balance} points ({change}), event {done.event.id}"
        )

    def _view(self) -> Bundle:
        done = self.adjustment
        facts = {
            "verified": self.ok,
            "account_id": self.after.id,
            "event_id": done.event.id,
            "points": done.event.points,
            "applied": done.applied,
            "balance_before": done.before.balance,
            "balance_after": self.after.balance,
            "problems": list(self.problems),
            "summary": self.summary,
        }
        rows = [
            ("result", done.told),
            ("points", points_text(done.event.points)),
            ("balance before", done.before.balance),
            ("balance after", self.after.balance),
            ("event in the ledger", done.event.id),
            *(("problem", problem) for problem in self.problems),
        ]
        title = f"{'Verified' if self.ok else 'NOT VERIFIED'}: account {self.after.id}"
        tone = "good" if self.ok else "bad"
        return card(title, rows, note=done.note, tone=tone) | {VERIFICATION_MIME: facts}


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
        ParameterError: points, reason or run id are not allowed.
    """
    check_points(points)
    check_reason(reason)
    check_run_id(run_id)
    now = client.retrieve_account(account.id)
    earlier = client.search_events(account_id=account.id, types=["ADJUST_POINTS"])
    alike = tuple(e for e in earlier if (e.points, e.reason) == (points, reason))
    return Preview(now, points, reason, run_id, allow_negative_balance, alike)


def adjust(client: LoyaltyClient, planned: Preview) -> Adjustment:
    """Make the adjustment, once for its run id: again under the same run id, it adds nothing.

    The ledger is read just before, so that an event which was there already is told as
    "applied before". No clock is compared for that.

    Raises:
        IdempotencyKeyReusedError: the run id was used with other points or another reason.
        OutcomeUnknownError: no answer; call it again, with the same preview or run id.
    """
    before, known = snapshot(client, planned.account.id)
    event = client.adjust_points(
        before.id,
        planned.points,
        reason=planned.reason,
        idempotency_key=adjustment_key(planned.run_id, before.id),
        allow_negative_balance=planned.allow_negative_balance,
    )
    ids = frozenset(e.id for e in known)
    applied = "before" if event.id in ids else "now"
    return Adjustment(event, before, applied, planned.run_id, ids)


def verify(client: LoyaltyClient, done: Adjustment) -> Verification:
    """Read account and ledger again, and compare both with the adjustment."""
    after, events = snapshot(client, done.before.id)
    problems = [
        *_ledger_problems(done, events),
        *balance_problems(done.before, done.known_events, after, events),
    ]
    return Verification(done, after, tuple(problems))


def snapshot(client: LoyaltyClient, account_id: str) -> tuple[LoyaltyAccount, list[LoyaltyEvent]]:
    """An account and all its events, newest first, that belong together.

    A purchase between the two reads would look like a wrong balance; so they are read again
    while the balance moves, up to three times.
    """
    account = client.retrieve_account(account_id)
    for _ in range(SNAPSHOT_READS):
        events = list(client.search_events(account_id=account_id))
        balance, account = account.balance, client.retrieve_account(account_id)
        if account.balance == balance:
            break
    return account, events


def _ledger_problems(done: Adjustment, events: Sequence[LoyaltyEvent]) -> list[str]:
    found = [event for event in events if event.id == done.event.id]
    if len(found) != 1:
        return [f"the event is {len(found)} times in the account's ledger, not once"]
    if found != [done.event]:
        return ["the event in the ledger is not the one that Square answered with"]
    return [
        f"event {event.id} came since with the same points and reason: they may be credited twice"
        for event in events
        if event.id not in done.known_events | {done.event.id}
        and _substance(event) == _substance(done.event)
    ]


def _substance(event: LoyaltyEvent) -> tuple[str, int, str]:
    return event.type, event.points, event.reason


def balance_problems(
    before: LoyaltyAccount,
    known_events: frozenset[str],
    after: LoyaltyAccount,
    events: Sequence[LoyaltyEvent],
) -> list[str]:
    """The balance must have moved by just the events that came since."""
    new = [event for event in events if event.id not in known_events]
    moved = after.balance - before.balance
    told = sum(event.points for event in new)
    if moved == told:
        return []
    return [
        f"the balance moved by {points_text(moved)}, but the events since then ({len(new)}) make "
        + points_text(told)
    ]
