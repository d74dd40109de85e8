"""What is read from the environment and from `.env`."""

from pathlib import Path

import pytest

from loyalty_helpers.errors import SettingsError
from loyalty_helpers.settings import RECORDINGS, load_settings


@pytest.fixture(autouse=True)
def look_for_dotenv(monkeypatch):
    """In the current folder and above it, which the other tests do not."""
    monkeypatch.delenv("LOYALTY_ENV_FILE")


def dotenv(*lines):
    Path(".env").write_text("\n".join(lines))


def token():
    secret = load_settings().square_access_token
    return secret and secret.get_secret_value()


def test_without_any_variable_the_settings_are_harmless(monkeypatch):
    monkeypatch.delenv("LOYALTY_HOME")
    settings = load_settings()

    assert ("local", None, "", None, "", RECORDINGS) == (
        settings.loyalty_environment,
        settings.loyalty_home,
        settings.loyalty_emulator_url,
        settings.square_access_token,
        settings.loyalty_allow_production,
        settings.loyalty_recordings,
    )


def test_a_variable_is_read(monkeypatch):
    monkeypatch.setenv("SQUARE_ACCESS_TOKEN", "from the environment")

    assert "from the environment" == token()


def test_dotenv_is_read():
    dotenv("SQUARE_ACCESS_TOKEN=from-the-file", "LOYALTY_ENVIRONMENT=sandbox")

    assert ("from-the-file", "sandbox") == (token(), load_settings().loyalty_environment)


def test_a_variable_wins_over_dotenv(monkeypatch):
    dotenv("SQUARE_ACCESS_TOKEN=from-the-file")
    monkeypatch.setenv("SQUARE_ACCESS_TOKEN", "from-the-environment")

    assert "from-the-environment" == token()


def test_dotenv_puts_nothing_together_from_other_variables(monkeypatch):
    monkeypatch.setenv("OTHER", "secret")
    dotenv("SQUARE_ACCESS_TOKEN='${OTHER}'")

    assert "${OTHER}" == token()


def test_other_lines_of_dotenv_are_left_alone():
    dotenv("SOMETHING_ELSE=1", "# a comment", "LOYALTY_TYPO=1")

    assert "local" == load_settings().loyalty_environment


@pytest.mark.parametrize("name", ["LOYALTY_ENVIRONMENT", "LOYALTY_RECORD_TO", "LOYALTY_HOME"])
def test_an_empty_variable_is_none(monkeypatch, name):
    before = load_settings().model_copy(update={"loyalty_home": None})
    monkeypatch.setenv(name, "")

    assert before == load_settings().model_copy(update={"loyalty_home": None})


def test_a_value_that_cannot_be_used_is_told_by_its_variable(monkeypatch):
    monkeypatch.setenv("LOYALTY_ENVIRONMENT", "live")
    with pytest.raises(SettingsError, match=r"^LOYALTY_ENVIRONMENT: .*'local', 'recorded'"):
        load_settings()


def test_a_dotenv_that_is_no_text_is_told_without_its_content():
    Path(".env").write_bytes(b"SQUARE_ACCESS_TOKEN=canary\xff")
    with pytest.raises(SettingsError, match="must be a text file in UTF-8") as caught:
        load_settings()

    assert ("canary" in str(caught.value), True) == (False, caught.value.__suppress_context__)


def test_dotenv_of_a_folder_above_is_read(monkeypatch, tmp_path):
    """A notebook runs in its own folder, and `.env` lies beside the project."""
    dotenv("SQUARE_ACCESS_TOKEN=from-above")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")

    assert "from-above" == token()


def test_a_named_file_is_read_in_place_of_dotenv(monkeypatch):
    dotenv("SQUARE_ACCESS_TOKEN=from-dotenv")
    Path("other.env").write_text("SQUARE_ACCESS_TOKEN=from-other")
    monkeypatch.setenv("LOYALTY_ENV_FILE", "other.env")

    assert "from-other" == token()


def test_a_named_file_that_is_missing_is_told(monkeypatch):
    monkeypatch.setenv("LOYALTY_ENV_FILE", "missing.env")
    with pytest.raises(SettingsError, match=r"missing\.env cannot be read"):
        load_settings()


def test_the_emulator_keeps_its_file_in_the_home(monkeypatch, tmp_path):
    monkeypatch.setenv("LOYALTY_HOME", str(tmp_path / "somewhere"))

    assert tmp_path / "somewhere" / "emulator.sqlite3" == load_settings().emulator_file


def test_without_a_home_the_file_is_in_the_users_data_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("LOYALTY_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    file = load_settings().emulator_file
    assert (True, "loyalty-notebooks") == (file.is_relative_to(tmp_path), file.parent.name)
