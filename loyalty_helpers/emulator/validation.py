"""Reads request bodies: every value is checked, and all that is wrong is told at once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from .assumptions import Assumptions
from .clock import parse_rfc3339
from .wire import Problem, WireError, canonical_json, read_json, refusal

INT32_MIN: Final = -(2**31)
INT32_MAX: Final = 2**31 - 1
CURRENCY: Final = "USD"
_MOST_CENTS: Final = 10**12
_INDEX: Final = re.compile(r"\[\d+\]")


Unsupported = dict[str, dict[str, list[str]]]
"""By where in a body fields are and by their names: the values that are acted on after all."""


@dataclass(slots=True)
class _Findings:
    assumptions: Assumptions
    unsupported: Unsupported = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)


class Reader:
    """Reads one object of a body, field by field.

    A value that is wrong is reported and a harmless stand-in returned, so that reading goes on
    and all problems are found; `finish` raises them. null counts as absent.
    """

    def __init__(self, data: dict[str, Any], findings: _Findings, path: str = "") -> None:
        self._data = data
        self._findings = findings
        self._path = path
        self._read: set[str] = set()
        findings.readers.append(self)

    def report(self, name: str, code: str, detail: str) -> None:
        """Note that the field `name` of this object is wrong."""
        self._findings.problems.append(Problem(code, detail, self._path + name))

    def has(self, name: str) -> bool:
        """Tell whether the field is there and not null."""
        return self._take(name) is not None

    def text(self, name: str, *, longest: int | None = None) -> str | None:
        """Read a string that is not empty, of at most `longest` characters."""
        value = self._take(name)
        return None if value is None else self._string(name, value, longest)

    def required_text(self, name: str, *, longest: int | None = None) -> str:
        """Read a string that must be there."""
        value = self.required(name)
        return "" if value is None else self._string(name, value, longest)

    def free_text(self, name: str, *, longest: int) -> str | None:
        """Read a string that may be empty."""
        return None if self._take(name) == "" else self.text(name, longest=longest)

    def one_of(self, name: str, choices: Iterable[str]) -> str | None:
        """Read one of the words of an enumeration."""
        value = self.text(name)
        if value and value not in choices:
            detail = f"Expected one of {', '.join(choices)}."
            self.report(name, "INVALID_ENUM_VALUE", detail)
        return value

    def integer(self, name: str, lowest: int, highest: int) -> int | None:
        """Read a whole number between `lowest` and `highest`; true and 12.0 are none."""
        value = self._take(name)
        if value is None:
            return None
        if type(value) is not int:
            self.report(name, "EXPECTED_INTEGER", "Expected an integer value.")
        elif not lowest <= value <= highest:
            problem = out_of_range(self._findings.assumptions, value, lowest, highest)
            self.report(name, *problem)
        else:
            return value
        return lowest

    def required_integer(self, name: str, lowest: int, highest: int) -> int:
        """Read a whole number that must be there."""
        self.required(name)
        return self.integer(name, lowest, highest) or 0

    def boolean(self, name: str) -> bool:
        """Read true or false; absent is false."""
        value = self._take(name)
        if value is not None and not isinstance(value, bool):
            self.report(name, "EXPECTED_BOOLEAN", "Expected a boolean value.")
        return value is True

    def time(self, name: str) -> datetime | None:
        """Read an RFC 3339 time with any offset."""
        value = self.text(name)
        try:
            return parse_rfc3339(value) if value else None
        except ValueError as error:
            self.report(name, "INVALID_TIME", f"Expected an RFC 3339 time: {error}.")
            return None

    def time_range(self, name: str) -> tuple[datetime | None, datetime | None]:
        """Read a range of time: its start is inside it, its end is not; either may be missing."""
        period = self.object(name)
        if period is None:
            return None, None
        start, end = period.time("start_at"), period.time("end_at")
        if start and end and start > end:
            detail = "start_at must not be later than end_at."
            self.report(name, "INVALID_TIME_RANGE", detail)
        return start, end

    def cents(self, name: str, lowest: int = 0) -> int | None:
        """Read an amount of money; all locations have one currency."""
        amount = self.object(name)
        if amount is None:
            return None
        value = amount.required_integer("amount", lowest, _MOST_CENTS)
        if amount.required_text("currency") not in ("", CURRENCY):
            amount.report("currency", "INVALID_VALUE", f"The currency is {CURRENCY} here.")
        return value

    def required_cents(self, name: str, lowest: int = 0) -> int:
        """Read an amount of money that must be there."""
        self.required(name)
        return self.cents(name, lowest) or 0

    def object(self, name: str) -> Reader | None:
        """Read an object."""
        value = self._take(name)
        return None if value is None else self._object(name, value)

    def required_object(self, name: str) -> Reader:
        """Read an object that must be there; when it is not, its fields are not missed as well."""
        return self._object(name, self.required(name))

    def texts(self, name: str, *, most: int | None = None) -> list[str] | None:
        """Read an array of strings, neither it nor they empty."""
        items = self._array(name, most)
        if items is None:
            return None
        return [self._string(f"{name}[{i}]", item, None) for i, item in enumerate(items)]

    def texts_by_name(self, name: str) -> dict[str, str] | None:
        """Read an object of strings whose names are the sender's own."""
        found = self.object(name)
        if found is None:
            return None
        return {each: found.free_text(each, longest=255) or "" for each in found._data}

    def words(self, name: str, choices: Iterable[str]) -> list[str]:
        """Read an array, which must be there, of words of an enumeration."""
        self.required(name)
        words = self.texts(name) or []
        for i, word in enumerate(words):
            if word and word not in choices:
                detail = f"Expected one of {', '.join(choices)}."
                self.report(f"{name}[{i}]", "INVALID_ENUM_VALUE", detail)
        return words

    def objects(self, name: str, *, most: int) -> list[Reader] | None:
        """Read an array of objects, which must not be empty."""
        items = self._array(name, most)
        if items is None:
            return None
        return [self._object(f"{name}[{i}]", item) for i, item in enumerate(items)]

    def finish(self) -> None:
        """Raise all that was reported about the whole body, if anything was."""
        for reader in self._findings.readers:
            reader._report_unread()
        if self._findings.problems:
            raise WireError(*self._findings.problems)

    def _report_unread(self) -> None:
        place = _INDEX.sub("", self._path).rstrip(".")
        unsupported = self._findings.unsupported.get(place, {})
        for name, values in unsupported.items():
            value = self._data.get(name)
            if value is not None and str(value) not in values:
                beside = f" beside {' and '.join(values)}" if values else ""
                detail = f"The emulator does not act on this field{beside}. Leave it out."
                problem = Problem("INVALID_VALUE", detail, self._path + name)
                # It comes first: what else is wrong may follow from it.
                self._findings.problems.insert(0, problem)
        if self._findings.assumptions.unread_fields_refused:
            for name in self._data.keys() - self._read - unsupported.keys():
                self.report(name, "UNKNOWN_BODY_PARAMETER", "The field is not known.")

    def _take(self, name: str) -> Any:
        self._read.add(name)
        return self._data.get(name)

    def required(self, name: str) -> Any:
        """Return a field, whatever its kind, or note that it is missing."""
        value = self._take(name)
        if value is None:
            self.report(name, "MISSING_REQUIRED_PARAMETER", "Field must be set")
        return value

    def _string(self, name: str, value: Any, longest: int | None) -> str:
        if not isinstance(value, str):
            self.report(name, "EXPECTED_STRING", "Expected a string value.")
        elif not value:
            self.report(name, "VALUE_EMPTY", "Field must not be blank")
        elif longest is not None and len(value) > longest:
            detail = f"Field must not be greater than {longest} length"
            self.report(name, "VALUE_TOO_LONG", detail)
        else:
            return value
        return ""

    def _object(self, name: str, value: Any) -> Reader:
        if isinstance(value, dict):
            return Reader(value, self._findings, f"{self._path}{name}.")
        if value is not None:
            self.report(name, "EXPECTED_OBJECT", "Expected an object value.")
        return Reader({}, _Findings(self._findings.assumptions))

    def _array(self, name: str, most: int | None) -> list[Any] | None:
        value = self._take(name)
        if value is None:
            return None
        if not isinstance(value, list):
            self.report(name, "EXPECTED_ARRAY", "Expected an array.")
        elif not value:
            self.report(name, "ARRAY_EMPTY", "The array must not be empty.")
        elif most is not None and len(value) > most:
            code = self._findings.assumptions.array_too_long_code
            self.report(name, code, f"The array must not hold more than {most} values.")
        else:
            return value
        return []


