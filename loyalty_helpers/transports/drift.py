"""Two JSON values compared field by field."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ABSENT = "(absent)"


@dataclass(frozen=True)
class Drift:
    """One field that differs.

    Attributes:
        path: dotted, list places as numbers, for example `events.0.adjust_points.points`.
        expected: the value on the first side, or ABSENT.
        found: the value on the second side, or ABSENT.
    """

    path: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.path}: recorded {self.expected!r}, found {self.found!r}"


def differences(expected: Any, found: Any, path: str = "") -> Iterator[Drift]:
    """Every field in which `found` differs from `expected`, in the order of the fields."""
    if type(expected) is type(found) and isinstance(expected, dict | list):
        yield from _in_parts(_parts(expected), _parts(found), path)
    elif type(expected) is not type(found) or expected != found:
        yield Drift(path or "body", expected, found)


def _parts(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else dict(enumerate(value))


def _in_parts(expected: dict[Any, Any], found: dict[Any, Any], path: str) -> Iterator[Drift]:
    for key in [*expected, *(k for k in found if k not in expected)]:
        below = f"{path}.{key}" if path else str(key)
        yield from differences(expected.get(key, ABSENT), found.get(key, ABSENT), below)
