"""A kernel of our own: on IPC, in a folder of its choice, and gone when the work is done."""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from loyalty_helpers.errors import LoyaltyError

LONGEST = 107 if sys.platform == "linux" else 103  # bytes in the name of a Unix socket
SHORT_PLACES = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - a private folder is made there
_NAME = "k"  # jupyter_client adds a number for each of the five sockets
_SOCKET = f"{_NAME}-5"
LAST_ANSWERS = 90.0  # seconds that an interrupted kernel may take to write down what it did


@contextmanager
def started_kernel(
    folder: Path,
    variables: Mapping[str, str] | None = None,
    *,
    busy: Callable[[int], bool] = lambda _: False,
) -> Iterator[Any]:
    """A jupyter_client.AsyncKernelManager whose kernel is starting, working in `folder`.

    The kernel is a process of its own, so it starts while this one goes on loading papermill.
    At the end it is killed, not asked: all that counts was committed when its cell ended.

    Args:
        folder: where the kernel works.
        variables: environment variables beside those of this process.
        busy: whether the kernel with this process id is at something that must not be cut
            short. Ctrl-C reaches this process alone, so the kernel is interrupted and waited for.
    """
    from jupyter_core.utils import run_sync

    with _sockets() as sockets:
        manager = _manager(busy)(kernel_name="python3", **sockets)
        # A kernel that is stopped in the middle has much to say, none of it for a user.
        # Nor does it write what it is given, parameters among it, into the user's history.
        options = ["--log-level=CRITICAL", "--HistoryManager.enabled=False"]
        try:
            run_sync(manager.start_kernel)(
                cwd=str(folder), extra_arguments=options, env=os.environ | dict(variables or {})
            )
        except Exception as error:
            raise LoyaltyError(f"no kernel could be started: {error}") from error
        try:
            yield manager
        finally:
            process = getattr(manager.provisioner, "process", None)
            if process is not None:  # nbclient ends it itself after Ctrl-C
                _interrupt(process, busy)
                process.kill()
                process.wait()  # here, because jupyter_client asks every 0.1 s only
            run_sync(manager.shutdown_kernel)(now=True)


def _manager(busy: Callable[[int], bool]) -> Any:
    """The kind of manager, asynchronous: nbclient waits for a cell and for Ctrl-C together."""
    from jupyter_client.manager import AsyncKernelManager

    class Finishing(AsyncKernelManager):
        def client(self, **options: Any) -> Any:
            """Called by nbclient, which leaves it open where the kernel is not its own."""
            self.last_client = super().client(**options)
            return self.last_client

        async def shutdown_kernel(  # type: ignore[override]  # as the one that it replaces
            self, *args: Any, **options: Any
        ) -> None:
            """Called by nbclient when Ctrl-C is pressed."""
            process = getattr(self.provisioner, "process", None)
            if process is not None:
                await asyncio.to_thread(_interrupt, process, busy)
            await super().shutdown_kernel(*args, **options)

    return Finishing


def _interrupt(process: Any, busy: Callable[[int], bool]) -> None:
    """Let a kernel that is at something finish it: Ctrl-C was pressed, or a cell timed out.

    Pressed once more meanwhile, it is passed on: the kernel then waits for nothing more.
    """
    if process.poll() is None and busy(process.pid):
        process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + LAST_ANSWERS
        while busy(process.pid) and process.poll() is None and time.monotonic() < deadline:
            try:
                time.sleep(0.05)
            except KeyboardInterrupt:
                process.send_signal(signal.SIGINT)


@contextmanager
def _sockets() -> Iterator[dict[str, str]]:
    """Sockets in a private folder: no ports to race for, and nobody else can connect."""
    if sys.platform == "win32":  # no Unix sockets there
        yield {}
        return
    with socket_folder([tempfile.gettempdir(), *SHORT_PLACES]) as folder:
        place = f"{folder}/{_NAME}"
        yield {"transport": "ipc", "ip": place, "connection_file": f"{place}.json"}


def socket_folder(
    places: Sequence[str], socket: str = _SOCKET
) -> "tempfile.TemporaryDirectory[str]":
    """A folder for this user alone, in the first place where the name of a socket is not too long.

    The system gives such a name 107 bytes, or 103: a folder for temporary files can have more.

    Args:
        places: folders, the best one first.
        socket: the longest name that a socket in the folder gets.
    """
    for place in places:
        with suppress(OSError):
            folder = tempfile.TemporaryDirectory(prefix="loyalty-", dir=place)
            # A name that is no text in UTF-8 cannot be told to the kernel.
            if folder.name.isprintable() and len(f"{folder.name}/{socket}".encode()) <= LONGEST:
                return folder
            folder.cleanup()
    room = LONGEST - len(f"/loyalty-12345678/{socket}")
    raise LoyaltyError(
        f"no kernel could be started: its sockets need a folder that can be written, with a name "
        f"of at most {room} bytes; none of {', '.join(map(repr, places))} is one. Set "
        "TMPDIR to such a folder."
    )
