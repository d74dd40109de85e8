"""One run of a plan, from the look at the ledger to the last row: what apply does, in its order.

1. The ledger: rows that it holds already are applied, whatever the journal says. That covers a
   journal that was lost or restored, a power cut, and the same plan applied elsewhere. It comes
   first again after every sleep of the machine, since anything may have happened meanwhile.
2. The canary rows, and a look whether the ledger holds them. Until it does, nothing else is sent,
   however often the run is begun.
3. All other rows.
4. Rows whose answer was lost: only when every event must have become visible is a row looked
   for; if it is not there, the same key is sent again while it can be trusted, and then a person
   has to look.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice

from loyalty_helpers.api import PER_SEARCH, same_words
from loyalty_helpers.errors import NotFoundError, RunStoppedError
from loyalty_helpers.records import LoyaltyEvent
from loyalty_helpers.runbooks.apply.applying import Sending, Work
from loyalty_helpers.runbooks.apply.pace import Pace
from loyalty_helpers.runbooks.apply.rows import NOTHING, OPEN, RESULTS, Code, Entry, Note, amiss
from loyalty_helpers.runbooks.identity import marker_in
from loyalty_helpers.runbooks.ledger import (
    adjustments_of,
    adjustments_on,
    batches,
    facts,
    is_since,
    is_undone,
    newest_moment,
)
from loyalty_helpers.runbooks.limits import errors_allowed

ROUNDS = 4  # in which no row comes to its end, before a run stops to be resumed later
EVENTS_PER_COMMIT = 500
CANARY = "canary"  # the journal's word on it
GO = ". To send the other rows all the same, run it with canary 0"


class Applying:
    """Applies one plan with one journal."""

    def __init__(self, work: Work) -> None:
        self._work, self._time, self._limits = work, work.time, work.limits
        self._plan, self._journal = work.plan, work.journal
        self._marks: defaultdict[str, list[str]] = defaultdict(list)  # of others, newest first
        self._pace = Pace(work.limits.requests_per_second, work.time)
        self._client = work.client.variant(pace=self._pace)

    def run(self) -> None:
        """Bring every row to its end.

        Raises:
            RunStoppedError: nothing is lost, and running it again goes on.
        """
        self._sending = Sending(self._work, self._pace, newest_moment(self._client))
        if self._limits.resend_unknown:
            with self._journal.commit():
                self._journal.release(Code.NOT_FOUND, self._time.now())
        self._look_first()
        self._canary()
        again: list[Entry] = []
        rounds_left, fewest = ROUNDS, self._open_rows()
        while rounds_left:
            self._send(again)
            self._send(self._checked(self._journal.entries("PLANNED")))
            again = self._resolve()
            still_open = self._open_rows()
            if not still_open:
                return
            rounds_left = ROUNDS if still_open < fewest else rounds_left - 1
            fewest = min(fewest, still_open)
        raise RunStoppedError("the answers to some rows keep getting lost")

    def _send(self, rows: Iterable[Entry], allowed: int | None = None) -> None:
        """One pass; accounts with a row that the ledger has to tell about are left alone."""
        known = {entry.n for entry in rows} if isinstance(rows, list) else set()
        blocked = [
            e.account_id for e in self._journal.entries("SENT", "UNKNOWN") if e.n not in known
        ]
        errors = self._errors_left() if allowed is None else allowed
        self._sending.run(rows, errors_allowed=errors, blocked=blocked)
        if self._sending.slept:
            self._look_first()

    def _checked(self, rows: Iterable[Entry]) -> Iterator[Entry]:
        """The rows to send, after the balances of their accounts were read, 30 at a time.

        Each account is read once in a run, before its first change, and what was found is written
        down. With `skip_moved`, rows whose balance is another than planned are left out.
        """
        for batch in batches(rows, PER_SEARCH):
            accounts = self._journal.balances([entry.account_id for entry in batch])
            read = self._balances(
                {a: customer for a, (customer, _, found) in accounts.items() if found is None}
            )
            moved = {
                a
                for a, (_, planned, found) in accounts.items()
                if self._work.skip_moved and read.get(a, found) not in (None, planned)
            }
            with self._journal.commit():
                self._journal.balances_found((balance, a) for a, balance in read.items())
                for entry in batch:
                    if entry.account_id in moved:
                        self._journal.settle(entry.n, "SKIPPED", note=Note(Code.MOVED))
            yield from (entry for entry in batch if entry.account_id not in moved)

    def _balances(self, unread: dict[str, str]) -> dict[str, int]:
        """Balances by account id; an account that is gone has none, and its row will tell why."""
        customers = sorted({customer for customer in unread.values() if customer})
        accounts = self._client.search_accounts(customer_ids=customers) if customers else ()
        found = {account.id: account.balance for account in accounts}
        for account_id in unread.keys() - found.keys():
            with suppress(NotFoundError):
                found[account_id] = self._client.retrieve_account(account_id).balance
        return {a: balance for a, balance in found.items() if a in unread}

    def _errors_left(self) -> int:
        """How many rows more may end without success; a limit that was passed stays passed."""
        counts = self._journal.counts()
        without = counts.get("FAILED", 0) + counts.get("REVIEW", 0)
        allowed = errors_allowed(self._limits.max_errors, self._plan.header.rows)
        if without > allowed and self._open_rows():
            raise RunStoppedError(
                f"{without} rows ended without success, and max_errors ({self._limits.max_errors})"
                f" allows {allowed}: look at them in {RESULTS}; to go on with the others all the "
                "same, give a larger max_errors"
            )
        return allowed - without

    def _open_rows(self) -> int:
        counts = self._journal.counts()
        return sum(counts.get(state, 0) for state in OPEN)

    # 1. The ledger

    def _look_first(self) -> None:
        """Find the rows of this plan that the ledger holds, whatever the journal says of them."""
        began, since = self._time.now(), self._plan.header.marks_since
        self._see(adjustments_of(self._client, self._journal.accounts(), since=since))
        # Rows that were held while planning are older than that.
        self._see(adjustments_of(self._client, self._journal.accounts("UNKNOWN")))
        self._sending.awake_at = began

    def _see(self, events: Iterable[LoyaltyEvent]) -> None:
        contradicted: dict[int, Entry] = {}
        for batch in batches(events, EVENTS_PER_COMMIT):
            with self._journal.commit():
                for event in batch:
                    self._saw(event, contradicted)
        for entry in contradicted.values():  # it is there twice, or another event was answered
            self._look_for(replace(entry, event_id="", applied=""))

    def _saw(self, event: LoyaltyEvent, contradicted: dict[int, Entry]) -> None:
        entry = self._journal.with_marker(marker_in(event.reason))
        if entry is None:
            self._leave_out_repeats(event)
        elif entry.state in OPEN:
            self._found(entry, event)
        elif entry.state == "APPLIED" and entry.event_id != event.id:
            contradicted[entry.n] = entry

    def _found(self, entry: Entry, event: LoyaltyEvent) -> None:
        """The ledger holds the row, whether or not its answer ever came."""
        applied, wrong = "found" if entry.attempts else "before", amiss(entry, event)
        state, note = ("REVIEW", Note(Code.AMISS, wrong)) if wrong else ("APPLIED", NOTHING)
        self._journal.settle(entry.n, state, event=facts(event), applied=applied, note=note)

    def _leave_out_repeats(self, event: LoyaltyEvent) -> None:
        """What came since the plan was made, from elsewhere, with the content of a row."""
        header, marker = self._plan.header, marker_in(event.reason)
        if marker:
            self._marks[marker].append(event.id)
        new = not header.ledger_since or is_since(event, header.ledger_since)
        place = (header.environment, header.merchant_id)
        if header.allow_repeats or not new or is_undone(event.id, place, self._marks):
            return
        words = same_words(event.reason)
        for entry in self._journal.planned(event.loyalty_account_id, event.points):
            if same_words(entry.reason) == words:
                self._journal.settle(entry.n, "SKIPPED", note=Note(Code.REPEATED, event.id))

    # 2. The canary

    def _canary(self) -> None:
        """Apply the first rows alone; any of them without success stops the run.

        What it came to is a fact of the journal: a gate that closed opens when the ledger holds
        the rows, or by the word of a person, who asks for no canary.
        """
        if self._journal.meta(CANARY) or not self._limits.canary:
            return
        self._send(self._resolve(), allowed=0)  # what an earlier try left
        kept = (entry.n for entry in self._journal.entries() if entry.state != "SKIPPED")
        first = list(islice(kept, self._limits.canary))
        planned = (entry for entry in map(self._journal.row, first) if entry.state == "PLANNED")
        self._send(self._checked(planned), allowed=0)
        self._resolve()
        for entry in map(self._journal.row, first):
            if entry.state != "SKIPPED":
                self._look_for_canary(entry)
        with self._journal.commit():
            self._journal.set_meta(CANARY, "held by the ledger")

    def _look_for_canary(self, entry: Entry) -> None:
        """An event that is late is given its time; one that is wrong stops everything."""
        if entry.state != "APPLIED":
            why = f" ({entry.note})" if entry.note else ""
            raise RunStoppedError(
                f"row {entry.row_id}, one of the first, is {entry.state}{why}{GO}"
            )
        for wait in (0.0, self._limits.settle):
            self._pause(wait)
            found = self._events_of(entry)
            if found:
                break
        if len(found) != 1 or amiss(entry, found[0]):
            raise RunStoppedError(
                f"row {entry.row_id} was answered as applied, but its account's ledger does not "
                f"hold it once and as planned (found {len(found)}){GO}"
            )

    # 3. Rows whose answer was lost

    def _resolve(self) -> list[Entry]:
        """Look for every row without an answer; gives those that may be sent once more.

        That is, when whatever was sent must have become visible.
        """
        lost = list(self._journal.entries("SENT", "UNKNOWN"))
        if not lost:
            return []
        since = self._time.now() - self._journal.last_sent()
        if (wait := self._limits.settle - max(since, 0.0)) > 0:
            self._pause(wait)
        missing = [entry for entry in lost if not self._look_for(entry)]
        trusted = {entry.n for entry in missing if self._is_trusted(entry)}
        if gone := [entry for entry in missing if entry.n not in trusted]:
            self._give_up(gone)
        return [entry for entry in missing if entry.n in trusted]

    def _pause(self, seconds: float) -> None:
        """Wait on purpose: no sleep of the machine, unless it takes longer than that."""
        self._time.sleep(seconds)
        self._sending.awake_at = min(self._sending.awake_at + seconds, self._time.now())

    def _events_of(self, entry: Entry) -> list[LoyaltyEvent]:
        """The events on the row's account that carry its marker."""
        events = adjustments_on(self._client, entry.account_id)
        marked = (event for event in events if marker_in(event.reason) == entry.marker)
        return list({event.id: event for event in marked}.values())

    def _look_for(self, entry: Entry) -> bool:
        """Whether the ledger holds the row, which is then written down."""
        found = self._events_of(entry)
        with self._journal.commit():
            if len(found) > 1:
                self._journal.doubled(entry, [event.id for event in found])
            elif found:
                self._found(entry, found[0])
        return bool(found)

    def _is_trusted(self, entry: Entry) -> bool:
        """Whether the same key may be sent again: Square says nowhere how long it knows one."""
        young = entry.is_young(self._time.now(), self._limits.resend_limit)
        return young and entry.code not in (Code.REFUSED, Code.DOUBTFUL)

    def _give_up(self, gone: list[Entry]) -> None:
        """Look once more, later; then it was refused, or only a person can tell."""
        self._pause(self._limits.settle)
        for entry in gone:
            if self._look_for(entry):
                continue
            kept = entry.code in (Code.REFUSED, Code.DOUBTFUL)
            note = Note(Code(entry.code), entry.detail) if kept else Note(Code.NOT_FOUND)
            state = "FAILED" if entry.code == Code.REFUSED else "REVIEW"
            with self._journal.commit():
                self._journal.settle(entry.n, state, note=note)
