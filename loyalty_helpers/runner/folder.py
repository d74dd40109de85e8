"""The folder of a run: for one run at a time, and without losing what an earlier one left."""

import re
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from loyalty_helpers.errors import ParameterError
from loyalty_helpers.files import locked

EARLIER = "earlier"
ROOM = 2**16  # bytes that have to be free when a run begins


@dataclass
class RunFolder:
    """The folder of a run that is at work.

    Attributes:
        path: the folder.
        moved: where what an earlier run left was moved to; None if it left nothing.
    """

    path: Path
    moved: Path | None

    def put_back(self) -> None:
        """What was moved is as it was; files of this run with other names stay beside it."""
        if self.moved is None:
            return
        for path in self.moved.iterdir():
            place = self.path / path.name
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            elif path.is_dir():
                place.unlink(missing_ok=True)
            path.replace(place)  # one by one: what a crash leaves behind is in the one or the other
        self.moved.rmdir()
        with suppress(OSError):  # it holds what still earlier runs left
            self.moved.parent.rmdir()
        self.moved = None


@contextmanager
def run_folder(folder: Path, *, keep: Collection[str] = ()) -> Iterator[RunFolder]:
    """A folder that is this process's own until the end of the block.

    What an earlier run of the same id left moves to `earlier/1`, `earlier/2`, ..., all but the
    files to `keep`.

    Raises:
        ParameterError: another run of the same id is at work, or nothing can be written.
    """
    check_room(folder)  # before anything is moved away
    with ExitStack() as held:
        with refusing(folder):
            try:
                held.enter_context(locked(folder))
            except BlockingIOError:
                raise ParameterError(
                    f"another run is at work in {folder}: wait for its end, and look at its receipt"
                ) from None
            moved = _make_room(folder, {EARLIER, *keep})
        yield RunFolder(folder, moved)


def check_room(folder: Path, room: int = ROOM, *, named: str = "") -> None:
    """Raise ParameterError unless so many bytes can be written to a folder, which is made.

    Args:
        folder: where.
        room: bytes.
        named: by what the folder was chosen, for the message.
    """
    with refusing(folder, named=named):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(room))


@contextmanager
def refusing(folder: Path, *, named: str = "") -> Iterator[None]:
    """Turns what the file system refuses before anything was run into a ParameterError."""
    try:
        yield
    except OSError as error:
        place = f"{str(folder)!r} ({named})" if named else repr(str(folder))
        raise ParameterError(f"nothing can be written to {place}: {error}") from None


def _make_room(folder: Path, keep: Collection[str]) -> Path | None:
    left = [path for path in folder.iterdir() if path.name not in keep]
    if not left:
        return None
    earlier = folder / EARLIER
    earlier.mkdir(exist_ok=True)
    names = [path.name for path in earlier.iterdir()]
    # The highest and not how many: people delete what they do not want to keep.
    last = max((int(name) for name in names if re.fullmatch("[0-9]+", name)), default=0)
    (moved := earlier / str(last + 1)).mkdir()
    for path in left:
        path.rename(moved / path.name)
    return moved
