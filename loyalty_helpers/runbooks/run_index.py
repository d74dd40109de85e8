"""The list of runs as one static page, beside the folders of the runs."""

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from loyalty_helpers.files import write_text
from loyalty_helpers.records import environment_html, html_page, plain
from loyalty_helpers.runbooks.record import RunRecord, State

INDEX = "index.html"
COLUMNS = ("State", "Run", "Environment", "Approved by", "Rows", "Points", "Last (UTC)")
# Everything is below one class: the table also stands on a page with a style of its own.
STYLE = """
  .runs-table { width: 100%; border-collapse: collapse; }
  .runs-table th, .runs-table td { text-align: left; vertical-align: top;
    padding: 6px 10px 2px 0; line-height: 1.5; white-space: normal; }
  .runs-table thead th { border-bottom: 2px solid currentColor; }
  .runs-table tbody { border-bottom: 1px solid #bbb; }
  .runs-table .state { display: inline-block; font-weight: bold; padding-left: 8px;
    border-left: 6px solid #666; }
  .runs-table .good { border-color: #1b7f46; }
  .runs-table .care { border-color: #b36b00; }
  .runs-table .bad { border-color: #b3261e; }
  .runs-table .what { opacity: .8; font-size: .9em; }
  .runs-table .told td { padding: 0 10px 8px 14px; }
  .runs-table .told div { max-width: 90ch; overflow-wrap: anywhere; }
  @media (max-width: 700px) {
    .runs-table thead { display: none; }
    .runs-table, .runs-table tbody, .runs-table tr, .runs-table td { display: block; }
    .runs-table tbody { padding: 8px 0; }
    .runs-table td { padding: 1px 0; }
    .runs-table td:empty { display: none; }
    .runs-table td[data-label]:not(:empty)::before { content: attr(data-label) ": "; opacity: .8; }
    .runs-table .told td { padding: 2px 0; }
  }
"""


def write_index(runs: Path, records: Iterable[RunRecord], *, now: datetime | None = None) -> Path:
    """Write the page, readable by its owner only; its links lead to the reports from where it is.

    Args:
        runs: the folder of the runs.
        records: what list_runs() gave.
        now: the time that the page names; None is the time of the machine.
    """
    path = runs / INDEX
    write_text(path, index_html(list(records), now or datetime.now(UTC)))
    return path


def index_html(records: list[RunRecord], now: datetime) -> str:
    """The page: what waits for a person first, each run with what has to be done."""
    runs = [run for run in records if run.state is not State.FOREIGN]
    foreign = [run.run_id for run in records if run.state is State.FOREIGN]
    parts = [f"<h1>{escape(headline(runs))}</h1>", f'<p class="small">As of {plain(now)}</p>']
    parts += [runs_table(runs, static=True)] if runs else []
    parts += [f"<p>Not runs: {escape(', '.join(foreign))}</p>"] if foreign else []
    return html_page("Runs", "\n".join(parts))


def runs_table(runs: list[RunRecord], *, static: bool = False) -> str:
    """The table of runs as HTML, each with what has to be done; a telephone shows it as a list.

    Args:
        runs: in their order.
        static: it stands in a file beside the runs: with links to reports, and commands to copy.
    """
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    rows = "\n".join(_rows(run, static=static) for run in runs)
    table = f'<table class="runs-table"><thead><tr>{head}</tr></thead>\n{rows}</table>'
    return f"<style>{STYLE}</style>\n{table}"


def headline(runs: list[RunRecord]) -> str:
    """How many runs there are, and how many of them wait for a person."""
    waiting = sum(run.state.waits for run in runs)
    count = f"{len(runs) or 'No'} run{'s' * (len(runs) != 1)}"
    waits = f"{waiting or 'none'} wait{'s' * (waiting < 2)} for a person"
    return f"{count}, {waits}" if runs else count


def _rows(run: RunRecord, *, static: bool) -> str:
    name = escape(run.run_id)
    link = f'<a href="{escape(run.report)}">{name}</a>' if static and run.report else name
    what = " of ".join(filter(None, (run.runbook, run.source)))
    values = [
        f'<span class="state {run.tone}">{escape(run.state)}</span>',
        f'{link}<div class="what">{escape(what)}</div>',
        environment_html(run.environment),
        escape(run.approved_by),
        escape(run.rows_text),
        escape(run.points_text),
        f"{run.at:%Y-%m-%d %H:%M}" if run.at else "",
    ]
    labels = ["", "", *(f' data-label="{name}"' for name in COLUMNS[2:])]
    cells = "".join(f"<td{a}>{value}</td>" for a, value in zip(labels, values, strict=True))
    lines = "".join(f"<div>{escape(line)}</div>" for line in (run.told, *run.todo) if line)
    told = lines + (f"<div><code>{escape(run.next)}</code></div>" if static and run.next else "")
    below = f'<tr class="told"><td colspan="{len(COLUMNS)}">{told}</td></tr>' if told else ""
    return f"<tbody><tr>{cells}</tr>{below}</tbody>"
