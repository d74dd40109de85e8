"""Parameters that plain papermill wrote into a notebook, and that the notebook does not have.

papermill only warns of a name that it does not find, in its log, and runs on with the default:
`-p dryrun false` would plan, and `-p run-id x` would use the run id of the example.
"""

import ast
import difflib
import sys
from collections.abc import Collection

from loyalty_helpers.errors import ParameterError

INJECTED = "# Parameters\n"  # what papermill's cell begins with; none of our own does


def check_injected() -> None:
    """Raise ParameterError for a name that no cell before papermill's gives a default to.

    Outside of IPython, and where no such cell has been run, there is nothing to check.
    """
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    cells = list(shell.user_ns.get("In", ()))[:-1] if shell is not None else []  # but this one
    found = [n for cell in cells if cell.startswith(INJECTED) for n, _ in assignments(cell)]
    known = [n for cell in cells if not cell.startswith(INJECTED) for n, _ in assignments(cell)]
    unknown = [name for name in dict.fromkeys(found) if name not in known] if known else []
    if unknown:
        lines = [no_such_parameter(name, known) for name in unknown]
        raise ParameterError("\n".join([*lines, f"allowed: {', '.join(dict.fromkeys(known))}"]))


def no_such_parameter(name: str, known: Collection[str]) -> str:
    """The refusal of a name, with the nearest one that is known."""
    near = difflib.get_close_matches(name, known, n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    return f"{name}: there is no such parameter{meant}"


def assignments(cell: str) -> list[tuple[str, ast.Assign | ast.AnnAssign]]:
    """The names that a cell gives values to, one by one; none if it is no plain Python."""
    try:
        statements = ast.parse(cell).body
    except SyntaxError:  # a cell with a magic command
        return []
    return [
        (target.id, statement)
        for statement in statements
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for target in getattr(statement, "targets", [getattr(statement, "target", None)])
        if isinstance(target, ast.Name)
    ]
