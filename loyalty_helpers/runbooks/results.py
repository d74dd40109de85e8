"""What a run leaves beside its journal: results.csv, undo.csv, and the facts of its receipt."""

import json
import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from loyalty_helpers.errors import JournalError
from loyalty_helpers.redaction import mask_body, mask_reason, mask_text
from loyalty_helpers.runbooks import plan as plans
from loyalty_helpers.runbooks.apply import OPEN, OWNER, RESULTS, Journal, told
from loyalty_helpers.runbooks.csv_files import write_csv
from loyalty_helpers.runbooks.undo import undoing_rows
from loyalty_helpers.runbooks.verify import Held
from loyalty_helpers.settings import load_settings
from loyalty_helpers.steps import INTENT

UNDO = "undo.csv"
RECEIPT = "receipt.json"  # that `loyalty run` leaves
# What the next run with the same run id goes on with; all else is made anew.
KEPT = (plans.PLAN, plans.LOCK, plans.JOURNAL, f"{plans.JOURNAL}-journal", OWNER, INTENT)
_VERDICT = "verified"  # name of the fact in the journal
RESULT_COLUMNS = (
    *("row_id", "account_id", "phone_number", "points", "reason", "state", "applied", "event_id"),
    *("event_at", "attempts", "balance_planned", "balance_found", "undoes", "note"),
    "balance_after",
)
UNDO_COLUMNS = ("row_id", "account_id", "points", "reason", "undoes")


@dataclass(frozen=True)
class Verdict:
    """What comparing a run with the ledger came to, as its journal holds it.

    Attributes:
        times: how often its rows were compared so far: a later verdict has a higher number.
        counts: rows by state, when they were compared.
        differences: how many rows the ledger contradicted.
    """

    times: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    differences: int = 0


def write_verified(journal: Journal, differences: int, held: Iterable[Held]) -> None:
    """Write down what came of every row, and how many the ledger contradicts.

    Args:
        journal: of the run, open; its folder gets results.csv and undo.csv.
        differences: how many rows the ledger contradicts.
        held: the events of the run that the ledger holds.
    """
    with told(journal.path.with_name(RESULTS)):
        write_results(journal)
        write_csv(journal.path.with_name(UNDO), UNDO_COLUMNS, _compensating(held))
    verdict = Verdict(verdict_of(journal).times + 1, journal.counts(), differences)
    with journal.commit():
        journal.set_meta(_VERDICT, json.dumps(asdict(verdict)))


def verdict_of(journal: Journal) -> Verdict:
    """The last verdict of a run; the number 0 if its rows were never compared."""
    return Verdict(**json.loads(journal.meta(_VERDICT) or "{}"))


def write_results(journal: Journal) -> None:
    """One line for each row of the plan, the last column with the balance that it makes.

    Reasons are masked: plan and journal have them as they were sent.
    `balance_after` is the balance that was found before the first change (the planned one, if
    none was read), plus what this run applied to the account up to this row. What others did
    meanwhile is not in it. It is empty where nothing was applied, or no balance is known.
    """
    write_csv(journal.path.with_name(RESULTS), RESULT_COLUMNS, _results(journal))


def _results(journal: Journal) -> Iterator[tuple[Any, ...]]:
    made: Counter[str] = Counter()  # points by account
    for entry in journal.entries():
        _, planned, found = journal.balances([entry.account_id])[entry.account_id]
        moved = found is not None and found != planned
        note = entry.note or ("the balance had moved since the plan was made" if moved else "")
        earlier = entry.applied == "before"  # and so in the balance that was found
        known = entry.state == "APPLIED" and not (earlier and found is None)
        made[entry.account_id] += entry.points if known and not earlier else 0
        after = (planned if found is None else found) + made[entry.account_id]
        yield (
            *(entry.row_id, entry.account_id, entry.phone, entry.points),
            mask_reason(entry.reason),
            *(entry.state, entry.applied, entry.event_id, entry.event_at, entry.attempts),
            *(planned, "" if found is None else found, entry.undoes, note),
            after if known else "",
        )


def _compensating(held: Iterable[Held]) -> Iterator[tuple[Any, ...]]:
    """The last row first, so that undoing them in this order lowers no balance on the way."""
    backwards = sorted(held, key=lambda event: (-event.n, event.event_id))
    for row_id, events in groupby(backwards, key=attrgetter("row_id")):
        made = ((event.event_id, event.account_id, event.points) for event in events)
        yield from map(attrgetter(*UNDO_COLUMNS), undoing_rows(row_id, made))


