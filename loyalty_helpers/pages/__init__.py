"""Pages: each is one linked form for people who do not want to see code.

A page is a model, a plain class without widgets, and a thin view on it. Pages are imported on first
use, so that one does not wait for what another one needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loyalty_helpers.pages.desk_page import desk as desk

_HOME = {"desk": "desk_page"}

__all__ = ["desk"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"loyalty_helpers.pages.{_HOME[name]}"), name)
    raise AttributeError(f"module 'loyalty_helpers.pages' has no attribute {name!r}")
