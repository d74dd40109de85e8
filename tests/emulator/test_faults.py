"""Faults on purpose: each kind, before and after the write, and which requests it strikes."""

import random
import socket
from contextlib import suppress
from datetime import timedelta

import httpx
import pytest

from loyalty_helpers.emulator import Fault, Faults, Server
from tests.seed_world import ORDER_EARNING_12

from .conftest import TOKEN, line, problem

ADJUST = r"/adjust$"


def plan(api, *texts):
    api.emulator.faults.add(*map(Fault.parse, texts))


@pytest.mark.parametrize(
    ("text", "error"),
    [("refuse", httpx.ConnectError), ("drop", httpx.ReadError), ("drop-after", httpx.ReadError)],
)
def test_lost_connection_is_an_error_of_httpx_and_of_python(api, text, error):
    plan(api, text)

    with pytest.raises(error) as caught:
        api.adjust(12)
    assert isinstance(caught.value, ConnectionError)


@pytest.mark.parametrize(
    ("text", "balance"),
    [
        ("refuse", 0),
        ("drop", 0),
        ("drop-before", 0),
        ("drop-after", 12),
        ("500", 0),
        ("502-after", 12),
        ("html", 0),
        ("html-after", 12),
        ("truncate", 12),
        ("slow:seconds=1", 12),
        ("rate-limit:rate=1,burst=1", 12),
    ],
)
def test_write_happens_or_not_as_the_fault_says(open_api, text, balance):
    api = open_api(faults=Faults(sleep=lambda _: None))
    plan(api, f"{text},next=1" if ":" in text else f"{text}:next=1")
    with suppress(httpx.TransportError):
        api.adjust(12)

    assert balance == api.account()["balance"]


@pytest.mark.parametrize(
    ("status", "category", "code"),
    [
        (408, "INVALID_REQUEST_ERROR", "REQUEST_TIMEOUT"),
        (409, "INVALID_REQUEST_ERROR", "CONFLICT"),
        (429, "RATE_LIMIT_ERROR", "RATE_LIMITED"),
        (500, "API_ERROR", "INTERNAL_SERVER_ERROR"),
        (502, "API_ERROR", "BAD_GATEWAY"),
        (503, "API_ERROR", "SERVICE_UNAVAILABLE"),
        (504, "API_ERROR", "GATEWAY_TIMEOUT"),
    ],
)
def test_error_is_squares_envelope(api, status, category, code):
    plan(api, str(status))

    assert problem(api.adjust(12)) == (status, category, code, None)


@pytest.mark.parametrize(("text", "header"), [("429", None), ("429:retry-after=7", "7")])
def test_retry_after_is_sent_if_asked_for(api, text, header):
    plan(api, text)

    assert header == api.adjust(12).headers.get("Retry-After")


def test_truncated_body_is_shorter_than_it_says(api):
    plan(api, "truncate")
    answer = api.adjust(12)

    assert answer.status_code == 200
    assert len(answer.content) == int(answer.headers["Content-Length"]) // 2


def test_html_stands_in_for_json(api):
    plan(api, "html")

    assert api.adjust(12).headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("text", ["slow:seconds=2.5", "slow-after:seconds=2.5"])
def test_slow_waits_by_the_sleep_that_was_injected(open_api, text):
    slept = []
    api = open_api(faults=Faults(sleep=slept.append))
    plan(api, text)
    api.adjust(12)

    assert slept == [2.5]


def test_slow_before_the_write_waits_before_it(open_api):
    balances = []
    api = open_api(faults=Faults(sleep=lambda _: balances.append(api.account()["balance"])))
    plan(api, *(f"{each}:seconds=1,path={ADJUST},next=1" for each in ("slow", "slow-after")))
    api.adjust(12)

    assert balances == [0, 12]


def test_next_n_requests_are_struck_and_no_more(api):
    plan(api, "503:next=2")

    assert [503, 503, 200] == [api.adjust(1, f"{i}").status_code for i in range(3)]


def test_path_chooses_requests(api):
    plan(api, f"503:path={ADJUST}")

    assert api.adjust(1).status_code == 503
    assert api.accounts().status_code == 200


def test_requests_elsewhere_do_not_use_up_the_next_n(api):
    plan(api, f"503:path={ADJUST},next=1")
    api.accounts()

    assert api.adjust(1).status_code == 503


