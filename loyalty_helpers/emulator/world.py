"""What a request works on: the file, the clock, the ids and the assumptions, and keys used once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from .assumptions import Assumptions
from .clock import IdSource, rfc3339
from .database import Database
from .ledger import Ledger
from .wire_errors import WireError, refusal

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class World:
    """Everything that is injected, in one place."""

    database: Database
    clock: Callable[[], datetime]
    ids: IdSource
    assumptions: Assumptions
    # Tells a key of an endpoint from the same one before it was forgotten on purpose.
    salt: Callable[[str, str], str] = lambda endpoint, key: ""

    def now(self) -> str:
        """Return the time as it is written in records."""
        return rfc3339(self.clock())


class KeyedRequest(NamedTuple):
    """A writing request: the same key and content have one effect and one answer.

    https://developer.squareup.com/docs/build-basics/common-api-patterns/idempotency
    """

    endpoint: str
    key: str
    target: str
    canonical: str
    salt: str = ""

    def digest(self) -> bytes:
        """Return what tells this request from another one with the same key."""
        return hashlib.sha256(f"{self.target}\n{self.canonical}".encode()).digest()

    def scope(self, assumptions: Assumptions) -> str:
        """Return within what the key is unique."""
        endpoint = self.endpoint + self.salt
        return f"{endpoint} {self.target}" if assumptions.keys_are_per_account else endpoint


def once(world: World, request: KeyedRequest, work: Callable[[Ledger], Answer]) -> Answer:
    """Do `work` in one transaction with the record of its key, or give its first answer again.

    A refusal leaves nothing behind but, if so assumed, its key.
    """
    scope = request.scope(world.assumptions)
    digest = request.digest()
    with world.database.writing() as connection:
        ledger = Ledger(connection)
        earlier = ledger.answered(scope, request.key)
        if earlier is None:
            answer = _attempt(world.assumptions, ledger, work)
            ledger.keep_answer(scope, request.key, digest, answer)
        elif earlier[0] == digest:
            answer = earlier[1]
        else:
            detail = world.assumptions.key_reused_detail
            raise refusal("IDEMPOTENCY_KEY_REUSED", detail, "idempotency_key")
    if "errors" in answer:
        raise WireError.from_wire(answer)
    return answer


def _attempt(assumptions: Assumptions, ledger: Ledger, work: Callable[[Ledger], Answer]) -> Answer:
    try:
        with ledger.undone_by(WireError):
            return work(ledger)
    except WireError as error:
        # A declined payment keeps its key, whatever becomes of other refusals.
        if assumptions.refused_requests_consume_keys or error.is_declined:
            return error.wire()
        raise
