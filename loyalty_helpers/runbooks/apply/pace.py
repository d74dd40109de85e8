"""When the next request may go out: just under the limit that the service shows by its 429s.

Square publishes no limit. So a run begins at 20 requests a second, and every answer adds 16 until
the first 429. From then on the rate rises by a fiftieth a second. A 429 takes a tenth off, once
in two seconds at most, since a single one may be chance. When they are a fifth of all answers
since the last cut, the rate falls to the share that was taken, or to a quarter. Retry-After is
waited for by all, and answers to requests that went out before a cut say nothing of the rate
after it.
"""

import threading
from collections.abc import Callable

from loyalty_helpers.errors import HeldBackError
from loyalty_helpers.runbooks.limits import Time

FIRST_RATE = 20.0  # requests a second
FIRST_STEP = 16.0  # what an answer adds before the first 429
RISE = 0.02  # of the rate before the last cut, added each second
CUT = 0.9  # what is left of the rate after a 429
HELD = 2.0  # seconds in which no further 429 cuts the rate, unless there are many
MANY = 3, 0.2  # 429s since the last cut, and their share of all answers
LEAST = 0.25  # what is left of the rate, however many they are
LOWEST = 0.5  # requests a second
LOOK_UP = 0.5  # seconds after which a waiting request looks whether the run still goes on
LONGEST = 300.0  # seconds of Retry-After that are waited for; a run stops at a longer one


class Pace:
    """Slots for requests, shared by threads.

    Args:
        limit: requests a second that are never exceeded; 0 finds the service's own limit.
        time: what waits go by, and whether nothing more may go out.
    """

    def __init__(self, limit: float, time: Time) -> None:
        self._limit = limit or float("inf")
        self._clock, self._sleep, self._is_over = time.monotonic, time.sleep, time.is_over
        self.rate = min(FIRST_RATE, self._limit)  # requests a second, as of now
        self.cuts = 0  # a slot's number of them is the ticket of its request
        self._before = 0.0  # the rate before the last cut
        self._cut_at, self._next = float("-inf"), self._clock()
        self._taken, self._refused = 0, 0  # answers since the last cut
        self._stopped = False
        self._lock = threading.Lock()

    def take(self, sleep: Callable[[float], None] | None = None) -> float:
        """Wait for a slot, in short pieces; returns the ticket of its request.

        Args:
            sleep: what waits go by, in place of the pace's own; what it raises ends the waiting.

        Raises:
            HeldBackError: the run stops.
        """
        slot, ticket = self.slot()
        while (wait := slot - self._clock()) > 0 or self._stopped or self._is_over():
            if self._stopped or self._is_over():
                raise HeldBackError("it was interrupted", request="", attempts=0)
            (sleep or self._sleep)(min(wait, LOOK_UP))
            if ticket != self.cuts:  # the rate has changed meanwhile, and with it the slots
                slot, ticket = self.slot()
        return ticket

    def stop(self) -> None:
        """Let nothing more go out; who waits for a slot is told."""
        self._stopped = True

    def slot(self) -> tuple[float, int]:
        """When the next request may go out, and its ticket, which a cut makes worthless."""
        with self._lock:
            slot = max(self._next, self._clock())
            self._next = slot + 1 / self.rate
            return slot, self.cuts

    def seen(self, ticket: float, status: int, retry_after: float | None) -> None:
        """Learn from an answer to the request that took this ticket."""
        with self._lock:
            if status != 429:
                self._taken += 1
                # So many answers come a second that it adds up to RISE.
                step = self._before * RISE / self.rate if self.cuts else FIRST_STEP
                self.rate = min(self.rate + step, self._limit)
            elif ticket == self.cuts:
                self._refused += 1
                self._refuse(self._clock(), min(retry_after or 0.0, LONGEST))

    def _refuse(self, now: float, hold: float) -> None:
        share = self._refused / (self._refused + self._taken)
        if self._refused >= MANY[0] and share >= MANY[1]:
            left = max(1 - share, LEAST)
        elif hold or now - self._cut_at > HELD:
            left = CUT
        else:
            return
        self._before, self.rate = self.rate, max(self.rate * left, LOWEST)
        self._cut_at, self._next = now, now + max(hold, 1 / self.rate)
        self.cuts, self._taken, self._refused = self.cuts + 1, 0, 0
