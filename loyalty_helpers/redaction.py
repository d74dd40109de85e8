"""Masks what must not be seen: phone numbers to their last four digits, tokens altogether.

Values that never enter a text need no mask; this is what stands between a phone number that
has to be there (a request's body, an answer) and everything that people or files see.
"""

import re
from collections.abc import Callable, Iterable
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
# Without country code or groups, and so anything else as well: see mask_reason.
_BARE_PHONE = re.compile(
    rf"(?<![\w-])(?<!\d[.,])(?:\d{{10,15}}|(?:1{_GAP})?[2-9]\d\d{_GAP}{{1,2}}[2-9]\d{{6}})(?![\w-]|[.,]\d)"
)
_TOKEN = re.compile(
    # Access and refresh tokens; in lower case it is a piece of a UUID, and 26 capitals and digits
    # are the id of a customer.
    r"(?<![^\W_])(?:E[AQ]AA(?![A-Z0-9]{22}(?![\w-]))"
    r"|(?i:sq0[a-z]{3}-))[\w-]{6,}"
)
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
    return _TOKEN.sub(HIDDEN, _PHONE_IN_TEXT.sub(_masked, text))


def mask_reason(text: str) -> str:
    """What a person wrote about a buyer: here ten digits in a row are a phone number, too."""
    return _BARE_PHONE.sub(_masked, mask_text(text))


def bare_numbers(text: str) -> list[str]:
    """What mask_reason masks and mask_text does not, for texts that repeat a reason."""
    return _BARE_PHONE.findall(mask_text(text))


def holds_token(value: Any) -> bool:
    """Whether a text, or a text at any depth of a JSON value, holds what looks like a token."""
    if isinstance(value, dict):
        return any(map(holds_token, (*value.keys(), *value.values())))
    if isinstance(value, list):
        return any(map(holds_token, value))
    return isinstance(value, str) and _TOKEN.search(value) is not None


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


def mask_body(
    value: Any, *, keep_test_numbers: bool = False, phone: Callable[[str], str] = mask_phone
) -> Any:
    """A copy of a JSON value with every `phone_number`, and every number inside a text, masked.

    A `reason` is masked as what a person wrote: see mask_reason.

    Args:
        value: what json.loads gives.
        keep_test_numbers: leave made-up 555 numbers readable, as recordings do.
        phone: what stands in place of a `phone_number`.
    """

    def masked(item: Any, mask: Callable[[str], str] = mask_text) -> Any:
        if isinstance(item, dict):
            return {key: masked(each, masks.get(key, mask_text)) for key, each in item.items()}
        if isinstance(item, list):
            return [masked(each) for each in item]
        text = str(item) if mask is phone and isinstance(item, int) else item
        kept = not isinstance(text, str) or (keep_test_numbers and is_test_number(text))
        return item if kept else mask(text)

    masks = {"phone_number": phone, "reason": mask_reason}
    return masked(value)
