"""What the run ids of the walkthroughs stand for: one whole intent each, kept in the run's folder.

The key of a request is made of run id and account, so Square alone would take the same run id for
another account as well. The file holds no text that people typed: a reason by its SHA-256 only.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loyalty_helpers.api import check_run_id
from loyalty_helpers.errors import (
    NotSentError,
    ParameterError,
    RunIdTakenError,
    SettingsError,
    SquareError,
)
from loyalty_helpers.files import write_json
from loyalty_helpers.settings import load_settings

INTENT = "intent.json"
PLAN = "plan.json"  # what a runbook leaves in its run's folder
REFUSED = (SquareError, NotSentError, SettingsError, ParameterError)  # and so nothing was changed

HASHED = "_sha256"  # how the names of texts end

Intent = Mapping[str, Any]


def digest(text: str) -> str:
    """What the file holds in place of a text: enough to tell another one from it."""
    return hashlib.sha256(text.encode()).hexdigest()


def check_intent(environment: str, run_id: str, intent: Intent) -> None:
    """Raise RunIdTakenError if the run id stands for anything else; replaying needs no check."""
    if environment != "recorded":
        _checked(environment, run_id, intent)


@contextmanager
def kept_intent(environment: str, run_id: str, intent: Intent) -> Iterator[None]:
    """Write down what the run id stands for before the block sends it.

    If the block ends in an error that says that nothing was changed, the file is as before: the
    run id is free for what was meant.

    Raises:
        RunIdTakenError: it stands for something else; nothing was sent.
        ParameterError: nothing can be written; nothing was sent.
    """
    if environment == "recorded":
        yield
        return
    path, before = _checked(environment, run_id, intent)
    if environment not in before:
        _write(path, {**before, environment: dict(intent)})
    try:
        yield
    except REFUSED:
        if before and environment not in before:
            _write(path, before)
        elif not before:
            path.unlink(missing_ok=True)
        raise


def check_no_walkthrough(folder: Path, run_id: str) -> None:
    """Raise RunIdTakenError if a walkthrough has used this run id: a runbook needs another.

    Args:
        folder: the run's own folder.
        run_id: told in the message.
    """
    if (folder / INTENT).exists():
        raise RunIdTakenError(
            f"run id {run_id!r} stands for what a walkthrough has done ({folder / INTENT}). "
            "Nothing was changed: take a new run id"
        )


def _checked(environment: str, run_id: str, intent: Intent) -> tuple[Path, dict[str, Any]]:
    """The file, and what it holds by environment."""
    folder = load_settings().runs_folder / check_run_id(run_id)
    held = _read(folder / INTENT)
    if (folder / PLAN).exists():
        raise RunIdTakenError(
            f"run id {run_id!r} is that of a runbook ({folder / PLAN}). Nothing was changed: take "
            "a new run id"
        )
    stands_for = held.get(environment, intent)
    if stands_for != intent:
        other = [name for name in intent if stands_for.get(name) != intent[name]]
        raise RunIdTakenError(
            f"run id {run_id!r} stands for {_told(stands_for)} in environment {environment!r}; "
            f"asked for with another {_told(intent, *other)}. Nothing was changed: take a new run "
            "id for a new intent"
        )
    return folder / INTENT, held


def _told(intent: Intent, *names: str) -> str:
    """An intent for people, or some of it; what is kept as a digest is told by its name only."""
    return ", ".join(
        name.removesuffix(HASHED) if name.endswith(HASHED) else f"{name} {intent[name]}"
        for name in names or intent
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        if all(isinstance(each, dict) for each in held.values()):
            return dict(held)
        why = "it holds no intents"
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        why = str(error)
    raise ParameterError(
        f"what the run id stands for cannot be read from {path}: {why}. Nothing was changed: take "
        "a new run id"
    )


def _write(path: Path, held: dict[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_json(path, held)
    except OSError as error:
        raise ParameterError(
            f"what the run id stands for cannot be written to {path}: {error}. Nothing was sent: "
            "set LOYALTY_RUNS to a folder that can be written"
        ) from None
