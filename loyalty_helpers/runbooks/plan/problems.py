"""All problems of a plan, gathered before any of them is told."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from loyalty_helpers.errors import PlanError
from loyalty_helpers.runbooks.csv_files import write_csv
from loyalty_helpers.runbooks.plan.row_checks import Problem, SheetRow

TOLD = 50  # problems in the error text; the file beside it holds all
PROBLEMS = "problems.csv"


class Problems:
    """Gathers problems in memory, and writes all of them into a file when they are told."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / PROBLEMS
        self._found: list[Problem] = []

    def add(self, problem: Problem) -> None:
        """One more problem."""
        self._found.append(problem)

    def sorted_out(self, rows: Iterable[SheetRow | Problem]) -> Iterator[SheetRow]:
        """The rows; problems among them are kept."""
        for row in rows:
            if isinstance(row, Problem):
                self.add(row)
            else:
                yield row

    def check(self) -> None:
        """Raise PlanError with every problem, if there is any."""
        if not self._found:
            self.path.unlink(missing_ok=True)
            return
        self._found.sort(key=lambda problem: (problem.line, problem.column))
        write_csv(self.path, ("line", "row_id", "column", "found", "allowed"), self._rows())
        count = len(self._found)
        lines = [str(problem) for problem in self._found[:TOLD]]
        if count > TOLD:
            lines.append(f"... and {count - TOLD} more: {self.path}")
        head = f"no plan was made, and nothing was changed. {count} problem{'s' * (count > 1)}:"
        raise PlanError("\n".join([head, *lines]))

    def _rows(self) -> Iterator[tuple[int, str, str, str, str]]:
        for p in self._found:
            yield p.line, p.row_id, p.column, p.found, p.allowed
