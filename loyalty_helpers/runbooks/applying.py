"""Apply a plan: each row once, whatever stops, and in whatever order answers come or get lost.

The thread that calls owns the journal; the others only send. Every turn of the loop makes one
commit: what came back since the last turn, and the rows that are about to go out. Rows of one
account wait for each other, so that a plan means the same whatever runs beside it.
"""

import heapq
import queue
import random
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice

from loyalty_helpers.client import LoyaltyClient
from loyalty_helpers.errors import LoyaltyError, RunStoppedError
from loyalty_helpers.models import LoyaltyEvent
from loyalty_helpers.runbooks.journal import Entry, Journal
from loyalty_helpers.runbooks.ledger import is_older, moment
from loyalty_helpers.runbooks.limits import Limits, Time
from loyalty_helpers.runbooks.outcomes import REFUSED, Outcome, outcome_of

WAITING = 2_000  # rows held back because their account is busy, before no more are read
LONGEST_WAIT = 0.5  # seconds after which the loop looks up, to tell progress
LAST_ANSWERS = 60.0  # seconds that a stop waits for what is on its way


@dataclass(frozen=True)
class Sender:
    """Sends one row once; called by many threads.

    Attributes:
        client: a client that tries each request once.
        allow_negative_balance: of the plan.
    """

    client: LoyaltyClient
    allow_negative_balance: bool

    def __call__(self, entry: Entry) -> Outcome:
        """Send, and judge what is answered."""
        answer: LoyaltyEvent | LoyaltyError
        try:
            answer = self.client.adjust_points(
                entry.account_id,
                entry.points,
                reason=entry.reason,
                idempotency_key=entry.key,
                allow_negative_balance=self.allow_negative_balance,
            )
        except LoyaltyError as error:
            answer = error
        return outcome_of(answer)


