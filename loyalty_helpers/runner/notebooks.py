"""The notebooks that can be run: found, read for the parameters they take, and what they are given.

What stands in a notebook's parameters cell is the one place of its defaults. A name of the
project's own table has the rule of that table, in a notebook of somebody else as well.
"""

import ast
import json
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loyalty_helpers.errors import ParameterError
from loyalty_helpers.files import is_there
from loyalty_helpers.injected import assignments, no_such_parameter
from loyalty_helpers.parameters import BUYER, FILES, PARAMETERS, Parameter, of_kind
from loyalty_helpers.redaction import SHOWN_LENGTH, holds_token, mask_repr, mask_text
from loyalty_helpers.settings import NOTEBOOKS

TAG = "parameters"


def notebooks() -> list[Path]:
    """The project's notebooks, the runbooks last."""
    return [p for f in (NOTEBOOKS, NOTEBOOKS / "runbooks") for p in sorted(f.glob("*.ipynb"))]


def pages() -> list[Path]:
    """The notebooks that are pages: `loyalty app` serves them, and they take no parameters."""
    return sorted((NOTEBOOKS / "app").glob("*.ipynb"))


def lessons() -> list[Path]:
    """The notebooks of the course: `loyalty training` tells of them."""
    return sorted((NOTEBOOKS / "training").glob("*.ipynb"))


def find_notebook(name: str) -> Path:
    """The file of a notebook, named as those of the project are, or by its path.

    Raises:
        ParameterError: there is none.
    """
    known = {path.stem: path for path in notebooks()}
    try:
        path = Path(name) if Path(name).suffix == ".ipynb" else known[Path(name).name]
        found = stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        found = False
    except (OSError, ValueError, KeyError):  # also what the system takes for no name of a file
        others = "nor the path of another, which ends in .ipynb"
        names = ", ".join(known)
        raise ParameterError(f"notebook {name!r} is not one of {names}, {others}") from None
    if not found:
        raise ParameterError(f"there is no notebook {path.absolute()}")
    return path.resolve()


@dataclass(frozen=True)
class Notebook:
    """What the file of a notebook says.

    Attributes:
        path: the file.
        title: its first heading.
        takes: its parameters, by name.
        defaults: what they are unless they are given.
        code: its code cells, but for the one with the defaults.
    """

    path: Path
    title: str
    takes: Mapping[str, Parameter]
    defaults: Mapping[str, Any]
    code: tuple[str, ...]

    @classmethod
    def read(cls, name: str) -> "Notebook":
        """Find a notebook and read it; raises ParameterError if it takes no parameters."""
        path = find_notebook(name)
        try:
            cells = [
                (TAG if TAG in cell["metadata"].get("tags", ()) else cell["cell_type"], cell)
                for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
            ]
            texts, tagged, code = (
                tuple("".join(cell["source"]) for kind, cell in cells if kind == wanted)
                for wanted in ("markdown", TAG, "code")
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ParameterError(f"{path} cannot be read as a notebook: {error!r}") from None
        titles = [text[2:].splitlines()[0] for text in texts if text.startswith("# ")]
        found = {name: (rule, default) for name, rule, default in _taken(path, *tagged[:1])}
        if "environment" not in found:
            raise ParameterError(
                f"{path} has no cell with the tag {TAG!r}, in plain Python, that gives "
                "`environment` a default: what is run has to say which environment answers"
            )
        takes = {name: rule for name, (rule, _) in found.items()}
        defaults = {name: default for name, (_, default) in found.items()}
        _refuse_tokens(defaults)
        return cls(path, next(iter(titles), path.stem), takes, defaults, code)

    @property
    def ours(self) -> bool:
        """Whether it is one of the project's own."""
        return self.path.is_relative_to(NOTEBOOKS)

    def check(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters, or a ParameterError that names every problem at once.

        Args:
            given: values as text or as what they are; all others keep the notebook's default.
        """
        _refuse_tokens(given)
        named = any(given.get(name) for name in BUYER)
        # Naming a buyer in one way takes back the default that names one in another.
        cleared = {name: "" for name in BUYER if named and name in self.takes}
        theirs = {n: v for n, v in self.defaults.items() if n in PARAMETERS and not self.ours}
        asked = {**theirs, **cleared, **given}
        values, problems = dict(self.defaults), []
        for name in self.takes:
            if name in asked:
                try:
                    values[name] = self.takes[name].read(asked[name])
                except ValueError as error:
                    problems.append(_problem(name, self.takes[name], asked[name], error))
        names = f"allowed: {', '.join(self.takes)}"
        unknown = [name for name in asked if name not in self.takes]
        problems += [f"{no_such_parameter(name, self.takes)}; {names}" for name in unknown]
        if problems := problems or list(_together(values)):
            raise ParameterError("\n".join(problems))
        return values


def _taken(path: Path, cell: str = "") -> Iterator[tuple[str, Parameter, Any]]:
    """The names of a parameters cell, each with its rule and its default."""
    lines = cell.encode().splitlines()
    for name, found in assignments(cell):
        if found.value is None:
            continue
        try:
            json.dumps(default := ast.literal_eval(found.value))
        except (ValueError, TypeError):
            raise ParameterError(
                f"{path}: the default of {name} is {mask_repr(ast.unparse(found.value))}; "
                "allowed: a text, a number, True or False"
            ) from None
        kind = getattr(found, "annotation", None)
        comment = lines[(found.end_lineno or 1) - 1][found.end_col_offset :].decode()
        other = of_kind(
            ast.unparse(kind) if kind else type(default).__name__,
            comment.partition("#")[2].strip(),
        )
        yield name, PARAMETERS.get(name, other), default


def _refuse_tokens(values: Mapping[str, Any]) -> None:
    tokens = [n for n, value in values.items() if holds_token(n) or holds_token(str(value))]
    if tokens:
        names = mask_text(", ".join(tokens))
        raise ParameterError(
            f"{names}: this looks like an access token. A token is never a parameter, "
            "since parameters are written into the notebook: set SQUARE_ACCESS_TOKEN."
        )


def _problem(name: str, parameter: Parameter, value: Any, error: ValueError) -> str:
    """What was given, short; where digits are read, without those of a phone number."""
    reason = getattr(error, "allowed", "")
    size = len(str(value))
    more = f" ({size} characters)" if size > SHOWN_LENGTH else ""
    found = mask_repr(str(value), phone=bool(reason)) + more
    return f"{name}: found {found}; allowed: {'; '.join(filter(None, [parameter.allowed, reason]))}"


def _together(values: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with parameters that are right one by one."""
    buyer = {name: values[name] for name in BUYER if name in values}
    named = [name for name, value in buyer.items() if value]
    if len(buyer) > 1 and len(named) != 1:
        yield f"give exactly one of {', '.join(buyer)}; found {' and '.join(named) or 'none'}"
    approved = values.get("approved_plan")  # what it was made of is needed no more
    for name in FILES:
        path = Path(values.get(name, ""))
        if path.is_absolute() and not is_there(path) and not approved:
            yield f"{name}: there is no file {path}"
    if values["environment"] == "production" and not (values.get("dry_run", True) or approved):
        yield (
            "approved_plan: production needs the digest of a plan that was looked at; run it "
            "with dry_run true first"
        )
