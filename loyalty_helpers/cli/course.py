"""`loyalty training`: the lessons as a learner and as a trainer see them."""

from pathlib import Path

import click

from loyalty_helpers.cli.group import FAILED, Group
from loyalty_helpers.plain import plain


@click.group(cls=Group)
def training() -> None:
    """The course for new colleagues: its lessons are in notebooks/training."""


@training.command("list")
def list_lessons() -> None:
    """Tell the lessons, what is passed of each, and which is next."""
    from loyalty_helpers.training import progress

    click.echo(str(progress("local")))


@training.command()
@click.argument("lesson", required=False)
def reset(lesson: str | None) -> None:
    """Begin LESSON anew, or everything: worlds, tries, passes. It cannot be taken back."""
    from loyalty_helpers.training import forget, training_folder

    forget(lesson or "")
    click.echo(f"reset: {lesson or 'all lessons'} in {plain(training_folder())}")


@training.command()
@click.option("--name", prompt="Your name", help="The name that the trainer shall read.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; without it, one here with your name.",
)
def report(name: str, out: Path | None) -> None:
    """Write what a trainer needs: all that you sent in each lesson, your tries and hints."""
    from loyalty_helpers.training import write_report

    words = "".join(c if c.isalnum() else "-" for c in name)
    file = out or Path(f"training-{words}.json")
    write_report(file, name)
    click.echo(f"written: {plain(file)}: give it to your trainer")


@training.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--csv",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the table there as CSV, too.",
)
@click.pass_context
def grade(context: click.Context, folder: Path, file: Path | None) -> None:
    """Judge the reports in FOLDER: each learner's ledger is made anew from what they sent.

    What a report says of itself is not believed.

    \b
    Exit codes: 0 all reports were graded, 1 some could not be read.
    """
    from loyalty_helpers.runbooks import write_csv
    from loyalty_helpers.training import COLUMNS
    from loyalty_helpers.training import grade as judged

    found = judged(folder)
    click.echo(str(found))
    if file is not None:
        write_csv(file, COLUMNS, found.rows)
    context.exit(FAILED if found.unread else 0)


@training.command()
@click.argument("lesson")
@click.pass_context
def check(context: click.Context, lesson: str) -> None:
    """Try LESSON as its writer: its setup, every typical mistake, every solution.

    \b
    Exit codes: 0 each does what it should, 1 something does not.
    """
    from loyalty_helpers.training import check_lesson

    problems = check_lesson(lesson)
    for problem in problems:
        click.echo(problem, err=True)
    if not problems:
        click.echo(f"{lesson}: every mistake is told, and every solution passes")
    context.exit(FAILED if problems else 0)