def test_probability_is_seeded(open_api):
    struck = []
    for _ in range(2):
        api = open_api(faults=Faults(seed=7))
        plan(api, "503:probability=0.5")
        struck.append([api.accounts().status_code == 503 for _ in range(20)])
    chance = random.Random(7)

    assert struck[0] == struck[1] == [chance.random() < 0.5 for _ in range(20)]


def test_clear_ends_all_faults(api):
    plan(api, "drop", "503")
    api.emulator.faults.clear()

    assert api.adjust(1).status_code == 200


def test_faults_planned_together_strike_together(open_api):
    slept = []
    api = open_api(faults=Faults(sleep=slept.append))
    plan(api, "slow:seconds=1", "503")

    assert (503, [1.0]) == (api.adjust(1).status_code, slept)


def test_answer_lost_after_the_write_is_given_again_for_its_key(api):
    plan(api, f"drop-after:path={ADJUST},next=1")
    with pytest.raises(httpx.ReadError):
        api.adjust(12)

    assert api.adjust(12).status_code == 200
    assert api.account()["balance"] == 12


def test_rate_limit_lets_the_burst_pass_then_the_rate(api, clock):
    plan(api, "rate-limit:rate=2,burst=3,retry-after=1")
    first = [api.accounts().status_code for _ in range(4)]
    clock.advance(timedelta(seconds=1))
    later = [api.accounts().status_code for _ in range(3)]

    assert ([200, 200, 200, 429], [200, 200, 429]) == (first, later)


def test_rate_limit_answers_rate_limited(api):
    plan(api, "rate-limit:rate=1,retry-after=1")
    api.accounts()
    answer = api.accounts()

    assert problem(answer) == (429, "RATE_LIMIT_ERROR", "RATE_LIMITED", None)
    assert answer.headers["Retry-After"] == "1"


def test_forgotten_key_works_anew(api):
    first = api.adjust(12)
    plan(api, "forget-keys:next=1")
    second = api.adjust(12)

    assert first.json()["event"]["id"] != second.json()["event"]["id"]
    assert api.account()["balance"] == 24


def test_key_is_remembered_again_once_it_was_forgotten(api):
    api.adjust(12)
    plan(api, "forget-keys:next=1")
    second = api.adjust(12)

    assert second.json() == api.adjust(12).json()


def test_keys_are_forgotten_when_they_are_old(api, clock):
    plan(api, "forget-keys:seconds=60")
    balances = []
    for seconds in (0, 59, 1, 59, 1):
        clock.advance(timedelta(seconds=seconds))
        api.adjust(1)
        balances.append(api.account()["balance"])

    assert balances == [1, 1, 2, 2, 3]


def test_all_keys_are_forgotten_at_once(api):
    for key in "ab":
        api.adjust(1, key)
    for _ in range(2):
        api.emulator.forget_keys()
        for key in "aab":
            api.adjust(1, key)

    assert api.account()["balance"] == 6


def test_events_are_found_late(api, clock):
    plan(api, "late-events:seconds=60")
    event = api.adjust(12).json()["event"]
    clock.advance(timedelta(seconds=59))
    before = api.all_events()
    clock.advance(timedelta(seconds=1))

    assert event not in before
    assert api.all_events() == [event, *before]


def test_late_events_move_the_balance_at_once(api):
    plan(api, "late-events:seconds=60")
    api.adjust(12)

    assert api.account()["balance"] == 12


def test_searches_that_are_not_late_find_everything_again(api):
    plan(api, "late-events:seconds=60,next=1")
    event = api.adjust(12).json()["event"]

    assert event not in api.events().json()["events"]
    assert event in api.events().json()["events"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("explode", "no fault 'explode': there are refuse, drop, slow"),
        ("418", "no error 418: there are 408, 409, 429"),
        ("drop:often=1", "no option 'often': there are path, next, probability"),
        ("drop:next=few", "next is a whole number, not 'few'"),
        ("429:retry-after=1.5", "retry-after is a whole number, not '1.5'"),
        ("drop:probability=often", "probability is a number, not 'often'"),
        ("drop:seconds=1", "drop has no seconds"),
        ("truncate-after", "truncate has no -after"),
        ("truncate-before", "truncate has no -before"),
        ("drop-after-after", "no fault 'drop-after'"),
        ("slow", "slow needs seconds"),
        ("drop:next=0", "next and burst are at least 1"),
        ("drop:probability=2", "between 0 and 1"),
        ("slow:seconds=-1", "must not be negative or endless"),
        ("slow:seconds=nan", "must not be negative or endless"),
        ("slow:seconds=inf", "must not be negative or endless"),
        ("rate-limit", "a rate above 0"),
        ("rate-limit:rate=1,burst=0", "burst are at least 1"),
        ("drop:path=(", "no regular expression"),
    ],
)
def test_fault_that_cannot_be_is_refused(text, told):
    with pytest.raises(ValueError, match=told.replace("(", r"\(")):
        Fault.parse(text)


