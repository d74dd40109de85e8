"""What the environment variables and `.env` say, and the constants of each environment."""

import os
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from loyalty_helpers.errors import MissingTokenError, ProductionGuardError, SettingsError
from loyalty_helpers.variables import (
    ENV_FILE,
    NOT_SETTINGS,
    absolute,
    ambiguous,
    env_file,
    read_lines,
    strangers,
)

VERSION = "0.1.0"
SQUARE_VERSION = "2026-09-16"
SQUARE_HOSTS = {
    "sandbox": "https://connect.squareupsandbox.com",
    "production": "https://connect.squareup.com",
}
Environment = Literal["local", "recorded", "sandbox", "production"]
ENVIRONMENTS: tuple[str, ...] = get_args(Environment)
_PACKAGE = Path(__file__).resolve().parent
_CARRIED = (
    _PACKAGE / "notebooks"
)  # an installed package brings them along; a clone has them beside it
NOTEBOOKS = _CARRIED if _CARRIED.is_dir() else _PACKAGE.parent / "notebooks"
PROJECT = None if _CARRIED.is_dir() else _PACKAGE.parent  # the clone, if there is one
RECORDINGS = NOTEBOOKS / "recordings"


def default_home() -> Path:
    """The user data directory: where the emulator keeps its file unless LOYALTY_HOME is set."""
    from platformdirs import user_data_path  # only where LOYALTY_HOME is not set

    return user_data_path("loyalty-notebooks", appauthor=False)


# Not pydantic-settings: it takes 40 ms to load, a tenth of a notebook's start, for what is done
# in load_settings.
class Settings(BaseModel):
    """What connect() goes by. Each attribute is an environment variable in capitals.

    Attributes:
        loyalty_environment: used where a notebook names no environment.
        loyalty_home: folder of the emulator's file.
        loyalty_emulator_url: a served emulator that `local` shall use, on the loopback.
        loyalty_emulator_token: the token of that emulator.
        loyalty_recordings: folder of the recordings.
        loyalty_record_to: the file that `loyalty record` wants the exchanges written to.
        loyalty_out: the folder of the runs as `loyalty run` was given it, for its kernel.
        loyalty_runs: folder of what runbooks write, one folder a run.
        loyalty_allow_production: the merchant id for which `production` is allowed.
        square_access_token: the token for `sandbox` or `production`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    loyalty_environment: Environment = "local"
    loyalty_home: Path | None = None
    loyalty_emulator_url: str = ""
    loyalty_emulator_token: SecretStr = SecretStr("local-token")
    loyalty_recordings: Path = RECORDINGS
    loyalty_record_to: Path | None = None
    loyalty_out: str = ""
    loyalty_runs: Path | None = None
    loyalty_allow_production: str = ""
    square_access_token: SecretStr | None = None

    @property
    def runs_folder(self) -> Path:
        """Where runbooks write, for a kernel that nobody told: in the project, else right here."""
        return (self.loyalty_runs or (PROJECT or Path()) / "runs").absolute()

    @property
    def emulator_file(self) -> Path:
        """Where the embedded emulator keeps its state."""
        return (self.loyalty_home or default_home()) / "emulator.sqlite3"


NAMES = {name.upper(): name for name in Settings.model_fields}
KNOWN = (*NAMES, *NOT_SETTINGS)
PATHS = {
    name.upper()
    for name, field in Settings.model_fields.items()
    if Path in (field.annotation, *get_args(field.annotation))
}


def load_settings() -> Settings:
    """The settings from the environment, and from `.env` where a variable is not set there.

    `.env` is looked for in the current folder and in the ones above that belong to the user;
    LOYALTY_ENV_FILE names another.

    Raises:
        SettingsError: names each variable and each line that cannot be used.
    """
    problems: list[str] = []
    settings = _settings(problems)
    if settings is None:
        raise SettingsError("\n".join(problems))
    return settings


def settle_variables() -> None:
    """Put everything into the environment variables, paths made absolute: for a command to begin.

    So a kernel that works in another folder understands what this process did, and reads no file.

    Raises:
        SettingsError: as load_settings().
    """
    problems: list[str] = []
    os.environ.update(_given(problems))
    os.environ[ENV_FILE] = os.devnull
    if problems:
        raise SettingsError("\n".join(problems))


# The functions below hold values and raise nothing: no frame of a traceback shows a token.


def _settings(problems: list[str]) -> Settings | None:
    given = _given(problems)
    try:
        settings = Settings.model_validate({NAMES[n]: v for n, v in given.items() if v})
    except ValidationError as error:
        problems += [f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
    return None if problems else settings


def _given(problems: list[str]) -> dict[str, str]:
    """What is set, by variable; what cannot be used is added to `problems`."""
    file = env_file(PROJECT)
    lines = read_lines(file, KNOWN, problems) if file else {}
    problems += [*strangers(os.environ, KNOWN), *ambiguous({**lines, **os.environ})]
    above = file.parent if file else Path.cwd()
    return {
        name: _value(name, value, folder, problems)
        for found, folder in ((lines, above), (os.environ, Path.cwd()))
        for name, value in found.items()
        if name in NAMES
    }


def _value(name: str, value: str, folder: Path, problems: list[str]) -> str:
    try:
        return str(absolute(value, folder)) if value and name in PATHS else value
    except SettingsError as error:
        problems.append(f"{name}: {error}")
        return ""


def check_environment(name: str) -> str:
    """Return `name`, or raise SettingsError with the allowed ones."""
    if name not in ENVIRONMENTS:
        raise SettingsError(f"environment {name!r} is not one of {', '.join(ENVIRONMENTS)}")
    return name


def check_access(environment: str, settings: Settings) -> None:
    """Raise unless the settings hold what the environment needs; nothing is asked of Square.

    Raises:
        ProductionGuardError: `production` without LOYALTY_ALLOW_PRODUCTION.
        MissingTokenError: `sandbox` or `production` without a token.
    """
    if environment not in SQUARE_HOSTS:
        return
    if environment == "production" and not settings.loyalty_allow_production:
        raise ProductionGuardError(
            "environment 'production' is Square's real one. To allow it, set "
            "LOYALTY_ALLOW_PRODUCTION to the merchant id of the seller that is meant."
        )
    if settings.square_access_token is None or not settings.square_access_token.get_secret_value():
        raise MissingTokenError(
            f"environment {environment!r} needs SQUARE_ACCESS_TOKEN (an environment variable, or a "
            "line in .env). Without a token, use 'local'."
        )
