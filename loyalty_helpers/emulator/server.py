"""Serves an emulator over HTTP on this machine, for clients that are not in the same process."""

import errno
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from copy import copy
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from .app import Emulator

HOST: Final = "127.0.0.1"
# Writes take turns anyway, and threads that wait for theirs only cost: one answers a quarter more
# than eight. An answer that is slow on purpose must not keep the others waiting, though.
_THREADS: Final = 1
_THREADS_IF_SLOW: Final = 32
# The head and the body of an answer leave together, from the loop's thread: half as many answers
# again. waitress warns of the option at its creation, not of the setting.
_SEND_BYTES: Final = 9000
# Who connects beyond them waits until another leaves, and clients keep connections that they do
# not use: waitress's own 100 are few. Other than select, poll watches files beyond the 1,024th.
_CONNECTIONS: Final = 500
_STOP_SECONDS: Final = 10.0


class PortInUseError(Exception):
    """Another program listens on the port; the text says what to do."""


def _listen(emulator: "Emulator", port: int) -> tuple[Any, str]:
    """Return a waitress server that accepts connections, and its base URL."""
    # waitress is needed for serving alone, and takes 30 ms to load.
    import waitress  # type: ignore[import-untyped]  # it ships without types

    # Requests that wait for a thread are no trouble worth a line each, nor are short bodies.
    for name in ("waitress", "waitress.queue"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        # Asked first, because waitress leaves its threads behind when it cannot listen.
        with socket.socket() as probe:
            if os.name == "posix":
                # A port whose last server has just stopped is free; elsewhere this would share it.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
        server = waitress.create_server(
            _application(emulator),
            host=HOST,
            port=port,
            threads=_THREADS_IF_SLOW if emulator.faults.slow else _THREADS,
            ident=None,
            connection_limit=_CONNECTIONS,
            asyncore_use_poll=True,
        )
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortInUseError(
            f"Port {port} on {HOST} is in use. Stop the program that has it, "
            "or give another port; port 0 takes a free one."
        ) from error
    server.adj.send_bytes = _SEND_BYTES
    server.channel_class = _channel_class()
    return server, f"http://{HOST}:{server.effective_port}"


def _channel_class() -> type[Any]:
    """Return waitress's connection, but that its loop does not spin while requests wait.

    It would ask to write what is below `send_bytes`, and then not write it; and it would try again
    and again for a lock that is only held while the other thread sends. Spinning keeps that
    thread from its work.
    """
    from waitress.channel import HTTPChannel  # type: ignore[import-untyped]  # as above

    class Channel(HTTPChannel):  # type: ignore[misc]  # as above
        def writable(self) -> bool:
            least = self.adj.send_bytes if self.requests else 1
            return bool(
                self.total_outbufs_len >= least or self.will_close or self.close_when_flushed
            )

        def _flush_some_if_lockable(self, do_close: bool = True) -> None:
            with self.outbuf_lock:
                super()._flush_some_if_lockable(do_close)

    return Channel


def _application(emulator: "Emulator") -> "WSGIApplication":
    """Return what waitress calls; a fault that loses the connection closes the socket."""
    from waitress.channel import ClientDisconnected

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        try:
            answer = emulator(environ, start_response)
        except ConnectionError as error:
            # As if the client had gone: waitress closes what it has of the connection.
            raise ClientDisconnected from error
        return answer if isinstance(answer, list) else _in_pieces(environ, answer)

    return application


def _in_pieces(environ: "WSGIEnvironment", answer: Iterable[bytes]) -> Iterator[bytes]:
    """Let each piece of an answer leave as it comes, on its own connection alone."""
    channel = environ["waitress.client_disconnected"].__self__
    usual, channel.adj = channel.adj, copy(channel.adj)
    channel.adj.send_bytes = 1
    yield from answer
    channel.adj = usual


def serve(
    emulator: "Emulator", port: int = 0, on_ready: Callable[[str], object] | None = None
) -> None:
    """Serve until SIGTERM or KeyboardInterrupt.

    Args:
        emulator: What answers; closing it is the caller's.
        port: Where to listen on 127.0.0.1; 0 takes a free port.
        on_ready: Called with the base URL once connections are accepted.

    Raises:
        PortInUseError: Another program listens on the port.
    """
    server, url = _listen(emulator, port)
    try:
        with _terminating():
            if on_ready:
                on_ready(url)
            # Returns on KeyboardInterrupt and SystemExit, with its threads ended.
            server.run()
    finally:
        server.close()


@contextmanager
def _terminating() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C; only the main thread is told of signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Server:
    """Serves in a thread of its own, as a context manager; `url` is the base URL."""

    def __init__(self, emulator: "Emulator", port: int = 0) -> None:
        self._server, self.url = _listen(emulator, port)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # What the loop watches may only be closed by the loop's own thread. Should that be awake
        # already, it has closed the trigger, too, before this wakes it up.
        with suppress(OSError):
            self._server.trigger.pull_trigger(self._close_all)
        self._thread.join(_STOP_SECONDS)
        self._server.task_dispatcher.shutdown()

    def _close_all(self) -> None:
        for channel in list(self._server.active_channels.values()):
            channel.handle_close()
        self._server.close()
