"""Pages for people who do not want to see code: one linked form each.

A notebook in `notebooks/app` makes each of them, and `loyalty app` serves them. A page is imported
when it is asked for, so that none loads what another one needs.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "bulk": "bulk_page",
    "desk": "desk_page",
    "runs": "runs_page",
    "serve_pages": "serving",
}

__all__ = ["bulk", "desk", "runs", "serve_pages"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"loyalty_helpers.pages.{_HOME[name]}"), name)
    raise AttributeError(f"module 'loyalty_helpers.pages' has no attribute {name!r}")
