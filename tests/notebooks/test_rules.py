"""The house rules of a notebook, read from the committed files."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from loyalty_helpers.parameters import PARAMETERS
from loyalty_helpers.runner import Notebook, lessons, notebooks, pages
from loyalty_helpers.settings import NOTEBOOKS
from tests.notebooks.refresh import FIRST, TABLE, contents

FORBIDDEN = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Global)


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) | {"path": path}


@pytest.fixture(params=[*notebooks(), *pages(), *lessons()], ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Any of them."""
    return read(request.param)


@pytest.fixture(params=[*notebooks(), *lessons()], ids=lambda path: path.stem)
def with_parameters(request: pytest.FixtureRequest) -> dict[str, Any]:
    """One that says in which environment it runs."""
    return read(request.param)


@pytest.fixture(params=notebooks(), ids=lambda path: path.stem)
def runnable(request: pytest.FixtureRequest) -> dict[str, Any]:
    """One that can be run headlessly, and proves what it claims."""
    return read(request.param)


@pytest.fixture(params=pages(), ids=lambda path: path.stem)
def page(request: pytest.FixtureRequest) -> dict[str, Any]:
    """One that is served to people who do not want to see code."""
    return read(request.param)


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def parameters_of(notebook: dict[str, Any]) -> dict[str, Any]:
    [cell] = [c for c in code_cells(notebook) if "parameters" in c["metadata"].get("tags", [])]
    return cell


def tree(notebook: dict[str, Any]) -> ast.Module:
    return ast.parse("\n".join(map(source, code_cells(notebook))))


def test_every_notebook_can_be_run_by_its_name_or_is_a_page_or_a_lesson() -> None:
    assert sorted(NOTEBOOKS.rglob("*.ipynb")) == sorted([*notebooks(), *pages(), *lessons()])


def test_a_page_is_a_title_and_one_cell(page: dict[str, Any]) -> None:
    """Whoever opens one in JupyterLab sees what makes it, and nothing else."""
    assert "markdown code" == " ".join(cell["cell_type"] for cell in page["cells"])


def test_what_a_page_writes_is_written_by_a_button(page: dict[str, Any]) -> None:
    assert [] == [tag for cell in page["cells"] for tag in cell["metadata"].get("tags", [])]


def test_the_first_notebook_lists_all_others() -> None:
    """`make notebooks` writes the list anew."""
    [table] = TABLE.findall(source(read(FIRST)["cells"][0]))

    assert contents() == table


def test_every_code_cell_has_been_run_in_order(notebook: dict[str, Any]) -> None:
    """nbval passes a cell without a count unseen, so this is what makes nbval mean something."""
    counts = [cell["execution_count"] for cell in code_cells(notebook)]

    assert list(range(1, len(counts) + 1)) == counts


def test_no_cell_holds_an_error(notebook: dict[str, Any]) -> None:
    kinds = {out["output_type"] for cell in code_cells(notebook) for out in cell["outputs"]}

    assert "error" not in kinds
    assert "stream" not in kinds  # nothing is printed: a value stands on the last line


def test_every_cell_that_shows_a_value_saved_it(notebook: dict[str, Any]) -> None:
    for cell in code_cells(notebook):
        shows = isinstance(ast.parse(source(cell)).body[-1], ast.Expr)
        assert shows == bool(cell["outputs"]), source(cell)


def test_no_output_links_to_a_widget(notebook: dict[str, Any]) -> None:
    """Without its kernel such a link is shown as an error message."""
    for cell in code_cells(notebook):
        for output in cell["outputs"]:
            assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})


def test_metadata_holds_nothing_that_varies(notebook: dict[str, Any]) -> None:
    assert {"kernelspec", "language_info"} == set(notebook["metadata"])
    assert {"name": "python"} == notebook["metadata"]["language_info"]
    assert {"tags"} >= {key for cell in notebook["cells"] for key in cell["metadata"]}


def test_one_title_on_top(notebook: dict[str, Any]) -> None:
    titles = [
        line
        for cell in notebook["cells"]
        if cell["cell_type"] == "markdown"
        for line in source(cell).splitlines()
        if line.startswith("# ")
    ]

    assert len(titles) == 1
    assert source(notebook["cells"][0]).startswith(titles[0])


