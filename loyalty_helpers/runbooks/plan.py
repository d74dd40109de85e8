"""A plan on disk: what a run is going to do, row by row, and the digest that approves it.

`plan.json` is one JSON object with one row a line, so that a plan of any size is written and read
a line at a time. The digest is the SHA-256 of every byte that stands before it; nothing in the
file depends on a clock, so that planning the same again gives the same digest.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictInt, ValidationError

from loyalty_helpers.errors import PlanError
from loyalty_helpers.files import replaced
from loyalty_helpers.runbooks.identity import Identity, row_identity, undo_identity
from loyalty_helpers.settings import SQUARE_VERSION

FORMAT = 1
PLAN = "plan.json"
APPROVAL_LENGTH = 12  # characters of the digest that are enough to approve a plan


class Header(BaseModel):
    """What a plan is for.

    Attributes:
        runbook: the notebook that applies it.
        environment, merchant_id, program_id: where it may be applied, and nowhere else.
        run_id: the name of the intent.
        allow_negative_balance: let balances fall below 0.
        rows, accounts: how many.
        added, taken: points in all, added and taken away (as a negative number).
        ledger_since: events older than this are of no interest; None if there were none.
        source: the name of the file, or of the run that is undone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    format: StrictInt = FORMAT
    runbook: str
    environment: str
    merchant_id: str
    program_id: str
    square_version: str = SQUARE_VERSION
    run_id: str
    allow_negative_balance: bool = False
    rows: StrictInt
    accounts: StrictInt
    added: StrictInt
    taken: StrictInt
    ledger_since: datetime | None = None
    source: str = ""

    def identity(self, row: "PlanRow") -> Identity:
        """Key and marker of a row: they name its intent, whatever it holds."""
        if row.undoes:
            return undo_identity(self.environment, self.merchant_id, row.undoes)
        return row_identity(self.environment, self.merchant_id, self.run_id, row.row_id)


class PlanRow(BaseModel):
    """One adjustment.

    Attributes:
        n: its place, from 1.
        row_id: its name within the run.
        account_id: whose points change.
        customer_id: the buyer's profile, by which balances are read 30 at a time.
        phone: masked, unless phone numbers were asked for.
        points: whole points; negative takes away.
        reason: what people read; the marker is added when it is sent.
        before, after: the balance, if nothing else happens meanwhile.
        undoes: the id of the event that it compensates.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    n: StrictInt
    row_id: str
    account_id: str
    customer_id: str = ""
    phone: str = ""
    points: StrictInt
    reason: str
    before: StrictInt
    after: StrictInt
    undoes: str = ""


@dataclass(frozen=True)
class Plan:
    """A plan that is on disk: its header, its digest, and where its rows are."""

    path: Path
    header: Header
    digest: str

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        return self.path.parent

    def rows(self) -> Iterator[PlanRow]:
        """The rows in their order, read as they are asked for; all of them were checked."""
        for line in _lines(self.path):
            if line.startswith(b'{"account_id"'):
                yield PlanRow.model_validate_json(line.rstrip(b",\n"))


def write_plan(path: Path, header: Header, rows: Iterable[PlanRow]) -> Plan:
    """Write a plan, whole or not at all, readable by its owner only."""
    digest = hashlib.sha256()
    with replaced(path) as file:
        for piece in _pieces(header, rows):
            digest.update(piece)
            file.write(piece)
        file.write(_last_line(digest.hexdigest()))
    return Plan(path, header, digest.hexdigest())


def read_plan(path: Path) -> Plan:
    """A plan that is as it was written.

    Raises:
        PlanError: there is none, or a byte of it was changed.
    """
    digest, header, count, last = hashlib.sha256(), None, 0, b""
    for line in _lines(path):
        digest.update(last)
        last = line
        header = header or _header(path, line)
        count += line.startswith(b'{"account_id"')
    if header is None or last != _last_line(digest.hexdigest()) or count != header.rows:
        raise _changed(path)
    return Plan(path, header, digest.hexdigest())


def check_approval(plan: Plan, approved: str) -> None:
    """Raise PlanError unless `approved` is this plan's digest, or at least its beginning."""
    if len(approved) < APPROVAL_LENGTH or not plan.digest.startswith(approved):
        raise PlanError(
            f"approved_plan {approved!r} is not this plan's digest. Nothing was changed: look at "
            f"the plan in {plan.path}, and approve the one that is meant, by {APPROVAL_LENGTH} "
            "or more characters of its digest."
        )


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise PlanError(
            f"there is no plan in {path.parent} ({error.strerror}). Make one first: run the "
            "runbook without approved_plan."
        ) from None


def _pieces(header: Header, rows: Iterable[PlanRow]) -> Iterator[bytes]:
    yield b'{"header":' + _canonical(header.model_dump(mode="json")) + b',\n"rows":[\n'
    before = b""
    for row in rows:
        yield before + _canonical(row.model_dump(mode="json", exclude_defaults=True))
        before = b",\n"
    yield b"\n],\n"


def _last_line(digest: str) -> bytes:
    return b'"digest":"' + digest.encode() + b'"}\n'


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _header(path: Path, line: bytes) -> Header:
    try:
        return Header.model_validate_json(line.removeprefix(b'{"header":').removesuffix(b",\n"))
    except ValidationError:
        raise _changed(path) from None


def _changed(path: Path) -> PlanError:
    return PlanError(
        f"{path.name} is not as it was written: it was edited, or is not whole. Nothing was "
        f"changed. Make the plan again, and approve that."
    )
