"""Runs a notebook headlessly: checks its parameters, executes it, and leaves proof behind."""

from loyalty_helpers.notebooks_runner.run import RunResult, run_notebook

__all__ = ["RunResult", "run_notebook"]
