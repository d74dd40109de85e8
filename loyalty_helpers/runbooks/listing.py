"""The runs in a folder, each with its state: read from plan, journal and receipt alone.

Nothing is believed that only a name, a report or a cell says, and nothing is locked: a run that is
at work is told as such.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, ValidationError

from loyalty_helpers.errors import JournalBusyError, LoyaltyError, PlanError
from loyalty_helpers.plain import plain
from loyalty_helpers.redaction import mask_text
from loyalty_helpers.runbooks import plan as plans
from loyalty_helpers.runbooks.apply import OPEN, Journal, standing_of, told
from loyalty_helpers.runbooks.record import STATES, RunRecord, State
from loyalty_helpers.runbooks.results import RECEIPT, command, undo_command, verdict_of
from loyalty_helpers.runbooks.views import what_to_do
from loyalty_helpers.settings import load_settings
from loyalty_helpers.steps import INTENT


class _Receipt(BaseModel):
    """What is read of a receipt, whatever else stands in it."""

    model_config = ConfigDict(hide_input_in_errors=True)

    notebook: str
    run_id: str
    environment: str
    status: str
    started_at: datetime
    finished_at: datetime | None
    parameters: dict[str, Any]
    error: str | None = None
    points: int | dict[str, int] | None = None  # of a walkthrough; by state where there are rows
    plan: str = ""


# What reading a file that somebody else has made can come to.
UNREADABLE = (LoyaltyError, OSError, ValueError, TypeError, OverflowError)
TEXTS = ("run_id", "runbook", "environment", "merchant_id", "source", "approved_by", "told")
UNDOING = "undo_adjustments"  # the notebook of runs that undo another one
DONE = ("APPLIED", "REVIEW")  # the ledger may hold such rows
BY_STATUS = {
    "verified": State.VERIFIED,
    "ended": State.ENDED,
    "failed": State.FAILED,
    "interrupted": State.UNFINISHED,
}
SAME_COMMAND = "the same command again is safe: it adds nothing twice."
WHAT_NEXT = {
    State.APART: ("See results.csv, and look at the events of the accounts.",),
    State.STOPPED: ("Resume it: nothing is lost, and nothing is done twice.",),
    State.UNFINISHED: (f"At work just now, or stopped. If it is not at work, {SAME_COMMAND}",),
    State.WAITING: ("Look at the plan, and approve it if it is what is meant.",),
    State.APPLIED: (f"Not compared with the ledger yet: {SAME_COMMAND}",),
    State.PLANNED: ("Older than a day: plan it anew before it is approved.",),
    State.BY_HAND: ("Done in a notebook by hand, without a receipt: the account's events tell.",),
}


def list_runs(runs: Path | None = None, *, out: str = "") -> list[RunRecord]:
    """Every folder below `runs`, what waits first, then the newest.

    A folder that is damaged, or no run at all, is told by its name.

    Args:
        runs: the folder of the runs; None is LOYALTY_RUNS.
        out: that folder as it was named on the command line, for the commands that go on.
    """
    place = runs or load_settings().runs_folder
    folders = [path for path in place.iterdir() if path.is_dir()] if place.is_dir() else []
    found = [look_at(folder, out=out) for folder in folders]
    undone = {_name(run, run.source): run for run in found if run.runbook == UNDOING}
    return sorted((_beside(run, undone.get(_name(run, run.run_id))) for run in found), key=_order)


def _name(run: RunRecord, run_id: str) -> tuple[str, str, str]:
    return run.environment, run.merchant_id, run_id


def _beside(run: RunRecord, undoing: RunRecord | None) -> RunRecord:
    """A run that another one undoes says so, and how far that is; it may undo a part only."""
    if undoing is None or not run.digest:
        return run
    told = f"{run.told}; " if run.told else ""
    return replace(run, told=f"{told}run {undoing.run_id} undoes it: {undoing.state}")


def _order(run: RunRecord) -> tuple[int, float, str]:
    rank = STATES.index(run.state) if run.state.waits else len(STATES)
    at = run.at.timestamp() if run.at else 0.0
    return rank + (run.state is State.FOREIGN), -at, run.run_id


def look_at(folder: Path, *, out: str = "") -> RunRecord:
    """What the folder of one run holds; `out` as of `list_runs`."""
    try:
        found = _found(folder, out)
    except UNREADABLE as error:
        found = RunRecord(run_id=folder.name, state=State.DAMAGED, told=str(error))
    texts: dict[str, Any] = {name: mask_text(plain(getattr(found, name))) for name in TEXTS}
    return replace(found, **texts, todo=found.todo or WHAT_NEXT.get(found.state, ()))


def _found(folder: Path, out: str) -> RunRecord:
    receipt = _receipt(folder)
    if any((folder / name).exists() for name in (plans.PLAN, plans.JOURNAL)):
        return _with_plan(folder, receipt, out)
    if receipt:
        return _with_receipt(folder, receipt)
    state = State.BY_HAND if (folder / INTENT).exists() else State.FOREIGN
    return RunRecord(run_id=folder.name, state=state)


def _receipt(folder: Path) -> _Receipt | None:
    """The receipt in a folder, or None if there is none."""
    path = folder / RECEIPT
    if not path.exists():
        return None
    try:
        receipt = _Receipt.model_validate_json(path.read_bytes())
    except ValidationError as error:
        wrong = ", ".join(str(each["loc"][0]) if each["loc"] else "JSON" for each in error.errors())
        raise PlanError(f"{RECEIPT} is not as it was written: {wrong}") from None
    _check_name(folder, receipt.run_id)
    return receipt


def _check_name(folder: Path, run_id: str) -> None:
    if run_id != folder.name:
        raise PlanError(f"this is the folder of run {run_id!r}: it was copied or renamed")


def _with_receipt(folder: Path, receipt: _Receipt) -> RunRecord:
    """A run without a plan: a walkthrough, or a reconciliation."""
    state = BY_STATUS.get(receipt.status, State.DAMAGED)
    points = receipt.points if isinstance(receipt.points, int) else 0
    return RunRecord(
        run_id=folder.name,
        state=state,
        runbook=receipt.notebook,
        environment=receipt.environment,
        added=max(points, 0),
        taken=min(points, 0),
        at=_latest(receipt),
        told=why(receipt.error),
        todo=(f"Mend the cause; then {SAME_COMMAND}",) if state is State.FAILED else (),
        report=_report(folder, receipt.notebook),
    )


def _with_plan(folder: Path, receipt: _Receipt | None, out: str) -> RunRecord:
    plan = plans.read_plan(folder / plans.PLAN)
    header = plan.header
    _check_name(folder, header.run_id)
    made = _moment(plan.path.stat().st_mtime)
    known = RunRecord(
        run_id=folder.name,
        state=State.APPLYING,
        runbook=header.runbook,
        environment=header.environment,
        merchant_id=header.merchant_id,
        accounts=header.accounts,
        source=header.source,
        added=header.added,
        taken=header.taken,
        at=max(filter(None, (made, _latest(receipt)))),
        digest=plan.digest,
        report=_report(folder, header.runbook),
    )
    try:
        with told(folder / plans.JOURNAL):
            return _begun(plan, known, receipt, out) or _not_begun(plan, known, out)
    except JournalBusyError:
        approved_by = str(receipt.parameters.get("approved_by", "")) if receipt else ""
        standing = str((standing_of(folder) or {}).get("text", ""))
        return replace(known, approved_by=approved_by, told=standing)
    except UNREADABLE as error:
        return replace(known, state=State.DAMAGED, told=str(error))


def _not_begun(plan: plans.Plan, known: RunRecord, out: str) -> RunRecord:
    known = replace(known, rows={"PLANNED": plan.header.rows})
    try:
        plans.check_may_begin(plan, plans.MAX_PLAN_AGE)
    except PlanError:
        return replace(known, state=State.PLANNED)
    return replace(known, state=State.WAITING, next=command(plan, out=out))


def _begun(
    plan: plans.Plan, known: RunRecord, receipt: _Receipt | None, out: str
) -> RunRecord | None:
    """A run with a journal; None if nothing stands in it yet."""
    if (journal := Journal.look(plan.folder)) is None:
        return None
    with journal:
        counts, verdict = journal.counts(), verdict_of(journal)
        digest, approved_by = journal.meta("digest"), journal.meta("approved_by")
        sent = _moment(journal.last_sent() or float(journal.meta("opened") or 0))
    if digest != plan.digest:
        raise PlanError(f"{plans.JOURNAL} is the journal of another plan")
    compared = verdict.times > 0 and verdict.counts == counts
    apart = compared and verdict.differences > 0
    unfinished = any(state in counts for state in OPEN)
    done = any(state in counts for state in DONE)
    todo = (*what_to_do(counts), *(WHAT_NEXT[State.STOPPED] if unfinished else ()))
    return replace(
        known,
        state=_state(counts, unfinished=unfinished, apart=apart, compared=compared),
        approved_by=approved_by,
        rows=counts,
        at=max(filter(None, (known.at, sent))),
        told=_stopped_by(receipt, counts) if receipt and receipt.plan == plan.digest else "",
        todo=(*todo, *(WHAT_NEXT[State.APART] if apart else ())),
        next=command(plan, approved_by, out=out) if unfinished else "",
        undo=undo_command(plan, out=out) if done and not unfinished else "",
    )


def _stopped_by(receipt: _Receipt, counts: Mapping[str, int]) -> str:
    """Why a run ended as it did: a stop tells it below its title and a line for each state."""
    unfinished = any(state in counts for state in OPEN)
    return why(receipt.error, after=1 + len(counts) if unfinished else 0)


def _state(counts: Mapping[str, int], *, unfinished: bool, apart: bool, compared: bool) -> State:
    if "REVIEW" in counts:
        return State.REVIEW
    if apart:
        return State.APART
    if unfinished:
        return State.STOPPED
    if "FAILED" in counts:
        return State.FAILED
    return State.VERIFIED if compared else State.APPLIED


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def why(error: str | None, *, lines: int = 1, after: int = 0) -> str:
    """What went wrong, in some lines of an error, without the name that Python has for it.

    Args:
        error: as a receipt holds it.
        lines: so many at most.
        after: so many lines are passed over, if there are more.
    """
    told = re.sub(r"^\w+(Error|Exception): ", "", error or "").splitlines()
    told = told[after:] or told
    return "\n".join([*told[:lines], *["..."][: lines > 1 and len(told) > lines]]).strip()


def _latest(receipt: _Receipt | None) -> datetime | None:
    return (receipt.finished_at or receipt.started_at).astimezone(UTC) if receipt else None


def _report(folder: Path, notebook: str) -> str:
    """The link to a report, if it is there; a name that leads elsewhere is none."""
    name = f"{notebook}.html"
    there = Path(name).name == name and (folder / name).is_file()
    return f"{quote(folder.name)}/{quote(name)}" if there else ""
