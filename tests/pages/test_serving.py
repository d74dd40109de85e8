"""What `loyalty app` refuses before it serves, and what it says to the kernels of pages."""

import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from loyalty_helpers.cli import main
from loyalty_helpers.errors import MissingTokenError, ProductionGuardError
from loyalty_helpers.pages.serving import name_environment, pages_in
from loyalty_helpers.runner import pages
from loyalty_helpers.settings import NOTEBOOKS
from tests.doubles import CANARY_TOKEN


@pytest.fixture
def production(monkeypatch):
    monkeypatch.setenv("LOYALTY_ALLOW_PRODUCTION", "M1")
    monkeypatch.setenv("SQUARE_ACCESS_TOKEN", CANARY_TOKEN)
    monkeypatch.setenv("LOYALTY_ENVIRONMENT", "production")
    monkeypatch.setenv("LOYALTY_PAGES", "")


@pytest.mark.usefixtures("production")
def test_production_that_only_a_setting_names_is_refused():
    with pytest.raises(ProductionGuardError, match="a setting that lies around is not enough"):
        name_environment(None)


@pytest.mark.usefixtures("production")
def test_production_in_env_is_refused_by_the_command(tmp_path, monkeypatch):
    monkeypatch.delenv("LOYALTY_ENVIRONMENT")
    monkeypatch.delenv("LOYALTY_ENV_FILE")
    Path(tmp_path, ".env").write_text("LOYALTY_ENVIRONMENT=production\n")

    result = CliRunner().invoke(main, ["app"])
    assert (2, True) == (result.exit_code, "loyalty app --environment production" in result.output)


@pytest.mark.usefixtures("production")
def test_production_that_is_named_is_told_to_the_kernels():
    assert "production" == name_environment("production")
    assert "production" == os.environ["LOYALTY_ENVIRONMENT"] == os.environ["LOYALTY_PAGES"]


@pytest.mark.usefixtures("production")
def test_what_is_named_wins_over_the_setting():
    assert "local" == name_environment("local")
    assert "local" == os.environ["LOYALTY_ENVIRONMENT"]


def test_an_environment_that_lacks_its_token_is_refused_at_once(monkeypatch):
    monkeypatch.setenv("LOYALTY_PAGES", "")
    with pytest.raises(MissingTokenError):
        name_environment("sandbox")


def test_kernels_write_where_the_command_was_started(tmp_path, monkeypatch):
    monkeypatch.setenv("LOYALTY_RUNS", "here")
    monkeypatch.setenv("LOYALTY_ENVIRONMENT", "local")
    monkeypatch.setenv("LOYALTY_PAGES", "")
    name_environment(None)

    assert str(tmp_path / "here") == os.environ["LOYALTY_RUNS"]


def test_without_voila_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "voila.app", None)
    monkeypatch.setenv("LOYALTY_ENVIRONMENT", "local")
    monkeypatch.setenv("LOYALTY_PAGES", "")

    result = CliRunner().invoke(main, ["app"])
    assert (2, True) == (result.exit_code, "loyalty-notebooks[app]" in result.output)


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_the_list_has_words_for_each_page(path):
    [found] = [page for page in pages_in(NOTEBOOKS / "app") if page.file == path.name]

    assert found.title
    assert len(found.about.split()) >= 5


def test_the_desk_stands_first():
    assert "desk.ipynb" == pages_in(NOTEBOOKS / "app")[0].file
