"""What goes over the wire: JSON, answers, and Square's error envelope with its codes.

https://developer.squareup.com/docs/build-basics/general-considerations/handling-errors
"""

import json
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

Answer = dict[str, Any]
Problem = dict[str, str]
Environ = dict[str, Any]
"""A request, as WSGI tells it."""


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


def without_absent(record: Any) -> Any:
    """Return the record as Square writes it: what is absent is not null but not there."""
    if isinstance(record, list):
        return [without_absent(each) for each in record]
    if not isinstance(record, dict):
        return record
    return {name: without_absent(each) for name, each in record.items() if each is not None}


def respond(
    start_response: "StartResponse",
    status: int,
    headers: dict[str, str],
    body: bytes,
    content_type: str = "application/json",
) -> list[bytes]:
    """Give an answer to the server, as WSGI asks for it."""
    told = {"Content-Type": content_type, "Content-Length": str(len(body))}
    start_response(_STATUS_LINES[status], list({**headers, **told}.items()))
    return [body]


_CODES: Final = json.loads(Path(__file__).with_name("codes.json").read_text(encoding="utf-8"))
CODES: Final[dict[str, tuple[int, str]]] = {
    code: (int(status), category)
    for kind, codes in _CODES.items()
    for status, category in [kind.split()]
    for code in codes
}
"""HTTP status and category of each code."""


def problem(code: str, detail: str, field: str | None = None) -> Problem:
    """Return one entry of the envelope; `field` is the dotted path of what was wrong."""
    entry = {"category": CODES[code][1], "code": code, "detail": detail}
    return entry if field is None else {**entry, "field": field}


class WireError(Exception):
    """A refusal with one or several problems; the first one decides the HTTP status.

    A payment that is declined was well-formed.
    """

    def __init__(self, *problems: Problem, status: int | None = None) -> None:
        super().__init__("; ".join(f"{each['code']}: {each['detail']}" for each in problems))
        self.envelope: Answer = {"errors": list(problems)}
        self.status = status or CODES[problems[0]["code"]][0]
        self.is_declined = problems[0]["category"] == "PAYMENT_METHOD_ERROR"
        self.headers: dict[str, str] = {}


def refusal(
    code: str, detail: str, field: str | None = None, *, status: int | None = None
) -> WireError:
    """Return the refusal with one problem."""
    return WireError(problem(code, detail, field), status=status)


def not_found(what: str) -> WireError:
    """Return the answer for a resource that does not exist."""
    return refusal("NOT_FOUND", f"{what} not found.")
