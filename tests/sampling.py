"""Some of many cases: `make test` takes a sample of each kind, `make test-all` takes every one."""

from collections.abc import Iterable
from typing import Any

import pytest


def rest(cases: Iterable[Any]) -> list[Any]:
    """The cases that are not in the sample."""
    return [
        pytest.param(*(case if isinstance(case, tuple) else [case]), marks=pytest.mark.full)
        for case in cases
    ]
