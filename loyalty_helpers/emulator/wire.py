"""What goes over the wire: JSON, answers, and Square's error envelope with its codes.

https://developer.squareup.com/docs/build-basics/general-considerations/handling-errors
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

Answer = dict[str, Any]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# Coders are made once: each costs as much as its work.
compact_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
canonical_json: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":")
).encode
"""Equal data, equal text."""
read_json: Final = json.JSONDecoder(parse_constant=_refuse_constant).decode

_STATUS_LINES: Final = {each.value: f"{each.value} {each.phrase}" for each in HTTPStatus}


def without_absent(record: dict[str, Any]) -> dict[str, Any]:
    """Return the record as Square writes it: what is absent is not null but not there."""
    return {name: value for name, value in record.items() if value is not None}


def respond(
    start_response: StartResponse,
    status: int,
    headers: dict[str, str],
    body: bytes,
    content_type: str = "application/json",
) -> list[bytes]:
    """Give an answer to the server, as WSGI asks for it."""
    told = {"Content-Type": content_type, "Content-Length": str(len(body))}
    start_response(_STATUS_LINES[status], list({**headers, **told}.items()))
    return [body]


SQUARE: Final = json.loads(Path(__file__).with_name("square.json").read_text(encoding="utf-8"))
"""What Square publishes: its codes, and the documented fields that are not acted on here."""
CODES: Final[dict[str, tuple[int, str]]] = {
    code: (int(status), category)
    for kind, codes in SQUARE["codes"].items()
    for status, category in [kind.split()]
    for code in codes
}
"""HTTP status and category of each code."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of the envelope; `field` is the dotted path of what was wrong."""

    code: str
    detail: str
    field: str | None = None

    def wire(self) -> dict[str, str]:
        """Return the entry as Square writes it, without absent fields."""
        entry = {"category": CODES[self.code][1], "code": self.code, "detail": self.detail}
        return entry if self.field is None else {**entry, "field": self.field}


class WireError(Exception):
    """A refusal with one or several problems; the first one decides the HTTP status."""

    def __init__(self, *problems: Problem, status: int | None = None) -> None:
        super().__init__("; ".join(f"{each.code}: {each.detail}" for each in problems))
        self.problems = problems
        self.status = status or CODES[problems[0].code][0]
        self.headers: dict[str, str] = {}

    @property
    def is_declined(self) -> bool:
        """Tell whether a request was well-formed and its payment was not taken."""
        return CODES[self.problems[0].code][1] == "PAYMENT_METHOD_ERROR"

    def wire(self) -> Answer:
        """Return the whole envelope."""
        return {"errors": [each.wire() for each in self.problems]}

    @classmethod
    def from_wire(cls, envelope: Answer) -> WireError:
        """Read back an envelope that `wire` made."""
        entries = envelope["errors"]
        return cls(*(Problem(e["code"], e["detail"], e.get("field")) for e in entries))


def refusal(
    code: str, detail: str, field: str | None = None, *, status: int | None = None
) -> WireError:
    """Return the refusal with one problem."""
    return WireError(Problem(code, detail, field), status=status)


def not_found(what: str) -> WireError:
    """Return the answer for a resource that does not exist."""
    return refusal("NOT_FOUND", f"{what} not found.")
