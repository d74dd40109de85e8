"""Checks of what a caller gives, each with an error that says what is allowed."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import MAXYEAR, UTC, datetime, timedelta
from typing import Any

from loyalty_helpers.errors import ParameterError
from loyalty_helpers.records import LoyaltyEvent
from loyalty_helpers.redaction import EXAMPLE, MOST_DIGITS, holds_token, mask_reason, mask_repr

# Letters are digits to phonenumbers, and a second plus begins another number.
PHONE_NUMBER = re.compile(r"\+[0-9\s()./\u00ad\u2010-\u2015\u2060\u2212-]{1,40}")
WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,18}")
NO_NUMBER = [  # the first that fits tells what is wrong
    (r"", "a whole number such as 10 or -10; an empty cell is not taken for 0"),
    (r"[+-]?0+(?:[.,]0*)?", "a whole number, and 0 as a single digit"),
    (r"\+.*", "a number without a plus, such as 10; a minus takes points away"),
    (r"(?i)nan", "a whole number such as 10 or -10; NaN often stands for an empty cell"),
    (r"(?i)[-\d.,]+e[-+]?\d+", "a whole number with its digits written out, such as 1000"),
    (r"-?\d[\d.,]*[.,][\d.,]*", "a whole number without points or commas, such as 1000 or -10"),
    (r"-?0\d+", "a whole number without zeros before it, such as 10 or -10"),
    (r"-?\d+", "a whole number of up to 19 digits"),
    (r"(?s).*", "a whole number in digits and nothing else, such as 10 or -10"),
]
# No dots and no escapes: nothing that a URL parser turns into another path.
PATH = re.compile(r"/v2(?:/[A-Za-z0-9_-]+)+")
QUERY = re.compile(r"[A-Za-z0-9_=&.,:%+~-]*")
ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,36}")
NUMBER_AS_ID = re.compile(rf"[_-]*(?:[0-9][_-]*){{{MOST_DIGITS + 1},15}}")  # without a letter
CLEAN = "a text without an access token: the one that was pasted here has to be replaced"
FILLERS = "\u115f\u1160"  # letters to Unicode, and seen by nobody
LARGEST_POINTS = 2**31 - 1  # of 32 bits; as many may be taken away, so that both can be undone
REASON_LENGTH = 3500


def check_phone_number(number: str) -> str:
    """Return the number in its one normal form, E.164, or raise ParameterError.

    Spaces, hyphens, dots and brackets are passed over, and so is the zero that some countries
    dial at home: `+44 (0)20 7946 0958` is `+442079460958`.
    """
    text = number.strip() if isinstance(number, str) else str(number)
    allowed = (
        f"a plus and the country code before the number, {EXAMPLE}"
        if not text.startswith("+")
        else "a number that exists, in E.164 format: a plus, the country code and the number"
    )
    if isinstance(number, str) and PHONE_NUMBER.fullmatch(text):
        import phonenumbers  # 20 ms, needed only where a number is given

        try:
            parsed = phonenumbers.parse(text)
            allowed += f"; {_why_not(parsed)}"
            if phonenumbers.is_valid_number(parsed):
                return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        except phonenumbers.NumberParseException as error:
            unknown = error.error_type == error.INVALID_COUNTRY_CODE
            allowed += "; no country has this code" if unknown else "; this one is too short"
    raise refusal("phone_number", number, allowed)


def _why_not(number: Any) -> str:
    """Why a number that can be read is none."""
    import phonenumbers

    reason = phonenumbers.is_possible_number_with_reason(number)
    names = phonenumbers.ValidationResult
    size = {names.TOO_SHORT: "too short", names.TOO_LONG: "too long"}.get(reason)
    if size or reason != names.IS_POSSIBLE:
        return f"this one is {size or 'of a wrong length'} for +{number.country_code}"
    return f"no number of +{number.country_code} begins like this one: look for a mistyped digit"


def refusal(name: str, value: object, allowed: str) -> ParameterError:
    """The error for a value that is not allowed: named, shown masked, with what is allowed."""
    found = mask_repr(value, phone=True)
    return ParameterError(f"{name}: found {found}; allowed: {allowed}", allowed)


def whole_number(value: object, name: str) -> int:
    """The number that was given or typed, or ParameterError.

    One reading for forms, files, the command line and notebooks: `+12`, `012`, `1e3` and `1.0`
    are refused, since somebody who writes so may mean something else.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = value.strip() if isinstance(value, str) else repr(value)
    if isinstance(value, str) and WHOLE_NUMBER.fullmatch(text):
        return int(text)
    allowed = next(allowed for form, allowed in NO_NUMBER if re.fullmatch(form, text[:99]))
    raise refusal(name, value, allowed)


def given_number(value: object, name: str) -> int | None:
    """The number, or None for an empty text; raises ParameterError as `whole_number` does."""
    return None if value in ("", None) else whole_number(value, name)


def yes_or_no(value: object, name: str) -> bool:
    """True or False, also as texts in any case, or ParameterError: a text alone would be true."""
    known = {"true": True, "false": False}
    text = str(value).strip().lower()
    if not isinstance(value, bool | str) or text not in known:
        raise refusal(name, value, "true or false")
    return known[text]


def check_reason(reason: str) -> str:
    """Return `reason`, or raise ParameterError when Square would not take it."""
    if not isinstance(reason, str):
        raise ParameterError(f"reason must be a text, found {type(reason).__name__}")
    length = reason_length(reason)
    if length > REASON_LENGTH:
        raise ParameterError(f"reason has {length} characters; Square takes up to {REASON_LENGTH}")
    check_no_token(reason, "reason")
    if "\0" in reason or any("\ud800" <= c <= "\udfff" for c in reason):
        raise ParameterError(
            "reason holds a NUL or a lone surrogate, which is no valid text",
            "a text without NUL and lone surrogates",
        )
    return reason