def test_path_may_hold_a_comma(api):
    assert Fault.parse("drop:path=/a{1,2}$,next=1") == Fault("drop", path="/a{1,2}$", next_n=1)


def ask(server, api):
    """Ask over a real socket, and return all bytes until the other side closes."""
    host, port = server.url.removeprefix("http://").split(":")
    request = f"GET /v2/locations HTTP/1.1\r\nHost: e\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(request.encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("text", ["refuse", "drop", "drop-after"])
def test_served_emulator_closes_the_socket_without_a_byte(api, text):
    plan(api, text)
    with Server(api.emulator) as server:
        assert ask(server, api) == b""


def test_served_emulator_closes_the_socket_within_the_body(api):
    plan(api, "truncate")
    with Server(api.emulator) as server:
        head, body = ask(server, api).split(b"\r\n\r\n")

    length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
    assert len(body) == length // 2


def test_served_emulator_answers_again_after_a_lost_connection(api):
    plan(api, "drop:next=1")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with Server(api.emulator) as server, httpx.Client(headers=headers) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(f"{server.url}/v2/locations")

        assert client.get(f"{server.url}/v2/locations").status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("expired-token", 401, "ACCESS_TOKEN_EXPIRED"),
        ("revoked-token", 401, "ACCESS_TOKEN_REVOKED"),
        ("read-only", 403, "INSUFFICIENT_SCOPES"),
    ],
)
def test_token_is_refused_before_the_write(api, kind, status, code):
    plan(api, f"{kind}:next=1")

    assert problem(api.adjust(12)) == (status, "AUTHENTICATION_ERROR", code, None)
    assert api.account()["balance"] == 0


def test_token_without_the_scope_to_write_reads(api):
    plan(api, "read-only")

    assert api.account()["balance"] == 0
    assert api.events().status_code == 200
    assert api.calculate(order_id=ORDER_EARNING_12).status_code == 200
    assert api.order(line("Coffee", 300)).status_code == 200
    assert api.delete("none").status_code == 403


def test_retry_after_can_be_a_date(api):
    plan(api, "429:retry-at=90")

    assert api.adjust(12).headers["Retry-After"] == "Mon, 02 Nov 2026 09:31:30 GMT"


def test_retry_after_is_one_or_the_other():
    with pytest.raises(ValueError, match="either retry-after or retry-at"):
        Fault("error", retry_after=1, retry_at=1)


def test_body_drips_by_the_sleep_that_was_injected(open_api):
    slept = []
    api = open_api(faults=Faults(sleep=slept.append))
    plan(api, "drip:seconds=5")

    assert api.account()["balance"] == 0
    assert slept == [0.5] * 10


def test_served_body_comes_in_pieces(open_api):
    api = open_api()
    plan(api, "drip:seconds=0.2")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with (
        Server(api.emulator) as server,
        httpx.stream("GET", f"{server.url}/v2/locations", headers=headers) as answer,
    ):
        pieces = list(answer.iter_raw())

    assert len(pieces) > 5


def test_only_the_answer_that_drips_leaves_in_pieces(api):
    plan(api, "drip:seconds=0.01,next=1")
    request = f"GET /v2/locations HTTP/1.1\r\nHost: e\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    first_pieces = []
    with Server(api.emulator) as server:
        dripped = httpx.get(
            f"{server.url}/v2/locations", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), 10) as connection:
            for _ in range(20):
                connection.sendall(request.encode())
                first_pieces.append(connection.recv(65536))

    assert dripped.status_code == 200
    assert all(piece.endswith(dripped.content) for piece in first_pieces)
