"""What the bulk page does, without the page: a file is planned, approved, applied and proved.

All of it is a `runbooks.Run`. Where a run stands is read from its folder, so that a page that is
opened again, or a second one, goes on with what is there.
"""

import re
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from threading import Event
from typing import Any

from loyalty_helpers.api import LoyaltyClient, check_approver, check_run_id
from loyalty_helpers.errors import JournalError, LoyaltyError, ParameterError, PlanError
from loyalty_helpers.files import replaced
from loyalty_helpers.runbooks import (
    JOURNAL,
    PLAN,
    Limits,
    Planned,
    Run,
    Standing,
    Time,
    Verified,
    facts,
    folder_of,
    standing_of,
)
from loyalty_helpers.settings import NOTEBOOKS

TYPED = 4  # characters of the digest that are typed by who has looked at the plan
LARGEST = 8 * 2**20  # bytes of a file that is sent here; browser and server refuse to carry 10 MiB
SENT, NAME_LENGTH = "sent", 100  # the folder of files that were sent here; their longest name
LEFT = ("results.csv", "undo.csv", "left_out.csv")  # what a run leaves for people
PROBLEMS = "problems.csv"


class Stage(Enum):
    """What is possible now."""

    EMPTY = "nothing is planned"
    REFUSED = "the file has problems"
    PLANNED = "a plan waits for its approval"
    AT_WORK = "rows go out from this page"
    HELD = "another page or process is at work with this run"
    STOPPED = "some rows are still to be done"
    ENDED = "each row has come to its end"


def samples() -> list[str]:
    """The CSV files that lie in the notebooks' data folder."""
    return sorted(path.name for path in (NOTEBOOKS / "data").glob("*.csv"))


def sample(name: str) -> Path:
    """Where a file of the data folder is."""
    return NOTEBOOKS / "data" / name


def keep(run_id: str, name: str, content: bytes) -> Path:
    """Keep a file that was sent here in the run's folder, for its owner only.

    Raises:
        ParameterError: it is too large.
    """
    if len(content) > LARGEST:
        raise ParameterError(
            f"the file has {len(content):,} bytes, and {LARGEST:,} can be sent. Put it into the "
            "folder notebooks/data, and choose it there; or split it."
        )
    folder = folder_of(run_id)
    for place in (folder, folder / SENT):  # not among the run's own files, whatever its name is
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / SENT / re.sub(r"[^\w .()+-]|^\.", "_", Path(name).name)[-NAME_LENGTH:]
    with replaced(path) as file:
        file.write(content)
    return path


