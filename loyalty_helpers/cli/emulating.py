"""`loyalty emulator serve` and `loyalty emulator reset`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from loyalty_helpers.errors import EmulatorError, ParameterError, SettingsError
from loyalty_helpers.session import REAL_TOKEN, open_emulator
from loyalty_helpers.settings import load_settings


def serve_emulator(
    port: int,
    file: Path | None,
    token: str,
    *,
    seed: int | None = None,
    now: str | None = None,
    on_ready: Callable[[str], None],
) -> None:
    """Serve until interrupted; `on_ready` gets the URL."""
    from loyalty_helpers.emulator import PortInUseError, serve

    if REAL_TOKEN.match(token):
        raise SettingsError("--token looks like a token of Square: the emulator gets none")
    secret = {"loyalty_emulator_token": SecretStr(token)}
    settings = load_settings().model_copy(update=secret)
    with open_emulator(settings, file, **_injected(seed, now)) as emulator:
        try:
            serve(emulator, port, on_ready=on_ready)
        except PortInUseError as error:
            raise EmulatorError(str(error)) from None


def _injected(seed: int | None, now: str | None) -> dict[str, Any]:
    """What makes one run the same as another: ids from a seed, a clock that stands still."""
    from loyalty_helpers.emulator import SeededIds, SettableClock, parse_rfc3339

    injected: dict[str, Any] = {}
    if seed is not None:
        injected["ids"] = SeededIds(seed)
    if now is not None:
        try:
            injected["clock"] = SettableClock(parse_rfc3339(now))
        except ValueError as error:
            raise ParameterError(f"--now: {error}, for example 2026-11-01T09:00:00Z") from None
    return injected


def reset_emulator(file: Path | None) -> Path:
    """Back to the seed world; returns the file."""
    settings = load_settings()
    with open_emulator(settings, file) as emulator:
        emulator.reset()
    return file or settings.emulator_file
