"""What a report begins with: result, who, what, proof, and what to do next."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loyalty_helpers.errors import LoyaltyError
from loyalty_helpers.records import TIME_FORMAT, points_text
from loyalty_helpers.redaction import mask_text
from loyalty_helpers.runbooks import RunRecord, RunRows, State, look_at, why

HEADLINES = {
    State.REVIEW: "Rows wait for a person",
    State.APART: "Not verified: the ledger differs",
    State.DAMAGED: "Files of this run are damaged",
    State.STOPPED: "Stopped before its end",
    State.FAILED: "Failed",
    State.UNFINISHED: "Interrupted before its end",
    State.WAITING: "Planned: nothing was changed yet",
    State.VERIFIED: "Done, and verified",
    State.ENDED: "Ended, and showed no verification",
}
TROUBLE = (State.REVIEW, State.APART, State.DAMAGED, State.STOPPED, State.UNFINISHED)
LINES = 12  # of an error; all of it is in the receipt
NOTHING = "Nothing more to do."
UNDO = "Nothing more to do. To undo it, plan the opposite:"
Facts = Iterator[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """What came of a run, for somebody who has ten seconds.

    Attributes:
        headline: the result.
        tone: `good`, `care` or `bad`.
        environment: where.
        facts: labels and values.
        told: why it did not end well, in some lines; empty if it did.
        todo: what to do next, a line each.
        command: what to type for that; or empty.
        rows: a table of the run's rows as HTML of our own; or empty.
    """

    headline: str
    tone: str
    environment: str
    facts: list[tuple[str, str]]
    told: str
    todo: list[str]
    command: str
    rows: str


def answer_of(receipt: Mapping[str, Any], summary: str, folder: Path, *, out: str = "") -> Answer:
    """The answer of a run whose receipt is on disk.

    Args:
        receipt: its content.
        summary: what came of it, in a line.
        folder: of the run.
        out: the folder of the runs, if it was named on the command line.
    """
    run, well = look_at(folder, out=out), receipt["status"] in ("verified", "ended")
    known = bool(run.digest) and run.state in TROUBLE  # what is to be done says the rest
    told = "" if well else run.told if known else mask_text(why(receipt["error"], lines=LINES))
    facts = _of_rows(run) if run.digest else _of_one(receipt, summary if well else "")
    shown = [*facts, *_of_any(receipt, run)]
    return Answer(
        headline=_headline(receipt, run, well=well),
        tone=run.tone if well else "bad",
        environment=str(receipt["environment"]),
        facts=[(label, mask_text(value)) for label, value in shown if value],
        told=told,
        todo=list(run.todo) or [UNDO if run.undo else NOTHING],
        command=run.next or ("" if run.todo else run.undo),
        rows=_rows(folder) if run.digest else "",
    )


def _headline(receipt: Mapping[str, Any], run: RunRecord, *, well: bool) -> str:
    if not well and run.state not in TROUBLE:  # of the plan, or of what was verified before
        return HEADLINES[State.FAILED]
    if run.state is State.VERIFIED and not run.digest and receipt.get("points") is None:
        return "Read, and verified: nothing was changed"
    return HEADLINES.get(run.state, run.state.capitalize())


def _of_rows(run: RunRecord) -> Facts:
    """Who, what and the proof of a run with a plan."""
    accounts = f"{run.accounts} account{'s' * (run.accounts != 1)}"
    yield "Who", f"{accounts}{f', from {run.source}' if run.source else ''}"
    yield "What", f"{run.points_text} points; rows: {run.rows_text}"
    proofs = {
        State.WAITING: f"the plan's digest, {run.digest}",
        State.STOPPED: "none yet: it has not come to its end",
        State.VERIFIED: "read from the ledger: every row is there once, on its account",
    }
    yield "Proof", proofs.get(run.state, "none: the ledger does not bear out every row")
    yield "Approved by", run.approved_by


def _of_one(receipt: Mapping[str, Any], summary: str) -> Facts:
    """Who, what and the proof of a walkthrough, or of a reconciliation."""
    asked = receipt["parameters"]
    phone, customer = asked.get("phone_number"), asked.get("customer_id")
    account = receipt.get("account_id") or asked.get("account_id")
    named = {"account": account, "phone number": phone, "customer": customer}
    yield "Who", ", ".join(f"{what} {value}" for what, value in named.items() if value)
    if receipt.get("points") is None:
        yield "What", summary.partition(": ")[2]
        if not summary:  # it did not end well
            points = asked.get("points")
            yield "Asked for", points_text(points) if isinstance(points, int) else ""
            yield "Proof", "none"
        return
    before = " (applied before: nothing was added now)" if receipt["applied"] == "before" else ""
    yield "What", f"{points_text(receipt['points'])}{before}"
    yield "Reason", asked.get("reason", "")
    balances = f"balance {receipt['balance_before']} -> {receipt['balance_after']}"
    event = f", event {receipt['event_id']}" if receipt["event_id"] else ""
    yield "Proof", f"{balances}{event}, read from account and ledger"


def _of_any(receipt: Mapping[str, Any], run: RunRecord) -> Facts:
    yield "Run", f"{run.run_id}, by {receipt['notebook']}"
    yield "Seller", run.merchant_id
    # What is played back happens at no time, and its report is the same whenever it is made.
    if receipt["environment"] != "recorded" and run.at:
        yield "When", f"{run.at:{TIME_FORMAT}}"


def _rows(folder: Path) -> str:
    try:
        return str(RunRows(folder)._view()["text/html"])
    except LoyaltyError:  # the facts have told that it is damaged
        return ""