class Sending:
    """One pass over rows: sends them, tries again what is worth it, and writes all of it down.

    Args:
        journal: open, and used by this thread alone.
        send: sends a row once.
        limits: of the run.
        newest: the newest event before this run, to tell what was applied by an earlier one.
        time: what waits go by.
        stopping: called once when nothing more may go out.
        told: called after every commit, for progress.
    """

    def __init__(
        self,
        journal: Journal,
        send: Callable[[Entry], Outcome],
        limits: Limits,
        *,
        newest: LoyaltyEvent | None = None,
        time: Time | None = None,
        stopping: Callable[[], None] = lambda: None,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._journal, self._send, self._limits, self._newest = journal, send, limits, newest
        self._time, self._stopping, self._told = time or Time(), stopping, told
        self._retries = float(limits.retries)
        self._answers: queue.SimpleQueue[tuple[Entry, Outcome]] = queue.SimpleQueue()
        self._stop = ""

    def run(
        self, rows: Iterable[Entry], *, errors_allowed: int, blocked: Iterable[str] = ()
    ) -> None:
        """Send the rows, each until it is applied, refused, or left to the ledger.

        Args:
            rows: in the order of the plan.
            errors_allowed: how many may end without success.
            blocked: accounts whose rows have to wait for the ledger.

        Raises:
            RunStoppedError: nothing more may be sent; what was on its way was waited for.
        """
        self._begin(rows, errors_allowed, blocked)
        with ThreadPoolExecutor(self._limits.in_flight) as pool:
            try:
                while self._turn(pool):
                    pass
            except KeyboardInterrupt:
                self._stop = self._stop or "it was interrupted"
            except BaseException:
                self._flying.clear()  # the journal cannot be written: nothing more may go out
                raise
            self._wait_for_the_rest(pool)
        if self._stop:
            raise RunStoppedError(self._stop)

    def _begin(self, rows: Iterable[Entry], errors_allowed: int, blocked: Iterable[str]) -> None:
        self._rows: Iterator[Entry] = iter(rows)
        self._flying: dict[int, Entry] = {}
        self._held: defaultdict[str, deque[Entry]] = defaultdict(deque)
        self._holding = 0
        self._busy: set[str] = set()
        self._lost = set(blocked)  # accounts with a row that is left to the ledger
        self._again: list[tuple[float, int, Entry]] = []
        self._ready: deque[Entry] = deque()
        self._errors_left = errors_allowed

    def _turn(self, pool: ThreadPoolExecutor) -> bool:
        """Write down what came back and what goes out, in one commit; then let it go out."""
        back = self._come_back()
        out = [] if self._stop else list(islice(self._next_rows(), self._free()))
        if back or out:
            with self._journal.commit():
                for entry, outcome in back:
                    self._write(entry, outcome)
                if self._stop:
                    out = []
                for entry in out:
                    self._journal.sent(entry.n, self._time.now())
            for entry in out:
                self._flying[entry.n] = entry
                pool.submit(self._work, entry)
            self._told()
        return bool(self._flying or self._again) and not self._stop

    def _work(self, entry: Entry) -> None:
        """What a thread does: an error that nobody foresaw must not lose the row's answer."""
        try:
            outcome = self._send(entry)
        except BaseException as error:
            name = type(error).__name__
            outcome = Outcome("UNKNOWN", note=name, stop=f"an error of this program: {name}")
        self._answers.put((entry, outcome))

    def _free(self) -> int:
        return self._limits.in_flight - len(self._flying)

    def _come_back(self) -> list[tuple[Entry, Outcome]]:
        """All answers that are there; waits for one if nothing else can be done meanwhile."""
        back = []
        with suppress(queue.Empty):
            if self._flying and not (self._free() and self._can_send()):
                back.append(self._answers.get(timeout=self._patience()))
            elif not self._flying and self._again and not self._can_send():
                self._time.sleep(self._patience())
            while True:
                back.append(self._answers.get_nowait())
        for entry, _ in back:
            del self._flying[entry.n]
        return back

    def _can_send(self) -> bool:
        due = self._again and self._again[0][0] <= self._time.monotonic()
        return bool(self._ready or due or self._peek())

    def _peek(self) -> bool:
        """Whether there is another row to send; it is read and kept ready."""
        while not self._ready and self._holding < WAITING:
            entry = next(self._rows, None)
            if entry is None:
                return False
            self._hold_or_keep(entry)
        return bool(self._ready)

    def _hold_or_keep(self, entry: Entry) -> None:
        if entry.account_id in self._lost:
            return  # it stays planned until the ledger has told about the row before it
        if entry.account_id in self._busy:
            self._held[entry.account_id].append(entry)
            self._holding += 1
        else:
            self._busy.add(entry.account_id)
            self._ready.append(entry)

    def _patience(self) -> float:
        until = self._again[0][0] - self._time.monotonic() if self._again else LONGEST_WAIT
        return min(max(until, 0.0), LONGEST_WAIT)

    def _next_rows(self) -> Iterator[Entry]:
        while self._again and self._again[0][0] <= self._time.monotonic():
            yield heapq.heappop(self._again)[2]
        while self._ready or self._peek():
            yield self._ready.popleft()

    # What came back

    def _write(self, entry: Entry, outcome: Outcome) -> None:
        """One answer, into the journal, and what it means for the row and for the run."""
        lost_before = entry.state != "PLANNED"
        if outcome.event is not None:
            self._applied(entry, outcome.event)
        elif outcome.state == "PLANNED":
            self._journal.settle(entry.n, entry.state, note=entry.note)
        elif outcome.state == "FAILED" and not lost_before:
            self._journal.settle(entry.n, "FAILED", note=outcome.note)
            self._error()
            self._release(entry.account_id)
        else:
            note = f"{REFUSED}{outcome.note}" if outcome.state == "FAILED" else outcome.note
            self._journal.settle(entry.n, "UNKNOWN", note=note)
            tried = replace(entry, attempts=entry.attempts + 1, state="UNKNOWN")
            self._try_again(tried, outcome)
        self._stop = self._stop or outcome.stop

    def _applied(self, entry: Entry, event: LoyaltyEvent) -> None:
        before = is_older(event, self._newest)
        self._journal.settle(
            entry.n,
            "APPLIED",
            event=(event.id, moment(event)),
            applied="before" if before else "now",
        )
        self._retries = min(self._retries + 0.5, float(self._limits.retries))
        self._release(entry.account_id)

    def _release(self, account_id: str) -> None:
        """The next row of the account may go, if one was held back."""
        held = self._held.get(account_id)
        if not held:
            self._busy.discard(account_id)
            self._held.pop(account_id, None)
            return
        self._ready.append(held.popleft())
        self._holding -= 1

    def _error(self) -> None:
        self._errors_left -= 1
        if self._errors_left < 0:
            self._stop = self._stop or "more rows ended without success than max_errors allows"

    def _try_again(self, entry: Entry, outcome: Outcome) -> None:
        """Plan another try, or leave the row, and all behind it on the account, to the ledger."""
        tries_left = outcome.again and (outcome.gentle or entry.attempts < self._limits.tries)
        if tries_left and self._retries >= 1:
            self._retries -= 1
            heapq.heappush(self._again, (self._due(entry.attempts), entry.n, entry))
            return
        if tries_left:
            self._stop = self._stop or f"Square does not answer as it should ({outcome.note})"
        self._lost.add(entry.account_id)
        self._holding -= len(self._held.pop(entry.account_id, ()))
        self._busy.discard(entry.account_id)

    def _due(self, attempts: int) -> float:
        limits = self._limits
        chosen: float = min(limits.retry_cap, limits.retry_wait * 2 ** min(attempts - 1, 16))
        return self._time.monotonic() + chosen * (1 - random.random() / 2)  # noqa: S311 - a wait

    def _wait_for_the_rest(self, pool: ThreadPoolExecutor) -> None:
        """Stop at the border of rows: what is on its way comes back and is written down."""
        if self._stop:
            self._stopping()
        deadline = self._time.monotonic() + LAST_ANSWERS
        pool.shutdown(wait=False, cancel_futures=True)
        while self._flying and self._time.monotonic() < deadline:
            with suppress(queue.Empty, KeyboardInterrupt):
                back = [self._answers.get(timeout=LONGEST_WAIT)]
                del self._flying[back[0][0].n]
                with self._journal.commit():
                    self._write(*back[0])
