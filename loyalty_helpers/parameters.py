"""One table of parameters: what each name means and may be, in whatever notebook it stands.

A notebook's parameters cell says which of them it takes, and their defaults; nothing else does.
Values arrive as text from the command line, and are read as in forms and files: see `checks`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from loyalty_helpers.api import (
    LARGEST_POINTS,
    check_approver,
    check_id,
    check_phone_number,
    check_points,
    check_reason,
    check_run_id,
    event_types,
    given_number,
    start_of_day,
    whole_number,
    yes_or_no,
)
from loyalty_helpers.files import is_there
from loyalty_helpers.records import LoyaltyEvent
from loyalty_helpers.redaction import EXAMPLE
from loyalty_helpers.settings import ENVIRONMENTS
from loyalty_helpers.steps import read_lines
from loyalty_helpers.variables import absolute

BUYER = ("phone_number", "customer_id", "account_id")
FILES = ("adjustments_file", "undo")  # what a plan is made of
SQUARE_ID = "1 to 36 of A-Z, a-z, 0-9, '_' and '-'"
ORDER_LINES = "quantity, name and price in cents, for example 4 Coffee 300; commas between"


@dataclass(frozen=True)
class Parameter:
    """What a name means, and its rule.

    Attributes:
        kind: the type of its values.
        read: gives the value of what was typed or given, or raises ValueError.
        allowed: what that takes, in words.
        help: what it means: in the cell, in a form, and in the help of a command.
        label: what a form calls it, in words.
    """

    kind: type
    read: Callable[[Any], Any]
    allowed: str
    help: str
    label: str = ""


def _text(meaning: str, allowed: str, read: Callable[[str], Any]) -> Parameter:
    """A text: what its rule gives if that is a text too, else as it is."""

    def checked(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError("no text")
        found = read(value)
        return found if isinstance(found, str) else value

    return Parameter(str, checked, allowed, meaning)


def _choice(meaning: str, names: tuple[str, ...], allowed: str) -> Parameter:
    def read(value: str) -> None:
        if value not in names:
            raise ValueError("unknown")

    return _text(meaning, allowed, read)


def _id(meaning: str) -> Parameter:
    return _text(meaning, SQUARE_ID, lambda v: v and check_id(v, "id"))


def _day(meaning: str) -> Parameter:
    allowed = "empty, or a day in UTC as YYYY-MM-DD"
    return _text(meaning, allowed, lambda v: start_of_day(v, "day"))


def _lines(meaning: str) -> Parameter:
    return _text(meaning, ORDER_LINES, lambda v: read_lines(v, "order"))


def _switch(meaning: str) -> Parameter:
    return Parameter(bool, partial(yes_or_no, name="a parameter"), "true or false", meaning)


def _count(meaning: str, least: int, most: int) -> Parameter:
    def read(value: Any) -> int:
        number = whole_number(value, "a parameter")
        if not least <= number <= most:
            raise ValueError("out of range")
        return number

    return Parameter(int, read, f"a whole number from {least:,} to {most:,}", meaning)


def _expected(meaning: str) -> Parameter:
    def read(value: Any) -> str:
        number = given_number(value, "a parameter")
        return "" if number is None else str(number)

    return Parameter(str, read, "empty, or a whole number", meaning)


def _rate(value: Any) -> float:
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", str(value)):
        raise ValueError("not a rate")
    return float(value)


def _digest(value: str) -> None:
    if not re.fullmatch(r"|[0-9a-f]{12,64}", value):
        raise ValueError("not a digest")


def _approver(value: str) -> str:
    if len(value) > 100:
        raise ValueError("too long")
    return check_approver(value)


def _sheet(value: str) -> str:
    """A path that leads to the same file from wherever the kernel works; a sample has no path."""
    here = absolute(value, Path.cwd())
    return value if not is_there(here) and is_there(_runbooks().sheet_path(value)) else str(here)


def _earlier_run(value: str) -> str:
    return str(absolute(value, Path.cwd())) if value.endswith(".json") else check_run_id(value)


def _runbooks() -> Any:
    """Loaded where such a parameter is given: a form of a walkthrough should not wait for it."""
    from loyalty_helpers import runbooks

    return runbooks


def _number(value: Any) -> float:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    if not plain and not re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", str(value)):
        raise ValueError("no number")
    return float(value)


def _default_only(value: Any) -> Any:
    raise ValueError("of another type")


def in_words(name: str) -> str:
    """`phone_number` as `Phone number`."""
    return name.replace("_", " ").capitalize()


def of_kind(kind: str, meaning: str) -> Parameter:
    """A name that is not in the table, by the type that a notebook gives it, and its comment."""
    kinds = {
        "str": _text(meaning, "a text", str),
        "int": Parameter(int, partial(whole_number, name="a parameter"), "a whole number", meaning),
        "float": Parameter(float, _number, "a number such as 1000 or 1.5", meaning),
        "bool": _switch(meaning),
    }
    allowed = f"its default only, since {kind} is none of {', '.join(kinds)}"
    return kinds.get(kind) or Parameter(object, _default_only, allowed, meaning)


# Where the name in words would not do.
_LABELS = {
    "start_date": "First day",
    "end_date": "Day after the last",
    "reward_tier_id": "Reward to use",
    "dry_run": "Plan only",
    "approved_plan": "Digest of the approved plan",
    "allow_repeats": "Apply what the ledger holds already",
    "columns": "Names of the file's columns",
    "max_points": "Most points in a row",
    "show_phone_numbers": "Show phone numbers in full",
    "canary": "Rows to try first",
    "max_errors": "Errors at which to stop",
    "in_flight": "Requests at the same time",
    "on_drift": "Where a balance has moved",
    "max_plan_age": "Hours that a plan is good for",
    "resend_unknown": "Send rows for REVIEW once more",
    "undo": "Run to undo",
    "allow_partial": "Undo what can be undone",
    "check_run_id": "Run to compare",
}
_RULES: dict[str, Parameter] = {
    "environment": _choice(
        "local, recorded, sandbox or production; empty for LOYALTY_ENVIRONMENT",
        ("", *ENVIRONMENTS),
        f"{', '.join(ENVIRONMENTS)}, or empty for LOYALTY_ENVIRONMENT, else local",
    ),
    "phone_number": _text(
        "E.164 format; or name the buyer in one of the next two ways",
        f"E.164 format: '+', country code and number, {EXAMPLE}",
        lambda v: v and check_phone_number(v),
    ),
    "customer_id": _id("the id of the buyer's profile"),
    "account_id": _id("the id of the loyalty account"),
    "points": Parameter(
        int,
        lambda v: check_points(whole_number(v, "points")),
        "a whole number, negative to take away, not 0, of 32 bits",
        "whole points; negative takes away",
    ),
    "reason": _text(
        "kept in the account's history", "text of up to 3,500 characters", check_reason
    ),
    "run_id": _text(
        "the name of the intent; the same one takes effect once",
        "1 to 64 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit",
        check_run_id,
    ),
    "allow_negative_balance": _switch("let a balance fall below 0"),
    "event_types": _text(
        "empty for all, or names with commas between",
        f"empty, or some of {', '.join(LoyaltyEvent.DETAILS)}, with commas between",
        event_types,
    ),
    "start_date": _day("first day in UTC, YYYY-MM-DD; empty for no beginning"),
    "end_date": _day("day after the last in UTC, YYYY-MM-DD; empty for no end"),
    "first_order": _lines("quantity, name and price in cents"),
    "second_order": _lines("what the reward is for, and more"),
    "reward_tier_id": _id("empty for the cheapest reward of the program"),
    "location_id": _id("empty for the first location of the program"),
    "dry_run": _switch("plan only"),
    "approved_plan": _text(
        "digest of the plan that was looked at, or its first 12 characters",
        "empty to plan only, or 12 or more characters of the digest",
        _digest,
    ),
    "approved_by": _text("who approved it", "who approved the plan", _approver),
    "expected_balance": _expected("a whole number that the balance must be now; empty for any"),
    "allow_repeats": _switch("apply what the ledger holds already with these points and reason"),
    "adjustments_file": _text(
        "a CSV file; the sample is in notebooks/data", "the path of a CSV file", _sheet
    ),
    "columns": _text(
        "the file's names for ours, or - to leave a column out; empty for ours",
        "empty, or the file's names for ours: Phone Number=phone_number, Memo=-",
        lambda v: _runbooks().read_columns(v),
    ),
    "max_points": _count("the most points that one row may add or take away", 1, LARGEST_POINTS),
    "max_rows": _count("the most rows that a plan may have", 1, 10_000_000),
    "expected_rows": _expected("how many rows the file has; empty for any number"),
    "expected_points": _expected("what its points add up to, with their signs; empty for any sum"),
    "show_phone_numbers": _switch("write them in full into plan and reports"),
    "canary": _count("rows that are applied and looked up before all others", 0, 1_000),
    "max_errors": _text(
        "rows without success at which the run stops, a number or a share",
        "a number of rows, or a share such as 2%",
        lambda v: _runbooks().errors_allowed(v),
    ),
    "requests_per_second": Parameter(
        float,
        _rate,
        "0 to find the service's limit, or a number up to 9999.999",
        "never more than these; 0 finds the service's limit",
    ),
    "in_flight": _count("requests at the same time", 1, 64),
    "on_drift": _choice(
        "note or skip a row whose balance has moved since the plan",
        ("note", "skip"),
        "note or skip",
    ),
    "max_plan_age": _count(
        "hours after which a plan has to be made anew before it is applied", 1, 8_784
    ),
    "resend_unknown": _switch("send rows for REVIEW once more, with the same key"),
    "undo": _text(
        "run id of the run to undo, or the path of its receipt",
        "the run id of an earlier run, or the path of its receipt.json",
        _earlier_run,
    ),
    "allow_partial": _switch("undo what can be undone; the rest stands in left_out.csv"),
    "account_ids": _text(
        "ids of loyalty accounts with commas between; empty for all",
        "empty for all, or ids of loyalty accounts with commas between",
        lambda v: ",".join(_runbooks().account_list(v)),
    ),
    "check_run_id": _text(
        "a run whose rows are compared with the ledger; empty for none",
        "empty, or the run id of an earlier run",
        lambda v: v and check_run_id(v),
    ),
}
PARAMETERS = {n: replace(p, label=_LABELS.get(n, in_words(n))) for n, p in _RULES.items()}
