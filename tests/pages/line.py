"""What stands between a desk and its emulator in tests: a line that can break."""

from collections.abc import Callable

import httpx


class Line(httpx.BaseTransport):
    """To the emulator and back. It breaks where `breaks` says so, before or after the request."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.before: Callable[[httpx.Request], object] = lambda request: None
        self.after: Callable[[httpx.Request], object] = lambda request: None
        self.paths: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        if answer := self.before(request):
            return answer
        answer = self._inner.handle_request(request)
        return self.after(request) or answer

    @property
    def writes(self) -> int:
        """How many adjustments were sent."""
        return sum(path.endswith("/adjust") for path in self.paths)


def fails(error: Exception, path: str = "") -> Callable[[httpx.Request], None]:
    """An error for every request whose path ends so."""

    def fail(request: httpx.Request) -> None:
        if request.url.path.endswith(path):
            raise error

    return fail