def check_no_token(value: object, name: str) -> None:
    """Raise ParameterError if a text holds an access token, wherever in it, without showing it.

    Reasons and names end in ledgers, files and reports that many people read.
    """
    if holds_token(value):
        raise ParameterError(f"{name}: found an access token; allowed: {CLEAN}", CLEAN)


def check_approver(name: str) -> str:
    """Return who approved a plan, nobody included, or raise ParameterError."""
    check_no_token(name, "approved_by")
    if not isinstance(name, str) or (name and not is_name(name)):
        allowed = "a name that can be read: two letters or digits or more, and none unseen"
        raise refusal("approved_by", name, allowed)
    if "@" in name or mask_reason(name) != name:
        allowed = "a name or a staff id, and no way to reach somebody: receipts show it"
        found = "a phone number or an e-mail address"
        raise ParameterError(f"approved_by: found {found}; allowed: {allowed}", allowed)
    return name


def is_name(text: str) -> bool:
    """Whether a text names somebody to people who read it: two letters or digits, none unseen."""
    plain = unicodedata.normalize("NFKC", text).strip()
    kinds = [unicodedata.category(c)[0] for c in plain]
    seen = [c for c, kind in zip(plain, kinds, strict=True) if kind in "LN" and c not in FILLERS]
    return len(seen) >= 2 and "C" not in kinds


def reason_length(reason: str) -> int:
    """Code points or UTF-16 units, the larger: which of them Square counts is not documented."""
    return max(len(reason), len(reason.encode("utf-16-le", "surrogatepass")) // 2)


def check_points(points: int) -> int:
    """Return `points`, or raise ParameterError: a whole number of 32 bits, and not 0."""
    if isinstance(points, bool) or not isinstance(points, int):
        raise ParameterError(f"points must be a whole number, found {mask_repr(points)}")
    if points == 0 or abs(points) > LARGEST_POINTS:
        raise ParameterError(
            f"points must be {-LARGEST_POINTS} to {LARGEST_POINTS} and not 0, "
            f"found {mask_repr(points, phone=True)}",
            f"{-LARGEST_POINTS} to {LARGEST_POINTS}: Square keeps points in 32 bits"
            if points
            else "any whole number but 0: leave out a row that changes nothing",
        )
    return points


def check_id(value: str, name: str) -> str:
    """Return `value`, or raise ParameterError: it becomes part of a path, so it is kept plain."""
    if not isinstance(value, str) or not ID_PATTERN.fullmatch(value):
        letters = "an id of Square: 1 to 36 of A-Z, a-z, 0-9, '_' and '-'"
        raise ParameterError(f"{name} {mask_repr(value)} cannot be {letters}", letters)
    check_no_token(value, name)
    if NUMBER_AS_ID.fullmatch(value):
        raise refusal(name, value, "an id of Square: this one looks like a phone number")
    return value


def check_path(method: str, path: str) -> str:
    """Return `path`, or raise ParameterError: below /v2/, with a query for GET only."""
    below, mark, query = path.partition("?")
    if not (method == "GET" or (method == "POST" and not mark)):
        raise ParameterError(f"{mask_repr(method)}: only GET, and POST without a query, are sent")
    if not PATH.fullmatch(below) or not QUERY.fullmatch(query):
        raise ParameterError(f"{mask_repr(path)} is no plain path below /v2/")
    return path


def check_list(values: Sequence[str], name: str) -> list[str]:
    """Return `values` as a list, or raise ParameterError: a text alone would be its letters."""
    if isinstance(values, str) or not all(isinstance(value, str) for value in values):
        raise ParameterError(f"{name} must be a list of texts, for example ['...']")
    return list(values)


def check_one_given(**given: str) -> None:
    """Raise ParameterError unless exactly one of the values is given."""
    names = [name for name, value in given.items() if value]
    if len(names) != 1:
        raise ParameterError(
            f"fill in exactly one of {', '.join(given)}, and leave the others empty; "
            f"found {' and '.join(names) or 'none'}"
        )


def event_types(text: str) -> list[str]:
    """`"ADJUST_POINTS, OTHER"` as a list; raises ParameterError for a name that is no type."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in LoyaltyEvent.DETAILS]
    if unknown:
        raise ParameterError(
            f"event_types: {', '.join(unknown)} is none of {', '.join(LoyaltyEvent.DETAILS)}"
        )
    return names


def start_of_day(text: str, name: str) -> datetime | None:
    """Midnight UTC of `YYYY-MM-DD`; None for an empty text."""
    if not text:
        return None
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError(text)
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise ParameterError(f"{name} {text!r} is not a date like '2026-01-31'") from None


def check_page_size(size: int, most: int) -> int:
    """Return `size`, or raise ParameterError."""
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= most:
        raise ParameterError(f"page_size must be 1 to {most}, found {mask_repr(size)}")
    return size


def rfc3339(moment: datetime, name: str) -> str:
    """The moment as Square takes it: UTC, whole seconds, `Z`. It must be aware."""
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise ParameterError(
            f"{name} must be a datetime with a time zone, for example datetime(..., tzinfo=UTC)"
        )
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def next_second(moment: datetime) -> datetime:
    """The first whole second at or after `moment`: events have no finer time."""
    begun = getattr(moment, "microsecond", 0) > 0 and moment.year < MAXYEAR
    return moment.replace(microsecond=0) + timedelta(seconds=1) if begun else moment
