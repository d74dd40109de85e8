"""The `loyalty` command. Each part is imported when it is used, so that help comes at once."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from loyalty_helpers.cli.course import training
from loyalty_helpers.cli.emulator import emulator
from loyalty_helpers.cli.group import FAILED, VERIFIED, Command, Group
from loyalty_helpers.cli.telling import Teller
from loyalty_helpers.plain import plain

if TYPE_CHECKING:
    from loyalty_helpers.runner import RunResult


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="loyalty-notebooks", message="%(version)s")
def main() -> None:
    """Loyalty notebooks, headless: run them, record them, serve the emulator."""


class _Run(Command):
    """`run`, whose help tells the parameters of the notebook that is named beside it."""

    def parse_args(self, context: click.Context, words: list[str]) -> list[str]:
        found, _, _ = self.make_parser(context).parse_args([*words])
        context.meta["notebook"] = found.get("notebook")
        return super().parse_args(context, words)

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """The parameters; click gives no text, but an object of its own, where none is named."""
        if not isinstance(name := context.meta["notebook"], str):
            return
        from loyalty_helpers.runner import Notebook

        notebook = Notebook.read(name)
        rows = []
        for name, parameter in notebook.takes.items():
            default = notebook.defaults[name]
            shown = str(default).lower() if isinstance(default, bool) else str(default)
            rows.append((name, plain(f"{parameter.help}  [{shown or 'empty'}]".strip())))
        with formatter.section(f"Parameters of {plain(notebook.path.stem)}, with their defaults"):
            formatter.write_dl(rows)


main.add_command(training)
main.add_command(emulator)


@main.command("list")
def list_notebooks() -> None:
    """Tell the notebooks that `run` knows by name; `run NOTEBOOK --help` tells one's parameters."""
    from loyalty_helpers.runner import Notebook, notebooks

    for path in notebooks():
        click.echo(f"{path.stem:26}{Notebook.read(path.stem).title}")


@main.command(cls=_Run)
@click.argument("notebook")
@click.option(
    "-p",
    "--parameter",
    "parameters",
    type=(str, str),
    multiple=True,
    metavar="NAME VALUE",
    help="A parameter of the notebook; the value is taken as text and checked.",
)
@click.option(
    "--parameters",
    "files",
    multiple=True,
    metavar="FILE|-",
    help="A JSON object of parameters, or - for standard input: no list of processes shows it.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that gets one folder a run; without it LOYALTY_RUNS, else runs.",
)
@click.option(
    "--each",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="One run for each line of a CSV file, whose header has names of parameters.",
)
@click.pass_context
def run(
    context: click.Context,
    notebook: str,
    parameters: tuple[tuple[str, str], ...],
    files: tuple[str, ...],
    out: Path | None,
    each: Path | None,
) -> None:
    """Run NOTEBOOK headlessly: 02_adjust_points, bulk_adjust, or the path of one of your own.

    With --help beside NOTEBOOK, tells its parameters as well; `loyalty list` tells the notebooks.

    Writes the executed notebook, an HTML report and receipt.json.

    \b
    Exit codes: 0 verified, 1 failed, 2 refused before anything was run.
    """
    from loyalty_helpers.cli.given import given_parameters
    from loyalty_helpers.runner import run_notebook

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop as with Ctrl-C
    given = given_parameters(parameters, files)
    if each is not None:
        from loyalty_helpers.cli.each import run_each

        context.exit(VERIFIED if run_each(notebook, given, each, out) else FAILED)
    teller, interrupted = Teller(), False
    try:
        result = run_notebook(notebook, given, runs=out, tell=teller)
        interrupted = result.receipt["status"] == "interrupted"
    finally:
        teller.end(interrupted=interrupted)
    _tell(result)
    context.exit(VERIFIED if result.ended_well else FAILED)


