"""httpx, without the command line that comes with it.

`import httpx` loads httpx's own command, and with it rich and pygments: 50 ms that no notebook
needs. httpx does without it where those are not installed; here it is told the same.

The day httpx has to go, these two imports become those of httpcore2 and httpx2: nothing else of
the package names either, and the tests pass with them (`make test-httpx2`).
"""

import sys

sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpcore  # noqa: E402  # what httpx itself makes connections with
import httpx  # noqa: E402  # after the line above, on purpose

__all__ = ["httpcore", "httpx"]
