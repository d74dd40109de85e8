"""`make contract`: asks what is left open, and prints the answers as a table."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import click

from .open_questions import NOT_ASKED, OWN_WORDS, QUESTIONS, Question
from .place import Door, Place, local, sandbox


def ask(question: Question, place: Place) -> str:
    """What was seen. Whatever goes wrong with one question is told, and the others are asked."""
    place.last = None
    try:
        return question.ask(place)
    except Exception as error:
        last = f"; the last answer was {place.last}" if place.last else ""
        return f"no answer: {type(error).__name__} {error}{last}"


def rows(place: Place) -> Iterator[tuple[str, str, str, str]]:
    """For each question: whether it is as the emulator assumes, what that is, and what was seen."""
    for question in QUESTIONS:
        seen = ask(question, place)
        open_still = seen.startswith(NOT_ASKED) or question.assumed == OWN_WORDS
        same = "" if open_still else "yes" if seen == question.assumed else "NO"
        yield question.text, same, question.assumed, seen


def table(place: Place) -> Iterator[str]:
    """The lines of the table; the texts, which may be long, come last."""
    cells = [("question", "same", "assumed", f"seen on {place.name}"), *rows(place)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (f"{text:<{width}}" for text, width in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()


def main() -> None:
    door = Door.of_environment()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="contract-"))
        place = stack.enter_context(sandbox(door) if door.open else local(Path(folder)))
        for line in table(place):
            click.echo(line)


if __name__ == "__main__":
    main()
