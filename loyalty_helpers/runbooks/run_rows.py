"""The rows of a run as they stand, those for a person on top, with what that person has to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from loyalty_helpers.records import Bundle, Shown, table
from loyalty_helpers.redaction import mask_reason
from loyalty_helpers.runbooks.apply import STATES, Code, Entry, Journal, told
from loyalty_helpers.runbooks.plan import JOURNAL, PLAN, Row, read_plan
from loyalty_helpers.runbooks.views import ROWS_SHOWN

COLUMNS = ("row", "account", "phone number", "before", "change", "after", "reason")
ON_TOP = ("REVIEW", "FAILED")
ORDER = (*ON_TOP, *(state for state in STATES if state not in ON_TOP))
ADVICE = {  # what a person does about a row for REVIEW, by its code
    Code.NOT_FOUND: "look at the account's events. If the points are there, nothing is to be done. "
    "If they are missing, resume with resend_unknown: it is sent once more with the same key",
    Code.DOUBTFUL: "find out who used its key or made the event. If the points are missing, give "
    "them under a new run id",
    Code.DOUBLED: "credited twice: put the line of the surplus event in undo.csv alone into a "
    "file, and run bulk_adjust with that under a new run id",
    Code.AMISS: "another machine used this run id for something else: compare both files, and "
    "correct the difference under a new run id",
}
REFUSED = "refused by Square: correct it in a file of its own, under a new run id"


@dataclass(frozen=True)
class RunRows(Shown):
    """The rows of the run in a folder.

    Attributes:
        folder: of the run.
        most: so many rows are shown; results.csv has all.
    """

    folder: Path
    most: int = ROWS_SHOWN

    def _view(self) -> Bundle:
        plan = read_plan(self.folder / PLAN)
        entries = {entry.n: entry for entry in self._entries()}
        rows = plan.rows() if entries else islice(plan.rows(), self.most)
        known = {row.n: row for row in rows if not entries or row.n in entries}
        shown = [_cells(known[n], entries.get(n)) for n in (entries or known)]
        more = plan.header.rows - len(shown)
        note = f"... and {more} more rows" if more else ""
        columns: tuple[str, ...] = (*COLUMNS, "state", "what to do")
        if not any(row[-1] for row in shown):
            columns, shown = columns[:-1], [row[:-1] for row in shown]
        return table(f"Rows of run {plan.header.run_id}", columns, shown, note=note)

    def _entries(self) -> list[Entry]:
        with told(self.folder / JOURNAL):
            if (journal := Journal.look(self.folder)) is None:
                return []
            with journal:
                return list(islice(_in_order(journal), self.most))


def _in_order(journal: Journal) -> Iterator[Entry]:
    for state in ORDER:
        yield from journal.entries(state)


def _cells(row: Row, entry: Entry | None) -> tuple[Any, ...]:
    state, told = "PLANNED", ""
    if entry:
        state = entry.state
        told = "; ".join(filter(None, (mask_reason(entry.note), advice(entry))))
    planned = (row.row_id, row.account_id, row.phone, row.before, f"{row.points:+d}", row.after)
    return (*planned, mask_reason(row.reason), state, told)


def advice(entry: Entry) -> str:
    """What a person has to do about a row; empty if nothing."""
    if entry.state == "FAILED":
        return REFUSED
    return ADVICE.get(Code(entry.code), "") if entry.state == "REVIEW" else ""
