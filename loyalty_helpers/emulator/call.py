"""A matched request: what it asks, the transaction that it works in, its key and its page.

https://developer.squareup.com/docs/build-basics/common-api-patterns/idempotency
https://developer.squareup.com/docs/build-basics/common-api-patterns/pagination
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from .assumptions import Assumptions
from .clock import event_id
from .database import Database
from .ledger import Ledger, Position, World
from .validation import Sent
from .wire import Answer, WireError, canonical_json, refusal

Rows = Callable[[Ledger, Position | None, int], Iterable[tuple[Position, Any]]]
"""Gives the rows after a position, so many at most."""


class AnsweredBeforeError(Exception):
    """The request was made before with its key: the answer, which is given again."""


@dataclass(slots=True)
class Call:
    """A request that was matched.

    Attributes:
        ids: those in its path, by their names.
        sent: the fields of its body.
        data: the body as it came.
        canonical: the same for equal bodies.
        version: the Square-Version.
        salt: tells a key of an endpoint from the same one before it was forgotten on purpose.
        found_until: when the latest event that a search finds was written; None finds all.
        shown: what an older version is shown instead of the answer.
    """

    database: Database
    world: World
    ids: dict[str, str]
    sent: Sent
    data: dict[str, Any]
    canonical: str
    version: str
    salt: Callable[[str, str], str]
    found_until: str | None = None
    shown: Callable[[Answer], Answer] | None = None
    _open: ExitStack = field(default_factory=ExitStack)
    _scope: str = ""
    _key: str = ""
    # The transaction, and the digest that the key will be found with.
    _kept: tuple[Ledger, bytes] | None = None

    @property
    def target(self) -> str:
        """The id of what the request is about, or an empty text."""
        return self.ids.get("id", "")

    def reading(self) -> Ledger:
        """Return the ledger, for reading until the request is answered."""
        self.sent.finish()
        return Ledger(self._open.enter_context(self.database.reading()), self.world)

    def writing(self) -> Ledger:
        """Return the ledger inside one write transaction, which ends with the request."""
        self.sent.finish()
        return Ledger(self._open.enter_context(self.database.writing()), self.world)

    def once(self, endpoint: str) -> Ledger:
        """Return the ledger as `writing` does, for the first request with this key alone.

        Raises:
            AnsweredBeforeError: It is the same request again.
            WireError: It is another request with the key.
        """
        key = self.sent["idempotency_key"]
        if key is None:
            return self.writing()
        self._key, self._scope = key, endpoint + self.salt(endpoint, key)
        if self.world.assumptions.keys_are_per_account:
            self._scope += f" {self.target}"
        digest = hashlib.sha256(f"{self.target}\n{self.canonical}".encode()).digest()
        ledger = self.writing()
        if earlier := ledger.answered(self._scope, key):
            if earlier[0] == digest:
                raise AnsweredBeforeError(earlier[1])
            detail = self.world.assumptions.key_reused_detail
            raise refusal("IDEMPOTENCY_KEY_REUSED", detail, "idempotency_key")
        if self.world.assumptions.refused_requests_consume_keys:
            ledger.run("SAVEPOINT attempt")
        self._kept = ledger, digest
        return ledger

    def event_id(self, part: str = "") -> str:
        """Return the id of what the request with this key makes; `part` tells several apart."""
        return event_id(self._scope + part, self._key)

    def answer(self, handle: "Callable[[Call], Answer]") -> Answer:
        """Let an operation answer: all that it wrote is kept, its answer too, or nothing."""
        with self._open:
            try:
                answer = handle(self)
            except AnsweredBeforeError as before:
                (answer,) = before.args
            except WireError as error:
                if not self._keeps(error):
                    raise
                answer = error.envelope
            if self._kept:
                ledger, digest = self._kept
                ledger.keep_answer(self._scope, self._key, digest, answer)
        if "errors" in answer:
            raise WireError(*answer["errors"])
        return self.shown(answer) if self.shown else answer

    def _keeps(self, error: WireError) -> bool:
        """Tell whether a refusal keeps its key; then nothing else is kept."""
        if self._kept and self.world.assumptions.refused_requests_consume_keys:
            self._kept[0].run("ROLLBACK TO attempt")
            return True
        # A declined payment does in any case; it is declined before anything is written.
        return bool(self._kept and error.is_declined)

    def page(self, endpoint: str, name: str, rows: Rows, asked: Any = None) -> Answer:
        """Answer with a page of `rows`; the cursor is bound to `asked`, else to the query."""
        self.sent.finish()
        cursor, limit = self.sent["cursor"], self.sent["limit"]
        query = [endpoint, asked or self.data.get("query")]
        after = _read_cursor(self.world.assumptions, query, cursor) if cursor else None
        # One row more than asked for tells that another page follows.
        found = list(rows(self.reading(), after, limit + 1))
        answer: Answer = {name: [item for _, item in found[:limit]]} if found else {}
        if len(found) > limit:
            last = found[limit - 1][0]
            text = json.dumps([*last, _seal(self.world.assumptions, query, last)])
            answer["cursor"] = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        return answer


def retrieving(kind: str) -> Callable[[Call], Answer]:
    """Return what answers with the record that has the id in the path."""
    return lambda call: {kind: call.reading().the(kind, call.target)}


def _read_cursor(assumptions: Assumptions, query: Any, cursor: str) -> Position:
    """Return where a cursor goes on; raise WireError INVALID_CURSOR unless we made it."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        created_at, seq, seal = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        position = Position(str(created_at), int(seq))
        if seal == _seal(assumptions, query, position):
            return position
    except (ValueError, TypeError, OverflowError, RecursionError):
        pass
    detail = "The cursor is not valid for this query. Send it with the query it came from."
    raise refusal("INVALID_CURSOR", detail, "cursor")


def _seal(assumptions: Assumptions, query: Any, position: Position) -> str:
    bound = query if assumptions.cursor_bound_to_query else None
    text = canonical_json([bound, *position])
    return hashlib.sha256(text.encode()).hexdigest()[:20]
