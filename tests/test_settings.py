"""What is read from the environment and from `.env`."""

import os
import traceback
from pathlib import Path

import pytest

from loyalty_helpers.errors import SettingsError
from loyalty_helpers.settings import RECORDINGS, load_settings, settle_variables

from .doubles import CANARY_TOKEN


@pytest.fixture(autouse=True)
def look_for_dotenv(monkeypatch):
    """In the current folder and above it, which the other tests do not."""
    monkeypatch.delenv("LOYALTY_ENV_FILE")


def dotenv(*lines):
    Path(".env").write_text("\n".join(lines))


def refusal(monkeypatch, *lines, **variables):
    """Why the settings are refused; neither text nor traceback shows a value."""
    dotenv(f"SQUARE_ACCESS_TOKEN={CANARY_TOKEN}", *lines)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    trace = caught.value.__traceback__
    frames = [f for f, _ in traceback.walk_tb(trace) if f.f_code.co_filename != __file__]
    held = [repr(value) for frame in frames for value in frame.f_locals.values()]
    assert [] == [text for text in [str(caught.value), *held] if CANARY_TOKEN in text]
    return str(caught.value).removeprefix(f"{Path.cwd()}/.env, ")


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
    dotenv("DATABASE_URL=1", "# LOYALTY_TYPO=1", "spring.mail.host=x", "SQUARE_LOCATION_ID=L1")

    assert "local" == load_settings().loyalty_environment


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "LOYALTY_ENVIRONMENT: recorded",
            "line 2: it cannot be read: a line is NAME=value, and a comment begins with #",
        ),
        ("LOYALTY_ENVIRONMENT recorded", "(did you mean LOYALTY_ENVIRONMENT=...?)"),
        ("LOYALTY_ENVIRONMENT", "line 2: it cannot be read"),
        ("LOYALTY_ENVIRONMENT:recorded", "line 2: it cannot be read"),
        ("LOYALTY_ENVIRONMENT\uff1drecorded", "line 2: it cannot be read"),
        (CANARY_TOKEN, "line 2: it cannot be read"),
        ("NOTE='never closed", "line 2: it cannot be read"),
        ("LOYALTY_RUNS=a\0b", "line 2: it cannot be read"),
        ("\n# two lines above\nNOTE it", "line 4: it cannot be read"),
        ("LOYALTY_ENVIROMENT=recorded", "line 2: LOYALTY_ENVIROMENT: there is no such variable"),
        ("loyalty_environment=recorded", "(did you mean LOYALTY_ENVIRONMENT?)"),
        ("Loyalty_Environment=recorded", "(did you mean LOYALTY_ENVIRONMENT?)"),
        ("LOYALITY_ENVIRONMENT=recorded", "(did you mean LOYALTY_ENVIRONMENT?)"),
        ("LOYALTY-ENVIRONMENT=recorded", "(did you mean LOYALTY_ENVIRONMENT?)"),
        ("\u200bLOYALTY_ENVIRONMENT=recorded", "(did you mean LOYALTY_ENVIRONMENT?)"),
        ("export LOYALTY_RUN=x", "(did you mean LOYALTY_RUNS?)"),
        ("SQUARE_ACESS_TOKEN=x", "(did you mean SQUARE_ACCESS_TOKEN?)"),
        ("SQUARE_ACCESS_TOKEN_FILE=x", "(did you mean SQUARE_ACCESS_TOKEN?)"),
        ("square-access-token=x", "(did you mean SQUARE_ACCESS_TOKEN?)"),
        (f"LOYALTY_{CANARY_TOKEN}=", "line 2: a name: there is no such variable"),
        ("LOYALTY_RUNS=a\n\nLOYALTY_RUNS=b", "lines 2 and 4: LOYALTY_RUNS is set twice"),
        (
            'NOTE="it\nLOYALTY_ENVIRONMENT=recorded\nOTHER="',
            "line 2: its quotation mark ends in a later line, and takes LOYALTY_ENVIRONMENT in",
        ),
    ],
)
def test_a_line_that_nobody_reads_is_refused_with_its_number(monkeypatch, line, told):
    assert told in refusal(monkeypatch, line)


@pytest.mark.parametrize("name", ["LOYALTY_ENVIROMENT", "loyalty_environment", "LOYALTY_ENV"])
def test_a_variable_that_nobody_reads_is_refused(monkeypatch, name):
    assert f"{name}: there is no such variable (did you mean LOYALTY_ENV" in refusal(
        monkeypatch, **{name: "recorded"}
    )


def test_every_problem_of_the_variables_is_told_at_once(monkeypatch):
    told = refusal(monkeypatch, "NOTE it", "LOYALTY_X=1", LOYALTY_ENVIRONMENT="live", LOYALTY_Y="1")

    assert 4 == len(told.splitlines())


@pytest.mark.parametrize("name", ["SQUARE_TOKEN", "SQUARE_ENVIRONMENT"])
def test_a_variable_of_squares_sdks_does_not_stand_in_for_ours(monkeypatch, name):
    assert f"{name} is not read here" in refusal(monkeypatch, **{name: CANARY_TOKEN})


