"""What makes a row of a run recognisable: its idempotency key, and its marker in the ledger.

Both are made of the intent and never of the body: a key derived from points or reason would be a
new key as soon as one of them is corrected, and a random one at every try; either credits twice.
Square has no search by key, so the marker in `reason` is what can be looked for afterwards.
"""

import base64
import hashlib
from dataclasses import dataclass

from loyalty_helpers.api import MARKER

MARKER_ROOM = len(" [lr1:]") + 16  # characters of `reason` that the marker takes


@dataclass(frozen=True)
class Identity:
    """The key and the marker of one row.

    Attributes:
        key: the idempotency key, 44 of the 128 characters that Square allows.
        marker: 16 characters of base32; no personal data is in it.
    """

    key: str
    marker: str

    def marked(self, reason: str) -> str:
        """The reason as it is sent: the marker stands behind what people read."""
        return f"{reason} [lr1:{self.marker}]"


def identity_of(
    environment: str, merchant_id: str, run_id: str, row_id: str, undoes: str = ""
) -> Identity:
    """The identity of a row: that of the event which it undoes, or of its place in the run."""
    if undoes:
        return undo_identity(environment, merchant_id, undoes)
    return _identity("adjust", environment, merchant_id, run_id, row_id)


def undo_identity(environment: str, merchant_id: str, event_id: str) -> Identity:
    """The identity of what undoes one event.

    It does not know the run that undoes, so that two of them cannot undo the same event twice.
    """
    return _identity("undo", environment, merchant_id, event_id)


def marker_in(reason: str) -> str:
    """The marker that a reason carries, or an empty text."""
    found = MARKER.search(reason)
    return found[1] if found else ""


def _identity(*intent: str) -> Identity:
    digest = hashlib.sha256("|".join(intent).encode())
    marker = base64.b32encode(digest.digest()[-10:]).decode().lower()
    return Identity(f"lr1-{digest.hexdigest()[:40]}", marker)
