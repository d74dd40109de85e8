"""connect(): which environment answers, what each one asks for, and what each one refuses."""

import sqlite3
from pathlib import Path

import httpx
import pytest

from loyalty_helpers.api.wire import RetryPolicy
from loyalty_helpers.emulator import Emulator, Server
from loyalty_helpers.errors import (
    AuthenticationError,
    EmulatorError,
    MissingTokenError,
    OutcomeUnknownError,
    ProductionGuardError,
    RecordingError,
    SettingsError,
)
from loyalty_helpers.session import check_loopback, connect
from loyalty_helpers.transports.recordings import load_recording

from .doubles import ACCOUNT_ID, CANARY_TOKEN, EVENT, PHONE, Answers, refused, reply

MERCHANT = "ML7RT2C9WQ5XK"
ONCE = RetryPolicy(attempts=1)


def locations(*merchants):
    return reply(200, {"locations": [{"id": f"L{m}", "merchant_id": m} for m in merchants]})


def variables(monkeypatch, **values):
    for name, value in values.items():
        monkeypatch.setenv(name, value)


# Which environment


def test_local_is_what_nobody_has_to_ask_for():
    with connect() as client:
        assert ("local", ACCOUNT_ID) == (
            client.environment,
            client.find_account(phone_number=PHONE).id,
        )


def test_the_variable_names_the_environment(monkeypatch):
    monkeypatch.setenv("LOYALTY_ENVIRONMENT", "recorded")
    with connect(notebook="02_adjust_points") as client:
        assert "recorded" == client.environment


def test_the_argument_wins_over_the_variable(monkeypatch):
    monkeypatch.setenv("LOYALTY_ENVIRONMENT", "production")
    with connect("local") as client:
        assert "local" == client.environment


@pytest.mark.parametrize("name", ["live", "Local", "sandbox ", "production\n"])
def test_an_unknown_environment_is_refused_with_those_there_are(name):
    with pytest.raises(SettingsError, match="not one of local, recorded, sandbox, production"):
        connect(name)


def test_the_emulator_keeps_its_state_between_clients():
    with connect("local") as client:
        client.adjust_points(ACCOUNT_ID, 12, idempotency_key="k")
    with connect("local") as client:
        assert 12 == client.retrieve_account(ACCOUNT_ID).balance


# Recorded


def test_recorded_needs_a_notebook():
    with pytest.raises(SettingsError, match="needs the notebook"):
        connect("recorded")


def test_recorded_tells_of_a_missing_recording():
    with pytest.raises(RecordingError, match="there is no recording"):
        connect("recorded", notebook="99_nothing")


def test_recorded_asks_no_network():
    network = Answers(reply(500))
    with connect("recorded", notebook="02_adjust_points", transport=network) as client:
        client.find_account(phone_number=PHONE)

    assert [] == network.requests


# Sandbox


def test_sandbox_goes_to_squares_sandbox_with_the_token(monkeypatch):
    monkeypatch.setenv("SQUARE_ACCESS_TOKEN", "token-of-the-sandbox")
    network = Answers(locations(MERCHANT))
    with connect("sandbox", transport=network) as client:
        client.list_locations()

    (request,) = network.requests
    assert ("https://connect.squareupsandbox.com/v2/locations", "Bearer token-of-the-sandbox") == (
        str(request.url),
        request.headers["Authorization"],
    )


def test_sandbox_may_write(monkeypatch):
    monkeypatch.setenv("SQUARE_ACCESS_TOKEN", "token")
    with connect("sandbox", transport=Answers(reply(200, {"event": EVENT}))) as client:
        assert 12 == client.adjust_points(ACCOUNT_ID, 12, idempotency_key="k").points


@pytest.mark.parametrize("token", [None, ""])
def test_sandbox_without_a_token_asks_for_one(monkeypatch, token):
    if token is not None:
        monkeypatch.setenv("SQUARE_ACCESS_TOKEN", token)
    network = Answers(reply(200))
    with pytest.raises(MissingTokenError, match=r"needs SQUARE_ACCESS_TOKEN.*use 'local'"):
        connect("sandbox", transport=network)

    assert [] == network.requests


def test_a_bad_token_is_told_at_the_first_request(monkeypatch):
    monkeypatch.setenv("SQUARE_ACCESS_TOKEN", "bad")
    network = Answers(refused(401, "UNAUTHORIZED"))
    with (
        connect("sandbox", transport=network) as client,
        pytest.raises(AuthenticationError, match="belongs to this environment"),
    ):
        client.find_account(phone_number=PHONE)

    assert 1 == len(network.requests)


# Production

GUARDS = {"SQUARE_ACCESS_TOKEN": "token", "LOYALTY_ALLOW_PRODUCTION": MERCHANT}


