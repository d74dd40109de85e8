"""Runs a notebook headlessly: checks its parameters, executes it, and leaves proof behind."""

from loyalty_helpers.runner.execute import MaskedOutput, execute
from loyalty_helpers.runner.kept import KeptKernel
from loyalty_helpers.runner.kernels import SHORT_PLACES, socket_folder, started_kernel
from loyalty_helpers.runner.notebooks import Notebook, find_notebook, lessons, notebooks, pages
from loyalty_helpers.runner.run import RunResult, run_notebook

__all__ = [
    "SHORT_PLACES",
    "KeptKernel",
    "MaskedOutput",
    "Notebook",
    "RunResult",
    "execute",
    "find_notebook",
    "lessons",
    "notebooks",
    "pages",
    "run_notebook",
    "socket_folder",
    "started_kernel",
]
