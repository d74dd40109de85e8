"""The parameters of the runbooks in notebooks/runbooks; defaults plan, and change nothing."""

import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from loyalty_helpers.api import check_approver, check_run_id, given_number, whole_number
from loyalty_helpers.files import is_there
from loyalty_helpers.runbooks import (
    APPROVAL_LENGTH,
    MAX_PLAN_AGE,
    account_list,
    errors_allowed,
    read_columns,
    sheet_path,
)
from loyalty_helpers.runner.parameters import (
    Date,
    Environment,
    Parameters,
    Points,
    Reason,
    RunId,
    YesOrNo,
)
from loyalty_helpers.variables import absolute


def _count(least: int, most: int) -> Any:
    """A whole number between two others."""

    def check(value: Any) -> int:
        number = whole_number(value, "a parameter")
        if not least <= number <= most:
            raise ValueError("out of range")
        return number

    said = f"a whole number from {least:,} to {most:,}"
    return Annotated[int, BeforeValidator(check), Field(description=said)]


def _rate(value: Any) -> float:
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", str(value)):
        raise ValueError("not a rate")
    return float(value)


def _digest(value: str) -> str:
    if value and not re.fullmatch(rf"[0-9a-f]{{{APPROVAL_LENGTH},64}}", value):
        raise ValueError("not a digest")
    return value


def _balance(value: Any) -> str:
    number = given_number(value, "expected_balance")
    return "" if number is None else str(number)


def _here(value: str) -> str:
    """A path that leads to the same file from wherever the kernel works; a sample has no path."""
    here = absolute(value, Path.cwd())
    return value if not is_there(here) and is_there(sheet_path(value)) else str(here)


def _earlier_run(value: str) -> str:
    return str(absolute(value, Path.cwd())) if value.endswith(".json") else check_run_id(value)


def _choice(value: str) -> str:
    if value not in ("note", "skip"):
        raise ValueError("unknown")
    return value


def _columns(value: str) -> str:
    read_columns(value)
    return value


Digest = Annotated[
    str,
    AfterValidator(_digest),
    Field(description=f"empty to plan only, or {APPROVAL_LENGTH} or more characters of the digest"),
]
Number = Annotated[str, BeforeValidator(_balance), Field(description="empty, or a whole number")]
Approver = Annotated[
    str,
    AfterValidator(check_approver),
    Field(description="who approved the plan", max_length=100),
]


class Runbook(BaseModel):
    """What every runbook takes."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    environment: Environment = ""
    run_id: RunId


class Applying(Runbook):
    """What every runbook takes that applies a plan."""

    approved_plan: Digest = ""
    approved_by: Approver = ""
    allow_negative_balance: YesOrNo = False
    canary: _count(0, 1_000) = 5  # type: ignore[valid-type]  # made by a function
    max_errors: Annotated[
        str,
        AfterValidator(lambda value: value if errors_allowed(value) >= 0 else ""),
        Field(description="a number of rows, or a share such as 2%"),
    ] = "1%"
    requests_per_second: Annotated[
        float,
        BeforeValidator(_rate),
        Field(description="0 to find the service's limit, or a number up to 9999.999"),
    ] = 0.0
    in_flight: _count(1, 64) = 16  # type: ignore[valid-type]  # made by a function
    on_drift: Annotated[str, AfterValidator(_choice), Field(description="note or skip")] = "note"
    max_plan_age: _count(1, 8_784) = MAX_PLAN_AGE  # type: ignore[valid-type]  # as above
    resend_unknown: YesOrNo = False

    @model_validator(mode="after")
    def _file_is_there(self) -> Self:
        """What a plan is made of must be there; one that is approved needs it no more."""
        for name in ("adjustments_file", "undo"):
            path = Path(getattr(self, name, ""))
            if path.is_absolute() and not is_there(path) and not self.approved_plan:
                raise ValueError(f"{name}: there is no file {path}")
        return self


class AdjustOne(Parameters):
    """runbooks/adjust_points."""

    points: Points = 12
    reason: Reason = "Late delivery, ticket 4711"
    run_id: RunId = "example-adjust"
    dry_run: YesOrNo = True
    approved_plan: Digest = ""
    approved_by: Approver = ""
    expected_balance: Number = ""
    allow_negative_balance: YesOrNo = False
    allow_repeats: YesOrNo = False

    @model_validator(mode="after")
    def _production_needs_approval(self) -> "AdjustOne":
        if self.environment == "production" and not (self.dry_run or self.approved_plan):
            raise ValueError(
                "approved_plan: production needs the digest of a plan that was looked at; run it "
                "with dry_run true first"
            )
        return self


class BulkAdjust(Applying):
    """runbooks/bulk_adjust."""

    run_id: RunId = "example-bulk"
    adjustments_file: Annotated[
        str, AfterValidator(_here), Field(description="the path of a CSV file")
    ] = "adjustments.csv"
    max_points: _count(1, 2**31 - 1) = 10_000  # type: ignore[valid-type]  # made by a function
    max_rows: _count(1, 10_000_000) = 100_000  # type: ignore[valid-type]  # made by a function
    expected_rows: Number = ""
    expected_points: Number = ""
    allow_repeats: YesOrNo = False
    columns: Annotated[
        str,
        AfterValidator(_columns),
        Field(description="empty, or the file's names for ours: Phone Number=phone_number, Memo=-"),
    ] = ""
    show_phone_numbers: YesOrNo = False


class UndoAdjustments(Applying):
    """runbooks/undo_adjustments."""

    undo: Annotated[
        str,
        AfterValidator(_earlier_run),
        Field(description="the run id of an earlier run, or the path of its receipt.json"),
    ] = "example-bulk"
    run_id: RunId = "example-undo"
    allow_partial: YesOrNo = False


class Reconcile(Runbook):
    """runbooks/reconcile."""

    run_id: RunId = "example-reconcile"
    account_ids: Annotated[
        str,
        AfterValidator(lambda value: ",".join(account_list(value))),
        Field(description="empty for all, or ids of loyalty accounts with commas between"),
    ] = ""
    check_run_id: Annotated[
        str,
        AfterValidator(lambda value: value and check_run_id(value)),
        Field(description="empty, or the run id of an earlier run"),
    ] = ""
    start_date: Date = ""
    end_date: Date = ""
    show_phone_numbers: YesOrNo = False


RUNBOOKS: dict[str, type[BaseModel]] = {
    "adjust_points": AdjustOne,
    "bulk_adjust": BulkAdjust,
    "reconcile": Reconcile,
    "undo_adjustments": UndoAdjustments,
}
