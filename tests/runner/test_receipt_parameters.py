"""The parameters in a receipt are those that counted: an applying run's are those of its plan."""

from pathlib import Path

import pytest

from loyalty_helpers import connect
from tests.commands import Left, digest_in, receipt, run

pytestmark = pytest.mark.slow

BUYER = "+14155550101"


def parameters(run_id: str) -> dict[str, object]:
    return receipt(run_id)["parameters"]


def account_of(phone_number: str) -> str:
    with connect("local") as client:
        return client.find_account(phone_number=phone_number).id


def test_a_file_that_was_applied_is_the_one_that_was_planned() -> None:
    Path("mine.csv").write_text(f"phone_number,points,reason\n{BUYER},5,Late\n")
    options = ("adjustments_file", "mine.csv", "allow_negative_balance", "true")
    run("bulk_adjust", "approved_plan", digest_in(run("bulk_adjust", *options)))

    found = parameters("example-bulk")
    assert ("mine.csv", True) == (found["adjustments_file"], found["allow_negative_balance"])


def test_a_run_that_was_undone_is_the_one_that_was_planned() -> None:
    run(
        "bulk_adjust",
        "run_id",
        "b7",
        "approved_plan",
        digest_in(run("bulk_adjust", "run_id", "b7")),
    )
    run("undo_adjustments", "approved_plan", digest_in(run("undo_adjustments", "undo", "b7")))

    assert "b7" == parameters("example-undo")["undo"]


def test_one_adjustment_that_was_applied_is_the_one_that_was_planned() -> None:
    asked = ("phone_number", BUYER, "points", "7", "reason", f"Called from {BUYER}")
    planned = run("adjust_points", *asked)
    run("adjust_points", "dry_run", "false", "approved_plan", digest_in(planned))

    found = parameters("example-adjust")
    told = {name: found[name] for name in ("phone_number", "account_id", "points", "reason")}
    masked = "***0101"
    expected = {"phone_number": masked, "account_id": account_of(BUYER), "points": 7}
    assert expected | {"reason": f"Called from {masked}"} == told


def test_what_was_asked_for_and_refused_is_not_told_as_the_plan(left_by: Left) -> None:
    planned = left_by(f"run adjust_points -p phone_number {BUYER}")
    folder = Path("runs", "example-adjust")
    for path in folder.iterdir():
        if path.name != "plan.json":
            path.unlink()
    digest = digest_in(planned)
    other = ("dry_run", "false", "approved_plan", digest, "points", "9", "phone_number", BUYER)
    refused = run("adjust_points", *other)

    assert 1 == refused.returncode
    assert 9 == parameters("example-adjust")["points"]


def test_a_plan_that_is_made_keeps_what_it_was_asked_for(left_by: Left) -> None:
    left_by(f"run adjust_points -p phone_number {BUYER}")

    found = parameters("example-adjust")
    assert ("***0101", "", 12) == tuple(
        found[name] for name in ("phone_number", "account_id", "points")
    )
