"""The object that a runbook's notebook holds: its verbs, in one kernel and in several."""

import pytest

from loyalty_helpers.errors import ParameterError, PlanError
from loyalty_helpers.runbooks import Journal, Run
from loyalty_helpers.runbooks.limits import Time

from .conftest import QUICK

BUYER = "+14155551234"


def run_of(world, run_id="run", **options):
    return Run(world.client, run_id, limits=QUICK, **options)


def test_one_object_plans_applies_and_verifies(world) -> None:
    digest = run_of(world).plan_file(world.sheet()).plan.digest
    run = run_of(world, approved_plan=digest)
    run.plan_file(world.sheet())

    assert run.apply().counts == run.verify().counts == {"APPLIED": 4}


def test_an_approved_plan_is_applied_and_verified_in_a_new_kernel(world) -> None:
    digest = run_of(world).plan_file(world.sheet()).plan.digest
    run_of(world, approved_plan=digest[:12]).apply()

    assert run_of(world).verify().ok


def test_what_was_never_planned_is_not_applied(world) -> None:
    with pytest.raises(PlanError, match="there is no plan in"):
        run_of(world, approved_plan="0" * 12).apply()


def test_a_cell_that_is_run_again_adds_nothing(world) -> None:
    run = run_of(world)
    for _ in range(2):
        run.plan_one(phone_number=BUYER, points=7, reason="r", dry_run=False)
        run.apply()

    assert 7 == world.client.find_account(phone_number=BUYER).balance
    assert 1 == world.wire.writes


def test_a_dry_run_plans_only_whatever_was_approved(world) -> None:
    one = {"phone_number": BUYER, "points": 7, "reason": "r"}
    digest = run_of(world).plan_one(**one).plan.digest
    run = run_of(world, approved_plan=digest)
    run.plan_one(**one, dry_run=True)

    assert {} == run.apply().counts
    assert 0 == world.wire.writes


def test_what_is_shown_for_approval_is_what_was_planned_here(world) -> None:
    """Somebody plans something else under the same name meanwhile."""
    run = run_of(world)
    digest = run.plan_file(world.sheet()).plan.digest
    run_of(world).plan_one(phone_number=BUYER, points=7, reason="r")

    assert digest[:12] in str(run.apply())


def test_a_limit_is_given_by_its_name(world) -> None:
    digest = run_of(world).plan_file(world.sheet()).plan.digest
    run = run_of(world, approved_plan=digest)

    with pytest.raises(ParameterError, match="in_flight"):
        run.apply(in_flight="several")
    with pytest.raises(TypeError, match="in_fligth"):
        run.apply(in_fligth=2)
    assert 0 == world.wire.writes


def test_what_a_run_may_do_is_checked_before_anything_is_read(world) -> None:
    with pytest.raises(ParameterError, match="allow_repeats"):
        run_of(world, allow_repeats="perhaps")
    assert [] == world.wire.paths


def test_what_one_apply_is_told_is_not_kept_for_the_next(world) -> None:
    """Above all that a person has looked: a row may have become one for REVIEW since."""
    plan = run_of(world).plan_file(world.sheet()).plan
    run = run_of(world, approved_plan=plan.digest)
    with Journal.open(plan) as journal, journal.commit():
        journal.sent(1, Time().now() - 3_600)
    run.apply(resend_unknown=True)
    sent = world.wire.writes

    assert {"APPLIED": 3, "REVIEW": 1} == run.apply().counts
    assert sent == world.wire.writes
