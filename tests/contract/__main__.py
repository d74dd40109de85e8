"""`make contract`: asks what is left open, and prints the answers as a table."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import click

from .open_questions import QUESTIONS
from .place import Door, Place, local, sandbox


def rows(place: Place) -> Iterator[tuple[str, str, str, str]]:
    """For each question: whether it is as the emulator assumes, what was seen, and that."""
    for question in QUESTIONS:
        try:
            seen = question.ask(place)
        except (KeyError, IndexError) as error:
            seen = f"another answer than expected: {error!r} is missing"
        same = "" if seen.startswith("not asked") else "yes" if seen == question.assumed else "NO"
        yield question.text, same, seen, question.assumed


def main() -> None:
    door = Door.of_environment()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="contract-"))
        place = stack.enter_context(sandbox(door) if door.open else local(Path(folder)))
        table = [("question", "same", f"seen on {place.name}", "assumed"), *rows(place)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        click.echo(
            "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
        )


if __name__ == "__main__":
    main()
