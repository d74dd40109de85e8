"""What an answer means for a row, and for the run.

Nothing that may have been carried out is ever called failed.

| answer                                   | state    | what then                            |
|------------------------------------------|----------|--------------------------------------|
| the event of this adjustment             | APPLIED  |                                      |
| no connection was made                   | PLANNED  | again, same key                      |
| 429: refused before any work             | PLANNED  | again, same key                      |
| "come back in hours", in any refusal     | as above | stop; resume when it is time         |
| lost, cut off, not Square's, 4xx of time | UNKNOWN  | again, same key; then the ledger     |
| the event of another adjustment          | UNKNOWN  | stop; the ledger                     |
| IDEMPOTENCY_KEY_REUSED                   | UNKNOWN  | stop; the ledger                     |
| 401, 403, a redirect, a bad certificate  | UNKNOWN  | stop; resume when it is mended       |
| any other refusal                        | FAILED   | unless an earlier try is unknown     |

"4xx of time" are 408, 409 and 425; every 5xx is taken in the same way. A row that is PLANNED
again after an earlier try without an answer stays UNKNOWN.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from loyalty_helpers import errors
from loyalty_helpers.records import LoyaltyEvent
from loyalty_helpers.redaction import mask_reason
from loyalty_helpers.runbooks.apply.pace import LONGEST
from loyalty_helpers.runbooks.apply.rows import NOTHING, Code, Note
from loyalty_helpers.runbooks.limits import Limits
from loyalty_helpers.transports import LONG_WAIT, come_back

UNKNOWN_IN_A_ROW = 3  # rows without an answer to trust, none applied in between: the run stops
PATIENCE = 60.0  # seconds without an answer to trust, after which no row is tried again
# What a read that was tried often enough ends with.
UNREAD = (errors.SquareError, errors.NoAnswerError, errors.UnexpectedAnswerError)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one try of one row.

    Attributes:
        state: `APPLIED`, `FAILED`, `UNKNOWN`, or `PLANNED` for a row that was not sent after all.
        event: what Square made.
        again: whether the same request is worth another try; PLANNED is then a try that was
            certainly not carried out: too many requests, or no connection.
        stop: why the whole run stops; empty if it goes on.
        note: status and code of what was answered; no text of Square's.
        limited: whether it was too many requests, which are waited for as long as it takes.
    """

    state: str
    event: LoyaltyEvent | None = None
    again: bool = False
    stop: str = ""
    note: Note = NOTHING
    limited: bool = False


def outcome_of(answer: LoyaltyEvent | errors.LoyaltyError) -> Outcome:
    """Judge one answer to an adjustment that was sent once."""
    if isinstance(answer, LoyaltyEvent):
        return Outcome("APPLIED", event=answer)
    if isinstance(answer, errors.HeldBackError):
        return Outcome("PLANNED")
    stop = _stops(answer)
    if stop:
        doubtful = isinstance(answer, errors.IdempotencyKeyReusedError | errors.AnotherEventError)
        note = Note(Code.DOUBTFUL if doubtful else Code.ANSWERED, _told(answer))
        if isinstance(answer, errors.RateLimitedError):
            return Outcome("PLANNED", stop=stop, note=note)
        return Outcome("UNKNOWN", stop=stop, note=note)
    if isinstance(answer, errors.InvalidRequestError | errors.NotFoundError):
        return Outcome("FAILED", note=Note(Code.ANSWERED, _told(answer)))
    limited = isinstance(answer, errors.RateLimitedError)
    state = "PLANNED" if limited or isinstance(answer, errors.NotSentError) else "UNKNOWN"
    return Outcome(state, again=True, note=Note(Code.ANSWERED, _told(answer)), limited=limited)


