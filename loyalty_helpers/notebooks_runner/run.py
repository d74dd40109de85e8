"""One headless run: parameters checked, notebook executed, report and receipt written."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loyalty_helpers.errors import LoyaltyError, ParameterError
from loyalty_helpers.notebooks_runner import receipt as receipts
from loyalty_helpers.notebooks_runner.execute import MaskedOutput, execute, import_papermill
from loyalty_helpers.notebooks_runner.folder import run_folder
from loyalty_helpers.notebooks_runner.kernels import started_kernel
from loyalty_helpers.notebooks_runner.parameters import MODELS, check_parameters
from loyalty_helpers.notebooks_runner.report import report_maker, write_report
from loyalty_helpers.settings import NOTEBOOKS, check_access, load_settings

RECEIPT = "receipt.json"


@dataclass(frozen=True)
class RunResult:
    """What a run left behind.

    Attributes:
        folder: where notebook, report and receipt are.
        report: the HTML report.
        receipt: the receipt's content.
        summary: one line that says what happened.
    """

    folder: Path
    report: Path
    receipt: dict[str, Any]
    summary: str

    @property
    def verified(self) -> bool:
        """Whether the notebook ran to its end and everything agreed."""
        return bool(self.receipt["verified"])


def run_notebook(notebook: str, given: Mapping[str, Any], *, runs: Path) -> RunResult:
    """Run a notebook headlessly.

    Args:
        notebook: its name (`02_adjust_points`) or its path.
        given: parameters; all others keep the notebook's default.
        runs: the folder that gets one folder a run.

    Raises:
        ParameterError, SettingsError: refused; no kernel was started, nothing was run.
        LoyaltyError: the run is over and its receipt written, but there is no report.
    """
    source = find_notebook(notebook)
    checked = check_parameters(source.stem, given)
    settings = load_settings()
    parameters = checked.model_dump()
    parameters["environment"] = checked.environment or settings.loyalty_environment
    check_access(parameters["environment"], settings)
    run_id = parameters.get("run_id") or f"{source.stem}-{datetime.now(UTC):%Y%m%dt%H%M%S}"
    receipt = receipts.begin(source.stem, parameters, run_id=run_id)
    with run_folder(runs.resolve() / run_id) as folder:  # absolute: kernels work elsewhere
        receipts.save(folder / RECEIPT, receipt)
        return _run(source, parameters, folder, receipt)


def find_notebook(name: str) -> Path:
    """The notebook's file; raises ParameterError with the names there are."""
    path = Path(name) if Path(name).suffix == ".ipynb" else NOTEBOOKS / f"{name}.ipynb"
    if path.stem not in MODELS or not path.is_file():
        raise ParameterError(f"notebook {name!r} is not one of {', '.join(MODELS)}")
    return path.resolve()


def _run(
    source: Path, parameters: dict[str, Any], folder: Path, receipt: dict[str, Any]
) -> RunResult:
    output = MaskedOutput(folder / source.name, parameters)
    with started_kernel(source.parent) as kernel, ThreadPoolExecutor(1) as background:
        import_papermill()  # here, since two threads should not import the same things at once
        maker = background.submit(report_maker, source)
        error = _error_of(source, parameters, output, kernel)
    facts = receipts.verification_of(output.notebook)
    receipt = receipts.finish(receipt, facts, error)
    receipts.save(folder / RECEIPT, receipt)
    summary = _summary(source.stem, receipt, facts)
    report = folder / f"{source.stem}.html"
    try:
        write_report(maker.result(), output.notebook, report, summary)
    except Exception as trouble:
        raise LoyaltyError(f"{summary}, but there is no report: {trouble}") from trouble
    return RunResult(folder, report, receipt, summary)


def _error_of(
    source: Path, parameters: dict[str, Any], output: MaskedOutput, kernel: Any
) -> LoyaltyError | None:
    """Run, and say what went wrong; the notebook's own metadata is never asked for that."""
    try:
        execute(source, parameters, output, kernel)
    except LoyaltyError as error:
        return error
    return None


def _summary(stem: str, receipt: Mapping[str, Any], facts: Mapping[str, Any] | None) -> str:
    if receipt["error"]:
        return f"{receipt['status']}: {stem}: {receipt['error']}"
    return str(facts["summary"]) if facts else f"verified: {stem}"