class Bulk:
    """One run, from its file to its proof, or to its undoing.

    Args:
        client: made by connect().
        limits: how plans are applied; those of every run, if none are named.

    Attributes:
        run_id: of the run that all else is about; empty at first.
        stage: what is possible now.
        planned: the plan that is looked at.
        problems: of the file that was refused.
        counts: rows by state, as far as they were sent.
        reason: why nothing goes on by itself.
        verified: what comparing with the ledger came to; the one source of a word of success.
    """

    def __init__(self, client: LoyaltyClient, *, limits: Limits | None = None) -> None:
        self.client, self._limits = client, limits
        self._stop = Event()
        self.forget()

    def forget(self) -> None:
        """A file or a field has changed: nothing that follows from it is left."""
        self.run_id, self.stage, self.reason = "", Stage.EMPTY, ""
        self.planned: Planned | None = None
        self.verified: Verified | None = None
        self.problems: tuple[Any, ...] = ()
        self.counts: dict[str, int] = {}
        self._approval = ("", "")  # the digest, and whose word it is

    @property
    def folder(self) -> Path:
        """Of the run."""
        return folder_of(self.run_id)

    @property
    def production(self) -> bool:
        """Whether real buyers are meant."""
        return self.client.environment == "production"

    def files(self) -> list[Path]:
        """What can be taken away: what a run left, or the problems of a file."""
        if self.stage is Stage.EMPTY:
            return []
        names = (PROBLEMS,) if self.stage is Stage.REFUSED else LEFT
        return [path for path in map(self.folder.joinpath, names) if path.is_file()]

    # What a person does

    def plan(
        self,
        run_id: str,
        file: Path,
        *,
        allow_negative_balance: bool = False,
        allow_repeats: bool = False,
        **options: Any,
    ) -> None:
        """Make the plan of a file; what is wrong with its rows is kept, and not raised.

        Args:
            run_id: the name of the intent.
            file: a CSV file.
            allow_negative_balance: as for `Run`.
            allow_repeats: as for `Run`.
            options: as for `Run.plan_file`, by their names.
        """
        self.forget()
        if (folder_of(run_id) / JOURNAL).is_file():
            raise ParameterError(
                f"run id {run_id!r} has been used: its applying has begun. Open it to see where it "
                "stands, or take another run id for this file."
            )
        run = Run(
            self.client,
            run_id,
            allow_negative_balance=allow_negative_balance,
            allow_repeats=allow_repeats,
        )
        try:
            planned = run.plan_file(str(file), **options)
        except PlanError as error:
            if not error.problems:
                raise
            self.run_id, self.stage, self.problems = run_id, Stage.REFUSED, error.problems
        else:
            self.run_id, self.stage, self.planned = run_id, Stage.PLANNED, planned

    def undo(self, run_id: str, *, allow_partial: bool = False) -> None:
        """Make the plan that takes this run back: the page is about that plan from then on.

        Args:
            run_id: of the undoing.
            allow_partial: take back what can be.

        Raises:
            PlanError: not all of it can be taken back, or nothing is left to; `problems` has more.
        """
        try:
            run = Run(self.client, check_run_id(run_id))
            planned = run.plan_undo(self.run_id, allow_partial=allow_partial)
        except PlanError as error:
            self.problems = error.problems
            raise
        self.forget()
        self.run_id, self.stage, self.planned = run_id, Stage.PLANNED, planned

    def open(self, run_id: str) -> None:
        """Where a run stands, as its folder tells; raises ParameterError if there is none."""
        if not (folder_of(run_id) / PLAN).is_file():
            raise ParameterError(
                f"there is no run {run_id!r} here. Look at the run id; or choose a file, and check "
                "that, to begin a run of this name."
            )
        self.forget()
        self.run_id = run_id
        self._look()

    def approve(self, typed: str, approved_by: str, *, seen: bool = False) -> None:
        """Approve the plan that is shown.

        Args:
            typed: the first characters of its digest, which stands below all of the plan.
            approved_by: who approves; production asks for a name.
            seen: whether its warnings were read, if it has any.

        Raises:
            ParameterError: one of them is missing, or another plan was looked at.
        """
        if self.planned is None or self.stage is not Stage.PLANNED:
            raise ParameterError("no plan waits for approval: make one first")
        digest = self.planned.plan.digest
        if typed.lower() != digest[:TYPED]:
            raise ParameterError(
                f"{typed!r} is not how the digest of this plan begins. Look at the plan above, and "
                f"type the first {TYPED} characters of the digest below it."
            )
        if self.planned.warnings and not seen:
            raise ParameterError("this plan has warnings: read them, and tick that you have")
        if self.production and not approved_by:
            raise ParameterError("production asks for the name of the person who approves")
        self._approval = (digest, check_approver(approved_by))

    @property
    def approved_by(self) -> str:
        """Whose word the approval is; who died before that was written down left none."""
        return self._approval[1]

    def begin(self, approved_by: str = "") -> None:
        """Take the run in hand, to apply what was approved or to go on with it: see `work`.

        Args:
            approved_by: who approves going on with a run that holds no name.
        """
        left = self.stage in (Stage.PLANNED, Stage.STOPPED) or "REVIEW" in self.counts
        if not (left and self._approval[0]):
            raise ParameterError("nothing is approved that is still to be done: approve a plan")
        self._approval = (self._approval[0], self.approved_by or check_approver(approved_by))
        self.stage, self.reason, self.verified = Stage.AT_WORK, "", None

    def work(self, told: Callable[[Standing], None], **limits: Any) -> None:
        """Apply the run to its end, and compare it with the ledger; in any thread.

        Where it stops, or the ledger cannot be read, `reason` tells why, and nothing is raised.

        Args:
            told: is told how far it is, once a second at most.
            limits: as for `Run.apply`, by their names.
        """
        verified, (digest, approved_by), time = None, self._approval, Time.until(self._stop)
        run = Run(
            self.client,
            self.run_id,
            approved_plan=digest,
            approved_by=approved_by,
            limits=self._limits,
            time=time,
        )
        try:
            run.apply(told=told, **limits)
            verified = run.verify()
        except LoyaltyError as error:
            self.reason = getattr(error, "reason", str(error))
        finally:
            self._stop, self.verified = Event(), verified
            self._look()

    def stop(self) -> None:
        """Ask to stop at the border of rows; `work` ends when what is on its way is back."""
        self._stop.set()

    def verify(self) -> None:
        """Compare each row with the ledger, of a run that was applied before."""
        verified = Run(self.client, self.run_id, limits=self._limits).verify()
        self._look()
        self.verified = verified

    def _look(self) -> None:
        """Where the run stands; while another process has its journal, that is all there is."""
        self.planned, self._approval = Run(self.client, self.run_id).last_plan(), ("", "")
        try:
            found = facts(self.folder)
        except JournalError as error:
            told = (standing_of(self.folder) or {}).get("text", "")
            self.stage, self.reason = Stage.HELD, "\n".join(filter(None, [str(error), told]))
            return
        if "approved_by" not in found:
            self.stage = Stage.PLANNED
            return
        self.counts, self._approval = found["rows"], (found["plan"], found["approved_by"])
        self.stage = Stage.STOPPED if found["next"] else Stage.ENDED