def _stops(error: errors.LoyaltyError) -> str:
    """Why nothing more may be sent after this answer, or an empty text."""
    if isinstance(error, errors.AuthenticationError):
        return f"Square refuses the token ({_told(error)})"
    if isinstance(error, errors.IdempotencyKeyReusedError):
        return "the key of a row was used before with another request"
    if isinstance(error, errors.AnotherEventError):
        return "Square answered with the event of another adjustment"
    if isinstance(error, errors.UnexpectedAnswerError) and 300 <= error.status < 400:
        return f"a redirect ({error.status}) was answered, and is never followed"
    if isinstance(error, errors.InsecureConnectionError):
        return "the connection is not secure: the certificate was refused"
    wait = getattr(_cause(error), "retry_after", None) or 0.0
    return come_back(wait) if wait > LONGEST else ""


@contextmanager
def stopped_if_put_off() -> Iterator[None]:
    """A step of a runbook stops when a read is put off for longer than it waits, as a write does.

    Raises:
        RunStoppedError: it says when to come back.
    """
    try:
        yield
    except errors.SquareError as error:
        if (error.retry_after or 0.0) < LONG_WAIT:
            raise
        raise errors.RunStoppedError(
            f"{error}\nNothing is lost: the same command goes on then."
        ) from None


def _cause(error: errors.LoyaltyError) -> BaseException:
    """What Square answered, where that left the outcome unknown."""
    return error.__cause__ if isinstance(error.__cause__, errors.SquareError) else error


def _told(error: errors.LoyaltyError) -> str:
    """Status, code and field, masked: Square's own texts may quote what was sent."""
    cause = _cause(error)
    if isinstance(cause, errors.SquareError):
        field = f", field {cause.field}" if cause.field else ""
        return mask_reason(f"{cause.status} {cause.code or 'without a code'}{field}")
    if isinstance(error, errors.UnexpectedAnswerError):
        return f"{error.status} with an answer that Square does not document"
    return "not sent: no connection" if isinstance(error, errors.NotSentError) else "no answer"


class Trust:
    """What a run may still lose; a pass begins without any trust in the service.

    Args:
        limits: of the run.
        clock: seconds that only grow.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits, self._clock = limits, clock
        self._retries = float(limits.retries)
        self.stop = ""  # why nothing more may be sent, or an empty text
        self.begin(0)

    def begin(self, errors_allowed: int) -> None:
        """A pass begins, in which so many rows may end without success."""
        self._errors_left, self._unknown, self._heard_at = errors_allowed, 0, self._clock()
        self.earned = False  # whether a row was applied

    @property
    def at_once(self) -> int:
        """Rows on their way: before any is applied, no more than it takes to stop the run."""
        most = self._limits.in_flight
        return most if self.earned else min(most, UNKNOWN_IN_A_ROW)

    def end(self, why: str) -> None:
        """Nothing more may be sent; the first reason stays."""
        self.stop = self.stop or why

    def applied(self) -> None:
        """A row was applied: that gives half a try back."""
        self._unknown, self.earned, self._heard_at = 0, True, self._clock()
        self._retries = min(self._retries + 0.5, float(self._limits.retries))

    def refused(self) -> None:
        """A row ended without success."""
        self._heard_at = self._clock()
        self._errors_left -= 1
        if self._errors_left < 0:
            self.end("more rows ended without success than max_errors allows")

    def allows_again(self, attempts: int, outcome: Outcome) -> bool:
        """Whether a row that was tried so often is tried again; if not, the ledger has to tell."""
        if outcome.limited:
            self._heard_at = self._clock()  # it is there, and says so
        patient = self._clock() - self._heard_at < PATIENCE
        left = outcome.limited or (attempts < self._limits.tries and patient)
        why = f"Square does not answer as it should ({outcome.note})"
        if outcome.again and left:
            if self._retries >= 1:
                self._retries -= 1
                return True
            self.end(why)
        self._unknown += 1
        if self._unknown >= UNKNOWN_IN_A_ROW and not outcome.stop:
            self.end(f"{why}: {self._unknown} rows one after another have no answer to trust")
        return False
