"""Reads request bodies: every value is checked, and all that is wrong is told at once.

What a body may be is data, in bodies.json. `name!` is a field that must be there, {} an object,
`*` any name in it, [shape, most] an array that is not empty, [shape, "*"] one that may be, and a
text one value: `text` of so many characters at most, or `free-text` that may be empty; `integer`
with its bounds; `boolean`, `time`; one of the words `A|B`; or what has that name further down.
`= value` stands for an absent one.

What is passed over would make an answer that is wrong and looks right: documented fields that are
not acted on are refused, but for the values that are: `only` those. Fields that Square calls
read-only are not among them: Square sets those, whatever is sent.
"""

import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from .assumptions import Assumptions
from .clock import parse_rfc3339
from .wire import Problem, WireError, canonical_json, problem, read_json, refusal

INT32_MIN: Final = -(2**31)
INT32_MAX: Final = 2**31 - 1
_TABLES: Final = json.loads(Path(__file__).with_name("bodies.json").read_text(encoding="utf-8"))

Shape = Any
"""What a value may be, as the module's docstring says."""

SHAPES: Final[dict[str, Shape]] = _TABLES["bodies"]
"""The bodies of requests; that of a GET is in its URL."""
WORDS: Final[dict[str, list[str]]] = _TABLES["words"]
"""Enumerations that are too long to stand in a shape."""

_EXPECTED: Final[dict[type, tuple[str, str]]] = {
    str: ("EXPECTED_STRING", "Expected a string value."),
    int: ("EXPECTED_INTEGER", "Expected an integer value."),
    bool: ("EXPECTED_BOOLEAN", "Expected a boolean value."),
    dict: ("EXPECTED_OBJECT", "Expected an object value."),
    list: ("EXPECTED_ARRAY", "Expected an array."),
}
_STAND_INS: Final = {"integer": 0, "boolean": False, "time": None}
# Of a request without a body: parameters in its URL are passed over, as Square does.
_ANYTHING: Final = {"*": "ignored"}


class _MisfitError(Exception):
    """A value does not fit its shape: a code of Square's, and what is wrong."""


class _Rule(NamedTuple):
    kind: str
    bounds: tuple[Any, ...]
    default: Any


@cache
def _rule(text: str) -> _Rule:
    """Read what is said of a plain value."""
    told, has_default, default = text.partition(" = ")
    kind, *bounds = told.split()
    value = json.loads(default) if has_default and kind in ("integer", "boolean") else default
    read = str if kind == "only" else int
    return _Rule(kind, tuple(map(read, bounds)), value if has_default else None)


class Sent(dict[str, Any]):
    """An object of a body: each field that it may have, None for one that is absent.

    A value that is wrong was reported, and a harmless one stands in for it, so that reading
    goes on and all problems are found.
    """

    def __init__(self, path: str, problems: list[Problem]) -> None:
        super().__init__()
        self._path, self._problems = path, problems

    def report(self, name: str, code: str, detail: str) -> None:
        """Note that the field `name` of this object is wrong."""
        self._problems.append(problem(code, detail, self._path + name))

    def required(self, name: str) -> None:
        """Note that the field is missing, if it is."""
        if self[name] is None:
            self.report(name, *_MISSING)

    def finish(self) -> None:
        """Raise all that is wrong with the whole body; fields that are not known come last."""
        if self._problems:
            unknown = "UNKNOWN_BODY_PARAMETER"
            raise WireError(*sorted(self._problems, key=lambda each: each["code"] == unknown))

    def period(self, name: str) -> tuple[datetime | None, datetime | None]:
        """Return a range of time: its start is inside it, its end is not; either may be absent."""
        period = self[name] or {}
        start, end = period.get("start_at"), period.get("end_at")
        if start and end and start > end:
            self.report(name, "INVALID_TIME_RANGE", "start_at must not be later than end_at.")
        return start, end


_MISSING: Final = "MISSING_REQUIRED_PARAMETER", "Field must be set"


