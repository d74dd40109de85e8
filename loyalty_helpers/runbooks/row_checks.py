"""Judges one row of a sheet of adjustments: every problem at once, none of them with a full number.

Each check of a cell gives what is allowed there when the cell is wrong, else an empty text.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from loyalty_helpers.checks import (
    ID_PATTERN,
    LARGEST_POINTS,
    REASON_LENGTH,
    check_phone_number,
    check_reason,
    reason_length,
)
from loyalty_helpers.errors import ParameterError
from loyalty_helpers.redaction import mask_text
from loyalty_helpers.runbooks.identity import MARKER_ROOM

REASON_ROOM = REASON_LENGTH - MARKER_ROOM  # 3,477 characters
BUYER = ("phone_number", "customer_id", "account_id")
SHOWN_LENGTH = 60
SHOWN_DIGITS = 7  # as many are no phone number

_PHONE_SEPARATORS = re.compile(r"[\s.()-]")
_DAMAGED_PHONE = re.compile(r"\+?\d+(?:[.,]\d+)?[eE]\+?\d+")
_WHOLE = re.compile(r"-?[1-9][0-9]*")
_NO_POINTS = [  # the first that fits tells what is wrong
    (r"\s*", "a whole number such as 10 or -10; an empty cell is not taken for 0"),
    (r"[+-]?0+(?:[.,]0*)?", "any whole number but 0: leave out a row that changes nothing"),
    (r"\+.*", "a number without a plus, such as 10; a minus takes points away"),
    (r"(?i)nan", "a whole number such as 10 or -10; NaN often stands for an empty cell"),
    (r"(?i)[-\d.,]+e[-+]?\d+", "a whole number with its digits written out, such as 1000"),
    (r"-?\d[\d.,]*[.,][\d.,]*", "a whole number without points or commas, such as 1000 or -10"),
    (r"-?0\d+", "a whole number without zeros before it, such as 10 or -10"),
    (r"(?s).*", "a whole number in digits and nothing else, such as 10 or -10"),
]


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row that can be planned.

    Attributes:
        line: the row's first line in the file; the header is 1.
        row_id: the file's own; empty where it has no such column.
        phone_number: in E.164; it may stand beside an id, otherwise one of the three is given.
        customer_id: Square's id of the customer, or empty.
        account_id: Square's id of the loyalty account, or empty.
        points: what is added, or taken away.
        reason: as in the file.
        undoes: the id of the event that this row compensates, or empty.
    """

    line: int
    row_id: str
    phone_number: str
    customer_id: str
    account_id: str
    points: int
    reason: str
    undoes: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one place of a sheet.

    Attributes:
        line: the row's first line in the file; 0 for the file as a whole.
        column: its name, or empty for the row or the file as a whole.
        found: masked, and on one line.
        allowed: what is allowed instead.
        row_id: of the row, if it was given one.
    """

    line: int
    column: str
    found: str
    allowed: str
    row_id: str = ""

    def __str__(self) -> str:
        line = f"line {self.line}" if self.line else ""
        row = f"row {self.row_id}" if self.row_id else ""
        place = ", ".join(filter(None, [line, row, self.column])) or "the file"
        return f"{place}: found {self.found}; allowed: {self.allowed}"


def judge_row(line: int, cells: Mapping[str, str], max_points: int) -> Iterator[SheetRow | Problem]:
    """The row, or every problem it has; a column that the file does not have is an empty cell."""
    problems = list(_problems(line, cells, max_points))
    if problems:
        yield from problems
    else:
        yield SheetRow(
            line=line,
            row_id=cells.get("row_id", ""),
            phone_number=_PHONE_SEPARATORS.sub("", cells["phone_number"]),
            customer_id=cells["customer_id"],
            account_id=cells["account_id"],
            points=int(cells["points"]),
            reason=cells["reason"],
            undoes=cells["undoes"],
        )


def _problems(line: int, cells: Mapping[str, str], max_points: int) -> Iterator[Problem]:
    if not any(cells[column].strip() for column in BUYER):
        yield Problem(line, "", "no buyer", f"one of {', '.join(BUYER)}")
    if cells["customer_id"] and cells["account_id"]:
        yield Problem(line, "", "customer_id and account_id", "one of them, the other empty")
    wrong = {
        "row_id": _row_id(cells["row_id"]) if "row_id" in cells else "",
        "phone_number": _phone_number(cells["phone_number"].strip()),
        "customer_id": _id(cells["customer_id"]),
        "account_id": _id(cells["account_id"]),
        "points": _points(cells["points"], max_points),
        "reason": _reason(cells["reason"]),
        "undoes": _id(cells["undoes"]),
    }
    for column, allowed in wrong.items():
        if allowed:
            yield Problem(line, column, shown(cells[column]), allowed)


def shown(text: str) -> str:
    """A cell as a problem may show it: no token, no number but its last four digits, one line."""
    text = mask_text(text)
    text = repr(text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}...")
    if len(re.findall(r"\d", text)) <= SHOWN_DIGITS:
        return text
    return re.sub(r"\d(?=(?:\D*\d){4})", "*", text)


def _row_id(text: str) -> str:
    right = 1 <= len(text) <= 64 and text.isprintable() and text == text.strip()
    return "" if right else "1 to 64 printable characters, no space before or after them"


def _phone_number(text: str) -> str:
    if _DAMAGED_PHONE.fullmatch(text):
        return (
            "a plus, the country code and the number. Excel turned the number into the like of "
            "1.41556E+10, its digits are lost: format the column as text, then enter it again"
        )
    if text and not text.startswith("+"):
        return "a plus and the country code before the number, such as +14155551234"
    return "" if not text or _is_phone_number(text) else "a number that exists, in E.164 format"


def _is_phone_number(text: str) -> bool:
    try:
        return bool(check_phone_number(_PHONE_SEPARATORS.sub("", text)))
    except ParameterError:
        return False


def _id(text: str) -> str:
    right = not text or ID_PATTERN.fullmatch(text)
    return "" if right else "an id of Square: 1 to 36 of A-Z, a-z, 0-9, '_' and '-'"


def _points(text: str, most: int) -> str:
    if not _WHOLE.fullmatch(text):
        return next(allowed for form, allowed in _NO_POINTS if re.fullmatch(form, text))
    size = abs(int(text[:12]))  # 12 characters are enough to be too many; int() has its own limit
    if size > LARGEST_POINTS:
        return f"{-LARGEST_POINTS} to {LARGEST_POINTS}: Square keeps points in 32 bits"
    return "" if size <= most else f"{-most} to {most}; a larger max_points allows more"


def _reason(text: str) -> str:
    if not text.strip():
        return "a text that says why, such as 'Late order'"
    if reason_length(text) > REASON_ROOM:
        return f"up to {REASON_ROOM} characters, found {reason_length(text)}: the run adds its mark"
    if "[lr1:" in text:
        return "a text without '[lr1:', which begins the mark that a run adds"
    try:
        check_reason(text)
    except ParameterError:
        return "a text without NUL and lone surrogates"
    return ""
