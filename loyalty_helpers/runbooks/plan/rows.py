"""A row of adjustments, and what its cells may hold: every problem at once, no number in full.

Each check of a cell gives what is allowed there when the cell is wrong, else an empty text.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from loyalty_helpers.api import (
    CLEAN,
    REASON_LENGTH,
    check_id,
    check_phone_number,
    check_points,
    check_reason,
    reason_length,
    whole_number,
)
from loyalty_helpers.errors import ParameterError
from loyalty_helpers.plain import plain
from loyalty_helpers.redaction import holds_token, mask_phone, mask_reason, mask_repr, mask_text
from loyalty_helpers.runbooks.identity import MARKER_ROOM

REASON_ROOM = REASON_LENGTH - MARKER_ROOM  # 3,477 characters
BUYER = ("phone_number", "customer_id", "account_id")
WHOLE_LETTERS = (
    "a text with its accents: they were lost when the file was saved, so take the file from before "
    "and save it as UTF-8"
)

_DAMAGED_PHONE = re.compile(r"\+?\d+(?:[.,]\d+)?[eE]\+?\d+")
# What UTF-8 looks like when it was read as Windows-1252 and saved again, in letters of Europe and
# above U+2000. Alphabets between the two come out of whole words by chance.
_BROKEN_LETTERS = re.compile("[\x80-\xff\u2000-\U0010ffff]+")


@dataclass(slots=True, kw_only=True)
class Row:
    """One adjustment, from the sheet to the plan: it is filled in while the plan is made.

    Attributes:
        line: the row's first line in the file; 0 where there is none.
        row_id: its name within the run; empty until it has a place, where it was given none.
        phone_number: in E.164, as it was given; no plan holds it.
        customer_id, account_id: as they were given, or empty; in a plan, those of the account.
        points: whole points; negative takes away.
        reason: what people read; the marker is added when it is sent.
        undoes: the id of the event that it compensates, or empty.
        n: its place, from 1.
        own_id: whether `row_id` was given.
        marker: what its event will carry; no plan holds it.
        phone: of the account, masked unless phone numbers were asked for.
        before, after: the balance, if nothing else happens meanwhile.
        applied: the id of an event that carries the row's own mark, or empty.
        repeats: the id of a recent event with the same content and another mark, or empty.
    """

    row_id: str = ""
    phone_number: str = ""
    customer_id: str = ""
    account_id: str = ""
    points: int
    reason: str
    undoes: str = ""
    line: int = 0
    n: int = 0
    own_id: bool = False
    marker: str = ""
    phone: str = ""
    before: int = 0
    after: int = 0
    applied: str = ""
    repeats: str = ""

    def is_sent(self, *, allow_repeats: bool) -> bool:
        """Whether applying sends it: the ledger does not hold it, or it shall be repeated."""
        return not self.applied and (allow_repeats or not self.repeats)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one place of a sheet.

    Attributes:
        line: the row's first line in the file; 0 for the file as a whole.
        column: its name, or empty for the row or the file as a whole.
        found: masked, and on one line.
        allowed: what is allowed instead.
        row_id: of the row, if it was given one.
        buyer: whom the row names, masked.
    """

    line: int
    column: str
    found: str
    allowed: str
    row_id: str = ""
    buyer: str = ""

    def __str__(self) -> str:
        line = f"line {self.line}" if self.line else ""
        row = f"row {self.row_id}" if self.row_id else ""
        place = ", ".join(filter(None, [line, row, self.column])) or "the file"
        return f"{place}: found {self.found}; allowed: {self.allowed}"


def judge_row(line: int, cells: Mapping[str, str], max_points: int) -> Iterator[Row | Problem]:
    """The row, or every problem it has; a column that the file does not have is an empty cell."""
    problems = list(_problems(line, cells, max_points))
    if problems:
        row_id, buyer = shown_id(cells), shown_buyer(cells)
        yield from (replace(problem, row_id=row_id, buyer=buyer) for problem in problems)
    else:
        yield Row(
            line=line,
            row_id=cells.get("row_id", ""),
            phone_number=_in_normal_form(cells["phone_number"]),
            customer_id=cells["customer_id"],
            account_id=cells["account_id"],
            points=whole_number(cells["points"], "points"),
            reason=cells["reason"],
            undoes=cells["undoes"],
        )


