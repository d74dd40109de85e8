"""The rows of a run: their states, why they are in them, and the chains they go out in."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from loyalty_helpers.api import same_words
from loyalty_helpers.records import LoyaltyEvent
from loyalty_helpers.runbooks.plan import Header, Row

RESULTS = "results.csv"  # where people see what came of each row

# PLANNED: not sent. SENT: it may be on its way. UNKNOWN: it was sent, and no answer can be
# trusted. The others are final; REVIEW means that only a person can tell.
STATES = ("PLANNED", "SENT", "UNKNOWN", "APPLIED", "FAILED", "SKIPPED", "REVIEW")
OPEN = ("PLANNED", "SENT", "UNKNOWN")
SET_RIGHT = 1.0  # seconds that a clock may be set back without having to be doubted


class Code(StrEnum):
    """Why a row is in its state; what people read is made of it."""

    NONE = ""
    ANSWERED = "ANSWERED"  # not as an adjustment is: status and code are the detail
    REFUSED = "REFUSED"  # after a try whose answer was lost: FAILED, unless the ledger holds it
    DOUBTFUL = "DOUBTFUL"  # asking again cannot help: only the ledger, or a person, can tell
    NOT_FOUND = "NOT_FOUND"
    AMISS = "AMISS"  # the ledger has it otherwise than it was planned: how, is the detail
    DOUBLED = "DOUBLED"
    REPEATED = "REPEATED"
    MOVED = "MOVED"


TEXTS = {  # what stands before the detail
    Code.NONE: "",
    Code.ANSWERED: "",
    Code.REFUSED: "refused: ",
    Code.DOUBTFUL: "doubtful: ",
    Code.NOT_FOUND: "sent, not answered, and not found in the ledger",
    Code.AMISS: "",
    Code.DOUBLED: "more than once in the ledger: events ",
    Code.REPEATED: "the ledger holds the same points with the same reason already: event ",
    Code.MOVED: "the balance has moved since the plan was made",
}


class Note(NamedTuple):
    """What a reader should know of a row: a code, and what it leaves open."""

    code: Code = Code.NONE
    detail: str = ""

    def __str__(self) -> str:
        return TEXTS[self.code] + self.detail


NOTHING = Note()


@dataclass(frozen=True, slots=True)
class Entry:
    """A row as the journal holds it.

    Attributes:
        n, row_id, account_id, phone, points, reason, undoes: as in the plan.
        key, marker: its identity.
        state: one of STATES.
        attempts: how often it was sent.
        first_sent, last_sent: Unix times in seconds, or None.
        event_id, event_at: the event that it made.
        applied: `now`, or `before` when an earlier run had done it, or `found` when the answer
            was lost and the ledger showed it.
        code, detail: why it is in its state; `note` is the text of both.
    """

    n: int
    row_id: str
    account_id: str
    phone: str
    points: int
    reason: str
    undoes: str
    key: str
    marker: str
    state: str
    attempts: int
    first_sent: float | None
    last_sent: float | None
    event_id: str
    event_at: str
    applied: str
    code: str
    detail: str

    @property
    def note(self) -> str:
        """What a reader should know."""
        return str(Note(Code(self.code), self.detail))

    def is_young(self, now: float, seconds: float) -> bool:
        """Whether the key of a row that was sent may be sent again so long, by the wall clock.

        A clock that went back says nothing of the time that has passed.
        """
        last = self.last_sent or 0.0
        return last - SET_RIGHT <= now < (self.first_sent or 0.0) + seconds


COLUMNS = ", ".join(Entry.__slots__)


def begins(header: Header, row: Row) -> tuple[str, Note]:
    """The state of a row before anything is done, and why.

    A row whose mark the ledger held while planning was sent once, by whomever: the ledger has to
    tell about it. One whose content it held is left out.
    """
    if row.is_sent(allow_repeats=header.allow_repeats):
        return "PLANNED", NOTHING
    return ("UNKNOWN", NOTHING) if row.applied else ("SKIPPED", Note(Code.REPEATED, row.repeats))


def amiss(entry: Entry, event: LoyaltyEvent) -> str:
    """What an event holds other than its row, as one text; empty when they agree."""
    found = []
    if event.loyalty_account_id != entry.account_id:
        found.append(f"it is on account {event.loyalty_account_id}")
    if event.points != entry.points:
        found.append(f"it has {event.points:+d} points")
    if same_words(event.reason) != same_words(entry.reason):
        found.append("it has another reason")
    if entry.event_id and event.id != entry.event_id:
        found.append(f"it is event {event.id}, and not the one that was answered")
    return "; ".join(found)


class Chains:
    """The rows of one pass, read as they are asked for.

    So a plan means the same whatever runs beside it. Of a row that has to wait, only its number is
    kept.

    Args:
        rows: in the order of the plan.
        blocked: accounts whose rows stay planned until the ledger has told about the row before.
        read: gives a row by its number.
    """

    def __init__(
        self, rows: Iterable[Entry], blocked: Iterable[str], read: Callable[[int], Entry]
    ) -> None:
        self._rows, self._blocked, self._read = iter(rows), set(blocked), read
        self._behind: dict[str, deque[int]] = {}  # rows behind the one at work, by account
        self._next: deque[int] = deque()

    def take(self) -> Entry | None:
        """The next row that may go out; None if there is none before another one has ended."""
        if self._next:
            return self._read(self._next.popleft())
        for entry in self._rows:
            if entry.account_id in self._behind:
                self._behind[entry.account_id].append(entry.n)
            elif entry.account_id not in self._blocked:
                self._behind[entry.account_id] = deque()
                return entry
        return None

    def ended(self, account_id: str) -> None:
        """The row at work has ended: the one behind it may go."""
        if behind := self._behind.pop(account_id, None):
            self._next.append(behind.popleft())
            self._behind[account_id] = behind

    def block(self, account_id: str) -> None:
        """The row at work is left to the ledger, and those behind it wait for that."""
        self._blocked.add(account_id)
        self._behind.pop(account_id, None)
