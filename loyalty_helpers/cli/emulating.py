"""`loyalty emulator serve` and `loyalty emulator reset`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
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
    injected: dict[str, Any],
    on_ready: Callable[[str], None],
) -> None:
    """Serve until interrupted; `on_ready` gets the URL."""
    from loyalty_helpers.emulator import PortInUseError, serve

    if REAL_TOKEN.match(token):
        raise SettingsError("--token looks like a token of Square: the emulator gets none")
    secret = {"loyalty_emulator_token": SecretStr(token)}
    settings = load_settings().model_copy(update=secret)
    with open_emulator(settings, file, **injected) as emulator:
        try:
            serve(emulator, port, on_ready=on_ready)
        except PortInUseError as error:
            raise EmulatorError(str(error)) from None


def injections(
    seed: int | None, now: str | None, faults: Sequence[str], program: str | None
) -> dict[str, Any]:
    """What makes one run the same as another, what goes wrong in it, and what earns points."""
    from loyalty_helpers.emulator import (
        Fault,
        Faults,
        SeededIds,
        SettableClock,
        parse_rfc3339,
    )
    from loyalty_helpers.emulator.seed_program import PROGRAMS

    plan = Faults(seed or 0)
    injected: dict[str, Any] = {"faults": plan}
    if seed is not None:
        injected["ids"] = SeededIds(seed)
    if now is not None:
        with _refused(f"--now {now}", "2026-11-01T09:00:00Z"):
            injected["clock"] = SettableClock(parse_rfc3339(now))
    if program is not None:
        injected["program"] = PROGRAMS[program]()
    for text in faults:
        with _refused(f"--fault {text}", "drop-after:path=/adjust,next=1"):
            plan.add(Fault.parse(text))
    return injected


@contextmanager
def _refused(option: str, example: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ParameterError(f"{option}: {error}. An example: {example}") from None


def reset_emulator(file: Path | None) -> Path:
    """Back to the seed world; returns the file."""
    settings = load_settings()
    with open_emulator(settings, file) as emulator:
        emulator.reset()
    return file or settings.emulator_file
