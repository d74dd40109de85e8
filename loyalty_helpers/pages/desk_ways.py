"""The two ways from points that are asked for to a proof in the ledger.

Where test data or this computer answers, the steps of the walkthroughs do it. Production takes a
runbook: a plan, its digest, and the name of who approved it.
"""

from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from loyalty_helpers.api import EVENTS_PER_PAGE, MARKER, LoyaltyClient, same_words
from loyalty_helpers.errors import RunIdTakenError
from loyalty_helpers.records import LoyaltyAccount
from loyalty_helpers.settings import load_settings
from loyalty_helpers.steps import adjust, preview, verify

AGAIN = "This was applied before: nothing was changed this time."


@dataclass(frozen=True)
class Asked:
    """One adjustment, as it would be made.

    Attributes:
        account: read for it.
        points, reason, run_id: the intent.
        alike: ids of events of this account with the same points and reason.
        digest: of the plan that has to be approved; empty where none has.
        plan: what `apply` goes by.
    """

    account: LoyaltyAccount
    points: int
    reason: str
    run_id: str
    alike: tuple[str, ...]
    digest: str = ""
    plan: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Proof:
    """What the ledger says of an adjustment that was made.

    Attributes:
        event_id: its event; empty if the ledger has none.
        before: the balance before it.
        account: read again after it.
        note: what a reader might take wrongly.
        problems: what does not agree; empty when everything does.
    """

    event_id: str
    before: int
    account: LoyaltyAccount
    note: str
    problems: tuple[str, ...]


def way_of(client: LoyaltyClient) -> "Way":
    """The way that the client's environment asks for."""
    return _Approved(client) if client.environment == "production" else Way(client)


class Way:
    """Plans by reading only, and applies just what was planned: by the steps of walkthroughs."""

    def __init__(self, client: LoyaltyClient) -> None:
        self._client = client

    def plan(
        self, account: LoyaltyAccount, points: int, reason: str, run_id: str, undoes: str
    ) -> Asked:
        """The adjustment; `undoes` is the run that it takes back, or empty."""
        made = preview(self._client, account, points=points, reason=reason, run_id=run_id)
        alike = tuple(event.id for event in made.alike)
        return Asked(made.account, points, reason, run_id, alike, plan=made)

    def apply(self, asked: Asked, approved_by: str) -> Any:
        """Make the adjustment once; gives what `prove` goes by."""
        return adjust(self._client, asked.plan)

    def prove(self, asked: Asked, applied: Any) -> Proof:
        """Read the ledger again."""
        made = verify(self._client, applied)
        note = AGAIN if made.applied == "before" else ""
        return Proof(made.event_id, made.before.balance, made.after, note, made.problems)


class _Approved(Way):
    """By a runbook, whose plan somebody has to approve."""

    def __init__(self, client: LoyaltyClient) -> None:
        super().__init__(client)
        from loyalty_helpers import runbooks  # takes its time to load, and only production needs it

        self._runbooks = runbooks

    def plan(
        self, account: LoyaltyAccount, points: int, reason: str, run_id: str, undoes: str
    ) -> Asked:
        plan = self._begun(run_id)
        if plan is None:
            # A repetition is planned, so that it can be shown before anybody approves it.
            run = self._runbooks.Run(self._client, run_id, allow_repeats=True)
            made = (
                run.plan_undo(undoes)
                if undoes
                else run.plan_one(account_id=account.id, points=points, reason=reason)
            )
            plan = made.plan
        [row] = plan.rows()
        meant = (account.id, points, same_words(reason))
        if (row.account_id, row.points, same_words(row.reason)) != meant:
            raise RunIdTakenError(f"run id {run_id!r} stands for another intent")
        alike = tuple(filter(None, [row.repeats]))
        now = self._client.retrieve_account(account.id)
        return Asked(now, points, reason, run_id, alike, plan.digest, plan)

    def apply(self, asked: Asked, approved_by: str) -> Any:
        before = self._client.retrieve_account(asked.account.id).balance
        run = self._runbooks.Run(
            self._client, asked.run_id, approved_plan=asked.digest, approved_by=approved_by
        )
        run.apply()
        return run, before

    def prove(self, asked: Asked, applied: Any) -> Proof:
        run, before = applied
        verified = run.verify()
        event_id = self._event_of(asked)
        after = self._client.retrieve_account(asked.account.id)
        note = AGAIN if event_id and after.balance == before else ""
        problems = () if verified.ok and event_id else (verified.summary,)
        return Proof(event_id, before, after, note, problems)

    def _begun(self, run_id: str) -> Any:
        """The plan whose applying has begun under this run id, or None."""
        folder = load_settings().runs_folder / run_id
        if not (folder / self._runbooks.JOURNAL).exists():
            return None
        return self._runbooks.read_plan(folder / self._runbooks.PLAN)

    def _event_of(self, asked: Asked) -> str:
        """The newest event that carries the mark of the plan's row."""
        [row] = asked.plan.rows()
        marker = asked.plan.header.identity(row).marker
        events = self._client.search_events(account_id=asked.account.id, types=["ADJUST_POINTS"])
        marks = ((e.id, MARKER.search(e.reason)) for e in islice(events, EVENTS_PER_PAGE))
        return next((event_id for event_id, mark in marks if mark and mark[1] == marker), "")
