"""Who is in the seed world: buyers that lessons and tests can rely on, and others around them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Final, NamedTuple
from uuid import UUID

PROGRAM_ID: Final = "93afe66e-3a14-4be6-8d50-02755example"
LOCATIONS: Final = ("L88917AVBK2S5", "LQ7T3Z0XN4M1C")

PHONE_RICH: Final = "+14155550101"
"""49 events of all types: more than a page holds."""
PHONE_NEGATIVE: Final = "+14155550102"
"""A refund has left the balance below zero."""
PHONE_HTML: Final = "+14155550103"
"""The reason of one adjustment is HTML, which a page must not run."""
PHONE_TWIN: Final = "+14155550142"
"""Masked to its last four digits it looks like PHONE_OTHER_TWIN."""
PHONE_OTHER_TWIN: Final = "+12125550142"
"""Masked to its last four digits it looks like PHONE_TWIN."""
PHONES_SHARED_CUSTOMER: Final = ("+14155550160", "+14155550161")
"""Two accounts of one customer: CUSTOMER_SHARED."""

_AREA_CODES: Final = ("206", "212", "303", "312", "404", "512", "602", "617", "702", "713", "808")
_ORDINARY_BUYERS: Final = 36


class Buyer(NamedTuple):
    """A made-up buyer; `number` is what the history is made from."""

    number: int
    phone_number: str | None
    customer_id: str


def made_uuid(name: str) -> str:
    """Return a UUID of version 4's shape that is the same for the same name."""
    return str(UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4))


def made_code(name: str) -> str:
    """Return a code of 26 capital letters and digits that is the same for the same name."""
    return base64.b32encode(hashlib.sha256(name.encode()).digest()).decode()[:26]


CUSTOMER_WITHOUT_PHONE: Final = made_code("customer without phone")
"""The buyer is enrolled, but no phone number finds the account: only this customer id does."""
CUSTOMER_SHARED: Final = made_code("customer shared")
"""Two accounts have this customer id."""


def buyers() -> Iterator[Buyer]:
    """Yield the buyers in the order in which they enrolled."""
    alone = (PHONE_RICH, PHONE_NEGATIVE, PHONE_HTML, PHONE_TWIN, PHONE_OTHER_TWIN)
    known: list[tuple[str | None, str]] = [(phone, made_code(phone)) for phone in alone]
    known += [(phone, CUSTOMER_SHARED) for phone in PHONES_SHARED_CUSTOMER]
    known.append((None, CUSTOMER_WITHOUT_PHONE))
    for i in range(_ORDINARY_BUYERS):
        phone = f"+1{_AREA_CODES[i % len(_AREA_CODES)]}555{1000 + i * 217:04d}"
        known.append((phone, made_code(phone)))
    for number, (phone_number, customer_id) in enumerate(known):
        yield Buyer(number, phone_number, customer_id)
