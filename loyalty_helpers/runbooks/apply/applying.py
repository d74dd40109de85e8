"""Apply a plan: each row once, whatever stops, and in whatever order answers come or get lost.

The thread that calls owns the journal; the others only send. Every turn of the loop makes one
commit: what came back since the last turn, and the rows that are about to go out.
"""

import heapq
import queue
import random
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.errors import HeldBackError, LoyaltyError, RateLimitedError, RunStoppedError
from loyalty_helpers.records import LoyaltyEvent
from loyalty_helpers.runbooks.apply.journal import Journal
from loyalty_helpers.runbooks.apply.outcomes import Outcome, Trust, outcome_of
from loyalty_helpers.runbooks.apply.pace import Pace
from loyalty_helpers.runbooks.apply.progress import Progress
from loyalty_helpers.runbooks.apply.rows import SET_RIGHT, Chains, Code, Entry, Note
from loyalty_helpers.runbooks.apply.signals import interruptible
from loyalty_helpers.runbooks.identity import marker_in
from loyalty_helpers.runbooks.ledger import facts, is_since
from loyalty_helpers.runbooks.limits import Limits, Time
from loyalty_helpers.runbooks.plan import Plan

LONGEST_WAIT = 0.5  # seconds after which the loop looks up, to tell progress
LAST_ANSWERS = 8.0  # seconds that a stop waits for what is on its way; systems kill after 10
ASLEEP = 10.0  # seconds; a shorter gap is no sleep of the machine


@dataclass(frozen=True)
class Work:
    """A plan that is applied, and what that goes by.

    Attributes:
        client: may write, and tries reads more than once.
        plan: what was approved.
        journal: of this plan, open.
        limits: of the run.
        time: what waits go by.
        progress: called after every commit.
        skip_moved: leave rows out whose account's balance has moved since the plan was made.
    """

    client: LoyaltyClient
    plan: Plan
    journal: Journal
    limits: Limits
    time: Time
    progress: Progress
    skip_moved: bool


