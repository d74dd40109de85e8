"""CSV files that people open in a spreadsheet: with their accents, and no cell is a formula.

A text that a spreadsheet would compute gets an apostrophe before it when it is written, and loses
it when it is read. So do texts that look guarded already: each comes back as it was.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from loyalty_helpers.files import replaced

_FORMULA = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"  # Excel reads the full-width signs as well
_COMPUTED = re.compile(f"'*{_FORMULA}")
_GUARDED = re.compile(f"'+{_FORMULA}")


def guarded(value: Any) -> Any:
    """The value; a text that a spreadsheet would compute gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and _COMPUTED.match(value) else value


def unguarded(text: str) -> str:
    """The text without the apostrophe that guards it, ours or that of another program."""
    return text[1:] if _GUARDED.match(text) else text


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows as they come, whole or not at all, for its owner only.

    The byte order mark in front tells Excel that it is UTF-8.
    """
    with replaced(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
        writer = csv.writer(text)
        writer.writerow(columns)
        writer.writerows([guarded(value) for value in row] for row in rows)
        text.detach()


def write_if_any(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write rows; without any there is no such file, not even that of an earlier time."""
    path.unlink(missing_ok=True)
    if rows:
        write_csv(path, columns, rows)
