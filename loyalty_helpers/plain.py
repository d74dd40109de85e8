"""Texts of others, made plain: what a terminal, a log or a table may show of them."""

from typing import Any


def plain(value: Any) -> str:
    r"""The value as one line of printable text.

    Whatever ends a line, moves a cursor, turns the direction of writing, or is not seen at all is
    shown by its number, such as `\n` or `\x1b`.
    """
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
