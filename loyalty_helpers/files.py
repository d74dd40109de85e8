"""Files written whole or not at all, readable by their owner only."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any


@contextmanager
def replaced(path: Path, *, mode: int = 0o600, durable: bool = True) -> Iterator[IO[bytes]]:
    """A file to write under a temporary name in the same folder, then moved into place.

    Args:
        path: the file; its folder is made.
        mode: who may read it.
        durable: wait until the disk has it, so that not even a power cut leaves half a file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        _settle_name(path.parent)


def _settle_name(folder: Path) -> None:
    """Wait until the disk has the folder's new entry; not every system lets one ask for that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def make_file(path: Path) -> None:
    """Make a file for its owner only; one that is there stays as it is, its times included."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


@contextmanager
def taken_back(path: Path) -> Iterator[None]:
    """A file that this block makes is gone again if the block fails; one that was there stays."""
    new = not path.exists()
    try:
        yield
    except BaseException:
        if new:
            path.unlink(missing_ok=True)
        raise


@contextmanager
def locked(place: Path) -> Iterator[None]:
    """Hold a folder or a file for this process alone.

    The system lets go of it whenever and however this process ends.

    Raises:
        BlockingIOError: another process, or another block of this one, holds it.
    """
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    handle = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def write_text(path: Path, text: str, *, mode: int = 0o600, durable: bool = True) -> None:
    """Write a text, whole or not at all; the arguments are those of `replaced`."""
    with replaced(path, mode=mode, durable=durable) as file:
        file.write(text.encode())


def write_json(path: Path, value: Any, *, mode: int = 0o600) -> None:
    """Write a JSON value, indented, with a newline at the end."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n", mode=mode)


def is_there(path: Path) -> bool:
    """Whether something has this name; what the system takes for no name at all has not."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
