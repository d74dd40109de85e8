"""What a report begins with, of the receipts that runs can leave."""

import json
from pathlib import Path
from typing import Any

import pytest

from loyalty_helpers.runner.answer import Answer, answer_of

RECEIPT = {
    "notebook": "02_adjust_points",
    "run_id": "walk",
    "environment": "local",
    "status": "verified",
    "started_at": "2026-11-28T14:00:00Z",
    "finished_at": "2026-11-28T14:00:02Z",
    "parameters": {"phone_number": "***1234", "points": 12, "reason": "Late"},
    "error": None,
    "account_id": "a1",
    "event_id": "e1",
    "points": 12,
    "applied": "now",
    "balance_before": 0,
    "balance_after": 12,
}
NONE = dict.fromkeys(("event_id", "points", "applied", "balance_before", "balance_after"))


@pytest.fixture
def answered(tmp_path: Path):
    """The answer of a run that left a receipt with these changes."""

    def answer(summary: str = "", **changed: Any) -> Answer:
        receipt = RECEIPT | changed
        (tmp_path / "walk").mkdir()
        (tmp_path / "walk" / "receipt.json").write_text(json.dumps(receipt))
        return answer_of(receipt, summary, tmp_path / "walk")

    return answer


def test_who_what_and_proof_of_one_adjustment(answered) -> None:
    found = answered()

    assert ("Done, and verified", "good", "") == (found.headline, found.tone, found.told)
    assert {
        "Who": "account a1, phone number ***1234",
        "What": "+12 points",
        "Reason": "Late",
        "Proof": "balance 0 -> 12, event e1, read from account and ledger",
        "Run": "walk, by 02_adjust_points",
        "When": "2026-11-28 14:00:02 UTC",
    } == dict(found.facts)


def test_what_is_played_back_names_no_time(answered) -> None:
    assert "When" not in dict(answered(environment="recorded").facts)


def test_what_only_reads_tells_what_it_found(answered) -> None:
    found = answered("verified: 45 accounts", notebook="reconcile", **NONE)

    assert "Read, and verified: nothing was changed" == found.headline
    assert "45 accounts" == dict(found.facts)["What"]


def test_a_failure_has_no_proof_and_says_what_was_asked_for(answered) -> None:
    found = answered(status="failed", error="AccountNotFoundError: nobody", **NONE)

    assert ("Failed", "bad", "nobody") == (found.headline, found.tone, found.told)
    assert ("+12 points", "none") == tuple(dict(found.facts)[n] for n in ("Asked for", "Proof"))


def test_an_interruption_is_no_failure_and_no_success(answered) -> None:
    found = answered(status="interrupted", error="interrupted before its end", **NONE)

    assert ("Interrupted before its end", "bad") == (found.headline, found.tone)


def test_a_notebook_that_showed_no_verification_is_not_called_verified(answered) -> None:
    found = answered("ended: mine, which showed no verification", status="ended", **NONE)

    assert ("Ended, and showed no verification", "") == (found.headline, found.tone)


def test_of_a_long_error_the_first_lines_are_told(answered) -> None:
    error = "PlanError: " + "\n".join(f"line {n}" for n in range(1000))
    told = answered(status="failed", error=error, **NONE).told.splitlines()

    assert (13, "line 0", "...") == (len(told), told[0], told[-1])


def test_numbers_and_tokens_are_masked_wherever_they_stand(answered) -> None:
    number, token = "+44 20 7946" + " 0187", "EAAA" + "canary-square-token"
    found = answered(
        parameters={"reason": f"paid with {token}"}, notebook=f"for {number}", status="verified"
    )

    assert [] == [text for text in dict(found.facts).values() if number in text or token in text]
