"""Search, adjust and retrieve loyalty accounts through Square's Loyalty API.

Names are imported on first use: `import loyalty_helpers` costs nothing, and the
command line can answer before anything heavy is loaded.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loyalty_helpers.client import LoyaltyClient as LoyaltyClient
    from loyalty_helpers.errors import LoyaltyError as LoyaltyError
    from loyalty_helpers.errors import SquareError as SquareError
    from loyalty_helpers.idempotency import adjustment_key as adjustment_key
    from loyalty_helpers.session import connect as connect

_HOME = {
    "LoyaltyClient": "client",
    "LoyaltyError": "errors",
    "SquareError": "errors",
    "adjustment_key": "idempotency",
    "connect": "session",
}
_MODULES = (
    "adjustments",
    "balance_history",
    "charts",
    "errors",
    "forms",
    "models",
    "purchases",
    "runbooks",
    "tables",
)

__all__ = [
    "LoyaltyClient",
    "LoyaltyError",
    "SquareError",
    "adjustment_key",
    "adjustments",
    "balance_history",
    "charts",
    "connect",
    "errors",
    "forms",
    "models",
    "purchases",
    "runbooks",
    "tables",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"loyalty_helpers.{_HOME[name]}"), name)
    if name in _MODULES:
        return import_module(f"loyalty_helpers.{name}")
    raise AttributeError(f"module 'loyalty_helpers' has no attribute {name!r}")
