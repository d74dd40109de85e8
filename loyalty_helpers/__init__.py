"""Search, adjust and retrieve loyalty accounts through Square's Loyalty API.

Names are imported on first use: `import loyalty_helpers` costs nothing, and the
command line can answer before anything heavy is loaded.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loyalty_helpers.api import LoyaltyClient as LoyaltyClient
    from loyalty_helpers.api import adjustment_key as adjustment_key
    from loyalty_helpers.errors import LoyaltyError as LoyaltyError
    from loyalty_helpers.errors import SquareError as SquareError
    from loyalty_helpers.session import connect as connect

_HOME = {
    "LoyaltyClient": "api",
    "LoyaltyError": "errors",
    "SquareError": "errors",
    "adjustment_key": "api",
    "connect": "session",
}
_MODULES = {
    "adjustments": "steps.adjustments",
    "balance_history": "steps.balance_history",
    "charts": "steps.charts",
    "errors": "errors",
    "forms": "forms",
    "models": "records.models",
    "pages": "pages",
    "purchases": "steps.purchases",
    "runbooks": "runbooks",
    "tables": "records.tables",
    "training": "training",
}

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
    "pages",
    "purchases",
    "runbooks",
    "tables",
    "training",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"loyalty_helpers.{_HOME[name]}"), name)
    if name in _MODULES:
        return import_module(f"loyalty_helpers.{_MODULES[name]}")
    raise AttributeError(f"module 'loyalty_helpers' has no attribute {name!r}")
