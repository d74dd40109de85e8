"""One request and its answer as they went over the wire, for people to look at and copy."""

import json
import shlex
from dataclasses import dataclass, field
from html import escape
from typing import Any

from loyalty_helpers.records import Bundle, Shown
from loyalty_helpers.redaction import mask_body
from loyalty_helpers.settings import SQUARE_VERSION

SHOWN_ITEMS = 3
# Long lines break between words; a copied command has no break in it.
_TEXT = (
    "white-space: pre-wrap; word-break: normal; overflow-wrap: anywhere; "
    "font-family: monospace; font-size: 12px; line-height: 1.35"
)
# Side by side where there is room for both, else one below the other.
_BESIDE = "display: inline-block; vertical-align: top; margin-right: 2em; margin-bottom: 8px"


@dataclass(frozen=True)
class Exchange(Shown):
    """A request and its answer. The token is no part of it; shown, phone numbers are masked.

    Attributes:
        method: `GET` or `POST`.
        url: the address without the path, for example `https://connect.squareup.com`.
        path: the path, with the query if there is one.
        body: the JSON body as Python values, or None.
        status: the HTTP status of the answer, or None if none came.
        answer: the answer's JSON as Python values, or None if it is no JSON object.
        attempts: how many times it was sent.
    """

    method: str
    url: str
    path: str
    body: dict[str, Any] | None = field(repr=False)
    status: int | None
    answer: Any = field(repr=False)
    attempts: int = 1

    @property
    def request(self) -> str:
        """Method and path, as errors name them."""
        return f"{self.method} {self.path}"

    @property
    def curl(self) -> str:
        """The request as a shell command; token and phone number come from shell variables."""
        lines = [
            f"curl {shlex.quote(self.url + self.path)}",
            '-H "Authorization: Bearer $SQUARE_ACCESS_TOKEN"',
            f'-H "Square-Version: {SQUARE_VERSION}"',
        ]
        if self.body is not None:
            quoted = _for_shell(self.body)
            lines += ['-H "Content-Type: application/json"', f"-d '{quoted}'"]
        return " \\\n  ".join(lines)

    def _view(self) -> Bundle:
        request = self.request
        sent, received = _json(self.body), _json(self.answer)
        attempts = f" (attempt {self.attempts})" if self.attempts > 1 else ""
        status = f"{self.status or 'no answer'}{attempts}"
        text = "\n".join(filter(None, [request, sent, "", f"-> {status}", received, "", self.curl]))
        columns = [("Request", f"{request}\n{sent}"), (f"Answer: {status}", received)]
        beside = "".join(
            f'<div style="{_BESIDE}"><b>{escape(head)}</b>{_pre(body)}</div>'
            for head, body in columns
        )
        html = (
            f'<div class="mathjax_ignore tex2jax_ignore">{beside}'
            f"<div><b>The same request as a command</b></div>{_pre(self.curl)}</div>"
        )
        return {"text/plain": text, "text/html": html}


def _pre(text: str) -> str:
    return f'<pre style="{_TEXT}">{escape(text)}</pre>'


def _json(value: Any) -> str:
    if value is None:
        return ""
    text = json.dumps(mask_body(_shortened(value)), indent=2, ensure_ascii=False)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def _shortened(value: Any) -> Any:
    """Long lists by their first items; nobody reads the thirtieth event on a page."""
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    left_out = len(value) - SHOWN_ITEMS
    more = [f"... and {left_out} more"] if left_out > 0 else []
    return [_shortened(item) for item in value[:SHOWN_ITEMS]] + more


def _for_shell(body: dict[str, Any]) -> str:
    """The body inside single quotes, each phone number taken from $PHONE_NUMBER instead."""
    marker = "\0phone\0"
    marked = json.dumps(mask_body(body, phone=lambda _: marker))
    return marked.replace("'", "'\\''").replace(json.dumps(marker), '"\'"$PHONE_NUMBER"\'"')