@pytest.mark.parametrize(
    ("missing", "error"),
    [
        (["SQUARE_ACCESS_TOKEN"], MissingTokenError),
        (["LOYALTY_ALLOW_PRODUCTION"], ProductionGuardError),
        (["SQUARE_ACCESS_TOKEN", "LOYALTY_ALLOW_PRODUCTION"], ProductionGuardError),
    ],
    ids=["no token", "not allowed", "neither"],
)
def test_production_without_every_guard_asks_nothing(monkeypatch, missing, error):
    variables(monkeypatch, **{n: v for n, v in GUARDS.items() if n not in missing})
    network = Answers(locations(MERCHANT))
    with pytest.raises(error):
        connect("production", transport=network)

    assert [] == network.requests


def test_production_is_never_the_default(monkeypatch):
    variables(monkeypatch, **GUARDS)
    with connect() as client:
        assert "local" == client.environment


def test_production_with_every_guard_reads(monkeypatch):
    variables(monkeypatch, **GUARDS)
    network = Answers(locations(MERCHANT, MERCHANT))
    with connect("production", transport=network) as client:
        client.list_locations()

    assert {"https://connect.squareup.com/v2/locations"} == {str(r.url) for r in network.requests}


@pytest.mark.parametrize(
    ("merchants", "told"),
    [
        (["OTHER"], "belongs to OTHER"),
        ([MERCHANT, "OTHER"], f"belongs to {MERCHANT}, OTHER"),
        ([], "belongs to a seller without locations"),
    ],
)
def test_production_with_the_token_of_another_merchant_is_refused(monkeypatch, merchants, told):
    variables(monkeypatch, **GUARDS)
    with pytest.raises(ProductionGuardError, match=told):
        connect("production", transport=Answers(locations(*merchants)))


@pytest.mark.parametrize("allowed", [MERCHANT.lower(), "true", "1", "*", MERCHANT + "X"])
def test_production_is_allowed_by_the_merchant_id_and_by_nothing_else(monkeypatch, allowed):
    variables(monkeypatch, **GUARDS | {"LOYALTY_ALLOW_PRODUCTION": allowed})
    with pytest.raises(ProductionGuardError, match="Nothing was changed"):
        connect("production", transport=Answers(locations(MERCHANT)))


def test_production_only_reads(monkeypatch):
    variables(monkeypatch, **GUARDS)
    network = Answers(locations(MERCHANT))
    with (
        connect("production", transport=network) as client,
        pytest.raises(ProductionGuardError, match="only reads"),
    ):
        client.adjust_points(ACCOUNT_ID, 12, idempotency_key="k")

    assert ["GET"] == [request.method for request in network.requests]


def test_a_refused_client_of_production_is_closed(monkeypatch):
    class Closing(Answers):
        closed = False

        def close(self):
            self.closed = True

    variables(monkeypatch, **GUARDS)
    networks = Closing(locations("OTHER")), Closing(refused(401, "UNAUTHORIZED"))
    for network, error in zip(networks, (ProductionGuardError, AuthenticationError), strict=True):
        with pytest.raises(error):
            connect("production", transport=network)

    assert [True, True] == [network.closed for network in networks]


def test_production_is_never_recorded(monkeypatch, tmp_path):
    variables(monkeypatch, **GUARDS, LOYALTY_RECORD_TO=str(tmp_path / "n.json"))
    with pytest.raises(SettingsError, match="production is people's data"):
        connect("production", notebook="n", transport=Answers(locations(MERCHANT)))


# The embedded emulator


@pytest.mark.parametrize("start", ["EAAA", "sq0atp-", "sq0csp-"])
def test_a_real_looking_token_never_goes_to_the_emulator(monkeypatch, start):
    monkeypatch.setenv("LOYALTY_EMULATOR_TOKEN", start + "canary" * 5)
    monkeypatch.setenv("LOYALTY_EMULATOR_URL", "http://127.0.0.1:1")
    network = Answers(reply(200))
    with pytest.raises(SettingsError, match="the emulator gets none"):
        connect("local", transport=network)

    assert [] == network.requests


def test_the_token_of_square_stays_away_from_the_emulator(monkeypatch):
    variables(
        monkeypatch,
        SQUARE_ACCESS_TOKEN=CANARY_TOKEN,
        LOYALTY_EMULATOR_URL="http://127.0.0.1:1",
    )
    network = Answers(locations(MERCHANT))
    with connect("local", transport=network) as client:
        client.list_locations()

    assert "Bearer local-token" == network.requests[0].headers["Authorization"]