def test_a_variable_of_squares_sdks_is_left_alone_where_the_environment_is_named(monkeypatch):
    dotenv("LOYALTY_ENVIRONMENT=local", "SQUARE_ENVIRONMENT=production")
    monkeypatch.setenv("SQUARE_TOKEN", "another")

    assert "local" == load_settings().loyalty_environment


@pytest.mark.parametrize("name", ["LOYALTY_TEST_SANDBOX", "LOYALTY_RECORD_CONTRACT"])
def test_the_variables_of_the_contract_suite_are_known(monkeypatch, name):
    monkeypatch.setenv(name, "1")

    assert "local" == load_settings().loyalty_environment


def test_a_dotenv_with_a_byte_order_mark_is_read():
    Path(".env").write_text("LOYALTY_ENVIRONMENT=recorded", encoding="utf-8-sig")

    assert "recorded" == load_settings().loyalty_environment


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


# Paths


def test_a_relative_path_means_the_current_folder_once_for_all(monkeypatch, tmp_path):
    monkeypatch.setenv("LOYALTY_RUNS", "runs")
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("LOYALTY_HOME", "~/state")

    settings = load_settings()
    assert (tmp_path / "runs", tmp_path / "me" / "state") == (
        settings.loyalty_runs,
        settings.loyalty_home,
    )


def test_a_relative_path_in_a_file_means_the_folder_of_the_file(monkeypatch, tmp_path):
    """So a notebook that works in a folder below finds the same."""
    dotenv("LOYALTY_RECORDINGS=mine")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")

    assert tmp_path / "mine" == load_settings().loyalty_recordings


def test_a_home_that_does_not_exist_is_told_by_its_variable(monkeypatch):
    assert "LOYALTY_RUNS: ~nobody-of-that-name/x: there is no home folder" in refusal(
        monkeypatch, LOYALTY_RUNS="~nobody-of-that-name/x"
    )


def test_what_a_command_settled_means_the_same_in_every_folder(monkeypatch, tmp_path):
    Path("my.env").write_text(f"LOYALTY_HOME=state\nSQUARE_ACCESS_TOKEN={CANARY_TOKEN}\n")
    for name, value in {"LOYALTY_ENV_FILE": "my.env", "LOYALTY_RUNS": "runs"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("LOYALTY_HOME")
    monkeypatch.setattr(os, "environ", os.environ.copy())
    before = load_settings()
    settle_variables()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    dotenv("LOYALTY_ENVIRONMENT=recorded")

    assert before == load_settings()


def test_a_file_that_can_be_read_only_once_is_read_only_once(monkeypatch):
    """Such as a pipe, `LOYALTY_ENV_FILE=<(...)`."""
    reader, writer = os.pipe()
    os.write(writer, b"LOYALTY_ENVIRONMENT=recorded")
    os.close(writer)
    monkeypatch.setattr(os, "environ", os.environ | {"LOYALTY_ENV_FILE": f"/dev/fd/{reader}"})
    settle_variables()
    os.close(reader)

    assert "recorded" == load_settings().loyalty_environment


# Whose .env


@pytest.fixture
def below(monkeypatch, tmp_path):
    """A `.env` that says `recorded`, and a folder below it to work in."""
    dotenv("LOYALTY_ENVIRONMENT=recorded")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    return tmp_path


@pytest.mark.parametrize("mode", [0o1777, 0o777, 0o702])
def test_dotenv_of_a_folder_that_everybody_may_write_to_is_not_looked_for(below, mode):
    below.chmod(mode)

    assert "local" == load_settings().loyalty_environment


def test_dotenv_of_a_folder_of_somebody_else_is_not_looked_for(below, monkeypatch):
    own, stat = (below / "below").stat(), Path.stat

    def status(path, **options):
        found = stat(path, **options)
        return os.stat_result((*found[:4], 4711, *found[5:10])) if path == below else found

    monkeypatch.setattr(Path, "stat", status)

    assert (own.st_uid, "local") == (os.geteuid(), load_settings().loyalty_environment)


def test_dotenv_that_others_could_have_written_is_refused_in_the_current_folder(tmp_path):
    dotenv("LOYALTY_ENVIRONMENT=recorded")
    tmp_path.chmod(0o1777)
    with pytest.raises(SettingsError) as caught:
        load_settings()

    assert str(caught.value) == (
        f"{tmp_path}/.env is not read: the file or its folder belongs to somebody else, or others "
        "can write there. If it is meant, name it in LOYALTY_ENV_FILE; if not, set "
        "LOYALTY_ENV_FILE to /dev/null."
    )


def test_dotenv_of_somebody_else_is_refused_in_a_folder_of_ones_own(below, monkeypatch):
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    monkeypatch.chdir(below)
    with pytest.raises(SettingsError, match="belongs to somebody else"):
        load_settings()


def test_a_named_file_is_read_wherever_it_is(below, monkeypatch):
    below.chmod(0o1777)
    monkeypatch.setenv("LOYALTY_ENV_FILE", "../.env")

    assert "recorded" == load_settings().loyalty_environment
