"""What a run leaves beside its journal: results.csv, undo.csv, and the facts of its receipt."""

import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loyalty_helpers.runbooks.csv_files import write_csv
from loyalty_helpers.runbooks.journal import JOURNAL, OPEN, Journal
from loyalty_helpers.runbooks.journal_file import OWNER
from loyalty_helpers.runbooks.plan import APPROVAL_LENGTH, PLAN, Plan, read_plan
from loyalty_helpers.settings import load_settings

RESULTS = "results.csv"
UNDO = "undo.csv"
# What the next run with the same run id goes on with; all else is made anew.
KEPT = (PLAN, JOURNAL, f"{JOURNAL}-journal", OWNER)
RESULT_COLUMNS = (
    *("row_id", "account_id", "phone_number", "points", "reason", "state", "applied", "event_id"),
    *("event_at", "attempts", "balance_planned", "balance_found", "undoes", "note"),
    "balance_after",
)
UNDO_COLUMNS = ("row_id", "account_id", "points", "reason", "undoes")


def write_results(folder: Path, journal: Journal) -> None:
    """One line for each row of the plan, the last column with the balance that it makes.

    `balance_after` is the balance that was found before the first change (the planned one, if
    none was read), plus what this run applied to the account up to this row. What others did
    meanwhile is not in it. It is empty where nothing was applied, or no balance is known.
    """
    write_csv(folder / RESULTS, RESULT_COLUMNS, _results(journal))


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
            *(entry.row_id, entry.account_id, entry.phone, entry.points, entry.reason),
            *(entry.state, entry.applied, entry.event_id, entry.event_at, entry.attempts),
            *(planned, "" if found is None else found, entry.undoes, note),
            after if known else "",
        )


def write_undo(folder: Path, journal: Journal) -> None:
    """An adjustments file that undoes what was applied, the last row first."""
    rows = (
        (e.row_id, e.account_id, -e.points, f"Undo of event {e.event_id}", e.event_id)
        for e in journal.backwards("APPLIED")
    )
    write_csv(folder / UNDO, UNDO_COLUMNS, rows)


def command(plan: Plan, approved_by: str = "", *, out: str = "") -> str:
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
    given["approved_plan"] = plan.digest[:APPROVAL_LENGTH]
    given["approved_by"] = approved_by or "YOUR_NAME"
    named = out or load_settings().loyalty_out
    options = ["--out", shlex.quote(named)] if named else []
    values = [f"-p {name} {shlex.quote(value)}" for name, value in given.items()]
    return " ".join(["loyalty run", header.runbook, *options, *values])


def facts(folder: Path, *, out: str = "") -> dict[str, Any]:
    """What the receipt of a run says of its rows, from its plan and its journal as they are."""
    if not (folder / PLAN).is_file():
        return {}
    plan = read_plan(folder / PLAN)
    journal = Journal.look(folder)
    if journal is None:
        return {
            "plan": plan.digest,
            "rows": {"PLANNED": plan.header.rows},
            "next": command(plan, out=out),
        }
    with journal:
        counts, approved_by = journal.counts(), journal.meta("approved_by")
        points = {state: points for state, (_, points) in journal.totals().items()}
    unfinished = any(state in counts for state in OPEN)
    return {
        "plan": plan.digest,
        "approved_by": approved_by,
        "rows": counts,
        "points": points,
        "next": command(plan, approved_by, out=out) if unfinished else None,
    }
