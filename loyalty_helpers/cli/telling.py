"""What a command says: progress, and a last line that stands alone and names what answered."""

import os
import sys
import time
from typing import Any, TextIO

import click

LINE_EVERY = 10.0  # seconds between two lines of progress in a log


class Teller:
    """Progress: one line that is written over in a terminal, a line every 10 s in a log."""

    def __init__(self) -> None:
        self._terminal, self._last, self._drawn = sys.stderr.isatty(), -LINE_EVERY, False

    def __call__(self, line: str) -> None:
        """Tell how far it is."""
        if self._terminal:
            click.echo(f"\r\033[K{line}", err=True, nl=False)
            self._drawn = True
        elif time.monotonic() - self._last >= LINE_EVERY:
            self._last = time.monotonic()
            click.echo(line, err=True)

    def end(self, *, interrupted: bool = False) -> None:
        """Leave the line that was drawn over, or on which the terminal shows `^C`."""
        if self._terminal and (self._drawn or interrupted):
            click.echo(err=True)


class Patient:
    """A stream whose reader may go away: that changes neither what is done nor the exit code."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, to nobody if nobody reads any more."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            return self._to_nobody(len(text))

    def flush(self) -> None:
        """Write what is held back."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._to_nobody(0)

    def _to_nobody(self, written: int) -> int:
        """What is still held back goes there as well, when the program ends."""
        nobody = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nobody, self._stream.fileno())
        os.close(nobody)
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def be_patient() -> None:
    """Let both streams of this process outlive their readers."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, Patient):
            setattr(sys, name, Patient(stream))