def _tell(result: "RunResult") -> None:
    """What came of a run, where, and the report; a refusal that changed nothing has none."""
    from loyalty_helpers.cli.place import place_of

    one_line = result.ended_well and "\n" not in result.summary
    click.echo(result.summary, err=not result.ended_well, nl=not one_line)
    last = place_of(result.receipt["environment"])
    if (report := result.report) is not None:
        here = Path.cwd()
        near = plain(report.relative_to(here) if report.is_relative_to(here) else report)
        last = f", {last}, report {near}" if one_line else f"{last}, report: {near}"
    click.echo(last, err=not result.ended_well)


@main.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the runs; without it LOYALTY_RUNS, else runs.",
)
@click.option("--json", "as_json", is_flag=True, help="A JSON list instead of the table.")
def runs(out: Path | None, as_json: bool) -> None:
    """List the runs with their states, what waits for a person first; writes runs/index.html.

    Reads only plans, journals and receipts, and disturbs no run that is at work.
    """
    from loyalty_helpers.cli.listing import list_of_runs

    click.echo(list_of_runs(out, as_json=as_json))


@main.command()
@click.argument("notebook")
@click.option("--environment", type=click.Choice(["local", "sandbox"]), default="local")
def record(notebook: str, environment: str) -> None:
    """Make NOTEBOOK's recording anew, by running it with its defaults.

    `local` records a fresh emulator with a stopped clock, so that the same run gives the same
    file; `sandbox` records Square's Sandbox, and changes points there.
    """
    from loyalty_helpers.cli.recording import record_notebook

    click.echo(record_notebook(notebook, environment))


@main.command()
@click.argument("notebook")
@click.option(
    "--environment",
    type=click.Choice(["local", "sandbox", "production"]),
    default="local",
    help="Where to ask again; production is asked by reading only.",
)
@click.pass_context
def drift(context: click.Context, notebook: str, environment: str) -> None:
    """Compare NOTEBOOK's recording, field by field, with what an environment answers today.

    \b
    Exit codes: 0 no drift, 1 drift.
    """
    from loyalty_helpers.cli.recording import drift_of

    lines, drifted = drift_of(notebook, environment)
    for line in lines:
        click.echo(line)
    context.exit(FAILED if drifted else VERIFIED)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
def notebooks(folder: Path) -> None:
    """Copy the notebooks into FOLDER, which is new or empty, to click through and to change."""
    from loyalty_helpers.cli.copying import copy_notebooks

    click.echo(f"copied: {copy_notebooks(folder)} notebooks to {plain(folder)}")


@main.command()
@click.argument(
    "folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False)
)
@click.option("--port", type=click.IntRange(0, 65535), default=8888, show_default=True)
@click.option("--browser/--no-browser", default=True, help="Whether to open one.")
def lab(folder: Path | None, port: int, browser: bool) -> None:
    """Open the notebooks in JupyterLab, to click through them, on 127.0.0.1 until Ctrl-C.

    FOLDER has notebooks of your own in place of the project's: `loyalty notebooks` copies those.
    """
    from loyalty_helpers.cli.lab import open_lab
    from loyalty_helpers.settings import NOTEBOOKS

    open_lab((folder or NOTEBOOKS).resolve(), port, browser=browser)


@main.command()
@click.argument(
    "folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False)
)
@click.option(
    "--environment",
    type=click.Choice(["local", "sandbox", "production"]),
    help="Without it, what LOYALTY_ENVIRONMENT says; production has to be named here.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8866,
    show_default=True,
    help="If it is taken, one near it; 0 takes a free one.",
)
def app(folder: Path | None, environment: str | None, port: int) -> None:
    """Serve the pages, for people who do not want to see code, on 127.0.0.1 until Ctrl-C.

    Tells the address to open in a browser; it holds a token, which each start makes anew. FOLDER
    has pages of your own in place of the project's.
    """
    from loyalty_helpers.pages import serve_pages
    from loyalty_helpers.settings import NOTEBOOKS

    def on_ready(url: str) -> None:
        click.echo(f"open in a browser: {url}")

    serve_pages((folder or NOTEBOOKS / "app").resolve(), port, environment, on_ready)
