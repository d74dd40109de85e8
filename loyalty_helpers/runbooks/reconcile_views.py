"""How a reconciliation shows itself."""

from dataclasses import dataclass

from loyalty_helpers.records import VERIFICATION_MIME, Bundle, Shown, card, table
from loyalty_helpers.runbooks.books import Difference, Group
from loyalty_helpers.runbooks.views import ROWS_SHOWN, Verified
from loyalty_helpers.steps import Chart, bar_chart

DIFFERENCES = "differences.csv"
ADJUSTMENTS = "adjustments.csv"
NOT_SETTLED = "not_settled.csv"
MOST_READ_AGAIN = 1_000  # accounts that are read once more, one by one
NAMED_IN_SUMMARY = 5  # ids of accounts; the view, or a file, names all of them
GROUP_COLUMNS = ("adjustments", "points added", "points taken")
COLUMNS = ("balance", "events make", "difference", "phone_number", "account")


@dataclass(frozen=True)
class Adjustments(Shown):
    """Adjustments that share a source, a reason or a day.

    Attributes:
        by: `source`, `reason` or `day`.
        groups: those that are shown.
    """

    by: str
    groups: tuple[Group, ...]

    def _view(self) -> Bundle:
        shown = self.groups[:ROWS_SHOWN]
        rows = [(g.adjustments, g.added, g.taken, g.name or "(none)") for g in shown]
        note = f"All of them are in {ADJUSTMENTS}." if len(rows) == ROWS_SHOWN else ""
        return table(f"Adjustments by {self.by}", (*GROUP_COLUMNS, self.by), rows, note=note)


