"""A plan on disk: what a run is going to do, row by row, and the digest that approves it.

`plan.json` is one JSON object with one row a line, so that a plan of any size is written and read
a line at a time. The digest is the SHA-256 of every byte that stands before it; nothing in the
file depends on a clock, so that planning the same again gives the same digest.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictInt, ValidationError

from loyalty_helpers.errors import PlanError
from loyalty_helpers.files import locked, make_file, replaced
from loyalty_helpers.runbooks.identity import Identity, identity_of
from loyalty_helpers.runbooks.plan.rows import Row
from loyalty_helpers.settings import SQUARE_VERSION

# A plan of format 1 was made without a look at all that its accounts ever had.
FORMAT = 2
PLAN = "plan.json"
LOCK = "plan.lock"
JOURNAL = "journal.sqlite3"  # beside a plan whose applying has begun
_ROW = b'{"account_id"'  # how the line of a row begins
_LATER = ("source_sha256", "allow_repeats", "applied", "repeats", "left_out")
# Of a row: what stands in the plan always, and what only if it is not empty.
_ALWAYS = ("n", "row_id", "account_id", "points", "reason", "before", "after")
_IF_ANY = ("customer_id", "phone", "undoes", "applied", "repeats")


class Header(BaseModel):
    """What a plan is for.

    Attributes:
        runbook: the notebook that applies it.
        environment, merchant_id, program_id: where it may be applied, and nowhere else.
        run_id: the name of the intent.
        allow_negative_balance: let balances fall below 0.
        rows, accounts: how many.
        added, taken: points in all, added and taken away (as a negative number).
        ledger_since: a day before the newest event while the plan was made; None if there was
            none, or if its time cannot exist. What is older was looked at while planning.
        source: the name of the file, or of the run that is undone.
        source_sha256: of the bytes of that file, as they were read; empty for an undoing.
        allow_repeats: apply rows whose content the ledger holds already.
        applied: rows that the ledger holds by their own mark: this run id was applied before.
        repeats: rows whose content it holds from elsewhere.
        left_out: rows that cannot be undone, and are not in the plan.
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
    source_sha256: str = ""
    allow_repeats: bool = False
    applied: StrictInt = 0
    repeats: StrictInt = 0
    left_out: StrictInt = 0

    @property
    def marks_since(self) -> datetime | None:
        """From when on marks have to be looked for; None for all there ever was."""
        return self.ledger_since if self.format >= FORMAT else None

    def identity(self, row: Row) -> Identity:
        """Key and marker of a row: they name its intent, whatever it holds."""
        place = (self.environment, self.merchant_id)
        return identity_of(*place, self.run_id, row.row_id, row.undoes)


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

    @property
    def begun(self) -> bool:
        """Whether its applying has begun, as far as this folder shows."""
        return (self.folder / JOURNAL).exists()

    def rows(self) -> Iterator[Row]:
        """The rows in their order, read as they are asked for.

        Raises:
            PlanError: at the end, if the file is not the one that this plan was read from. Who
                acts on rows does so in a transaction that this takes back.
        """
        last = b""
        for last in _whole(self.path):
            if last.startswith(_ROW):
                try:
                    row = Row(**json.loads(last.rstrip(b",\n")))
                except (ValueError, TypeError):
                    raise _changed(self.path) from None
                yield row
        if last != _last_line(self.digest):
            raise _changed(self.path)


@contextmanager
def writable(folder: Path, verb: str = "written") -> Iterator[None]:
    """Turns what the file system refuses into a PlanError of one line."""
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise PlanError(f"{folder} cannot be {verb}: {why}. Nothing was changed.") from None


@contextmanager
def plan_kept(folder: Path) -> Iterator[None]:
    """Nobody else makes a plan in this folder meanwhile, or begins to apply one.

    Raises:
        PlanError: somebody is at it.
    """
    with writable(folder), ExitStack() as held:
        make_file(folder / LOCK)
        try:
            held.enter_context(locked(folder / LOCK))
        except BlockingIOError:
            raise PlanError(
                f"another process is at work with this run: it makes the plan in {folder}, or "
                "begins to apply it. Nothing was changed: wait for its end, and look at what is "
                "there then."
            ) from None
        yield


def write_plan(path: Path, header: Header, rows: Iterable[Row]) -> Plan:
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
    lines, count, last = _whole(path), 0, b""
    told = next(lines, b"").removeprefix(b'{"header":').removesuffix(b",\n")
    try:
        header = Header.model_validate_json(told)
    except ValidationError:
        raise _changed(path) from None
    for last in lines:
        count += last.startswith(_ROW)
    if count != header.rows:
        raise _changed(path)
    return Plan(path, header, last.decode().split('"')[3])


def _whole(path: Path) -> Iterator[bytes]:
    """The lines of a plan; raises PlanError at their end if a byte of them was changed."""
    digest, last = hashlib.sha256(), b""
    try:
        with path.open("rb") as file:
            for line in file:
                digest.update(last)
                last = line
                yield line
    except OSError as error:
        raise PlanError(
            f"there is no plan in {path.parent} ({error.strerror}). Make one first: run the "
            "runbook without approved_plan."
        ) from None
    if last != _last_line(digest.hexdigest()):
        raise _changed(path)


def _pieces(header: Header, rows: Iterable[Row]) -> Iterator[bytes]:
    # What was added to the header later stands there only if it says something.
    silent = {name for name in _LATER if getattr(header, name) == Header.model_fields[name].default}
    told = header.model_dump(mode="json", exclude=silent)
    yield b'{"header":' + _canonical(told) + b',\n"rows":[\n'
    before = b""
    for row in rows:
        named = (*_ALWAYS, *(name for name in _IF_ANY if getattr(row, name)))
        yield before + _canonical({name: getattr(row, name) for name in named})
        before = b",\n"
    yield b"\n],\n"


def _last_line(digest: str) -> bytes:
    return b'"digest":"' + digest.encode() + b'"}\n'


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _changed(path: Path) -> PlanError:
    return PlanError(
        f"{path.name} is not as it was written: it was edited, or is not whole. Nothing was "
        f"changed. Make the plan again, and approve that."
    )
