"""What a connection to Square is made with: the token, and a network that nothing bends."""

import ssl
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import certifi
from pydantic import SecretStr

from loyalty_helpers.errors import SettingsError
from loyalty_helpers.transports.http import httpcore, httpx

LONGEST_ATTEMPT = 45.0  # seconds that a request may take as a whole
LARGEST_HEAD = 256 * 1024  # bytes before an answer's body, which may begin in the last of them
ATTEMPT = "attempt"  # the extension of a request that says how many seconds it may take


class BearerToken(httpx.Auth):
    """Adds the token to a request. The token stays in a closure: no repr or vars() shows it."""

    def __init__(self, token: SecretStr) -> None:
        if not _is_token(token):
            raise SettingsError(
                "the access token is empty or holds characters that no token of Square has, "
                "such as a space or a newline: copy it again"
            )
        self._header: Callable[[], str] = lambda: f"Bearer {token.get_secret_value()}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Called by httpx for each request."""
        request.headers["Authorization"] = self._header()
        yield request

    def __repr__(self) -> str:
        return "BearerToken([token])"


def _is_token(secret: SecretStr) -> bool:
    token = secret.get_secret_value()  # in no frame that a traceback could show
    return bool(token) and token.isascii() and token.isprintable() and " " not in token


class Network(httpx.BaseTransport):
    """The network: certificates are always checked, and no variable from outside has a say.

    Each request has a limit as a whole, which begins with its connection and ends with the last
    byte of its answer. httpx itself has limits only for the time between two pieces.

    Proxies and SSL_CERT_FILE are left aside: nothing here reads them. SSLKEYLOGFILE, which would
    write down the keys of every connection, is honoured by ssl.create_default_context: hence a
    plain context.
    """

    def __init__(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(certifi.where())
        self._limit = _Limit()
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=_Backend(self._limit),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Called by httpx for each request; the body is read by the same thread."""
        self._limit.begin(request.extensions.get(ATTEMPT, LONGEST_ATTEMPT))
        url = request.url
        asked = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=request.headers.raw,
            content=cast("Iterable[bytes]", request.stream),
            extensions=request.extensions,
        )
        with _told_as_httpx():
            answer = self._pool.handle_request(asked)
        self._limit.head_is_read()
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(answer),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


class _Limit(threading.local):
    """What the request that this thread is at may still take, in seconds and bytes."""

    def __init__(self) -> None:
        self._ends, self._bytes = float("inf"), float("inf")

    def begin(self, seconds: float) -> None:
        self._ends, self._bytes = time.monotonic() + seconds, LARGEST_HEAD

    def head_is_read(self) -> None:
        self._bytes = float("inf")  # who reads the body counts it

    def within(self, timeout: float | None, late: type[httpcore.TimeoutException]) -> float:
        """The timeout of one step, which ends with the whole."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise late("it took too long as a whole")
        return left if timeout is None else min(left, timeout)

    def count(self, received: bytes) -> bytes:
        self._bytes -= len(received)
        if self._bytes < 0:
            raise httpcore.ReadError("the head of the answer is too large")
        return received


class _Backend(httpcore.NetworkBackend):
    """Makes connections whose every step keeps within the limit of its request."""

    def __init__(self, limit: _Limit) -> None:
        self._inner, self._limit = httpcore.SyncBackend(), limit

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = self._limit.within(timeout, httpcore.ConnectTimeout)
        stream = self._inner.connect_tcp(host, port, left, local_address, socket_options)
        return _Stream(stream, self._limit)


class _Stream(httpcore.NetworkStream):
    """A connection; reading, writing and the handshake end when the whole request has to."""

    def __init__(self, inner: httpcore.NetworkStream, limit: _Limit) -> None:
        self._inner, self._limit = inner, limit

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = self._limit.within(timeout, httpcore.ReadTimeout)
        return self._limit.count(self._inner.read(max_bytes, left))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._limit.within(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._limit.within(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._limit)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _told_as_httpx():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


@contextmanager
def _told_as_httpx() -> Iterator[None]:
    """Httpx names its errors as httpcore does; callers know those of httpx alone."""
    try:
        yield
    except Exception as error:
        kind = getattr(httpx, type(error).__name__, None)
        if not type(error).__module__.startswith("httpcore") or kind is None:
            raise
        raise kind(str(error)) from error
