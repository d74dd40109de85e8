"""What bears out a run: files of its folder, read before and after, and never what a cell showed.

A notebook can be edited, or swallow an error; its plan, its journal and what was read from the
ledger into it cannot be spoken for by its outputs.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loyalty_helpers.errors import LoyaltyError
from loyalty_helpers.runbooks import (
    ADJUSTMENTS,
    DIFFERENCES,
    JOURNAL,
    PLAN,
    Journal,
    Plan,
    Verified,
    check_approval,
    parameters_of,
    planned_for,
    read_plan,
    verdict_of,
)
from loyalty_helpers.runner.notebooks import Notebook
from loyalty_helpers.steps import INTENT

ENDED_WELL = {"APPLIED", "SKIPPED"}
# They read only: that their asserts hold to the end is all there is to verify.
READ_ONLY = ("00_start_here", "01_search_accounts", "03_retrieve_account", "04_balance_events")

Stamp = tuple[int, int, int] | None


def applies(parameters: Mapping[str, Any]) -> bool:
    """Whether a notebook is asked to apply a plan, and not only to make one."""
    approved = bool(parameters.get("approved_plan"))
    return not parameters["dry_run"] if "dry_run" in parameters else approved


@dataclass(frozen=True)
class Attempt:
    """A run that is about to begin, and what its folder held before.

    Attributes:
        notebook: what is run.
        parameters: what it is asked for.
        folder: of the run.
        stamps: which file it was, its size and its time, of each that changes when a run does
            something.
        times: how often rows were compared with the ledger: of this run, or of the one that a
            reconciliation compares.
    """

    notebook: Notebook
    parameters: Mapping[str, Any]
    folder: Path
    stamps: Mapping[str, Stamp]
    times: int

    @classmethod
    def begin(cls, notebook: Notebook, parameters: Mapping[str, Any], folder: Path) -> "Attempt":
        """Look at the folder; raises JournalError if a journal is in use, or damaged."""
        times = _times_compared(_judged(parameters, folder))
        return cls(notebook, parameters, folder, _stamps(folder), times)

    @property
    def plans(self) -> bool:
        """Whether it is about a plan, and a journal if that is applied."""
        return "approved_plan" in self.parameters

    @property
    def runbook(self) -> bool:
        """Whether its rows are in a plan and a journal, of this run or of the one it compares."""
        return self.plans or "check_run_id" in self.parameters

    @property
    def reads_only(self) -> bool:
        """Whether its code is that of one of ours that only reads, whatever its defaults are."""
        name = self.notebook.path.stem
        return name in READ_ONLY and self.notebook.code == Notebook.read(name).code

    def changed_nothing(self) -> bool:
        """Whether all that a run leaves when it does something is as it was."""
        return self.stamps == _stamps(self.folder)

    def meant(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The parameters that count, masked: an approved plan's, whatever was given beside it."""
        if not (self.plans and applies(self.parameters)):
            return asked
        try:
            held = parameters_of(read_plan(self.folder / PLAN))
        except LoyaltyError:  # none is there yet, or it is damaged: what applies it will tell
            return asked
        return asked | {n: v for n, v in held.items() if n in asked}

    def unproven(self, shown: Mapping[str, Any] | None) -> LoyaltyError | None:
        """Why it cannot be called verified, though its notebook ran to its end; or None.

        Args:
            shown: the verification that a notebook without a plan showed.
        """
        try:
            why = self._plan_unproven() if self.plans else self._unproven(shown)
        except LoyaltyError as error:
            return error
        return LoyaltyError(why) if why else None

    def _unproven(self, shown: Mapping[str, Any] | None) -> str:
        if shown is None and "run_id" in self.parameters:  # what has one does or checks something
            return "the notebook ended without comparing what it did with the ledger"
        return self._audit_unproven() if "check_run_id" in self.parameters else ""

    def _audit_unproven(self) -> str:
        """By the files of a reconciliation, which its folder holds only if this run wrote them."""
        differences = self.folder / DIFFERENCES
        if not differences.is_file() or not (self.folder / ADJUSTMENTS).is_file():
            return f"the notebook ended without writing {DIFFERENCES} and {ADJUSTMENTS}"
        with differences.open(encoding="utf-8-sig", newline="") as file:
            apart = sum(int(row["difference"]) != 0 for row in csv.DictReader(file))
        if apart:
            return f"NOT VERIFIED: balances that are not what their events make: {apart}"
        compared = _judged(self.parameters, self.folder)
        if compared == self.folder or not (compared / JOURNAL).exists():
            return ""
        return _rows_unproven(read_plan(compared / PLAN), self.times)

    def _plan_unproven(self) -> str:
        plan, parameters = read_plan(self.folder / PLAN), self.parameters
        header = plan.header
        place = planned_for(parameters["environment"])
        runbook = self.notebook.path.stem if self.notebook.ours else header.runbook
        asked = (runbook, parameters.get("run_id"), place)
        if asked != (header.runbook, header.run_id, header.environment):
            return f"{plan.path} is the plan of another run"
        if not applies(parameters):
            made = self.stamps[PLAN] != _stamps(self.folder)[PLAN]
            return "" if made else "the notebook ended without making a plan"
        if parameters["approved_plan"]:
            check_approval(plan, parameters["approved_plan"])
        return _rows_unproven(plan, self.times)


def _judged(parameters: Mapping[str, Any], folder: Path) -> Path:
    """The folder of the run whose rows are compared with the ledger."""
    named = parameters.get("check_run_id")
    return folder.parent / named if named else folder


def _times_compared(folder: Path) -> int:
    if (journal := Journal.look(folder)) is None:
        return 0
    with journal:
        return verdict_of(journal).times


def _stamps(folder: Path) -> dict[str, Stamp]:
    return {name: _stamp(folder / name) for name in (PLAN, JOURNAL, INTENT)}


def _stamp(path: Path) -> Stamp:
    if not path.exists():
        return None
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _rows_unproven(plan: Plan, times_before: int) -> str:
    """Why rows are not verified: their journal says so, or its verdict is not of this run."""
    if (journal := Journal.look(plan.folder)) is None:
        return "the plan was to be applied, and there is no journal: the notebook sent nothing"
    with journal:
        digest, counts = journal.meta("digest"), journal.counts()
        verdict = verdict_of(journal)
    states = ", ".join(f"{count} {state}" for state, count in counts.items())
    told = f"{states} of {plan.header.rows} rows"
    if digest != plan.digest:
        return f"{journal.path} is the journal of another plan"
    if not set(counts) <= ENDED_WELL or sum(counts.values()) != plan.header.rows:
        return f"NOT VERIFIED: {told}"
    if verdict.times <= times_before or verdict.counts != counts:
        return f"NOT VERIFIED: {told}, and the notebook did not compare them with the ledger"
    differ = verdict.differences
    return f"NOT VERIFIED: {told}, {differ} of them not as the ledger has them" if differ else ""


def told_of(folder: Path, out: str) -> str:
    """What came of a run with a plan, from its plan and its journal."""
    plan, counts, moved = read_plan(folder / PLAN), {}, 0
    if journal := Journal.look(folder):
        with journal:
            counts, moved = journal.counts(), journal.moved()
    return Verified(plan, counts, (), moved, out).summary
