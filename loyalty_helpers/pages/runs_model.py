"""What the runs page does, without the page: every run, one of them chosen, what can be done."""

from pathlib import Path

from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.errors import ParameterError
from loyalty_helpers.records import Shown
from loyalty_helpers.runbooks import (
    RunRecord,
    RunRows,
    State,
    compare_run,
    folder_of,
    headline,
    list_runs,
    planned_for,
)

ALL, WAITS = "all runs", "what waits for a person"
STATES = (ALL, WAITS, *State)
APPROVE, RESUME, UNDO, COMPARE = "approve", "resume", "undo", "compare"


class Runs:
    """The runs below LOYALTY_RUNS, those that are looked for, and the one that is chosen.

    Args:
        client: made by connect().

    Attributes:
        state, text: what is looked for: one of STATES, and a text in anything that is shown.
        chosen: the run that is looked at; None if there is none.
    """

    def __init__(self, client: LoyaltyClient) -> None:
        self._client = client
        self.state, self.text = ALL, ""
        self.chosen: RunRecord | None = None
        self.look()

    @property
    def environment(self) -> str:
        """Of the page: its client's."""
        return self._client.environment

    @property
    def headline(self) -> str:
        """How many runs there are, and how many wait for a person."""
        return headline([run for run in self._runs if run.state is not State.FOREIGN])

    @property
    def shown(self) -> list[RunRecord]:
        """The runs that are looked for, what waits for a person first."""
        words = self.text.casefold().split()
        return [
            run
            for run in self._runs
            if self.state in (ALL, run.state) or (self.state == WAITS and run.state.waits)
            if all(word in _words(run) for word in words)
        ]

    def look(self) -> None:
        """Read all runs anew; the chosen one stays chosen, as it stands now."""
        self._runs = list_runs()
        self.choose(self.chosen.run_id if self.chosen else "")

    def choose(self, run_id: str) -> None:
        """Look at one run; at none, if there is none of this name."""
        found = {run.run_id: run for run in self._runs}
        self.chosen = found.get(run_id)

    @property
    def possible(self) -> tuple[str, ...]:
        """What can be done about the chosen run from this page."""
        run = self.chosen
        if run is None or not run.digest or self.closed:
            return ()
        begun = run.state not in (State.WAITING, State.PLANNED)
        asked = {
            APPROVE: run.state is State.WAITING,
            RESUME: (bool(run.next) and begun) or run.state is State.REVIEW,
            UNDO: bool(run.undo),
            COMPARE: begun,
        }
        return tuple(name for name, can in asked.items() if can)

    @property
    def closed(self) -> str:
        """Why nothing can be done about the chosen run here; empty if something can."""
        run = self.chosen
        if run is None or not run.digest:
            return ""
        if run.state is State.APPLYING:
            return "Somebody is at work with this run: wait for its end, and look again."
        if run.state is State.DAMAGED:
            return "Nothing can be done from here while its files are damaged."
        here = planned_for(self.environment)
        if run.environment != here:
            return (
                f"This run is one of {run.environment}, and this page works with {here}: "
                "open the pages for that environment."
            )
        return ""

    def rows(self) -> Shown | None:
        """The rows of the chosen run, those for a person on top; None if it has none."""
        run = self.chosen
        if run is None or not run.rows or run.state is State.DAMAGED:
            return None
        return RunRows(self._folder(run))

    def report(self) -> Path:
        """The report of the chosen run; raises ParameterError if there is none."""
        run = self.chosen
        if run is None or not run.report:
            raise ParameterError("this run has no report: a run by `loyalty run` leaves one")
        return self._folder(run) / f"{run.runbook}.html"

    def compare(self) -> Shown:
        """Compare the rows of the chosen run with the ledger; its state follows from that."""
        if self.chosen is None:
            raise ParameterError("no run is chosen: choose one first")
        compared = compare_run(self._client, self.chosen.run_id)
        self.look()
        return compared

    def _folder(self, run: RunRecord) -> Path:
        return folder_of(run.run_id)


def _words(run: RunRecord) -> str:
    told = (run.run_id, run.state, run.runbook, run.environment, run.source, run.approved_by)
    return " ".join((*told, run.rows_text, run.told, *run.todo)).casefold()