def given_row(
    phone_number: str, customer_id: str, account_id: str, points: int, reason: str
) -> Row:
    """The row of one adjustment, as it was given to a notebook; numbers may still be texts.

    Raises:
        ParameterError: one of them is not allowed.
    """
    number = check_points(whole_number(points, "points"))
    phone = _in_normal_form(phone_number)
    check_reason(reason)
    for name, value in (("customer_id", customer_id), ("account_id", account_id)):
        if value:
            check_id(value, name)
    return Row(
        phone_number=phone,
        customer_id=customer_id,
        account_id=account_id,
        points=number,
        reason=reason,
    )


def _in_normal_form(text: str) -> str:
    return check_phone_number(text) if text.strip() else ""


def shown_id(cells: Mapping[str, str]) -> str:
    """The row's id as a problem may show it; empty if it has none, or a wrong one."""
    row_id = cells.get("row_id", "")
    return "" if _row_id(row_id) else mask_text(row_id)


def shown_buyer(cells: Mapping[str, str]) -> str:
    """Whom a row names, masked: by what finds the account best."""
    kind = next((kind for kind in reversed(BUYER) if cells.get(kind, "").strip()), "")
    name = plain(cells[kind]) if kind else ""
    # A number that stands in a column of ids has no plus: it is known by its digits alone.
    return mask_phone(name) if kind == "phone_number" else mask_reason(name)


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
    if holds_token(" ".join(cells.values())):
        wrong |= {column: CLEAN for column, text in cells.items() if holds_token(text)}
    for column, allowed in wrong.items():
        if allowed:
            yield Problem(line, column, shown(cells[column]), allowed)


def shown(text: str) -> str:
    """A cell as a problem may show it: no token, no number but its last four digits, one line."""
    return mask_repr(text, phone=True)


def _row_id(text: str) -> str:
    right = 1 <= len(text) <= 64 and text.isprintable() and text == text.strip()
    if mask_text(text) != text:
        return "a text without a phone number, since results show it"
    if right:
        return "" if _letters_are_whole(text) else WHOLE_LETTERS
    return "1 to 64 printable characters, no space before or after them"


def _phone_number(text: str) -> str:
    if _DAMAGED_PHONE.fullmatch(text):
        return (
            "a plus, the country code and the number. Excel turned the number into the like of "
            "1.41556E+10, its digits are lost: format the column as text, then enter it again"
        )
    return _allowed(lambda: _in_normal_form(text))


def _allowed(check: Callable[[], object]) -> str:
    """What is allowed where the check refuses; else an empty text."""
    try:
        check()
    except ParameterError as error:
        return error.allowed
    return ""


def _id(text: str) -> str:
    return _allowed(lambda: check_id(text, "id")) if text else ""


def _points(text: str, most: int) -> str:
    allowed = _allowed(lambda: check_points(whole_number(text, "points")))
    if allowed or abs(int(text)) <= most:
        return allowed
    return f"{-most} to {most}; a larger max_points allows more"


def _reason(text: str) -> str:
    if not text.strip():
        return "a text that says why, such as 'Late order'"
    if reason_length(text) > REASON_ROOM:
        return f"up to {REASON_ROOM} characters, found {reason_length(text)}: the run adds its mark"
    if "[lr1:" in text:
        return "a text without '[lr1:', which begins the mark that a run adds"
    whole = "" if _letters_are_whole(text) else WHOLE_LETTERS
    return _allowed(lambda: check_reason(text)) or whole


def _letters_are_whole(text: str) -> bool:
    """Whether no letter was lost or taken apart when the file was saved."""
    if "\ufffd" in text or text.isascii():
        return "\ufffd" not in text
    try:
        once_more = b"".join(map(_byte, text)).decode()
    except UnicodeError:
        return True
    letters = "".join(c for c in once_more if not c.isascii())
    return not _BROKEN_LETTERS.fullmatch(letters)


def _byte(character: str) -> bytes:
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        return character.encode("latin-1")  # five bytes have no letter in Windows-1252