def test_a_file_that_cannot_be_written_is_told(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LOYALTY_HOME", str(tmp_path / "file"))
    with pytest.raises(EmulatorError, match=r"Cannot use .* as the emulator's file"):
        connect("local")


def test_a_read_only_file_is_told(monkeypatch):
    connect("local").close()

    def read_only(*_, **__):  # root may write what is read-only, so SQLite is asked for it
        return opened(f"{file.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)

    file, opened = Path("home/emulator.sqlite3"), sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", read_only)
    with pytest.raises(EmulatorError, match=r"read-only\. Make it writable, or give another path"):
        connect("local")


def test_a_file_of_a_newer_format_is_told():
    connect("local").close()
    with sqlite3.connect("home/emulator.sqlite3") as file:
        file.execute("PRAGMA user_version = 99")
    file.close()
    with pytest.raises(EmulatorError, match="its format is 99, newer than format"):
        connect("local")


def test_a_file_that_is_no_database_is_told():
    Path("home").mkdir()
    Path("home/emulator.sqlite3").write_bytes(b"no database " * 100)
    with pytest.raises(EmulatorError, match=r"no SQLite database\. Give another path"):
        connect("local")


# A served emulator


@pytest.fixture
def served(tmp_path):
    with Emulator.open(tmp_path / "served.sqlite3") as emulator, Server(emulator) as server:
        yield server


@pytest.mark.parametrize("slash", ["", "/"])
def test_local_uses_a_served_emulator(monkeypatch, served, slash):
    monkeypatch.setenv("LOYALTY_EMULATOR_URL", served.url + slash)
    with connect("local") as client:
        client.adjust_points(ACCOUNT_ID, 12, idempotency_key="k")
        balance, url = client.retrieve_account(ACCOUNT_ID).balance, client.last_exchange.url

    assert (12, served.url, False) == (balance, url, Path("home").exists())


def test_a_wrong_token_of_a_served_emulator_is_told(monkeypatch, served):
    variables(monkeypatch, LOYALTY_EMULATOR_URL=served.url, LOYALTY_EMULATOR_TOKEN="another")
    with connect("local") as client, pytest.raises(AuthenticationError, match="401 UNAUTHORIZED"):
        client.list_locations()


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254",
        "http://169.254.169.254/latest/meta-data",
        "https://connect.squareup.com.evil.io",
        "https://connect.squareup.com",
        "http://connect.squareup.com",
        "http://127.0.0.1.evil.io",
        "http://evil.io#@127.0.0.1",
        "http://127.0.0.1@evil.io",
        "http://127.0.0.1\\@evil.io",
        "http://user@127.0.0.1",
        "http://user:password@127.0.0.1",
        "http://:password@127.0.0.1",
        "http://0.0.0.0:8123",
        "http://2130706433",
        "http://[::1",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://127.0.0.1:port",
        "http://127.0.0.1\n",
        "http://127.0.0.1/v2",
        "http://127.0.0.1?x",
        "http://127.0.0.1#x",
        "https://127.0.0.1:8123",
        "file:///etc/passwd",
        "127.0.0.1:8123",
        "http://",
        " ",
    ],
)
def test_a_url_that_is_not_a_served_emulator_here_is_refused(monkeypatch, url):
    monkeypatch.setenv("LOYALTY_EMULATOR_URL", url)
    network = Answers(reply(200))
    with pytest.raises(SettingsError, match="not a served emulator on this machine"):
        connect("local", transport=network)

    assert [] == network.requests


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8123", "http://localhost:8123/", "http://[::1]:8123", "http://localhost"],
)
def test_a_url_on_this_machine_is_taken(url):
    assert url.rstrip("/") == check_loopback(url)


# Recording


def test_local_is_recorded_where_it_is_asked_for(monkeypatch, tmp_path):
    target = tmp_path / "made" / "n.json"
    monkeypatch.setenv("LOYALTY_RECORD_TO", str(target))
    with connect("local", notebook="n") as client:
        client.find_account(phone_number=PHONE)

    recording = load_recording(target)
    assert ("n", ["emulator"]) == (
        recording.notebook,
        [exchange.provenance.source for exchange in recording.exchanges],
    )


def test_sandbox_is_recorded_as_sandbox(monkeypatch, tmp_path):
    target = tmp_path / "n.json"
    variables(monkeypatch, SQUARE_ACCESS_TOKEN=CANARY_TOKEN, LOYALTY_RECORD_TO=str(target))
    with connect("sandbox", notebook="n", transport=Answers(locations(MERCHANT))) as client:
        client.list_locations()

    exchanges = load_recording(target).exchanges
    assert (["sandbox"], False) == (
        [exchange.provenance.source for exchange in exchanges],
        CANARY_TOKEN in target.read_text(),
    )


def test_the_policy_reaches_the_requests(monkeypatch):
    monkeypatch.setenv("SQUARE_ACCESS_TOKEN", "token")
    network = Answers(httpx.ReadError("reset"))
    with (
        connect("sandbox", transport=network, policy=ONCE) as client,
        pytest.raises(OutcomeUnknownError),
    ):
        client.list_locations()

    assert 1 == len(network.requests)
