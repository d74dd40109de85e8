"""Faults on purpose: what can go wrong, and with which requests."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Final

from .wire import CODES

ERROR_CODES: Final = {
    status: code
    for code, (status, _) in CODES.items()
    if status in (408, 409, 429, 500, 502, 503, 504)
}
TOKEN_CODES: Final = {
    "expired-token": "ACCESS_TOKEN_EXPIRED",
    "revoked-token": "ACCESS_TOKEN_REVOKED",
    "read-only": "INSUFFICIENT_SCOPES",
}
_CHOICE: Final = frozenset({"kind", "path", "next_n", "probability"})
# The fields that mean something, beside those that choose requests.
_KINDS: Final[dict[str, set[str]]] = {
    "refuse": set(),
    "drop": {"after_write"},
    "slow": {"after_write", "seconds"},
    "truncate": set(),
    "html": {"after_write"},
    "drip": {"seconds"},
    "error": {"after_write", "status", "retry_after", "retry_at"},
    "rate-limit": {"per_second", "burst", "retry_after", "retry_at"},
    **{kind: set() for kind in TOKEN_CODES},
    "forget-keys": {"seconds"},
    "late-events": {"seconds"},
}
_WHEN: Final = re.compile("-(before|after)$")
_OPTIONS: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "path": ("path", str),
    "next": ("next_n", int),
    "probability": ("probability", float),
    "seconds": ("seconds", float),
    "retry-after": ("retry_after", int),
    "retry-at": ("retry_at", int),
    "rate": ("per_second", float),
    "burst": ("burst", int),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, and with which requests.

    Attributes:
        kind: `refuse` or `drop` the connection; `slow`; `drip`, a body that takes `seconds` to
            come; `truncate` the body; `html` in place of JSON; `error`, Square's envelope with
            `status`; `rate-limit`, 429 beyond `per_second` with `burst`; `forget-keys` that are
            `seconds` old; `late-events`, found by searches only `seconds` after they were
            written; a token that is an `expired-token`, a `revoked-token`, or `read-only`, that
            is without LOYALTY_WRITE.
        path: A regular expression that is found in the path of the requests; empty is all.
        next_n: How many of those requests, from now on; None is all.
        probability: How likely each of them is struck.
        after_write: Whether the request is worked first, so that its answer alone is lost.
        retry_after: The header Retry-After, in seconds; None leaves it out.
        retry_at: The same as an HTTP date, so many seconds from now.
    """

    kind: str
    path: str = ""
    next_n: int | None = None
    probability: float = 1.0
    after_write: bool = False
    status: int = 503
    retry_after: int | None = None
    retry_at: int | None = None
    seconds: float = 0.0
    per_second: float = 0.0
    burst: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be, with a ValueError that says what can."""
        if self.kind not in _KINDS:
            raise ValueError(f"no fault {self.kind!r}: there are {', '.join(_KINDS)}")
        if self.status not in ERROR_CODES:
            raise ValueError(
                f"no error {self.status}: there are {', '.join(map(str, ERROR_CODES))}"
            )
        for each in fields(self):
            given = getattr(self, each.name) != each.default
            if given and each.name not in _CHOICE | _KINDS[self.kind]:
                raise ValueError(f"{self.kind} has no {each.name}")
        self._check_numbers()
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"the path {self.path!r} is no regular expression: {error}") from None

    def _check_numbers(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"a probability is between 0 and 1, not {self.probability}")
        if min(self.burst, 1 if self.next_n is None else self.next_n) < 1:
            raise ValueError("next and burst are at least 1")
        if self.retry_after is not None and self.retry_at is not None:
            raise ValueError("Retry-After is either retry-after or retry-at")
        times = self.seconds, self.retry_after or 0, self.retry_at or 0
        if not all(0 <= number < math.inf for number in times):
            raise ValueError("a time must not be negative or endless")
        if self.kind in ("slow", "drip", "late-events") and not self.seconds:
            raise ValueError(f"{self.kind} needs seconds")
        if self.kind == "rate-limit" and not 0 < self.per_second < math.inf:
            raise ValueError("rate-limit has a rate above 0 per second")

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """Read `drop-after:path=/adjust,next=1`: a kind or a status, `-after` the write or not."""
        head, _, tail = text.partition(":")
        word, when = _WHEN.sub("", head), _WHEN.search(head)
        values: dict[str, Any] = {"after_write": True} if when and when[0] == "-after" else {}
        if word.isdecimal():
            word, values["status"] = "error", int(word)
        if when and "after_write" not in _KINDS.get(word, {"after_write"}):
            raise ValueError(f"{word} has no {when[0]}")
        options = re.split(r",(?=[a-z-]+=)", tail) if tail else ()
        return cls(word, **values, **dict(map(_option, options)))


def _option(text: str) -> tuple[str, Any]:
    """Read `next=1` as a field and its value."""
    name, _, value = text.partition("=")
    if name not in _OPTIONS:
        raise ValueError(f"no option {name!r}: there are {', '.join(_OPTIONS)}")
    field, read = _OPTIONS[name]
    try:
        return field, read(value)
    except ValueError:
        kind = "a whole number" if read is int else "a number"
        raise ValueError(f"{name} is {kind}, not {value!r}") from None
