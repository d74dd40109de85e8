"""connect(): the one place where settings, transport and client meet."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from loyalty_helpers.client import LoyaltyClient
from loyalty_helpers.documented import PublishedExamples
from loyalty_helpers.errors import EmulatorError, ProductionGuardError, SettingsError
from loyalty_helpers.http import httpx
from loyalty_helpers.network import BearerToken, network
from loyalty_helpers.recordings import RecordingTransport, ReplayTransport, recording_file
from loyalty_helpers.settings import (
    SQUARE_HOSTS,
    Settings,
    check_access,
    check_environment,
    load_settings,
)
from loyalty_helpers.wire import RetryPolicy, Wire

if TYPE_CHECKING:
    from loyalty_helpers.emulator import Emulator

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Nothing listens there unless `loyalty emulator serve --port 8123` does: it is what the curl
# commands of an embedded emulator or a recording name, so that they can be tried out.
EMBEDDED_URL = "http://127.0.0.1:8123"
REAL_TOKEN = re.compile(r"EAAA|sq0")


def connect(
    environment: str = "",
    *,
    notebook: str = "",
    settings: Settings | None = None,
    policy: RetryPolicy | None = None,
    transport: httpx.BaseTransport | None = None,
) -> LoyaltyClient:
    """A client for an environment. The same code works in all four.

    Args:
        environment: `local` (the embedded emulator), `recorded` (answers from a recording),
            `sandbox` or `production` (Square, with SQUARE_ACCESS_TOKEN). Empty: what
            LOYALTY_ENVIRONMENT says, else `local`.
        notebook: the notebook whose recording is replayed (or made), for example
            `02_adjust_points`.
        settings: in place of the environment variables and `.env`.
        policy: in place of the usual waits and limits.
        transport: in place of the network, for tests; guards and token stay what they are. The
            embedded emulator and a recording have no network to replace.

    Raises:
        SettingsError: the environment is unknown, its token is missing, or a guard refuses.
        ProductionGuardError: the token is not of the merchant that is allowed.
        EmulatorError: the emulator's file cannot be used.
        RecordingError: the recording is missing or corrupt.
    """
    chosen = settings or load_settings()
    name = check_environment(environment or chosen.loyalty_environment)
    open_environment = {"local": _local, "recorded": _recorded}.get(name, _square)
    return open_environment(name, notebook, chosen, policy, transport)


def _local(
    name: str,
    notebook: str,
    settings: Settings,
    policy: RetryPolicy | None,
    transport: httpx.BaseTransport | None,
) -> LoyaltyClient:
    token = settings.loyalty_emulator_token
    if REAL_TOKEN.match(token.get_secret_value()):
        raise SettingsError(
            "LOYALTY_EMULATOR_TOKEN holds a token of Square: the emulator gets none"
        )
    if settings.loyalty_emulator_url:
        url = check_loopback(settings.loyalty_emulator_url)
        wire = _wire(url, token, _recorder(transport, notebook, name, settings), policy)
        return LoyaltyClient(wire, environment=name)
    emulator = open_emulator(settings)
    embedded = httpx.WSGITransport(app=emulator)
    try:
        wire = _wire(EMBEDDED_URL, token, _recorder(embedded, notebook, name, settings), policy)
    except BaseException:
        emulator.close()
        raise
    return LoyaltyClient(wire, environment=name, on_close=emulator.close)


def _recorded(
    name: str,
    notebook: str,
    settings: Settings,
    policy: RetryPolicy | None,
    _: httpx.BaseTransport | None,
) -> LoyaltyClient:
    if not notebook:
        raise SettingsError("environment 'recorded' needs the notebook whose recording it replays")
    replay = ReplayTransport.load(recording_file(settings.loyalty_recordings, notebook))
    wire = _wire(EMBEDDED_URL, SecretStr("recorded"), replay, policy)
    return LoyaltyClient(wire, environment=name)


def _square(
    name: str,
    notebook: str,
    settings: Settings,
    policy: RetryPolicy | None,
    transport: httpx.BaseTransport | None,
) -> LoyaltyClient:
    check_access(name, settings)
    token = settings.square_access_token or SecretStr("")
    url = SQUARE_HOSTS[name]
    wire = _wire(url, token, _recorder(transport, notebook, name, settings), policy)
    client = LoyaltyClient(wire, environment=name, may_write=name != "production")
    if name == "production":
        try:
            check_merchant(client, settings.loyalty_allow_production)
        except BaseException:
            client.close()
            raise
    return client


def _wire(
    url: str, token: SecretStr, transport: httpx.BaseTransport | None, policy: RetryPolicy | None
) -> Wire:
    return Wire(url, auth=BearerToken(token), transport=transport, policy=policy)


def _recorder(
    transport: httpx.BaseTransport | None, notebook: str, name: str, settings: Settings
) -> httpx.BaseTransport | None:
    """The transport itself, or around it the one that writes down what passes."""
    target = settings.loyalty_record_to
    if not (target and notebook):
        return transport
    inner = transport or network()
    if name == "sandbox":
        return RecordingTransport(inner, target, notebook=notebook, source="sandbox")
    if name == "local":
        rewrite = PublishedExamples.load(settings.loyalty_recordings).rewrite
        return RecordingTransport(
            inner, target, notebook=notebook, source="emulator", rewrite=rewrite
        )
    raise SettingsError("only 'local' and 'sandbox' are recorded: production is people's data")


def open_emulator(settings: Settings, file: Path | None = None, **injected: Any) -> "Emulator":
    """The emulator on its file, or an EmulatorError that says what is wrong with the file.

    `injected` goes to Emulator.open: a clock, ids, faults.
    """
    from loyalty_helpers.emulator import Emulator, EmulatorFileError  # only `local` needs it

    token = settings.loyalty_emulator_token
    try:
        path = file or settings.emulator_file
        return Emulator.open(path, token=token.get_secret_value(), **injected)
    except EmulatorFileError as error:
        raise EmulatorError(str(error)) from None


def check_loopback(url: str) -> str:
    """Return the URL of a served emulator, or raise SettingsError: it must be on this machine."""
    if not _is_loopback(url):
        raise SettingsError(
            f"LOYALTY_EMULATOR_URL {url!r} is not a served emulator on this machine, for example "
            "http://127.0.0.1:8123. For Square itself use environment 'sandbox' or 'production'."
        )
    return url.rstrip("/")


def _is_loopback(url: str) -> bool:
    """Read by the parser that will connect, so that no other reading of it can be meant."""
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    plain = not parts.userinfo and parts.raw_path == b"/" and not parts.fragment
    port = parts.port is None or 0 < parts.port < 2**16
    return plain and port and parts.scheme == "http" and parts.host in LOOPBACK


def check_merchant(client: LoyaltyClient, allowed: str) -> None:
    """Raise ProductionGuardError unless the token belongs to the merchant that is allowed."""
    merchants = {location.merchant_id for location in client.list_locations()}
    if merchants != {allowed}:
        raise ProductionGuardError(
            f"LOYALTY_ALLOW_PRODUCTION allows merchant {allowed!r}, but the token belongs to "
            f"{', '.join(sorted(merchants)) or 'a seller without locations'}. Nothing was changed."
        )
