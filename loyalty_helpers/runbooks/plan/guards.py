"""What a plan is made for and where; and which plan may be applied: checked before any write.

A run id means one intent: what is asked for under a used one has to be what its plan holds. The
values of a notebook's example say nothing, since a notebook that applies an approved plan is begun
with them; everything else is compared.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from loyalty_helpers.api import LoyaltyClient, check_approver, same_words, yes_or_no
from loyalty_helpers.errors import PlanError
from loyalty_helpers.runbooks.plan.document import PLAN, Header, Plan, read_plan
from loyalty_helpers.runbooks.plan.rows import Row

APPROVAL_LENGTH = 12  # characters of the digest that are enough to approve a plan
MAX_PLAN_AGE = 24  # hours
MAX_ROWS = 100_000
EXAMPLE_ROW = ("+14155551234", 12, "Late delivery, ticket 4711")
EXAMPLE_FILE = "adjustments.csv"
EXAMPLE_UNDO = "example-bulk"


@dataclass(frozen=True)
class Intent:
    """What a plan is made for.

    Attributes:
        runbook: the notebook that plans and applies.
        run_id: the name of the intent.
        source: the file's name, or the run that is undone.
        source_sha256: of the file's bytes; empty where there is no file.
        allow_negative_balance: let balances fall below 0.
        allow_repeats: apply rows whose content the ledger holds already.
        allow_partial: leave out rows that cannot be planned, instead of making no plan.
        expected_balance: what each account must hold now; None if anything will do.
        show_phone_numbers: keep them readable in the plan and in the reports.
        max_rows: the most rows that a plan may have.
        expected_rows, expected_points: what the file must have; None if anything will do.
        given: what is compared with an approved plan: the row, or the path of the file.
    """

    runbook: str
    run_id: str
    source: str = ""
    source_sha256: str = ""
    allow_negative_balance: bool = False
    allow_repeats: bool = False
    allow_partial: bool = False
    expected_balance: int | None = None
    show_phone_numbers: bool = False
    max_rows: int = MAX_ROWS
    expected_rows: int | None = None
    expected_points: int | None = None
    given: Row | Path | None = None

    def __post_init__(self) -> None:
        """A notebook may be given texts, and the text `false` would be true."""
        words = ("allow_negative_balance", "allow_repeats", "allow_partial", "show_phone_numbers")
        for name in words:
            object.__setattr__(self, name, yes_or_no(getattr(self, name), name))


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


def check_place(header: Header, client: LoyaltyClient) -> None:
    """Raise PlanError unless the plan was made for this very place."""
    place = place_of(client)
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


def find_plan(client: LoyaltyClient, folder: Path, intent: Intent, approved: str) -> Plan:
    """The plan on disk, if it is of this intent, and the approved one if one was approved.

    Raises:
        PlanError: it is another one, or there is none.
    """
    plan = read_plan(folder / PLAN)
    header = plan.header
    if header.runbook != intent.runbook:
        raise PlanError(
            f"run id {intent.run_id!r} is one of {header.runbook}, not of {intent.runbook}"
        )
    if approved:
        check_approval(plan, approved)
    if not (approved and _is_example(intent)) and (meant := other_meaning(client, plan, intent)):
        raise PlanError(
            f"run id {header.run_id!r} stands for another intent: {meant}. Nothing was changed: "
            "take a new run id for a new intent."
        )
    return plan


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


def _is_example(intent: Intent) -> bool:
    """Whether one row is what its notebook begins with."""
    row = intent.given
    if not isinstance(row, Row) or row.customer_id or row.account_id:
        return False
    return intent.expected_balance is None and (
        (row.phone_number, row.points, row.reason) == EXAMPLE_ROW
    )


def other_meaning(client: LoyaltyClient, plan: Plan, intent: Intent) -> str:
    """What the plan means in place of the intent; an empty text if that is the same."""
    header, given = plan.header, intent.given
    for name in ("allow_negative_balance", "allow_repeats"):
        if getattr(intent, name) and not getattr(header, name):
            return f"{name} false"  # what a plan does not allow, it cannot be given afterwards
    if isinstance(given, Row):
        return _other_row(client, plan, given, intent.expected_balance)
    # A file that is gone says nothing else: the digest is what was approved.
    changed = intent.source_sha256 not in ("", header.source_sha256)
    if isinstance(given, Path) and given.name != EXAMPLE_FILE and changed:
        return f"the rows of {header.source}, which is not {given} as it is now"
    if not given and intent.source not in (EXAMPLE_UNDO, header.source):
        return f"the undoing of run {header.source!r}, and not of {intent.source!r}"
    return ""


def _other_row(client: LoyaltyClient, plan: Plan, row: Row, expected: int | None) -> str:
    """What the plan holds in place of one adjustment; finds its account."""
    rows = list(plan.rows())
    if len(rows) != 1:
        return f"it is one of {len(rows)} rows"
    [planned] = rows
    account = client.find_account(
        phone_number=row.phone_number, customer_id=row.customer_id, account_id=row.account_id
    )
    wrong = {
        f"account {planned.account_id}": planned.account_id != account.id,
        f"{planned.points:+d} points": planned.points != row.points,
        "another reason": same_words(planned.reason) != same_words(row.reason),
        f"a balance of {planned.before}": expected is not None and planned.before != expected,
    }
    return ", ".join(name for name, differs in wrong.items() if differs)