@dataclass(frozen=True)
class Reconciled(Shown):
    """Whether balances are what their events make, and who adjusted what.

    Attributes:
        accounts: how many were read.
        events: how many belong to them.
        differences: accounts whose balance differs.
        missing: ids that do not exist.
        lifetimes_apart: accounts whose lifetime points are not what raises them.
        gone: accounts that have events and do not exist: merged or deleted.
        unsettled: accounts that differed, of which too many did for each to be read once more.
        by_source, by_reason, by_day: adjustments in the period.
    """

    accounts: int
    events: int
    differences: tuple[Difference, ...]
    missing: tuple[str, ...]
    lifetimes_apart: int
    gone: int
    unsettled: tuple[str, ...]
    by_source: Adjustments
    by_reason: Adjustments
    by_day: Adjustments

    @property
    def ok(self) -> bool:
        """Whether every account was found and every balance is what its events make."""
        return not (self.differences or self.missing or self.unsettled)

    @property
    def summary(self) -> str:
        """One line, for logs."""
        told = f"{self.accounts} accounts, {self.events} events"
        if self.ok:
            return f"verified: {told}, every balance is what its events make"
        wrong = [self._differ()] if self.differences else []
        wrong += [self._missing(NAMED_IN_SUMMARY)] if self.missing else []
        wrong += [self._unsettled()] if self.unsettled else []
        return f"NOT VERIFIED: {told}, {', '.join(wrong)}"

    @property
    def differences_chart(self) -> Chart:
        """By how many points each balance is above or below what its events make."""
        shown = self.differences[:ROWS_SHOWN]
        values = [{"account": d.account_id, "points": d.difference} for d in shown]
        title = f"Accounts whose balance differs: {len(self.differences)}"
        more = f" The first {ROWS_SHOWN} are shown." if len(self.differences) > ROWS_SHOWN else ""
        told = "; ".join(f"{d.account_id} {d.difference:+d}" for d in shown)
        told = f"Points above (+) or below (-) what the events make: {told or 'none'}.{more}"
        return bar_chart(title, told, values, x="account", y="points", lying=True)

    @property
    def chart(self) -> Chart:
        """Points added and taken away by adjustments, day by day, of the days that are shown."""
        values = [
            {"day": day.name, "points": points}
            for day in reversed(self.by_day.groups)
            for points in (day.added, -day.taken)
        ]
        groups = self.by_day.groups
        added, taken = sum(day.added for day in groups), sum(day.taken for day in groups)
        told = f"Days: {len(groups)}. Points added: {added}, taken away: {taken}."
        return bar_chart("Points adjusted by day", told, values, x="day", y="points")

    def _view(self) -> Bundle:
        if self.differences:
            rows = [
                (d.balance, d.events_make, d.difference, d.phone_number, d.account_id)
                for d in self.differences[:ROWS_SHOWN]
            ]
            title = self._differ(f"of {self.accounts} balances")
            shown = table(title, COLUMNS, rows, note=self._note())
        else:
            read = [("accounts", self.accounts), ("events", self.events)]
            which = "settled" if self.unsettled else "found"
            title = (
                f"Every balance{'' if self.ok else f' that was {which}'} is what its events make"
            )
            tone = "good" if self.ok else "bad"
            shown = card(title, read, note=self._note(), tone=tone)
        return shown | {VERIFICATION_MIME: {"verified": self.ok, "summary": self.summary}}

    def _differ(self, of: str = "") -> str:
        if len(self.differences) == 1:
            return f"1 {of or 'balance'} is not what its events make"
        return f"{len(self.differences)} {of or 'balances'} are not what their events make"

    def _missing(self, named: int | None = None) -> str:
        """How many accounts do not exist, with the ids of the first ones, or of all of them."""
        do = "account does" if len(self.missing) == 1 else "accounts do"
        return f"{len(self.missing)} {do} not exist: {_ids(self.missing, named)}"

    def _unsettled(self) -> str:
        accounts = "account" if len(self.unsettled) == 1 else "accounts"
        ids = _ids(self.unsettled, NAMED_IN_SUMMARY)
        return f"{len(self.unsettled)} {accounts} not settled: {ids}"

    def _note(self) -> str:
        more = len(self.differences) - ROWS_SHOWN
        lines = [f"... and {more} more in {DIFFERENCES}"] if more > 0 else []
        lines += [f"{self._missing()}."] if self.missing else []
        if self.unsettled:
            lines.append(
                f"{self._unsettled()}. They differed when all were read; after {MOST_READ_AGAIN} "
                f"that were read once more, one by one, no more are. {NOT_SETTLED} names all of "
                "them: give them as account_ids, or reconcile at a quieter time."
            )
        if self.lifetimes_apart:
            lines.append(
                f"{_accounts(self.lifetimes_apart)} other lifetime points than purchases, "
                f"promotions and added adjustments make: {DIFFERENCES} names them. Square does not "
                "document all that changes them, so this is no error by itself."
            )
        if self.gone:
            does = "does" if self.gone == 1 else "do"
            lines.append(f"{_accounts(self.gone)} events and {does} not exist: merged or deleted.")
        return "\n".join(lines)


def _ids(ids: tuple[str, ...], named: int | None) -> str:
    more = len(ids[named:]) if named else 0
    return ", ".join(ids[:named]) + (f" and {more} more" if more else "")


def _accounts(number: int) -> str:
    return "1 account has" if number == 1 else f"{number} accounts have"


@dataclass(frozen=True)
class Compared(Shown):
    """A run against the ledger, row by row, if one was named.

    Attributes:
        verified: what the ledger says of the run; None if no run was named.
    """

    verified: Verified | None = None

    @property
    def ok(self) -> bool:
        """Whether the ledger agrees with the run."""
        return self.verified is None or self.verified.ok

    @property
    def summary(self) -> str:
        """One line, for logs."""
        if self.verified is None:
            return "no run was named"
        problems = "; ".join(map(str, self.verified.differences[:5]))
        first = self.verified.summary.split("\n")[0]
        return f"{first}: {problems}" if problems else first

    def _view(self) -> Bundle:
        if self.verified is None:
            return card("No run is compared", [], note="Name one in check_run_id to do that.")
        return self.verified._view()
