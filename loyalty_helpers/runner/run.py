"""One headless run: parameters checked, notebook executed, report and receipt written."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from loyalty_helpers.errors import LoyaltyError, ParameterError, PlanError
from loyalty_helpers.files import is_there, write_json
from loyalty_helpers.runbooks import (
    KEPT,
    MAX_PLAN_AGE,
    PLAN,
    check_approval,
    check_may_begin,
    check_not_begun,
    facts,
    owned_by,
    read_plan,
)
from loyalty_helpers.runner import receipt as receipts
from loyalty_helpers.runner.answer import answer_of
from loyalty_helpers.runner.evidence import (
    Attempt,
    applies,
    told_of,
)
from loyalty_helpers.runner.execute import (
    CellError,
    MaskedOutput,
    execute,
    import_papermill,
)
from loyalty_helpers.runner.folder import RunFolder, check_room, refusing, run_folder
from loyalty_helpers.runner.kept import KeptKernel
from loyalty_helpers.runner.kernels import started_kernel
from loyalty_helpers.runner.notebooks import Notebook
from loyalty_helpers.runner.report import report_maker, write_report
from loyalty_helpers.runner.watching import SILENT, watched
from loyalty_helpers.settings import check_access, load_settings
from loyalty_helpers.variables import absolute

RECEIPT = "receipt.json"
EMULATOR_ROOM = 2**20  # bytes that a fresh emulator needs, and more


@dataclass(frozen=True)
class RunResult:
    """What a run left behind.

    Attributes:
        folder: where notebook, report and receipt are.
        report: the HTML report; None if a refusal left what an earlier run had written.
        receipt: the receipt's content.
        summary: one line that says what happened.
    """

    folder: Path
    report: Path | None
    receipt: dict[str, Any]
    summary: str

    @property
    def ended_well(self) -> bool:
        """Whether the notebook ran to its end, and everything agreed that it had to prove."""
        return self.receipt["status"] in ("verified", "ended")


def run_notebook(
    notebook: str,
    given: Mapping[str, Any],
    *,
    runs: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
    kept: KeptKernel | None = None,
) -> RunResult:
    """Run a notebook headlessly.

    Args:
        notebook: its name (`02_adjust_points`) or its path.
        given: parameters; all others keep the notebook's default.
        runs: the folder that gets one folder a run; None is LOYALTY_RUNS, else `runs`.
        tell: called with a line of progress now and then, while a plan is applied.
        kept: what lends its kernel; None starts one for this run alone.

    Raises:
        ParameterError, SettingsError: refused; no kernel was started, nothing was run.
        LoyaltyError: the run is over and its receipt written, but there is no report.
    """
    asked = Notebook.read(notebook)
    parameters, settings = asked.check(given), load_settings()
    parameters["environment"] = parameters["environment"] or settings.loyalty_environment
    check_access(parameters["environment"], settings)
    if parameters["environment"] == "local" and not settings.loyalty_emulator_url:
        check_room(settings.emulator_file.parent, EMULATOR_ROOM, named="LOYALTY_HOME")
    place = str(runs or settings.loyalty_runs or "runs")
    target = _target(place, parameters.get("run_id") or _unused(place, asked.path.stem))
    _check_plans(asked, parameters, target)
    attempt = Attempt.begin(asked, parameters, target)
    # A walkthrough takes seconds; a runbook can wait for a service for minutes.
    patience = SILENT if attempt.runbook else float("inf")
    with run_folder(target, keep=KEPT) as held, watched(target, tell, patience=patience):
        return _run(attempt, held, str(runs or ""), kept)


def _unused(runs: str, stem: str) -> str:
    """A name for a run that was given none; more than one can begin in a second."""
    name = f"{stem}-{datetime.now(UTC):%Y%m%dt%H%M%S}"
    names = (name, *(f"{name}-{number}" for number in range(2, 1000)))
    return next((each for each in names if not is_there(_target(runs, each))), name)


def _target(runs: str, run_id: str) -> Path:
    """The run's folder, absolute since kernels work elsewhere; refused if there can be none."""
    try:
        target = absolute(runs, Path.cwd()).resolve() / run_id
        with suppress(FileNotFoundError, NotADirectoryError):
            target.lstat()
    except (OSError, ValueError) as error:
        raise ParameterError(f"nothing can be written to {runs!r}: {error}") from None
    return target


