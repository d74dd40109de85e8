"""Masks what must not be seen: phone numbers to their last four digits, tokens altogether.

Values that never enter a text need no mask; this is what stands between a phone number that
has to be there (a request's body, an answer) and everything that people or files see.
"""

import re
from collections.abc import Iterable
from typing import Any

HIDDEN = "[token]"
SHOWN_LENGTH = 60
MOST_DIGITS = 7  # as many are no phone number
EXAMPLE = "such as +14155551234"  # in these words our own texts show a number, which stays readable
_SPACES = r" \u00a0\u2000-\u200b\u202f\u2060\u3000"
_GAP = rf"[{_SPACES}()\u00ad\u2010-\u2015\u2212-]"  # between the digits of a phone number
_PHONE_IN_TEXT = re.compile(
    # with a country code
    rf"[+\uff0b]\d(?:(?:{_GAP}|\.){{0,3}}\d){{7,14}}(?!\d)"
    # as in North America; in an id there are letters or hyphens around it
    rf"|(?<![\w.-])(?:1(?:{_GAP}|\.))?\(?[2-9]\d\d"
    rf"(?:\.[2-9]\d\d\.|{_GAP}{{1,2}}[2-9]\d\d{_GAP})\d{{4}}(?![\w-])"
    # with a zero before it, as elsewhere; that of a day of eight digits is none
    rf"|(?<![\w.:/-])(?!\d\d?[{_SPACES}./-]\d\d?[{_SPACES}./-]\d{{4}}(?!\d))"
    rf"\(?00?[1-9]\d{{0,3}}(?:{_GAP}{{1,2}}|[./])\d(?:(?:{_GAP}|\.)?\d){{5,11}}(?![\w:-])"
)
_TOKEN_IN_TEXT = re.compile(r"\b(?:EAAA|sq0[a-z]{3}-)[\w-]{8,}")
_TEST_NUMBER = re.compile(r"\+?1[2-9]\d\d555\d{4}", re.ASCII)


def mask_phone(number: str) -> str:
    """`+14155551234` -> `***1234`. Four digits or fewer are masked whole."""
    digits = re.sub(r"\D", "", number)
    return "***" + (digits[-4:] if len(digits) > 4 else "")


def is_test_number(number: str) -> bool:
    """Whether it is one of the made-up 555 numbers that Square's docs keep for tests."""
    return re.fullmatch(_TEST_NUMBER, number) is not None


def mask_text(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without phone numbers, without tokens, and without the given secrets.

    A phone number is known by its plus, or by its groups of digits: ten digits in a row may be
    anything.
    """
    for secret in filter(None, secrets):
        text = text.replace(secret, HIDDEN)
    return _TOKEN_IN_TEXT.sub(HIDDEN, _PHONE_IN_TEXT.sub(_masked, text))


def _masked(found: re.Match[str]) -> str:
    return found[0] if found.string.endswith(EXAMPLE, 0, found.end()) else mask_phone(found[0])


def mask_digits(text: str) -> str:
    """The text with its last four digits, where more than seven may be a phone number."""
    if len(re.findall(r"\d", text)) <= MOST_DIGITS:
        return text
    return re.sub(r"\d(?=(?:\D*\d){4})", "*", text)


def mask_repr(value: object, *, phone: bool = False) -> str:
    """A refused value as an error may show it: masked, then escaped, and not endless.

    Args:
        value: what was given.
        phone: it may be a phone number, however it is written.
    """
    text = mask_text(value if isinstance(value, str) else repr(value))
    text = mask_digits(text) if phone else text
    text = repr(text) if isinstance(value, str) else text
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}..."


def mask_body(value: Any, *, keep_test_numbers: bool = False) -> Any:
    """A copy of a JSON value with every `phone_number`, and every number inside a text, masked.

    Args:
        value: what json.loads gives.
        keep_test_numbers: leave made-up 555 numbers readable, as recordings do.
    """
    if isinstance(value, dict):
        return {key: _mask_entry(key, item, keep_test_numbers) for key, item in value.items()}
    if isinstance(value, list):
        return [mask_body(item, keep_test_numbers=keep_test_numbers) for item in value]
    if isinstance(value, str) and not (keep_test_numbers and is_test_number(value)):
        return mask_text(value)
    return value


def _mask_entry(key: str, item: Any, keep_test_numbers: bool) -> Any:
    if not (key == "phone_number" and isinstance(item, str)):
        return mask_body(item, keep_test_numbers=keep_test_numbers)
    return item if keep_test_numbers and is_test_number(item) else mask_phone(item)
