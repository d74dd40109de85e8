"""connect(): the one place where settings, transport and client meet."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import SecretStr

from loyalty_helpers.api import Gate, LoyaltyClient, RetryPolicy, Wire, is_name
from loyalty_helpers.clicks import check_page
from loyalty_helpers.errors import EmulatorError, ProductionGuardError, SettingsError
from loyalty_helpers.injected import check_injected
from loyalty_helpers.redaction import holds_token
from loyalty_helpers.settings import (
    SQUARE_HOSTS,
    Settings,
    check_access,
    check_environment,
    load_settings,
)
from loyalty_helpers.transports import (
    BearerToken,
    Network,
    RecordingTransport,
    ReplayTransport,
    Source,
    httpx,
    recording_file,
)

if TYPE_CHECKING:
    from loyalty_helpers.emulator import Emulator

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Nothing listens there unless `loyalty emulator serve --port 8123` does: it is what the curl
# commands of an embedded emulator or a recording name, so that they can be tried out.
EMBEDDED_URL = "http://127.0.0.1:8123"


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
        ParameterError: papermill was given a parameter that the notebook does not have.
        SettingsError: the environment is unknown, its token is missing, or a guard refuses.
        ProductionGuardError: the token is not of the merchant that is allowed.
        EmulatorError: the emulator's file cannot be used.
        RecordingError: the recording is missing or corrupt.
    """
    if notebook:
        check_injected()
    chosen = settings or load_settings()
    name = check_environment(environment or chosen.loyalty_environment)
    check_page(name)
    return _opened(name, notebook, chosen, policy, transport)


def _opened(
    environment: str,
    notebook: str,
    settings: Settings,
    policy: RetryPolicy | None,
    transport: httpx.BaseTransport | None,
) -> LoyaltyClient:
    place = _place(environment, notebook, settings, transport)
    close = place.on_close
    try:
        answering = _recorded_too(environment, notebook, settings, place.transport)
        wire = Wire(place.url, auth=BearerToken(place.token), transport=answering, policy=policy)
        gate = _plans_only(settings) if environment == "production" else None
        client = LoyaltyClient(wire, environment=environment, gate=gate, on_close=place.on_close)
        close = client.close
        if environment == "production":
            check_merchant(client, settings.loyalty_allow_production)
    except BaseException:
        close()
        raise
    return client


class _Place(NamedTuple):
    """What answers in an environment; without a transport, the network leads there."""

    url: str
    token: SecretStr
    transport: httpx.BaseTransport | None
    on_close: Callable[[], None] = lambda: None


def _place(
    environment: str, notebook: str, settings: Settings, transport: httpx.BaseTransport | None
) -> _Place:
    if environment == "recorded":
        if not notebook:
            raise SettingsError(
                "environment 'recorded' needs the notebook whose recording it replays"
            )
        file = recording_file(settings.loyalty_recordings, notebook)
        return _Place(EMBEDDED_URL, SecretStr("recorded"), ReplayTransport.load(file))
    if environment in SQUARE_HOSTS:
        check_access(environment, settings)
        token = settings.square_access_token or SecretStr("")
        return _Place(SQUARE_HOSTS[environment], token, transport)
    token = settings.loyalty_emulator_token
    if holds_token(token.get_secret_value()):
        raise SettingsError(
            "LOYALTY_EMULATOR_TOKEN holds a token of Square: the emulator gets none"
        )
    if settings.loyalty_emulator_url:
        return _Place(check_loopback(settings.loyalty_emulator_url), token, transport)
    emulator = open_emulator(settings)
    return _Place(EMBEDDED_URL, token, httpx.WSGITransport(app=emulator), emulator.close)


def _plans_only(settings: Settings) -> Gate:
    """What lets a client of production write: a plan for its merchant, approved by a name."""
    allowed = ("production", settings.loyalty_allow_production)

    def check(environment: str, merchant_id: str, approved_by: str) -> None:
        if (environment, merchant_id) != allowed or not is_name(approved_by):
            raise ProductionGuardError(
                "production needs a plan made for it and its merchant, its digest in approved_plan,"
                " and in approved_by the name of who approved it: two letters or digits or more, "
                "and none unseen. Nothing was changed."
            )

    return check


def _recorded_too(
    environment: str, notebook: str, settings: Settings, transport: httpx.BaseTransport | None
) -> httpx.BaseTransport | None:
    """The transport itself, or around it the one that writes down what passes."""
    target = settings.loyalty_record_to
    if not (target and notebook) or environment == "recorded":
        return transport
    if environment == "production":
        raise SettingsError("only 'local' and 'sandbox' are recorded: production is people's data")
    source: Source = "sandbox" if environment == "sandbox" else "emulator"
    return RecordingTransport(transport or Network(), target, notebook=notebook, source=source)


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
    merchants = merchants_of(client)
    if merchants != [allowed]:
        raise ProductionGuardError(
            f"LOYALTY_ALLOW_PRODUCTION allows merchant {allowed!r}, but the token belongs to "
            f"{', '.join(merchants) or 'a seller without locations'}. Nothing was changed."
        )


def merchants_of(client: LoyaltyClient) -> list[str]:
    """The ids of the merchants that the token belongs to: one, unless something is odd."""
    return sorted({location.merchant_id for location in client.list_locations()})