def _check_plans(notebook: Notebook, parameters: Mapping[str, Any], target: Path) -> None:
    """Refuse, before anything is asked of Square, what the plans in the folders do not allow."""
    if parameters.get("approved_plan"):
        plan = read_plan(target / PLAN)
        check_approval(plan, parameters["approved_plan"])
        runbook, name = plan.header.runbook, notebook.path.stem
        if notebook.ours and runbook != name:
            raise PlanError(f"run id {target.name!r} is one of {runbook}, not of {name}")
        check_may_begin(plan, parameters.get("max_plan_age", MAX_PLAN_AGE))
    if parameters.get("check_run_id"):
        read_plan(target.parent / parameters["check_run_id"] / PLAN)
    if "approved_plan" not in parameters and (target / PLAN).exists():
        raise ParameterError(  # its results would be moved away
            f"run id {target.name!r} is a run with a plan: take another run id for this one"
        )
    if "approved_plan" in parameters and not applies(parameters):
        check_not_begun(target)


def _run(attempt: Attempt, held: RunFolder, out: str, kept: KeptKernel | None) -> RunResult:
    source, folder, parameters = attempt.notebook.path, attempt.folder, attempt.parameters
    receipt = receipts.begin(source.stem, parameters, run_id=folder.name)
    asked = receipt["parameters"]
    with refusing(folder):
        write_json(folder / RECEIPT, receipt | {"parameters": attempt.meant(asked)})
    output = MaskedOutput(folder / source.name, parameters)
    error, maker = _executed(attempt, output, out, kept)
    shown = None if attempt.plans else receipts.verification_of(output.notebook)
    refused = isinstance(error, CellError) and error.refused
    error = error or attempt.unproven(shown)
    receipt = receipts.finish(receipt, shown, error)
    if receipt["verified"] and not (shown or attempt.plans or attempt.reads_only):
        receipt |= {"status": "ended", "verified": False}
    if refused and held.moved and attempt.changed_nothing():
        held.put_back()
        left = f"what an earlier run left in {folder} is as it was"
        return RunResult(folder, None, receipt, f"{_summary(source.stem, receipt, shown)}\n{left}")
    if not refused:
        receipt["parameters"] = attempt.meant(asked)
    if attempt.runbook:  # from the journal, whatever became of the notebook
        receipt = {n: v for n, v in receipt.items() if n not in receipts.FACTS}
        with suppress(LoyaltyError):  # of what cannot be read, the error has told
            receipt |= facts(folder, out=out)
    write_json(folder / RECEIPT, receipt)
    if attempt.plans and receipt["verified"]:
        shown = {"summary": told_of(folder, out)}
    summary = _summary(source.stem, receipt, shown)
    place = f"environment {receipt['environment']}"
    report = folder / f"{source.stem}.html"
    try:
        answer = answer_of(receipt, summary, folder, out=out)
        write_report(maker(), output.notebook, report, answer)
    except Exception as trouble:
        raise LoyaltyError(f"{summary}, {place}, but there is no report: {trouble}") from trouble
    return RunResult(folder, report, receipt, summary)


def _executed(
    attempt: Attempt, output: MaskedOutput, out: str, kept: KeptKernel | None
) -> tuple[LoyaltyError | None, Callable[[], Any]]:
    """What went wrong, of which the notebook is never asked; and what gives a warm report maker."""
    source, folder = attempt.notebook.path, attempt.folder
    variables = {"LOYALTY_RUNS": str(folder.parent), "LOYALTY_OUT": out}
    lend = kept.lent if kept else started_kernel
    with (
        lend(source.parent, variables, busy=partial(owned_by, folder)) as kernel,
        ThreadPoolExecutor(1) as background,
    ):
        import_papermill()  # here, since two threads should not import the same things at once
        maker = background.submit(report_maker, source)
        try:
            execute(source, attempt.parameters, output, kernel)
        except LoyaltyError as error:
            return error, maker.result
    return None, maker.result


def _summary(stem: str, receipt: Mapping[str, Any], facts: Mapping[str, Any] | None) -> str:
    if receipt["error"]:
        to_go_on = f"\nto go on: {receipt['next']}" if receipt.get("next") else ""
        told = to_go_on if to_go_on.strip() not in receipt["error"] else ""
        return f"{receipt['status']}: {stem}: {receipt['error']}{told}"
    if receipt["status"] == "ended":
        return f"ended: {stem}, which showed no verification"
    return str(facts["summary"]) if facts else f"verified: {stem}"
