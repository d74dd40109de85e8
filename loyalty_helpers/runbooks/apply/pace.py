"""When the next request may go out: just under the limit that the service shows by its 429s.

Square publishes no limit. So the rate grows fast until the first 429; from then on it is additive
increase and multiplicative decrease, around a ceiling: the rate falls, comes back quickly to just
under where the 429 came, and creeps up from there, more slowly each time that the ceiling proves
right. One burst of 429s is one lesson: answers to requests that got their slot before the last
decrease teach nothing new.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from loyalty_helpers.errors import HeldBackError

FIRST_RATE = 20.0  # requests a second; each answer adds FIRST_STEP until the first 429
FIRST_STEP = 16.0
DROP = 0.9  # of the ceiling: where the rate falls to
UNDER = 0.985  # where the ceiling is put, of the rate at which a single 429 came
HELD = 2.0  # seconds in which a single 429 teaches nothing after another one
MANY = 3, 0.2  # 429s, and their share of all answers, that show a rate far above the limit
RETURN = 0.5  # of the way back to the ceiling, each second
CREEP = 0.004  # of the ceiling, added each second above it at first
SLOWEST_CREEP = 0.0005
LOWEST = 0.5  # requests a second
LOOK_UP = 0.5  # seconds after which a waiting request looks whether the run still goes on
ASLEEP = 10.0  # seconds that a waiting request cannot oversleep by itself
LONGEST = 300.0  # seconds of Retry-After that are waited for; a run stops at a longer one


class Pace:
    """Slots for requests, shared by threads.

    Args:
        limit: requests a second that are never exceeded; 0 finds the service's own limit.
        clock, sleep, now: injected by tests; `now` is the wall clock.
    """

    def __init__(
        self,
        limit: float = 0.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._limit = limit or float("inf")
        self._clock, self._sleep, self._now = clock, sleep, now
        self._rate = min(FIRST_RATE, self._limit)
        self._ceiling, self._creep = float("inf"), CREEP
        self._next = self._resumed_at = clock()
        self._lesson, self._taken, self._refused = 0, 0, 0
        self._stopped = False
        self._lock = threading.Lock()

    @property
    def rate(self) -> float:
        """Requests a second, as of now."""
        return self._rate

    def take(self) -> float:
        """Wait for a slot; returns the number of the lesson that its rate comes from.

        Raises:
            HeldBackError: the run stops.
        """
        return self.wait(lambda began: None)

    def while_awake(self) -> "WhileAwake":
        """The same slots, for requests that must not go out after a sleep of the machine."""
        return WhileAwake(self, self._now)

    def wait(self, waited: Callable[[float], None]) -> float:
        """As `take`; `waited` is called after each piece of waiting, with when it began."""
        slot, lesson = self._slot()
        while (wait := slot - self._clock()) > 0 or self._stopped:
            if self._stopped:
                raise HeldBackError("the run stops", request="", attempts=0)
            began = self._now()
            self._sleep(min(wait, LOOK_UP))
            waited(began)
            if lesson != self._lesson:  # the rate has changed meanwhile, and with it the slots
                slot, lesson = self._slot()
        return lesson

    def stop(self) -> None:
        """Let nothing more go out; who waits for a slot is told."""
        self._stopped = True

    def _slot(self) -> tuple[float, int]:
        with self._lock:
            slot = max(self._next, self._clock())
            self._next = slot + 1 / self._rate
            return slot, self._lesson

    def seen(self, ticket: float, status: int, retry_after: float | None) -> None:
        """Learn from an answer to the request that took this ticket."""
        with self._lock:
            if status != 429:
                self._rate = min(self._rate + self._step(), self._limit)
                self._taken += 1
            elif ticket == self._lesson:
                self._refused += 1
                self._learn(self._clock(), min(retry_after or 0.0, LONGEST))

    def _step(self) -> float:
        """What one answer adds: so many answers come a second that it adds up to the constants."""
        if not self._known:
            return FIRST_STEP
        way_back = (self._ceiling - self._rate) * RETURN
        return max(way_back, self._ceiling * self._creep) / self._rate

    def _learn(self, now: float, hold: float) -> None:
        """What a 429 says of the limit; a single one soon after another says nothing."""
        share = self._refused / (self._refused + self._taken)
        if self._refused >= MANY[0] and share >= MANY[1]:
            self._creep = CREEP
            self._slow_down(now, hold, self._rate * max(1 - share, 0.5))
        elif (alone := now - self._resumed_at > HELD) or hold or not self._known:
            self._creep = max(self._creep / 2, SLOWEST_CREEP)
            reached = self._ceiling if self._ceiling > self._rate and self._known else self._rate
            self._slow_down(now, hold, reached * (UNDER if alone else DROP))

    @property
    def _known(self) -> bool:
        """Whether a limit has shown itself."""
        return self._ceiling < float("inf")

    def _slow_down(self, now: float, hold: float, ceiling: float) -> None:
        self._ceiling = max(ceiling, LOWEST)
        self._rate = max(min(self._rate, ceiling) * DROP, LOWEST)
        self._next = self._resumed_at = now + max(hold, 1 / self._rate)
        self._lesson, self._taken, self._refused = self._lesson + 1, 0, 0


@dataclass(frozen=True)
class WhileAwake:
    """Gives a slot of a Pace up when the machine slept before it came.

    What was meant to go out then may have been done elsewhere since.

    Attributes:
        pace: whose slots.
        now: the wall clock.
    """

    pace: Pace
    now: Callable[[], float]

    def take(self) -> float:
        """Wait for a slot; HeldBackError if the run stops, or if the machine slept."""
        return self.pace.wait(self._check)

    def _check(self, began: float) -> None:
        if abs(self.now() - began) > ASLEEP:
            raise HeldBackError("the machine slept", request="", attempts=0)

    def seen(self, ticket: float, status: int, retry_after: float | None) -> None:
        """As the Pace's."""
        self.pace.seen(ticket, status, retry_after)
