"""Checks of what a caller gives, each with an error that says what is allowed."""

import re
from collections.abc import Sequence
from datetime import MAXYEAR, UTC, datetime, timedelta

from loyalty_helpers.errors import ParameterError
from loyalty_helpers.redaction import mask_repr

E164 = re.compile(r"\+[1-9][0-9]{7,14}")
# No dots and no escapes: nothing that a URL parser turns into another path.
PATH = re.compile(r"/v2(?:/[A-Za-z0-9_-]+)+")
QUERY = re.compile(r"[A-Za-z0-9_=&.,:%+~-]*")
ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,36}")
LARGEST_POINTS = 2**31 - 1  # of 32 bits; as many may be taken away, so that both can be undone
REASON_LENGTH = 3500


def check_phone_number(number: str) -> str:
    """Return `number`, or raise ParameterError; the text shows its last four digits only."""
    import phonenumbers  # 20 ms, needed only where a number is given

    if isinstance(number, str) and E164.fullmatch(number):
        try:
            if phonenumbers.is_possible_number(phonenumbers.parse(number)):
                return number
        except phonenumbers.NumberParseException:
            pass  # an unknown country code: told below
    raise ParameterError(
        f"phone_number {_hint(number)} is not in E.164 format: a plus, the country code and the "
        "number, digits only"
    )


def _hint(number: object) -> str:
    """What was given, with every digit but the last four hidden."""
    text = str(number)
    hidden = re.sub(r"\d(?=(?:\D*\d){4})", "*", text)
    return repr(hidden if len(hidden) <= 40 else hidden[:40] + "...")


def check_reason(reason: str) -> str:
    """Return `reason`, or raise ParameterError when Square would not take it."""
    if not isinstance(reason, str):
        raise ParameterError(f"reason must be a text, found {type(reason).__name__}")
    length = reason_length(reason)
    if length > REASON_LENGTH:
        raise ParameterError(f"reason has {length} characters; Square takes up to {REASON_LENGTH}")
    if "\0" in reason or any("\ud800" <= c <= "\udfff" for c in reason):
        raise ParameterError("reason holds a NUL or a lone surrogate, which is no valid text")
    return reason


def reason_length(reason: str) -> int:
    """Code points or UTF-16 units, the larger: which of them Square counts is not documented."""
    return max(len(reason), len(reason.encode("utf-16-le", "surrogatepass")) // 2)


def check_points(points: int) -> int:
    """Return `points`, or raise ParameterError: a whole number of 32 bits, and not 0."""
    if isinstance(points, bool) or not isinstance(points, int):
        raise ParameterError(f"points must be a whole number, found {mask_repr(points)}")
    if points == 0 or abs(points) > LARGEST_POINTS:
        raise ParameterError(
            f"points must be {-LARGEST_POINTS} to {LARGEST_POINTS} and not 0, found {points}"
        )
    return points


def check_id(value: str, name: str) -> str:
    """Return `value`, or raise ParameterError: it becomes part of a path, so it is kept plain."""
    if not isinstance(value, str) or not ID_PATTERN.fullmatch(value):
        raise ParameterError(
            f"{name} {mask_repr(value)} cannot be an id of Square: 1 to 36 of A-Z, a-z, 0-9, '_' "
            "and '-'"
        )
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
