"""What was done, compared with account and ledger: for readers, logs and receipts."""

from dataclasses import dataclass
from typing import Any

from loyalty_helpers.records import VERIFICATION_MIME, Bundle, LoyaltyAccount, Shown, card


@dataclass(frozen=True, kw_only=True)
class Verification(Shown):
    """What account and ledger say after something was done.

    Attributes:
        before: the account as it was before.
        after: the account, read again.
        points: what was done to the balance, with its sign.
        applied: `now`, or `before` when the same run had done it earlier.
        told: that in words.
        note: what a reader might take wrongly, or empty.
        rows: labels and values of what was done, step by step.
        change: the same in a line of a log, after `balance 0 -> 12 points`.
        event_id: the event in the ledger, where it is a single one; or empty.
        problems: what does not agree; empty when everything does.
    """

    before: LoyaltyAccount
    after: LoyaltyAccount
    points: int
    applied: str
    told: str
    note: str
    rows: tuple[tuple[str, Any], ...]
    change: str
    event_id: str = ""
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether account and ledger agree with what was done."""
        return not self.problems

    @property
    def summary(self) -> str:
        """One line, for logs: `verified: balance 0 -> 12 points (+12), event ...`."""
        word = "verified" if self.ok else "NOT VERIFIED"
        balances = f"{self.before.balance} -> {self.after.balance}"
        return f"{word}: balance {balances} points{self.change}"

    def _view(self) -> Bundle:
        facts = {
            "verified": self.ok,
            "account_id": self.after.id,
            **({"event_id": self.event_id} if self.event_id else {}),
            "points": self.points,
            "applied": self.applied,
            "balance_before": self.before.balance,
            "balance_after": self.after.balance,
            "problems": list(self.problems),
            "summary": self.summary,
        }
        rows = [
            ("result", self.told),
            *self.rows,
            ("balance before", self.before.balance),
            ("balance after", self.after.balance),
            ("event in the ledger", self.event_id),
            *(("problem", problem) for problem in self.problems),
        ]
        title = f"{'Verified' if self.ok else 'NOT VERIFIED'}: account {self.after.id}"
        shown = card(title, rows, note=self.note, tone="good" if self.ok else "bad")
        return shown | {VERIFICATION_MIME: facts}
