"""The variables of the environment and of `.env`: found, and refused where nobody reads them.

A name that is passed over leaves the harmless default in place, and a run in another environment
than the one that was meant looks like a success.
"""

import difflib
import os
import re
from collections.abc import Collection, Iterator, Mapping
from io import StringIO
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from loyalty_helpers.errors import SettingsError

ENV_FILE = "LOYALTY_ENV_FILE"
NOT_SETTINGS = (ENV_FILE, "LOYALTY_PAGES", "LOYALTY_TEST_SANDBOX", "LOYALTY_RECORD_CONTRACT")
# Read by Square's SDKs and samples. Left alone only where ours says which environment is meant.
OF_SQUARES_SDKS = ("SQUARE_ENVIRONMENT", "SQUARE_TOKEN")
A_LINE = "a line is NAME=value, and a comment begins with #"

_OURS = re.compile(r"LOYALTY[^A-Z0-9]|SQUARE_ACCESS", re.IGNORECASE)
_SHOWABLE = re.compile(r"[\w.-]{1,40}")  # anything else may be a value that went astray
_SWALLOWED = re.compile(r"^\s*(?:export\s+)?((?:LOYALTY|SQUARE)_\w+)\s*=", re.MULTILINE)
_CLOSE = 0.9  # SQUARE_ACESS_TOKEN is as close as that to ours; SQUARESPACE_ACCESS_TOKEN is not


def strangers(names: Collection[str], known: Collection[str]) -> Iterator[str]:
    """Why names are refused: nobody reads them, and they look like ours."""
    for name in names:
        if name not in known and (_nearest(name, known, _CLOSE) or _OURS.match(name)):
            shown, near = name if _SHOWABLE.fullmatch(name) else "a name", _nearest(name, known)
            meant = f" (did you mean {near}?)" if near else f"; there are {', '.join(known)}"
            yield f"{shown}: there is no such variable{meant}"


def _nearest(name: str, known: Collection[str], cutoff: float = 0.6) -> str:
    like = name.upper().replace("-", "_")
    return next(iter(difflib.get_close_matches(like, known, n=1, cutoff=cutoff)), "")


def ambiguous(given: Mapping[str, str]) -> Iterator[str]:
    """Why variables of Square's SDKs are refused: they seem to say which environment is meant."""
    for name in OF_SQUARES_SDKS:
        if given.get(name) and not given.get("LOYALTY_ENVIRONMENT"):
            yield (
                f"{name} is not read here: LOYALTY_ENVIRONMENT says which environment is meant, "
                "and SQUARE_ACCESS_TOKEN holds the token. With LOYALTY_ENVIRONMENT set, it is "
                "left alone."
            )


def read_lines(file: Path, known: Collection[str], problems: list[str]) -> dict[str, str]:
    """The variables of a file; what is wrong with its lines is added to `problems`.

    Raises:
        SettingsError: the file cannot be read.
    """
    found: dict[str, tuple[int, str]] = {}
    for binding in parse_stream(StringIO(_text(file))):
        string = binding.original.string
        number = binding.original.line + string[: -len(string.lstrip()) or None].count("\n")
        if wrong := _wrong(binding, known):
            problems.append(f"{file}, line {number}: {wrong}")
        elif binding.key is not None:
            if binding.key in known and binding.key in found:
                lines = f"lines {found[binding.key][0]} and {number}"
                problems.append(f"{file}, {lines}: {binding.key} is set twice: keep one of them")
            found[binding.key] = number, binding.value or ""
    return {name: value for name, (_, value) in found.items()}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError):  # not shown: a decoding error carries the bytes of the file
        raise SettingsError(f"{file} cannot be read: it must be a text file in UTF-8") from None


def _wrong(binding: Binding, known: Collection[str]) -> str:
    """What is wrong with a line, without any value; empty if nothing is."""
    string, named = binding.original.string, binding.key is not None
    if binding.error or (named and binding.value is None) or "\0" in string:
        begins = re.match(r"\s*(?:export\s+)?([A-Za-z_]*)", string)
        near = _nearest(begins[1], known) if begins else ""
        return f"it cannot be read: {A_LINE}" + f" (did you mean {near}=...?)" * bool(near)
    if swallowed := _SWALLOWED.search((binding.value or "").partition("\n")[2]):
        return f"its quotation mark ends in a later line, and takes {swallowed[1]} in: close it"
    return next(strangers([binding.key or ""], known), "")


def env_file(project: Path | None) -> Path | None:
    """The file to read: LOYALTY_ENV_FILE, or `.env` in the current folder or above it.

    Only folders that belong to the user are looked into: whoever writes `.env` decides where
    requests go. In the current folder and in the project such a file is refused, not passed over.

    Raises:
        SettingsError: there is a `.env` that is not the user's own, or no current folder.
    """
    try:
        here = Path.cwd()
    except FileNotFoundError:
        raise SettingsError("the current folder is gone: change to one that exists") from None
    if named := os.environ.get(ENV_FILE):
        return absolute(named, here)
    for folder in (here, *here.parents):
        file = folder / ".env"
        near = folder == here or (project is not None and folder.is_relative_to(project))
        if not _own(folder) and not near:
            return None
        if file.is_file():
            if _own(folder) and _own(file):
                return file
            raise SettingsError(
                f"{file} is not read: the file or its folder belongs to somebody else, or others "
                f"can write there. If it is meant, name it in {ENV_FILE}; if not, set {ENV_FILE} "
                f"to {os.devnull}."
            )
    return None


def _own(path: Path) -> bool:
    """Whether the user owns it, and nobody but the user and their own group can write there."""
    if not hasattr(os, "geteuid"):  # Windows, where folders of others cannot be written to
        return True
    status = path.stat()
    others = 0o002 if status.st_gid == os.getegid() else 0o022
    return status.st_uid == os.geteuid() and not status.st_mode & others


def absolute(path: str, folder: Path) -> Path:
    """A path that means the same from wherever it is read; `~` is the user's home."""
    try:
        return folder / Path(path).expanduser()
    except RuntimeError:
        raise SettingsError(f"{path}: there is no home folder of that user") from None
