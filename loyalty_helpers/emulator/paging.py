"""Cursors: opaque, safe in a URL, and good only for the query they came from.

https://developer.squareup.com/docs/build-basics/common-api-patterns/pagination
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from .assumptions import Assumptions
from .ledger import Position
from .wire_errors import WireError, refusal
from .wire_json import canonical_json


def make_cursor(assumptions: Assumptions, query: Any, position: Position) -> str:
    """Return the cursor that goes on after `position`."""
    seal = _seal(assumptions, query, position)
    text = json.dumps([position.created_at, position.seq, seal])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(assumptions: Assumptions, query: Any, cursor: str) -> Position:
    """Return where a cursor goes on; raise WireError INVALID_CURSOR unless we made it."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        created_at, seq, seal = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        position = Position(str(created_at), int(seq))
        is_ours = seal == _seal(assumptions, query, position)
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise _invalid() from None
    if not is_ours:
        raise _invalid()
    return position


def _seal(assumptions: Assumptions, query: Any, position: Position) -> str:
    bound = query if assumptions.cursor_bound_to_query else None
    text = canonical_json([bound, *position])
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _invalid() -> WireError:
    detail = "The cursor is not valid for this query. Send it with the query it came from."
    return refusal("INVALID_CURSOR", detail, "cursor")