def repeats_told(runs: Path, rows: Iterable[plans.Row]) -> list[str]:
    """A line for each row whose content the ledger holds already: which event, of which run.

    Args:
        runs: the folder of all runs; what other folders know of an event is not known here.
        rows: of a plan.
    """
    held = [row for row in rows if row.repeats]
    wanted = {row.repeats for row in held}
    folders = sorted(runs.iterdir()) if held and runs.is_dir() else ()
    names = {one: told for folder in folders for one, told in _events_of(folder, wanted)}
    lines = [
        f"row {row.row_id}: {row.points:+d} points for account {row.account_id} with this reason "
        f"are event {row.repeats}, {names.get(row.repeats, 'of no run that is known here')}"
        for row in held
    ]
    meant = (
        f"Looked for within {plans.REPEAT_DAYS} days before the newest event. If they are meant "
        "once more: allow_repeats true"
    )
    return [*lines, meant] if lines else []


def _events_of(folder: Path, event_ids: Collection[str]) -> Iterator[tuple[str, str]]:
    """The events among these that a run made, each with its run, as far as its folder tells."""
    with suppress(OSError, ValueError, JournalError):  # at work just now, or damaged
        if journal := Journal.look(folder):
            with journal:
                for event_id, row_id in journal.rows_of(event_ids):
                    yield event_id, f"of run {folder.name}, row {row_id}"
        else:
            receipt = json.loads((folder / RECEIPT).read_text(encoding="utf-8"))
            made = receipt.get("event_id") if isinstance(receipt, dict) else None
            if isinstance(made, str) and made in event_ids:
                yield made, f"of run {folder.name}"


def command(plan: plans.Plan, approved_by: str = "", *, out: str = "") -> str:
    """The one command that applies a plan, and that goes on with it after any stop.

    Args:
        plan: what is applied.
        approved_by: who approved it.
        out: the folder of the runs, if it was named on the command line.
    """
    header = plan.header
    given = {"environment": header.environment, "run_id": header.run_id}
    if header.runbook == "adjust_points":
        given["dry_run"] = "false"
    given["approved_plan"] = plan.digest[: plans.APPROVAL_LENGTH]
    given["approved_by"] = approved_by or "YOUR_NAME"
    return _typed(header.runbook, given, out)


def undo_command(plan: plans.Plan, *, out: str = "") -> str:
    """The command that plans the opposite of what a run has done; `out` as of `command`."""
    header = plan.header
    given = {"environment": header.environment, "undo": header.run_id}
    return _typed("undo_adjustments", given | {"run_id": undo_id(header.run_id)}, out)


def undo_id(run_id: str) -> str:
    """A run id for the undoing of a run."""
    return f"{run_id[:59]}-undo"  # 64 characters are the most that it may have


def _typed(runbook: str, given: Mapping[str, str], out: str) -> str:
    named = out or load_settings().loyalty_out
    options = ["--out", shlex.quote(named)] if named else []
    values = [f"-p {name} {shlex.quote(value)}" for name, value in given.items()]
    return " ".join(["loyalty run", runbook, *options, *values])


def parameters_of(plan: plans.Plan) -> dict[str, Any]:
    """What applying a plan goes by, whatever else it was started with, by parameter; masked."""
    header = plan.header
    allowed = ("allow_negative_balance", "allow_repeats")
    held: dict[str, Any] = {name: getattr(header, name) for name in allowed}
    if header.runbook == "adjust_points":
        [row] = plan.rows()
        named = ("customer_id", "account_id", "points", "reason")
        held |= {name: getattr(row, name) for name in named}
        held = mask_body(held)
        return held | {"phone_number": row.phone}  # the plan has it masked
    return held | {"adjustments_file": mask_text(header.source), "undo": header.source}


def facts(folder: Path, *, out: str = "") -> dict[str, Any]:
    """What the receipt of a run says of its rows, from its plan and its journal as they are."""
    if not (folder / plans.PLAN).is_file():
        return {}
    plan = plans.read_plan(folder / plans.PLAN)
    told: dict[str, Any] = {"plan": plan.digest}
    journal = Journal.look(folder)
    if journal is None:
        return told | {"rows": {"PLANNED": plan.header.rows}, "next": command(plan, out=out)}
    with journal:
        counts, approved_by = journal.counts(), journal.meta("approved_by")
        told |= {"approved_by": approved_by, "rows": counts, "points": journal.points()}
    unfinished = any(state in counts for state in OPEN)
    return told | {"next": command(plan, approved_by, out=out) if unfinished else None}
