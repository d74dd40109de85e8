"""Lost connections, as errors of httpx as well: a client in the same process knows no others.

They bear the names of httpx's own, which are what a client tells.
"""

from __future__ import annotations

import httpx


class ConnectError(httpx.ConnectError, ConnectionRefusedError):
    """The connection was refused."""


class ReadError(httpx.ReadError, ConnectionResetError):
    """The connection was lost before the answer came."""
