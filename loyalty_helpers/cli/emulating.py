"""`loyalty emulator serve` and `loyalty emulator reset`."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from loyalty_helpers.errors import EmulatorError, ParameterError, SettingsError
from loyalty_helpers.redaction import holds_token
from loyalty_helpers.session import open_emulator
from loyalty_helpers.settings import load_settings


def serve_emulator(
    port: int, file: Path | None, token: str, *, on_ready: Callable[[str], None], **wanted: Any
) -> None:
    """Serve until interrupted; `on_ready` gets the URL, and `wanted` is what `_injected` takes."""
    from loyalty_helpers.emulator import PortInUseError, serve

    if holds_token(token):
        raise SettingsError("--token looks like a token of Square: the emulator gets none")
    secret = {"loyalty_emulator_token": SecretStr(token)}
    settings = load_settings().model_copy(update=secret)
    with open_emulator(settings, file, **_injected(**wanted)) as emulator:
        try:
            serve(emulator, port, on_ready=on_ready)
        except PortInUseError as error:
            raise EmulatorError(str(error)) from None


def _injected(
    seed: int | None,
    now: str | None,
    program: str | None,
    assumed: Sequence[str],
    faults: Sequence[str],
) -> dict[str, Any]:
    """What makes a run the same as another, which rules hold, what goes wrong: for Emulator.open.

    Args:
        seed: ids are made from it.
        now: the time at which the clock stands still, RFC 3339.
        program: which of Square's examples the seller's program is.
        assumed: rules that Square does not document, as `NAME=VALUE`.
        faults: as Fault.parse reads them.
    """
    from loyalty_helpers import emulator
    from loyalty_helpers.emulator import Fault, Faults, SeededIds, SettableClock, parse_rfc3339

    plan = Faults(seed or 0)
    injected: dict[str, Any] = {"faults": plan, "assumptions": _assumptions(assumed)}
    if seed is not None:
        injected["ids"] = SeededIds(seed)
    if now is not None:
        with _refused(f"--now {now}", "2026-11-01T09:00:00Z"):
            injected["clock"] = SettableClock(parse_rfc3339(now))
    if program is not None:
        injected["program"] = emulator.program(program)
    for text in faults:
        with _refused(f"--fault {text}", "drop-after:path=/adjust,next=1"):
            plan.add(Fault.parse(text))
    return injected


def _assumptions(assumed: Sequence[str]) -> Any:
    """The rules, each checked for its name and its kind of value."""
    from loyalty_helpers.emulator import Assumptions

    defaults = asdict(Assumptions())
    chosen: dict[str, Any] = {}
    for text in assumed:
        name, _, value = text.partition("=")
        with _refused(f"--assume {text}", "zero_adjust_allowed=true"):
            if name not in defaults:
                near = difflib.get_close_matches(name, defaults, n=1)
                raise ValueError(f"there is no rule {name!r}{f', but {near[0]!r}' * bool(near)}")
            chosen[name] = _value(name, defaults[name], value)
    return Assumptions(**chosen)


def _value(name: str, default: Any, text: str) -> Any:
    if isinstance(default, bool):
        if text not in ("true", "false"):
            raise ValueError(f"{name} is true or false")
        return text == "true"
    if name.endswith("_status"):
        if text not in ("400", "403"):
            raise ValueError(f"{name} is an HTTP status: 400 or 403")
        return int(text)
    return text


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
