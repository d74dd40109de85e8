"""What the desk knows: one stage, which holds the one that it follows from."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from loyalty_helpers.api import same_words
from loyalty_helpers.errors import ParameterError
from loyalty_helpers.pages.desk_ways import Asked, Proof
from loyalty_helpers.records import LoyaltyAccount, LoyaltyEvent, plain, points_text
from loyalty_helpers.redaction import mask_text

TICKET_LENGTH = 40


@dataclass(frozen=True)
class Search:
    """Nobody is chosen yet; `accounts` are those that fit, if there are several."""

    accounts: tuple[LoyaltyAccount, ...] = ()


@dataclass(frozen=True)
class Buyer:
    """Whom the desk works for, with the newest 30 events of the account, newest first."""

    account: LoyaltyAccount
    events: tuple[LoyaltyEvent, ...] = field(repr=False)

    def undoing(self, event_id: str) -> LoyaltyEvent | None:
        """The event that undoes another one, as far as the newest events tell."""
        words = same_words(undo_reason(event_id))
        return next((event for event in self.events if same_words(event.reason) == words), None)


@dataclass(frozen=True)
class Previewed:
    """What confirming would do, and nothing else.

    Attributes:
        buyer: read for it.
        ticket: as it was typed.
        asked: the adjustment.
        undoes: what it takes back, or None.
        changed: why it is in sight in place of the one that was confirmed; or empty.
    """

    buyer: Buyer
    ticket: str
    asked: Asked
    undoes: "Done | None" = None
    changed: str = field(default="", compare=False)

    @property
    def after(self) -> int:
        """The balance afterwards, if nothing else happens meanwhile."""
        return self.asked.account.balance + self.asked.points

    @property
    def warning(self) -> str:
        """What must not be overlooked: the ledger holds the same already. Empty if it does not."""
        if not self.asked.alike:
            return ""
        held = f"This buyer's history holds {points_text(self.asked.points)} with this reason:"
        again = "Confirm only if they are meant once more. If this ticket made them, nothing is "
        return "\n".join([held, *map(self._told, self.asked.alike), f"{again}added."])

    def _told(self, event_id: str) -> str:
        event = next((event for event in self.buyer.events if event.id == event_id), None)
        undone = self.buyer.undoing(event_id)
        told = f"event {event_id}" + (f" of {in_days(event.created_at)}" if event else "")
        return told + (f", undone by event {undone.id}" if undone else "")


@dataclass(frozen=True)
class Done:
    """What was done: what was confirmed, the buyer read again, and the proof in the ledger."""

    previewed: Previewed
    buyer: Buyer
    proof: Proof

    @property
    def undone_by(self) -> LoyaltyEvent | None:
        """The event that has taken it back since."""
        return self.buyer.undoing(self.proof.event_id)

    @property
    def can_be_undone(self) -> bool:
        """Whether the ledger holds it, nothing has undone it, and it is no undoing itself."""
        proven = self.proof.event_id and not self.proof.problems
        return bool(proven and not self.undone_by and not self.previewed.undoes)


def undo_reason(event_id: str) -> str:
    """The reason of what takes an event back, in the words of the runbook that undoes."""
    return f"Undo of event {event_id}"


def run_id_of(ticket: str, account_id: str) -> str:
    """The run id of a ticket for one buyer: `INC 4711` gives `desk-inc-4711-` and eight digits.

    The digits are made of the account, so that a ticket can be about two buyers. Points and reason
    are not in it: with others, the same ticket is refused, and not applied twice.

    Raises:
        ParameterError: the ticket is empty, too long, or looks like a phone number.
    """
    name = re.sub(r"[^a-z0-9]+", "-", ticket.lower()).strip("-")
    allowed = f"1 to {TICKET_LENGTH} letters A to Z, digits and hyphens, such as 4711 or INC-4711"
    if not 1 <= len(name) <= TICKET_LENGTH:
        raise ParameterError(f"Ticket: found {len(name)} letters and digits. Allowed: {allowed}.")
    if mask_text(ticket) != ticket:
        told = "it looks like a phone number or an access token, and many people see tickets"
        raise ParameterError(f"Ticket: {told}. Allowed: {allowed}.")
    return f"desk-{name}-{sha256(account_id.encode()).hexdigest()[:8]}"


def in_days(time: object) -> str:
    """A time as people write it: `3 Mar 2026, 09:15 UTC`."""
    return f"{time.day} {time:%b %Y, %H:%M} UTC" if isinstance(time, datetime) else plain(time)
