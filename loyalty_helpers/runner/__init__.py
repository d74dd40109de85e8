"""Runs a notebook headlessly: checks its parameters, executes it, and leaves proof behind."""

from loyalty_helpers.runner.execute import MaskedOutput, execute
from loyalty_helpers.runner.kernels import started_kernel
from loyalty_helpers.runner.run import RunResult, find_notebook, run_notebook

__all__ = [
    "MaskedOutput",
    "RunResult",
    "execute",
    "find_notebook",
    "run_notebook",
    "started_kernel",
]
