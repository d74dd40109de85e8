"""What goes back over the wire: a status, headers and a body."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .wire_json import compact_json

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

DRIPS: Final = 10
"""In how many pieces a body drips."""
_STATUS_LINES: Final = {each.value: f"{each.value} {each.phrase}" for each in HTTPStatus}


class Reply(NamedTuple):
    """An answer; the length in its headers is the one it was made with."""

    status: int
    headers: dict[str, str]
    body: bytes
    pause: Callable[[], object] | None = None
    """Waits between the pieces of a body that drips."""

    def send(self, start_response: StartResponse) -> Iterable[bytes]:
        """Give it to the server, as WSGI asks for it."""
        start_response(_STATUS_LINES[self.status], list(self.headers.items()))
        return [self.body] if self.pause is None else self._dripping(self.pause)

    def _dripping(self, pause: Callable[[], object]) -> Iterator[bytes]:
        size = -(-len(self.body) // DRIPS) or 1
        for start in range(0, len(self.body), size):
            pause()
            yield self.body[start : start + size]


def make_reply(
    status: int, headers: dict[str, str], body: bytes, content_type: str = "application/json"
) -> Reply:
    """Return a reply whose headers tell what its body is."""
    told = {"Content-Type": content_type, "Content-Length": str(len(body))}
    return Reply(status, {**headers, **told}, body)


def json_reply(status: int, headers: dict[str, str], answer: dict[str, Any]) -> Reply:
    """Return a reply with `answer` as its body."""
    return make_reply(status, headers, compact_json(answer).encode())
