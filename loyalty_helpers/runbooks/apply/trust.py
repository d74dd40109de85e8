"""When a run stops: what it may lose of rows, of tries, and of a service that does not answer."""

from collections.abc import Callable

from loyalty_helpers.runbooks.apply.outcomes import Outcome
from loyalty_helpers.runbooks.limits import Limits

UNKNOWN_IN_A_ROW = 3  # rows without an answer to trust, none applied in between: the run stops
PATIENCE = 60.0  # seconds without an answer to trust, after which no row is tried again


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
