"""What the environment variables and `.env` say, and the constants of each environment."""

import os
from io import StringIO
from pathlib import Path
from typing import Literal, get_args

from dotenv import dotenv_values, find_dotenv
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from loyalty_helpers.errors import MissingTokenError, ProductionGuardError, SettingsError

VERSION = "0.1.0"
SQUARE_VERSION = "2026-09-16"
SQUARE_HOSTS = {
    "sandbox": "https://connect.squareupsandbox.com",
    "production": "https://connect.squareup.com",
}
Environment = Literal["local", "recorded", "sandbox", "production"]
ENVIRONMENTS: tuple[str, ...] = get_args(Environment)
NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
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
        """Where runbooks write, for a kernel that nobody told: beside the notebooks."""
        return (self.loyalty_runs or NOTEBOOKS.parent / "runs").absolute()

    @property
    def emulator_file(self) -> Path:
        """Where the embedded emulator keeps its state."""
        return (self.loyalty_home or default_home()) / "emulator.sqlite3"


def load_settings() -> Settings:
    """The settings from the environment, and from `.env` where a variable is not set there.

    `.env` is looked for in the current folder and the ones above; LOYALTY_ENV_FILE names another.

    Raises:
        SettingsError: names each variable that cannot be used.
    """
    try:
        return Settings.model_validate(_given())
    except ValidationError as error:
        raise SettingsError(
            "\n".join(f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        ) from None


def _given() -> dict[str, str]:
    """What is set, by field; a function of its own, so that no traceback's frame holds a token."""
    file = os.environ.get("LOYALTY_ENV_FILE") or find_dotenv(usecwd=True)
    try:
        lines = StringIO(Path(file).read_text(encoding="utf-8") if file else "")
    except (OSError, ValueError):  # not shown: a decoding error carries the bytes of the file
        raise SettingsError(f"{file} cannot be read: it must be a text file in UTF-8") from None
    from_file = dotenv_values(stream=lines, interpolate=False)
    names = {name: name.upper() for name in Settings.model_fields}
    found = {name: os.environ.get(names[name], from_file.get(names[name])) for name in names}
    return {name: value for name, value in found.items() if value}


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