class Sending:
    """One pass over rows: sends them, tries again what is worth it, and writes all of it down.

    Args:
        work: its journal is used by this thread alone, its client by many.
        pace: when a row may go out.
        newest: when the newest event before this run was made: what is older is of another run.
    """

    def __init__(self, work: Work, pace: Pace, newest: datetime | None) -> None:
        self._client, self._pace, self._newest = work.client.variant(attempts=1), pace, newest
        self._journal, self._limits = work.journal, work.limits
        self._allow_negative_balance = work.plan.header.allow_negative_balance
        self._time, self._told = work.time, work.progress
        self._trust = Trust(work.limits, work.time.monotonic)
        self._answers: queue.SimpleQueue[tuple[Entry, Outcome]] = queue.SimpleQueue()
        self._asleep = max(work.limits.settle, ASLEEP)
        self.awake_at = work.time.now()  # when the ledger, or the clock, was last looked at
        self.slept = False  # whether the last pass ended because the machine had slept

    def run(
        self, rows: Iterable[Entry], *, errors_allowed: int, blocked: Iterable[str] = ()
    ) -> None:
        """Send the rows, each until it is applied, refused, or left to the ledger.

        Args:
            rows: in the order of the plan.
            errors_allowed: how many may end without success.
            blocked: accounts whose rows have to wait for the ledger.

        A pass ends before its time, with `slept`, when the machine slept meanwhile: what was not
        sent until then stays planned, and the ledger has to be asked first.

        Raises:
            RunStoppedError: nothing more may be sent; what was on its way was waited for.
        """
        self._begin(rows, errors_allowed, blocked)
        pool, patience = ThreadPoolExecutor(self._limits.in_flight), LAST_ANSWERS
        with interruptible(self._interrupt):
            try:
                while self._turn(pool):
                    pass
            except KeyboardInterrupt:  # the second one
                self._interrupt()
                patience = 0.0
            except BaseException:
                pool.shutdown(cancel_futures=True)  # the journal cannot be written
                raise
            self._wait_for_the_rest(pool, patience)
        if self._trust.stop:
            raise RunStoppedError(self._trust.stop)

    def _interrupt(self) -> None:
        self._trust.end("it was interrupted")

    def _begin(self, rows: Iterable[Entry], errors_allowed: int, blocked: Iterable[str]) -> None:
        self._trust.begin(errors_allowed)
        self._chains = Chains(rows, blocked, self._journal.row)
        self._flying: dict[int, tuple[Entry, Future[None] | None]] = {}
        self._again: list[tuple[float, int, Entry]] = []
        self._back: list[tuple[Entry, Outcome]] = []  # answers that are not written down yet
        self._quiet = False  # whether the last turn left nothing to do but to wait
        self.slept = False

    def _turn(self, pool: ThreadPoolExecutor) -> bool:
        """Write down what came back and what goes out, in one commit; then let it go out."""
        self._come_back(self._patience() if self._quiet else 0.0)
        if self._time.is_over():
            self._interrupt()
        self.slept = self.slept or not self._is_awake(self.awake_at)
        self.awake_at = self._time.now()
        self._quiet = not self._back
        self._write_down([] if self._ends else self._next_rows())
        for n, (entry, future) in self._flying.items():
            if future is None:
                self._flying[n] = (entry, pool.submit(self._work, entry, self.awake_at))
        self._told()
        return not self._ends and bool(self._flying or self._again or not self._quiet)

    @property
    def _ends(self) -> bool:
        return bool(self._trust.stop) or self.slept

    def _is_awake(self, since: float) -> bool:
        return -SET_RIGHT <= self._time.now() - since <= self._asleep

    def _nap(self, seconds: float) -> None:
        """Wait for a slot: what is meant to go out then may have been done elsewhere meanwhile."""
        began = self._time.now()
        self._time.sleep(seconds)
        if abs(self._time.now() - began) > ASLEEP:
            raise HeldBackError("the machine slept", request="", attempts=0)

    def _work(self, entry: Entry, since: float) -> None:
        """What a thread does: an error that nobody foresaw must not lose the row's answer."""
        try:
            outcome = self._send(entry) if self._is_awake(since) else Outcome("PLANNED")
        except BaseException as error:
            note = Note(Code.ANSWERED, type(error).__name__)
            outcome = Outcome("UNKNOWN", note=note, stop=f"an error of this program: {note}")
        self._answers.put((entry, outcome))

    def _send(self, entry: Entry) -> Outcome:
        answer: LoyaltyEvent | LoyaltyError
        try:
            ticket = self._pace.take(self._nap)
            answer = self._client.adjust_points(
                entry.account_id,
                entry.points,
                reason=entry.reason,
                idempotency_key=entry.key,
                allow_negative_balance=self._allow_negative_balance,
            )
        except LoyaltyError as error:
            answer = error
        if isinstance(answer, RateLimitedError):
            self._pace.seen(ticket, answer.status, answer.retry_after)
        elif isinstance(answer, LoyaltyEvent):
            self._pace.seen(ticket, 200, None)
        return outcome_of(answer)

    def _come_back(self, patience: float) -> None:
        """Take all answers that are there; wait so long for one if there is none."""
        with suppress(queue.Empty):
            if self._flying:
                self._back.append(self._answers.get(timeout=patience))
            elif patience:
                self._time.sleep(patience)
            while True:
                self._back.append(self._answers.get_nowait())
        for entry, _ in self._back:
            self._flying.pop(entry.n, None)

    def _patience(self) -> float:
        """Seconds until the next row can go out again."""
        if not self._again or len(self._flying) >= self._trust.at_once:
            return LONGEST_WAIT
        return min(max(self._again[0][0] - self._time.monotonic(), 0.0), LONGEST_WAIT)

    def _next_rows(self) -> list[Entry]:
        """Those whose time has come again, then the next ones of the plan."""
        out: list[Entry] = []
        while len(self._flying) + len(out) < self._trust.at_once:
            begun = len(self._flying) + len(self._again) + len(out)
            entry = self._due_again()
            if entry is None and (self._trust.earned or begun < self._trust.at_once):
                entry = self._chains.take()
            if entry is None:
                break
            out.append(entry)
        return out

    def _due_again(self) -> Entry | None:
        while self._again and self._again[0][0] <= self._time.monotonic():
            entry = heapq.heappop(self._again)[2]
            if entry.state == "PLANNED" or entry.is_young(
                self._time.now(), self._limits.resend_limit
            ):
                return entry
            self._chains.block(entry.account_id)
        return None

    def _write_down(self, out: list[Entry]) -> None:
        """In one commit: what came back, and what goes out unless that ends the pass."""
        if self._back or out:
            with self._journal.commit():
                for entry, outcome in self._back:
                    self._write(entry, outcome)
                for entry in [] if self._ends else out:
                    self._journal.sent(entry.n, self._time.now())
                    self._flying[entry.n] = (entry, None)
            self._back.clear()

    def _write(self, entry: Entry, outcome: Outcome) -> None:
        """One answer, into the journal, and what it means for the row and for the run."""
        if outcome.event is not None:
            self._applied(entry, outcome.event)
        elif outcome.state == "FAILED" and entry.state == "PLANNED":
            self._journal.settle(entry.n, "FAILED", note=outcome.note)
            self._trust.refused()
            self._chains.ended(entry.account_id)
        elif outcome.state == "PLANNED" and not outcome.again:
            self._journal.not_sent(entry)
            self.slept = self.slept or not (self._trust.stop or outcome.stop)
        elif outcome.state == "PLANNED":
            tried = replace(entry, attempts=entry.attempts + 1)
            self._journal.not_sent(tried)
            self._try_again(tried, outcome)
        else:  # refused after an earlier try whose answer was lost, or lost itself
            refused = Note(Code.REFUSED, outcome.note.detail)
            note = refused if outcome.state == "FAILED" else outcome.note
            self._journal.settle(entry.n, "UNKNOWN", note=note)
            now = self._time.now()
            tried = replace(entry, state="UNKNOWN", attempts=entry.attempts + 1)
            tried = replace(tried, first_sent=entry.first_sent or now, last_sent=now)
            self._try_again(tried, outcome)
        self._trust.end(outcome.stop)

    def _applied(self, entry: Entry, event: LoyaltyEvent) -> None:
        """The event that was answered; without the row's mark it is not of this row."""
        if marker_in(event.reason) != entry.marker:
            note = Note(Code.DOUBTFUL, f"event {event.id}, no mark")
            self._journal.settle(entry.n, "UNKNOWN", note=note)
            self._chains.block(entry.account_id)
            return
        earlier = self._newest is not None and not is_since(event, self._newest)
        applied = "before" if earlier else "now"
        self._journal.settle(entry.n, "APPLIED", event=facts(event), applied=applied)
        self._trust.applied()
        self._chains.ended(entry.account_id)

    def _try_again(self, entry: Entry, outcome: Outcome) -> None:
        """Plan another try, or leave the row, and all behind it on the account, to the ledger."""
        if not self._trust.allows_again(entry.attempts, outcome):
            self._chains.block(entry.account_id)
            return
        limits, doubled = self._limits, 2 ** min(entry.attempts - 1, 16)
        wait = min(limits.retry_cap, limits.retry_wait * doubled) * (1 - random.random() / 2)  # noqa: S311 - a wait
        heapq.heappush(self._again, (self._time.monotonic() + wait, entry.n, entry))

    def _wait_for_the_rest(self, pool: ThreadPoolExecutor, patience: float) -> None:
        """Stop at the border of rows: what is on its way comes back and is written down.

        What was not begun is taken back: no thread will ever answer for it. A Ctrl-C more ends
        the waiting, and leaves what is on its way to the ledger.
        """
        if self._trust.stop:
            self._pace.stop()
        deadline = self._time.monotonic() + patience
        pool.shutdown(wait=False)  # who is late is not waited for: its row is looked for later
        idle = [e for e, future in self._flying.values() if future is None or future.cancel()]
        if idle:
            with self._journal.commit():
                for entry in idle:
                    self._journal.not_sent(entry)
                    del self._flying[entry.n]
        while self._back or (self._flying and self._time.monotonic() < deadline):
            self._come_back(0.0 if self._back else LONGEST_WAIT)
            self._write_down([])
