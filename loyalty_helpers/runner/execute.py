"""Executes a notebook with papermill, the kernel on IPC, everything masked before it is saved."""

import json
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from loyalty_helpers.errors import LoyaltyError, is_refusal
from loyalty_helpers.files import write_text
from loyalty_helpers.redaction import bare_numbers, mask_body, mask_phone, mask_text

CELL_TIMEOUT = 1800  # seconds; every request inside a cell has a much shorter limit of its own
KERNEL_START_TIMEOUT = 60
SAVE_EVERY = 1.0  # seconds
INTERRUPTED = (
    "interrupted before its end. What it had done stays done: run it again with the same run id, "
    "which adds nothing twice"
)
_SCHEME = "masked:"


class CellError(LoyaltyError):
    """A cell of the notebook raised, or was not reached.

    Attributes:
        refused: it raised an error of this project that refuses what was asked for.
    """

    def __init__(self, message: str, *, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


class InterruptedRunError(LoyaltyError):
    """The notebook was stopped before its end."""


class MaskedOutput:
    """Where papermill saves: it writes to disk what masking has left, and keeps the notebook.

    papermill writes every parameter twice in clear, so masking afterwards would be too late:
    a run that is killed leaves the last saved state, at most a second old.
    """

    def __init__(self, path: Path, parameters: Mapping[str, Any]) -> None:
        self.path = path
        self.notebook: dict[str, Any] = {"cells": []}
        number, reason = (str(parameters.get(name) or "") for name in ("phone_number", "reason"))
        self._numbers = [*filter(None, (number, number.lstrip("+"))), *bare_numbers(reason)]
        self._text, self._saved_at = "", time.monotonic()

    def write(self, text: str, _path: str) -> None:
        """Called by papermill twice a cell, and once more at the end."""
        self._text = text
        if time.monotonic() - self._saved_at > SAVE_EVERY:
            with suppress(OSError):  # no reason to stop half-way: the save at the end tells
                self.save()

    def save(self) -> None:
        """Mask what papermill gave last, and put it on the disk."""
        text, self._saved_at = self._text, time.monotonic()
        if not text:
            return
        for written in self._numbers:
            text = text.replace(written, mask_phone(written))
        self.notebook = mask_body(json.loads(text))
        self.notebook["metadata"]["papermill"]["output_path"] = self.path.name
        saved = json.dumps(self.notebook, indent=1, ensure_ascii=False) + "\n"
        # Not forced to the disk: the receipt is what has to outlive a power cut.
        write_text(self.path, saved, durable=False)

    def pretty_path(self, _path: str) -> str:
        """Called by papermill for its log."""
        return str(self.path)


def execute(source: Path, parameters: Mapping[str, Any], output: MaskedOutput, kernel: Any) -> None:
    """Run `source` in a kernel that has been started for it.

    Raises:
        CellError: a cell raised or took too long, or the kernel does not answer.
        InterruptedRunError: Ctrl-C or SIGTERM came, or the kernel was killed.
    """
    papermill = import_papermill()
    # The cell of a kernel that was stopped is a task that nobody asks for any more.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    papermill.iorw.papermill_io.register(_SCHEME, output)
    with _errors_told():
        try:
            papermill.execute_notebook(
                str(source),
                f"{_SCHEME}{output.path.name}",
                parameters=dict(parameters),
                progress_bar=False,
                start_timeout=KERNEL_START_TIMEOUT,
                execution_timeout=CELL_TIMEOUT,
                store_widget_state=False,  # what is typed into a form stays out of the file
                km=kernel,
            )
        finally:
            output.save()
    _check_complete(output.notebook)


@contextmanager
def _errors_told() -> Iterator[None]:
    """Turns what papermill and nbclient raise into errors of this project, masked."""
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    try:
        yield
    except (KeyboardInterrupt, DeadKernelError) as error:
        raise InterruptedRunError(INTERRUPTED) from error
    except PapermillExecutionError as error:
        raise _cell_error(error.ename, error.evalue) from error
    except Exception as error:
        raise _cell_error(type(error).__name__, str(error)) from error


def _cell_error(kind: str, value: str) -> CellError:
    return CellError(mask_text(f"{kind}: {value}"), refused=is_refusal(kind))


def _check_complete(notebook: Mapping[str, Any]) -> None:
    """A cell can end a notebook early, and papermill calls that a success."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    left_out = sum(cell.get("execution_count") is None for cell in cells)
    if left_out:
        raise CellError(f"the notebook ended early: {left_out} of its code cells did not run")


def import_papermill() -> Any:
    """papermill, without what slows its import down."""
    import_jsonschema()
    import papermill

    return papermill


def import_jsonschema() -> None:
    """Import what reads notebooks, with its optional checkers of exotic formats told away.

    The first of them builds a grammar (1.3 s), the second loads a calendar (20 ms).
    """
    away = [n for n in ("rfc3987_syntax", "isoduration") if n not in sys.modules]
    sys.modules.update(dict.fromkeys(away))  # type: ignore[arg-type]
    import_module("jsonschema")
    for name in away:
        del sys.modules[name]
