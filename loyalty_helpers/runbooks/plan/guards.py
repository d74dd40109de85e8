"""Where plans are made, and which of them may be applied: checked before anything is written."""

import time
from dataclasses import dataclass
from pathlib import Path

from loyalty_helpers.api import LoyaltyClient, check_approver
from loyalty_helpers.errors import PlanError
from loyalty_helpers.runbooks.plan.document import Header, Plan, read_plan

APPROVAL_LENGTH = 12  # characters of the digest that are enough to approve a plan
MAX_PLAN_AGE = 24  # hours


@dataclass(frozen=True)
class Place:
    """Where a client's requests go: one program of one seller."""

    environment: str
    merchant_id: str
    program_id: str


def place_of(client: LoyaltyClient) -> Place:
    """The seller behind the client, with an active program; reads only.

    Raises:
        PlanError: the program is not active, or the seller has no location.
    """
    program = client.retrieve_program()
    if program.status != "ACTIVE":
        raise PlanError(
            f"the loyalty program is {program.status}: Square refuses changes until the seller's "
            "subscription is active again. Nothing was changed."
        )
    merchants = sorted({location.merchant_id for location in client.list_locations()})
    if len(merchants) != 1:
        raise PlanError(f"the token belongs to {len(merchants)} merchants, and not to one")
    return Place(planned_for(client.environment), merchants[0], program.id)


def planned_for(environment: str) -> str:
    """The environment that a plan names: what is played back is a recording of the emulator."""
    return "local" if environment == "recorded" else environment


def check_place(header: Header, place: Place) -> None:
    """Raise PlanError unless the plan was made for this very place."""
    for name in ("environment", "merchant_id", "program_id"):
        planned, found = getattr(header, name), getattr(place, name)
        if planned != found:
            raise PlanError(
                f"this plan was made for {name} {planned!r}, and here it is {found!r}. Nothing was "
                "changed: make a plan for the place that is meant."
            )


def check_approval(plan: Plan, approved: str) -> None:
    """Raise PlanError unless `approved` is this plan's digest, or at least its beginning."""
    if len(approved) < APPROVAL_LENGTH or not plan.digest.startswith(approved):
        raise PlanError(
            f"approved_plan {approved!r} is not this plan's digest. Nothing was changed: look at "
            f"the plan in {plan.path}, and approve the one that is meant, by {APPROVAL_LENGTH} "
            "or more characters of its digest."
        )


def check_may_begin(plan: Plan, max_plan_age: float) -> None:
    """Raise PlanError if a plan is too old to begin with; a run that was begun goes on.

    The plan itself holds no time, so the file is asked when it was written, by the clock of this
    machine; a copy may be younger than what it was made of. A time that is yet to come tells as
    little as one that is long past.
    """
    age = (time.time() - plan.path.stat().st_mtime) / 3600
    if abs(age) > max_plan_age and not plan.begun:
        when = f"made {age:.0f} hours ago" if age > 0 else f"dated {-age:.0f} hours from now"
        raise PlanError(
            f"the plan of run id {plan.header.run_id!r} is {when}, and max_plan_age allows "
            f"{max_plan_age:g}: much may have changed since. Nothing was changed: make it anew, "
            "by the same command without approved_plan, look at it, and approve that. Where "
            "nothing has changed, its digest is the same."
        )


def writing_client(
    client: LoyaltyClient, path: Path, approved: str, approved_by: str
) -> tuple[Plan, LoyaltyClient]:
    """An approved plan as it is on disk, and a client that may write what it says.

    connect() gives every client of `production` a gate, and this is the one place that asks it:
    with the file that was approved, and never with what somebody says of it. That keeps mistakes
    out. Who writes Python can reach past any check of the same process.

    Raises:
        PlanError: there is no plan, a byte of it was changed, or another one was approved.
        ProductionGuardError: the gate stays shut.
        ParameterError: `approved_by` is no name.
    """
    plan = read_plan(path)
    check_approval(plan, approved)
    header = plan.header
    writing = client._through_gate(header.environment, header.merchant_id, approved_by)
    check_approver(approved_by)
    return plan, writing
