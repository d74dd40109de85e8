"""Parameters as they are given: on the command line, in a file, or on standard input."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from loyalty_helpers.errors import ParameterError

STANDARD_INPUT = "-"


def given_parameters(typed: Iterable[tuple[str, str]], files: Sequence[str]) -> dict[str, str]:
    """All parameters as text, by name.

    Args:
        typed: names and values of the command line, which every user of the machine can read.
        files: paths of JSON objects, or `-`. A value counts as it would if it had been typed.

    Raises:
        ParameterError: a file cannot be read, or a parameter is given more than once.
    """
    pairs = [*typed, *(pair for name in files for pair in _pairs_of(name))]
    names = [name for name, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ParameterError(f"{', '.join(twice)}: given more than once")
    return dict(pairs)


def _pairs_of(name: str) -> Iterator[tuple[str, str]]:
    place = "standard input" if name == STANDARD_INPUT else str(Path(name).absolute())
    try:
        found = json.loads(
            _text_of(name),
            object_pairs_hook=_Object,
            # Numbers as they are written, so that 1e3 is refused where it is refused when typed.
            parse_int=str,
            parse_float=str,
            parse_constant=str,
        )
    except OSError as error:
        raise ParameterError(f"--parameters: {place} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, _Object):
        raise ParameterError(
            f"--parameters: {place} holds no JSON object; allowed is one object of names and "
            'values, in UTF-8, for example {"points": 12}'
        )
    for parameter, value in found:
        yield parameter, _typed(parameter, value)


class _Object(list[tuple[str, Any]]):
    """The names and values of a JSON object, with those that it has twice."""


def _text_of(name: str) -> str:
    stream = sys.stdin.buffer if name == STANDARD_INPUT else None
    return (stream.read() if stream else Path(name).read_bytes()).decode("utf-8-sig")


def _typed(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        raise ParameterError(
            f"{name}: found no single value; allowed: a text, a number, or true or false"
        )
    return value
