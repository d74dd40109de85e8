"""The desk as a plain class: one buyer at a time, from the telephone to the proof in the ledger.

A step back, or a change of something typed, empties all stages that came after it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice

from loyalty_helpers.api import EVENTS_PER_PAGE, LoyaltyClient
from loyalty_helpers.errors import (
    AuthenticationError,
    IdempotencyKeyReusedError,
    LoyaltyError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    RunIdTakenError,
    RunStoppedError,
    SquareUnavailableError,
    UnexpectedAnswerError,
)
from loyalty_helpers.pages.desk_find import find_accounts
from loyalty_helpers.pages.desk_stages import (
    Buyer,
    Done,
    Previewed,
    Search,
    run_id_of,
    undo_reason,
)
from loyalty_helpers.pages.desk_ways import Proof, way_of
from loyalty_helpers.records import LoyaltyAccount
from loyalty_helpers.redaction import mask_reason
from loyalty_helpers.steps import REFUSED

TAKEN = (
    "This ticket number was used for this buyer, with other points or another reason. Nothing was "
    "changed. Type those, or take another ticket number."
)
UNPROVEN = (
    "There is no proof in sight, so nobody can tell yet whether the points were changed. Press the "
    "same button again: a ticket is applied once, however often it is asked for. If that does not "
    "help, look at the buyer's history before anything else."
)
# What says nothing of whether an adjustment that may have been sent is in the ledger.
NO_PROOF = (
    NotSentError,
    OutcomeUnknownError,
    UnexpectedAnswerError,
    RunStoppedError,
    RateLimitedError,
    SquareUnavailableError,
    AuthenticationError,
)
CHANGED = (
    "Something has changed since the preview that was confirmed, so nothing was done. This is how "
    "it is now: look at it, and confirm again."
)
WORDS: dict[type[LoyaltyError], str] = {
    NotSentError: "The service cannot be reached. Nothing was changed. Look at the connection, and "
    "press again.",
    RateLimitedError: "The service has too much to do. Nothing was changed. Press again soon.",
    SquareUnavailableError: "The service cannot answer now. Press the same button in a minute.",
    AuthenticationError: "The service does not accept this page's access token, or not for this. "
    "Nothing was changed. Tell whoever has set the page up.",
    RunIdTakenError: TAKEN,
    IdempotencyKeyReusedError: TAKEN,  # by another computer
}


class DeskError(LoyaltyError):
    """What a person at the desk has to know, in words.

    Attributes:
        field: where it is to be said: `buyer`, `points`, `ticket` or `approved_by`; empty for the
            button that was pressed.
    """

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.field = field


@contextmanager
def in_words(field: str = "") -> Iterator[None]:
    """Whatever goes wrong inside is a DeskError of this field."""
    try:
        yield
    except DeskError:
        raise
    except LoyaltyError as error:
        words = next((words for kind, words in WORDS.items() if isinstance(error, kind)), "")
        if allowed := getattr(error, "allowed", ""):
            words = words or f"This cannot be right. Allowed: {allowed}."
        where = "ticket" if words is TAKEN else field
        raise DeskError(words or mask_reason(str(error)), where) from error


class Desk:
    """Finds a buyer, previews an adjustment, makes just that, and can undo it.

    Every method raises DeskError, and leaves a stage that is true.

    Args:
        client: made by connect(). In production it only reads, until a plan is approved.

    Attributes:
        now: the stage.
    """

    def __init__(self, client: LoyaltyClient) -> None:
        self.environment = client.environment
        self.now: Search | Buyer | Previewed | Done = Search()
        self._client, self._way = client, way_of(client)
        self._sent: Previewed | None = None

    @property
    def buyer(self) -> Buyer | None:
        """Whom the desk works for, if anybody was found."""
        if isinstance(self.now, Previewed | Done):
            return self.now.buyer
        return self.now if isinstance(self.now, Buyer) else None

    @property
    def needs_approval(self) -> bool:
        """Whether a name has to be given for what is confirmed."""
        return self.environment == "production"

    def find(self, typed: str) -> None:
        """Look for a buyer by whatever was typed; of several that fit, one has to be chosen."""
        self.forget()
        with in_words("buyer"):
            accounts = find_accounts(self._client, typed)
            self.now = Search(accounts) if len(accounts) > 1 else self._read(accounts[0])

    def choose(self, account: LoyaltyAccount) -> None:
        """Take one of those that fit."""
        with in_words("buyer"):
            self.now = self._read(account)

    def forget(self) -> None:
        """Empty everything: another buyer is typed, or the next one is on the line."""
        self.now = Search()

    def edit(self) -> None:
        """Empty what follows the buyer: points, reason or ticket have changed."""
        self.now = self.buyer or self.now

    def back(self) -> None:
        """One stage back, and from what was done to the next buyer."""
        if isinstance(self.now, Previewed):
            self.now = self.now.undoes or self.now.buyer
        else:
            self.forget()

    def preview(self, points: int, reason: str, ticket: str) -> None:
        """Show what an adjustment would do; reads only.

        Args:
            points: whole points; negative takes away.
            reason: kept in the account's history.
            ticket: what the adjustment is for; the same one is applied once for a buyer.
        """
        self.edit()
        if not self.buyer:
            raise DeskError("Please find the buyer first.", "buyer")
        with in_words("ticket"):
            run_id = run_id_of(ticket, self.buyer.account.id)
        with in_words():
            self.now = self._previewed(self.buyer, ticket, points, reason.strip(), run_id)

    def undo(self) -> None:
        """Preview what takes back what was just done; it is confirmed as any adjustment is."""
        done = self.now
        if not isinstance(done, Done) or not done.can_be_undone:
            raise DeskError("There is nothing that could be undone here.")
        made, reason = done.previewed, undo_reason(done.proof.event_id)
        run_id = f"undo-{made.asked.run_id}"
        with in_words():
            self.now = self._previewed(
                done.buyer, made.ticket, -made.asked.points, reason, run_id, done
            )

    def confirm(self, previewed: Previewed, approved_by: str = "") -> None:
        """Do just what was previewed, once, and prove it from the ledger.

        Args:
            previewed: the preview that a person has looked at. If it is not the one in sight, or
                what it shows is not true any more, nothing is done.
            approved_by: who approves the plan; production asks for a name.
        """
        if isinstance(self.now, Done) and self.now.previewed is previewed:
            return  # pressed twice
        if self.now is not previewed:
            raise DeskError("This preview is not the one in sight any more. Nothing was changed.")
        if self.needs_approval and not approved_by.strip():
            raise DeskError("Please type the name of who approves this plan.", "approved_by")
        with in_words():
            if self._sent is not previewed:
                self._check_still_true(previewed)
            try:
                proof = self._proof(previewed, approved_by.strip())
                self.now = Done(previewed, self._read(proof.account), proof)
            except NO_PROOF as error:
                if self._sent is previewed:
                    raise DeskError(UNPROVEN) from error
                raise

    def _proof(self, previewed: Previewed, approved_by: str) -> Proof:
        """Apply it and read the ledger, and keep in mind from when on it may be in there."""
        before, self._sent = self._sent, previewed
        try:
            applied = self._way.apply(previewed.asked, approved_by)
        except REFUSED:
            self._sent = before
            raise
        return self._way.prove(previewed.asked, applied)

    def _check_still_true(self, previewed: Previewed) -> None:
        """Raise, with a new preview in sight, if the ledger has changed since the one looked at."""
        asked = previewed.asked
        again = self._previewed(
            previewed.buyer,
            previewed.ticket,
            asked.points,
            asked.reason,
            asked.run_id,
            previewed.undoes,
        )
        if again != previewed:
            self.now = replace(again, changed=CHANGED)
            raise DeskError(CHANGED)

    def _previewed(
        self,
        buyer: Buyer,
        ticket: str,
        points: int,
        reason: str,
        run_id: str,
        undoes: Done | None = None,
    ) -> Previewed:
        undone = undoes.previewed.asked.run_id if undoes else ""
        asked = self._way.plan(buyer.account, points, reason, run_id, undone)
        seen = Previewed(self._read(asked.account), ticket, asked, undoes)
        if points < 0 and seen.after < 0:
            balance = asked.account.balance
            raise DeskError(
                f"The balance is {balance}: at most {max(balance, 0)} points can be taken away. "
                "Nothing was changed.",
                "" if undoes else "points",
            )
        return seen

    def _read(self, account: LoyaltyAccount) -> Buyer:
        events = self._client.search_events(account_id=account.id)
        return Buyer(account, tuple(islice(events, EVENTS_PER_PAGE)))