class _Reading:
    """Reads a body, and finds what is wrong with it."""

    def __init__(self, assumptions: Assumptions) -> None:
        self._assumptions = assumptions
        self.problems: list[Problem] = []

    def object(self, path: str, shape: Shape, data: dict[str, Any]) -> Sent:
        """Read an object, all fields of which have `path` before their names."""
        sent = Sent(path, self.problems)
        fields = [(field.rstrip("!"), field.endswith("!"), each) for field, each in shape.items()]
        if "*" in shape:
            fields = [(name, False, shape["*"]) for name in data]
        for name, is_required, each in fields:
            value = sent[name] = None if each == "ignored" else data.get(name)
            if value is not None:
                sent[name] = self._value(path + name, each, value)
            elif is_required:
                sent.required(name)
                sent[name] = self._stand_in(each)
            elif isinstance(each, str):
                sent[name] = _rule(each).default
        if self._assumptions.unread_fields_refused:
            for name in data.keys() - {name for name, _, _ in fields}:
                sent.report(name, "UNKNOWN_BODY_PARAMETER", "The field is not known.")
        return sent

    def _value(self, place: str, shape: Shape, value: Any) -> Any:
        """Return a value, or what stands in for a wrong one."""
        try:
            match _named(shape):
                case dict() as fields:
                    return self.object(f"{place}.", fields, _typed(value, dict))
                case [item, *most]:
                    items = enumerate(self._array(value, most))
                    return [self._value(f"{place}[{i}]", item, each) for i, each in items]
            return self._plain(_rule(shape), value)
        except _MisfitError as misfit:
            code, detail = misfit.args
            # What is not acted on comes first: what else is wrong may follow from it.
            at = 0 if str(shape).startswith("only") else len(self.problems)
            self.problems.insert(at, problem(code, detail, place))
            return self._stand_in(shape)

    def _stand_in(self, shape: Shape) -> Any:
        match _named(shape):
            case dict() as fields:
                # What is not there has no fields that could be missed as well.
                return _Reading(self._assumptions).object("", fields, {})
            case list():
                return []
        return _STAND_INS.get(_rule(shape).kind, "")

    def _array(self, value: Any, most: list[Any]) -> list[Any]:
        if most == ["*"]:
            return list(_typed(value, list))
        if not _typed(value, list):
            raise _MisfitError("ARRAY_EMPTY", "The array must not be empty.")
        if most and len(value) > most[0]:
            code = self._assumptions.array_too_long_code
            raise _MisfitError(code, f"The array must not hold more than {most[0]} values.")
        return list(value)

    def _plain(self, rule: _Rule, value: Any) -> Any:
        if rule.kind == "only" and str(value) not in rule.bounds:
            beside = f" beside {' and '.join(rule.bounds)}" if rule.bounds else ""
            detail = f"The emulator does not act on this field{beside}. Leave it out."
            raise _MisfitError("INVALID_VALUE", detail)
        if rule.kind == "only":
            return value
        if rule.kind == "boolean":
            return _typed(value, bool)
        if rule.kind == "integer":
            bounds = rule.bounds + (INT32_MIN, INT32_MAX)[len(rule.bounds) :]
            if not bounds[0] <= _typed(value, int) <= bounds[1]:
                raise _MisfitError(*out_of_range(self._assumptions, value, *bounds))
            return value
        if not _typed(value, str) and rule.kind == "free-text":
            return rule.default
        return _text(rule, value)


def _named(shape: Shape) -> Shape:
    return _TABLES["shapes"].get(shape, shape) if isinstance(shape, str) else shape


def _typed(value: Any, kind: type) -> Any:
    """Return a value of a type of JSON; true and 12.0 are no integers."""
    if type(value) is not kind:
        raise _MisfitError(*_EXPECTED[kind])
    return value


def _text(rule: _Rule, text: str) -> str | datetime:
    if not text:
        raise _MisfitError("VALUE_EMPTY", "Field must not be blank")
    if rule.bounds and len(text) > rule.bounds[0]:
        detail = f"Field must not be greater than {rule.bounds[0]} length"
        raise _MisfitError("VALUE_TOO_LONG", detail)
    words = WORDS.get(rule.kind, rule.kind.split("|"))
    if len(words) > 1 and text not in words:
        raise _MisfitError("INVALID_ENUM_VALUE", f"Expected one of {', '.join(words)}.")
    pattern, *otherwise = _TABLES["patterns"].get(rule.kind, [".*"])
    if otherwise and not re.fullmatch(pattern, text):
        raise _MisfitError(*otherwise)
    try:
        return parse_rfc3339(text) if rule.kind == "time" else text
    except ValueError as error:
        raise _MisfitError("INVALID_TIME", f"Expected an RFC 3339 time: {error}.") from None


def out_of_range(
    assumptions: Assumptions, value: int, lowest: int, highest: int
) -> tuple[str, str]:
    """Return code and detail for an integer below `lowest` or above `highest`."""
    is_int32 = INT32_MIN <= value <= INT32_MAX
    if not is_int32 and not assumptions.int32_overflow_is_out_of_range:
        return _EXPECTED[int]
    if value < lowest:
        return "VALUE_TOO_LOW", f"The value must be {lowest} or more."
    return "VALUE_TOO_HIGH", f"The value must be {highest} or less."


def read_body(
    raw: bytes, assumptions: Assumptions, operation: str
) -> tuple[Sent, dict[str, Any], str]:
    """Decode a body: its fields, its data, and its one form for comparing and digesting.

    Raises WireError EXPECTED_JSON_BODY unless it is proper JSON in UTF-8.
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
        raise refusal(*_EXPECTED[dict])
    shape = SHAPES.get(operation, _ANYTHING)
    return _Reading(assumptions).object("", shape, data), data, canonical
