"""What is known of one run, and where it stands."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where a run stands; those that wait for a person come first, the most urgent on top."""

    REVIEW = "REVIEW"  # rows that only a person can tell about
    APART = "NOT VERIFIED"  # the ledger contradicts rows
    DAMAGED = "damaged"
    STOPPED = "stopped"
    FAILED = "failed"
    UNFINISHED = "unfinished"  # its command is at work just now, or was killed
    WAITING = "waiting for approval"
    APPLYING = "applying"
    APPLIED = "applied"  # and not yet compared with the ledger
    VERIFIED = "verified"
    ENDED = "ended"
    PLANNED = "planned"  # too long ago to be approved
    BY_HAND = "by hand"
    FOREIGN = "not a run"

    @property
    def waits(self) -> bool:
        """Whether a run in this state waits for a person."""
        return STATES.index(self) <= STATES.index(State.WAITING)


STATES = list(State)


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """What is known of one run; texts are masked, and each is one printable line.

    Attributes:
        run_id: its name, which is the name of its folder.
        state: where it stands.
        runbook: the notebook that made it.
        environment, merchant_id: where it changes points; the seller is known of plans only.
        source: the file that was planned, or the run that is undone.
        approved_by: who approved the plan.
        accounts: how many accounts the plan has.
        rows: how many rows of the plan are in each state of a row.
        added, taken: points of the plan, or of a walkthrough; taken away as a negative number.
        at: when it did something last, in UTC.
        digest: of the plan.
        told: why it is in its state.
        todo: what a person has to do, a line each.
        next: the command that goes on.
        undo: the command that plans the opposite of what it has done.
        report: the link to its report from the folder of the runs; empty if there is none.
    """

    run_id: str
    state: State
    runbook: str = ""
    environment: str = ""
    merchant_id: str = ""
    source: str = ""
    approved_by: str = ""
    accounts: int = 0
    rows: Mapping[str, int] = field(default_factory=dict)
    added: int = 0
    taken: int = 0
    at: datetime | None = None
    digest: str = ""
    told: str = ""
    todo: tuple[str, ...] = ()
    next: str = ""
    undo: str = ""
    report: str = ""

    @property
    def tone(self) -> str:
        """`good`, `care` or `bad`; empty where there is nothing to say."""
        return _TONES.get(self.state, "bad" if self.state.waits else "")

    @property
    def rows_text(self) -> str:
        """`5 APPLIED, 1 REVIEW`, or nothing where a run has no rows."""
        return ", ".join(f"{count} {state}" for state, count in self.rows.items())

    @property
    def points_text(self) -> str:
        """`+122 -4`: what is added and what is taken away, each only if there is any."""
        return " ".join(f"{points:+d}" for points in (self.added, self.taken) if points)

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own types, the time in RFC 3339."""
        at = self.at and self.at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return asdict(self) | {"waits": self.state.waits, "rows": dict(self.rows), "at": at}


_TONES = {State.WAITING: "care", State.UNFINISHED: "care", State.VERIFIED: "good"}
