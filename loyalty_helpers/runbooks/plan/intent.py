"""What a plan is made for; and what is asked for under a used run id has to be what its plan holds.

The values of a notebook's example say nothing, since a notebook that applies an approved plan is
begun with them; everything else is compared.
"""

from dataclasses import dataclass
from pathlib import Path

from loyalty_helpers.api import LoyaltyClient, same_words, yes_or_no
from loyalty_helpers.errors import PlanError
from loyalty_helpers.runbooks.plan.document import Plan
from loyalty_helpers.runbooks.plan.rows import Row

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

    def __post_init__(self) -> None:
        """A notebook may be given texts, and the text `false` would be true."""
        words = ("allow_negative_balance", "allow_repeats", "allow_partial", "show_phone_numbers")
        for name in words:
            object.__setattr__(self, name, yes_or_no(getattr(self, name), name))


def is_example(row: Row, intent: Intent) -> bool:
    """Whether what is asked for beside an approved plan is what a notebook begins with."""
    named = row.customer_id or row.account_id or intent.expected_balance is not None
    return not named and (row.phone_number, row.points, row.reason) == EXAMPLE_ROW


def check_same_row(client: LoyaltyClient, plan: Plan, row: Row, intent: Intent) -> None:
    """Raise PlanError unless one adjustment is the one of the plan; finds its account."""
    _check_allowed(plan, intent)
    rows = list(plan.rows())
    if len(rows) != 1:
        raise _another(plan, f"it is one of {len(rows)} rows")
    [planned], expected = rows, intent.expected_balance
    account = client.find_account(
        phone_number=row.phone_number, customer_id=row.customer_id, account_id=row.account_id
    )
    wrong = {
        f"account {planned.account_id}": planned.account_id != account.id,
        f"{planned.points:+d} points": planned.points != row.points,
        "another reason": same_words(planned.reason) != same_words(row.reason),
        f"a balance of {planned.before}": expected is not None and planned.before != expected,
    }
    if any(wrong.values()):
        raise _another(plan, ", ".join(name for name, differs in wrong.items() if differs))


def check_same_file(plan: Plan, path: Path, sha256: str, intent: Intent) -> None:
    """Raise PlanError unless the file is the one that the plan was made of."""
    _check_allowed(plan, intent)
    # A file that is gone says nothing else: the digest is what was approved.
    if sha256 and path.name != EXAMPLE_FILE and sha256 != plan.header.source_sha256:
        raise _another(plan, f"the rows of {plan.header.source}, which is not {path} as it is now")


def check_same_undo(plan: Plan, undone: str, intent: Intent) -> None:
    """Raise PlanError unless the plan undoes this run."""
    _check_allowed(plan, intent)
    if undone not in (EXAMPLE_UNDO, plan.header.source):
        raise _another(plan, f"the undoing of run {plan.header.source!r}, and not of {undone!r}")


def _check_allowed(plan: Plan, intent: Intent) -> None:
    """What a plan does not allow, it cannot be given afterwards."""
    for name in ("allow_negative_balance", "allow_repeats"):
        if getattr(intent, name) and not getattr(plan.header, name):
            raise _another(plan, f"{name} false")


def _another(plan: Plan, meant: str) -> PlanError:
    return PlanError(
        f"run id {plan.header.run_id!r} stands for another intent: {meant}. Nothing was changed: "
        "take a new run id for a new intent."
    )
