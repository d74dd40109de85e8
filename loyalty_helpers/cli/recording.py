"""`loyalty record` and `loyalty drift`."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loyalty_helpers import runbooks
from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.cli.place import place_of
from loyalty_helpers.emulator import Emulator, SeededIds, Server, SettableClock
from loyalty_helpers.errors import LoyaltyError, ProductionGuardError, SquareError
from loyalty_helpers.files import write_text
from loyalty_helpers.redaction import mask_body
from loyalty_helpers.runbooks import PLAN, RECORDED_RUNS, read_plan
from loyalty_helpers.runner import MaskedOutput, execute, find_notebook, started_kernel
from loyalty_helpers.session import connect
from loyalty_helpers.settings import check_access, load_settings
from loyalty_helpers.transports import (
    Drift,
    PublishedExamples,
    Recorded,
    differences,
    load_recording,
    recording_file,
    save_recording,
)

EXAMPLE_RUN = "example-bulk"
RECORDING_TIME = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
GENERATED = ("created_at", "updated_at", "enrolled_at", "expires_at", "cursor")


def record_notebook(name: str, environment: str) -> str:
    """Run a notebook with its defaults and keep what went over the wire; says what was kept."""
    notebook, settings = find_notebook(name), load_settings()
    check_access(environment, settings)
    target = recording_file(settings.loyalty_recordings, notebook.stem)
    examples = PublishedExamples.load(target.parent)
    with tempfile.TemporaryDirectory(prefix="loyalty-") as folder, _answering(environment) as extra:
        made = Path(folder) / target.name
        runs = Path(folder) / "runs"
        variables = {"LOYALTY_ENVIRONMENT": environment, "LOYALTY_RECORD_TO": str(made)}
        with _environment_variables(variables | {"LOYALTY_RUNS": str(runs)} | extra):
            _apply_what_is_undone(notebook.stem, environment, target.parent)
            output = MaskedOutput(Path(folder) / notebook.name, {})
            try:
                with started_kernel(notebook.parent) as kernel:
                    execute(notebook, {}, output, kernel)
            except LoyaltyError as error:
                raise LoyaltyError(f"{notebook.stem}: {target} is unchanged: {error}") from None
        recording = load_recording(made)
        if environment == "local":
            recording = examples.put_into(recording)
        if notebook.stem == "bulk_adjust":  # the run that the recording of the undoing is about
            plan = (runs / EXAMPLE_RUN / PLAN).read_text(encoding="utf-8")
            write_text(_recorded_plan(target.parent), plan, mode=0o644)
    save_recording(target, recording)
    count, place = len(recording.exchanges), place_of(environment)
    return f"recorded {count} exchanges of {notebook.stem} in {target}, {place}"


def _recorded_plan(recordings: Path) -> Path:
    return recordings / RECORDED_RUNS / EXAMPLE_RUN / PLAN


def _apply_what_is_undone(notebook: str, environment: str, recordings: Path) -> None:
    """Before the undoing is recorded, apply the run that it undoes; nothing of that is recorded."""
    if notebook != "undo_adjustments":
        return
    plan = read_plan(_recorded_plan(recordings))
    with connect(environment) as client:
        place = load_settings().runs_folder / EXAMPLE_RUN / PLAN
        write_text(place, plan.path.read_text(encoding="utf-8"))
        run = runbooks.Run(client, EXAMPLE_RUN, approved_plan=plan.digest)
        run.apply(in_flight=1, settle=0.0)  # in order, so that times stay the same


def drift_of(name: str, environment: str) -> tuple[list[str], bool]:
    """What an environment answers today against the recording: lines to show, and whether."""
    notebook, settings = find_notebook(name), load_settings()
    recording = load_recording(recording_file(settings.loyalty_recordings, notebook.stem))
    lines, drifted = [], 0
    with (
        _answering(environment) as extra,
        _environment_variables(extra),
        connect(environment) as client,
    ):
        for recorded in recording.exchanges:
            found = _compare(recorded, client)
            drifted += bool(found)
            lines += found
    asked = len(recording.exchanges)
    compared = f"{drifted} of {asked} answers differ from the recording"
    lines.append(f"{notebook.stem}: {compared}, {place_of(environment)}")
    return lines, bool(drifted)


def _compare(recorded: Recorded, client: LoyaltyClient) -> list[str]:
    request, source = recorded.request, recorded.provenance.source
    title = f"{request.method} {request.path} ({source})"
    try:
        exchange = client.request(request.method, request.path, request.body)
        answer: Any = {"status": exchange.status, "body": exchange.answer}
    except ProductionGuardError:  # it writes, and production is asked by reading only
        return []
    except SquareError as error:
        answer = {"status": error.status, "body": {"errors": [dict(e) for e in error.errors]}}
    expected = recorded.response.model_dump()
    found = differences(expected, mask_body(answer, keep_test_numbers=True))
    real = [difference for difference in found if not _generated(difference)]
    return [title, *(f"  {difference}" for difference in real)] if real else []


def _generated(difference: Drift) -> bool:
    """Whether a field differs only in what every run makes anew, or in a phone number's plus."""
    *above, name = difference.path.split(".")
    old, new = difference.expected, difference.found
    if name == "phone_number":
        return str(old).lstrip("+") == str(new).lstrip("+")
    return name in GENERATED or (name == "id" and above[1:2] in (["event"], ["events"]))


@contextmanager
def _answering(environment: str) -> Iterator[dict[str, str]]:
    """The variables that lead to what answers: for `local`, a fresh emulator, clock stopped."""
    if environment != "local":
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="loyalty-") as folder:
        clock, ids = SettableClock(RECORDING_TIME), SeededIds(0)
        file = Path(folder) / "emulator.sqlite3"
        with Emulator.open(file, clock=clock, ids=ids) as emulator, Server(emulator) as server:
            yield {"LOYALTY_EMULATOR_URL": server.url, "LOYALTY_EMULATOR_TOKEN": "local-token"}


@contextmanager
def _environment_variables(variables: dict[str, str]) -> Iterator[None]:
    """Set for this process and the kernels that it starts; put back afterwards."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
