"""`loyalty emulator serve` and `loyalty emulator reset`."""

from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from loyalty_helpers.errors import EmulatorError, SettingsError
from loyalty_helpers.session import REAL_TOKEN, open_emulator
from loyalty_helpers.settings import load_settings


def serve_emulator(
    port: int, file: Path | None, token: str, *, on_ready: Callable[[str], None]
) -> None:
    """Serve until interrupted; `on_ready` gets the URL."""
    from loyalty_helpers.emulator import PortInUseError, serve

    if REAL_TOKEN.match(token):
        raise SettingsError("--token looks like a token of Square: the emulator gets none")
    secret = {"loyalty_emulator_token": SecretStr(token)}
    with open_emulator(load_settings().model_copy(update=secret), file) as emulator:
        try:
            serve(emulator, port, on_ready=on_ready)
        except PortInUseError as error:
            raise EmulatorError(str(error)) from None


def reset_emulator(file: Path | None) -> Path:
    """Back to the seed world; returns the file."""
    settings = load_settings()
    with open_emulator(settings, file) as emulator:
        emulator.reset()
    return file or settings.emulator_file