def test_cells_are_short(notebook: dict[str, Any]) -> None:
    """A parameters cell has a line a parameter: what a runbook takes is told in one place.

    There a line is not code to follow but a row of a table, so the 15 lines of a cell do not bind
    it; 20 do, since nobody keeps more in sight.
    """
    for cell in code_cells(notebook):
        most = 20 if "parameters" in cell["metadata"].get("tags", []) else 10
        assert len(source(cell).splitlines()) <= most, source(cell)


def test_text_stands_between_code(notebook: dict[str, Any]) -> None:
    kinds = "".join(cell["cell_type"][0] for cell in notebook["cells"])

    assert "ccc" not in kinds


def test_there_is_more_prose_than_code(notebook: dict[str, Any]) -> None:
    words = sum(
        len(source(cell).split()) for cell in notebook["cells"] if cell["cell_type"] == "markdown"
    )
    lines = sum(len(source(cell).splitlines()) for cell in code_cells(notebook))

    assert words >= 5 * lines


def test_one_parameters_cell_with_typed_literals(with_parameters: dict[str, Any]) -> None:
    [cell] = [
        c for c in code_cells(with_parameters) if "parameters" in c["metadata"].get("tags", [])
    ]

    for statement in ast.parse(source(cell)).body:
        assert isinstance(statement, ast.AnnAssign), ast.unparse(statement)
        ast.literal_eval(statement.value)


def test_parameters_have_comments_that_papermill_shows(with_parameters: dict[str, Any]) -> None:
    """papermill's help drops a line whose comment holds an equals sign."""
    [cell] = [
        c for c in code_cells(with_parameters) if "parameters" in c["metadata"].get("tags", [])
    ]

    for line in source(cell).splitlines():
        assert re.search(r"  # [^=]+$", line), line


def test_a_parameter_means_the_same_everywhere(with_parameters: dict[str, Any]) -> None:
    [cell] = [
        c for c in code_cells(with_parameters) if "parameters" in c["metadata"].get("tags", [])
    ]

    for line in source(cell).splitlines():
        name, kind, meaning = re.fullmatch(r"(\w+): (\w+) = .*  # (.+)", line).groups()
        assert (PARAMETERS[name].kind.__name__, PARAMETERS[name].help) == (kind, meaning)


def test_each_default_is_one_that_may_be_given(with_parameters: dict[str, Any]) -> None:
    found = Notebook.read(str(with_parameters["path"]))

    assert found.defaults == found.check(found.defaults)


def test_no_machinery_in_a_notebook(notebook: dict[str, Any]) -> None:
    for node in ast.walk(tree(notebook)):
        assert not isinstance(node, FORBIDDEN), ast.unparse(node)
        if isinstance(node, ast.ImportFrom):
            assert [alias.name for alias in node.names] != ["*"]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("print", "exit", "eval", "exec")
    for cell in code_cells(notebook):
        assert not re.search(r"^\s*[%!]|sys\.path|sys\.exit", source(cell), re.MULTILINE)


def test_no_name_is_assigned_in_two_cells(notebook: dict[str, Any]) -> None:
    seen: set[str] = set()
    for cell in code_cells(notebook):
        names = {
            node.id
            for node in ast.walk(ast.parse(source(cell)))
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        assert not names & seen - {"each", "event"}, names & seen
        seen |= names


def test_the_last_cell_asserts(runnable: dict[str, Any]) -> None:
    last = ast.parse(source(code_cells(runnable)[-1]))

    assert any(isinstance(node, ast.Assert) for node in last.body)


def test_the_same_setup_everywhere(runnable: dict[str, Any]) -> None:
    stem = runnable["path"].stem
    setup = source(code_cells(runnable)[1])

    assert setup.endswith(f'client = connect(environment, notebook="{stem}")\nclient')


def test_links_lead_to_notebooks_that_exist(notebook: dict[str, Any]) -> None:
    folder: Path = notebook["path"].parent
    text = "\n".join(source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")

    for target in re.findall(r"\]\((?!https?://)([^)#]+)", text):
        assert (folder / target).is_file(), target