def out_of_range(
    assumptions: Assumptions, value: int, lowest: int, highest: int
) -> tuple[str, str]:
    """Return code and detail for an integer below `lowest` or above `highest`."""
    is_int32 = INT32_MIN <= value <= INT32_MAX
    if not is_int32 and not assumptions.int32_overflow_is_out_of_range:
        return "EXPECTED_INTEGER", "Expected an integer value."
    if value < lowest:
        return "VALUE_TOO_LOW", f"The value must be {lowest} or more."
    return "VALUE_TOO_HIGH", f"The value must be {highest} or less."


@dataclass(frozen=True, slots=True)
class Body:
    """A request body: its fields, and its one canonical form for comparing and digesting."""

    fields: Reader
    data: dict[str, Any]
    canonical: str


def read_body(raw: bytes, assumptions: Assumptions, unsupported: Unsupported | None = None) -> Body:
    """Decode a body; raise WireError EXPECTED_JSON_BODY unless it is proper JSON in UTF-8.

    Writing it out again finds what cannot be stored: lone surrogates pass the decoder.
    """
    try:
        data = read_json(raw.decode("utf-8"))
        canonical = canonical_json(data)
        canonical.encode("utf-8")
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        plain = reason.encode("ascii", "backslashreplace").decode("ascii")
        raise refusal("EXPECTED_JSON_BODY", f"Expected a JSON body: {plain}") from None
    if not isinstance(data, dict):
        raise refusal("EXPECTED_OBJECT", "Expected an object value.")
    return Body(Reader(data, _Findings(assumptions, unsupported or {})), data, canonical)
