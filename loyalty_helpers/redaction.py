"""Masks what must not be seen: phone numbers to their last four digits, tokens altogether.

Values that never enter a text need no mask; this is what stands between a phone number that
has to be there (a request's body, an answer) and everything that people or files see.
"""

import re
from collections.abc import Iterable
from typing import Any

HIDDEN = "[token]"
SHOWN_LENGTH = 60
_PHONE_IN_TEXT = re.compile(r"\+\d(?:[ ().-]{0,2}\d){7,14}(?!\d)")
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
    """The text without phone numbers in E.164, without tokens, and without the given secrets."""
    for secret in filter(None, secrets):
        text = text.replace(secret, HIDDEN)
    return _TOKEN_IN_TEXT.sub(HIDDEN, _PHONE_IN_TEXT.sub(lambda m: mask_phone(m[0]), text))


def mask_repr(value: object) -> str:
    """A refused value as an error may show it: masked, and not endless."""
    text = mask_text(repr(value))
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
