"""What can go wrong between the client and Square, and what the client makes of it."""

import gzip
import re
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr

from loyalty_helpers.errors import (
    AuthenticationError,
    IdempotencyKeyReusedError,
    InvalidRequestError,
    NotSentError,
    OutcomeUnknownError,
    ParameterError,
    RateLimitedError,
    SettingsError,
    SquareError,
    SquareUnavailableError,
    UnexpectedAnswerError,
)
from loyalty_helpers.transports.answers import DEEPEST, LARGEST_ANSWER, come_back, parse_retry_after
from loyalty_helpers.transports.network import BearerToken
from tests.doubles import (
    ACCOUNT_ID,
    ADJUST,
    CANARY_TOKEN,
    EVENT,
    LOCAL,
    SQUARE,
    Answers,
    Clock,
    emulator_client,
    make_client,
    make_wire,
    refused,
    reply,
)

GOOD = reply(200, {"event": EVENT})
BODY = {"adjust_points": {"points": 12}, "idempotency_key": "k"}


def adjust(client, points=12, key="k"):
    return client.adjust_points(ACCOUNT_ID, points, idempotency_key=key)


def ledger(client):
    return [event.points for event in client.search_events(account_id=ACCOUNT_ID)]


# Nothing was sent


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("[Errno 111] Connection refused"),
        httpx.ConnectError("[Errno -2] Name or service not known"),
        httpx.ConnectTimeout("timed out"),
    ],
    ids=["refused", "no such name", "no connection in time"],
)
def test_a_request_that_never_left_is_sent_again(error):
    answers = Answers(error, error, GOOD)

    assert 3 == make_wire(answers).send("POST", ADJUST, BODY, writes=True).attempts


def test_a_write_that_never_left_is_told_as_not_sent():
    answers = Answers(httpx.ConnectError("[Errno 111] Connection refused"))
    with pytest.raises(NotSentError, match="This request was not sent, so it changed nothing"):
        make_wire(answers).send("POST", ADJUST, BODY, writes=True)

    assert 5 == len(answers.requests)


def test_no_other_host_is_tried():
    answers = Answers(httpx.ConnectError("no such name"))
    with pytest.raises(NotSentError):
        make_wire(answers, url=SQUARE).send("GET", "/v2/locations")

    assert {SQUARE + "/v2/locations"} == {str(request.url) for request in answers.requests}


def test_a_refused_certificate_stops_at_once():
    error = httpx.ConnectError("certificate verify failed")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
    answers = Answers(error)
    with pytest.raises(NotSentError, match=r"not secure.*self-signed"):
        make_wire(answers).send("POST", ADJUST, BODY, writes=True)

    assert 1 == len(answers.requests)


def test_a_broken_handshake_is_tried_again():
    error = httpx.ConnectError("EOF occurred in violation of protocol")
    error.__cause__ = ssl.SSLEOFError("EOF occurred in violation of protocol")

    assert 2 == make_wire(Answers(error, GOOD)).send("GET", ADJUST).attempts


# The answer was lost


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "fault",
    [
        httpx.ReadError("[Errno 104] Connection reset by peer"),
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
        httpx.ReadTimeout("The read operation timed out"),
        reply(500, {"errors": [{"code": "INTERNAL_SERVER_ERROR"}]}),
        reply(200, b'{"event": {"id": "e1", '),
        reply(502, b"<html>Bad Gateway</html>"),
        refused(409, "CONFLICT"),
    ],
    ids=["reset", "closed", "read timeout", "500", "truncated", "HTML", "409"],
)
def test_an_answer_lost_before_or_after_the_commit_makes_one_event(tmp_path, when, fault):
    with emulator_client(tmp_path, (when, fault), (when, fault)) as (client, between):
        event = adjust(client)

        assert ([12], 12, 3) == (ledger(client), event.points, len(between.requests) - 1)


def test_a_request_that_is_delivered_twice_makes_one_event(tmp_path):
    with emulator_client(tmp_path) as (client, between):
        adjust(client)
        delivered = between.requests[0]
        between.handle_request(delivered)

        assert [12] == ledger(client)


def test_retries_send_the_same_bytes():
    answers = Answers(httpx.ReadError("reset"), refused(503), GOOD)
    make_wire(answers).send("POST", ADJUST, BODY, writes=True)

    sent = {request.content for request in answers.requests}
    assert {b'{"adjust_points":{"points":12},"idempotency_key":"k"}'} == sent


def test_a_lost_write_says_that_it_may_have_been_carried_out():
    answers = Answers(httpx.ReadTimeout("late"))
    with pytest.raises(OutcomeUnknownError, match="it may have done so"):
        make_wire(answers).send("POST", ADJUST, BODY, writes=True)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429])
def test_a_write_refused_after_a_lost_answer_is_never_called_failed(status):
    answers = Answers(httpx.ReadError("reset"), refused(status, "CODE"))
    with pytest.raises(OutcomeUnknownError, match=f"{status} CODE") as caught:
        make_wire(answers).send("POST", ADJUST, BODY, writes=True)

    assert isinstance(caught.value.__cause__, SquareError)


def test_a_reused_key_after_a_lost_answer_is_unknown_and_not_failed():
    answers = Answers(httpx.ReadError("reset"), refused(400, "IDEMPOTENCY_KEY_REUSED"))
    with pytest.raises(OutcomeUnknownError) as caught:
        make_wire(answers).send("POST", ADJUST, BODY, writes=True)

    assert IdempotencyKeyReusedError is type(caught.value.__cause__)


def test_a_read_refused_after_a_lost_answer_is_told_as_it_is():
    answers = Answers(httpx.ReadError("reset"), refused(404, "NOT_FOUND"))
    with pytest.raises(SquareError, match="404 NOT_FOUND"):
        make_wire(answers).send("GET", "/v2/x")


def test_a_write_refused_at_the_first_try_is_told_as_refused():
    with pytest.raises(InvalidRequestError):
        make_wire(Answers(refused(400, "BAD_REQUEST"))).send("POST", ADJUST, BODY, writes=True)


def test_a_write_refused_after_429_is_told_as_refused():
    answers = Answers(refused(429, "RATE_LIMITED"), refused(400, "BAD_REQUEST"))
    with pytest.raises(InvalidRequestError):
        make_wire(answers).send("POST", ADJUST, BODY, writes=True)


# Answers that are not what Square documents


def test_200_without_an_event_is_no_success():
    with pytest.raises(UnexpectedAnswerError, match=r"no 'event' in it.*may have changed points"):
        adjust(make_client(Answers(reply(200, {}))))


def test_200_with_a_null_event_is_no_success():
    with pytest.raises(UnexpectedAnswerError, match="no 'event' in it"):
        adjust(make_client(Answers(reply(200, {"event": None}))))


@pytest.mark.parametrize(
    "other",
    [
        {"loyalty_account_id": "another"},
        {"adjust_points": {"points": 13}},
        {"type": "OTHER", "other_event": {"points": 12}},
    ],
    ids=["account", "points", "type"],
)
def test_200_with_the_event_of_another_adjustment_is_no_success(other):
    with pytest.raises(UnexpectedAnswerError, match="another adjustment"):
        adjust(make_client(Answers(reply(200, {"event": EVENT | other}))))


@pytest.mark.parametrize(
    "content", [b"[]", b"", b"null", b"<html>", b'{"a": ', b"\xff", b"[" * 9999]
)
def test_200_without_a_json_object_leaves_a_write_unknown(content):
    with pytest.raises(OutcomeUnknownError, match="no JSON object"):
        make_wire(Answers(reply(200, content))).send("POST", ADJUST, BODY, writes=True)


def test_200_with_errors_in_it_is_no_success():
    with pytest.raises(UnexpectedAnswerError):
        make_wire(Answers(refused(200, "X"))).send("GET", "/v2/x")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_stops_and_nothing_goes_to_the_new_host(status):
    answers = Answers(reply(status, Location="https://evil.example/v2/x"))
    with pytest.raises(UnexpectedAnswerError, match="never followed"):
        make_wire(answers).send("POST", ADJUST, BODY, writes=True)

    assert [LOCAL + ADJUST] == [str(request.url) for request in answers.requests]


def test_unknown_fields_are_tolerated():
    event = adjust(make_client(Answers(reply(200, {"event": EVENT | {"new": {}}, "more": 1}))))

    assert 12 == event.points


@pytest.mark.parametrize("errors", ["text", {"code": "X"}, [], ["text"], None, [None, 1]])
def test_errors_of_another_shape_are_told_by_the_status(errors):
    with pytest.raises(InvalidRequestError, match="-> 422 without a code"):
        make_wire(Answers(reply(422, {"errors": errors}))).send("GET", "/v2/x")


@pytest.mark.parametrize("content", [b"<html>no</html>", b"", b"[1]", b"\xff\xfe"])
def test_an_error_without_json_is_told_by_its_status(content):
    with pytest.raises(SquareUnavailableError, match="-> 503 without a code"):
        make_wire(Answers(reply(503, content))).send("GET", "/v2/x")


def test_an_answer_without_end_is_cut_off():
    endless = reply(200, b" " * (LARGEST_ANSWER + 1))
    with pytest.raises(UnexpectedAnswerError, match="too large"):
        make_wire(Answers(endless), attempts=1).send("GET", "/v2/x")


@pytest.mark.parametrize("levels", [DEEPEST, 900, 100_000])
@pytest.mark.parametrize(("opened", "closed"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_an_answer_nested_deeper_than_square_nests_is_no_answer(levels, opened, closed):
    deep = b'{"a": ' + opened * levels + b"1" + closed * levels + b"}"
    wire = make_wire(Answers(reply(200, deep)), attempts=1)
    with pytest.raises(UnexpectedAnswerError, match=f"at most {DEEPEST} levels"):
        wire.send("GET", "/v2/x")

    assert "no JSON" not in str(wire.exchanges[0])  # it can be shown


def test_an_answer_nested_as_deep_as_is_allowed_is_shown_and_masked():
    value = {"phone_number": "+12125550123"}
    for _ in range(DEEPEST - 2):
        value = {"a": value}
    exchange = make_wire(Answers(reply(200, value))).send("GET", "/v2/x")

    assert ("0123" in str(exchange), "+1212" in str(exchange)) == (True, False)


def test_an_error_nested_too_deep_is_told_by_its_status():
    deep = b'{"errors": [' + b"[" * 900 + b"]" * 900 + b"]}"
    with pytest.raises(InvalidRequestError, match="-> 400 without a code"):
        make_wire(Answers(reply(400, deep))).send("GET", "/v2/x")


def test_the_fields_of_an_unknown_answer_are_few_and_plain():
    many = {f"a{n}\x1b[2J\nverified": 1 for n in range(1_000)} | {"errors": 1}
    with pytest.raises(UnexpectedAnswerError) as caught:
        make_wire(Answers(reply(200, many)), attempts=1).send("GET", "/v2/x")

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1_000


# When it asks again, and how long it waits


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 501, 502, 503, 504])
def test_statuses_that_pass_are_asked_again(status):
    answers = Answers(refused(status), GOOD)

    assert 2 == make_wire(answers).send("POST", ADJUST, BODY, writes=True).attempts


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 415, 422])
def test_statuses_that_stay_are_asked_once(status):
    answers = Answers(refused(status))
    with pytest.raises(SquareError):
        make_wire(answers).send("POST", ADJUST, BODY, writes=True)

    assert 1 == len(answers.requests)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("url", "variable"),
    [(SQUARE, "SQUARE_ACCESS_TOKEN"), ("http://127.0.0.1:1", "LOYALTY_EMULATOR_TOKEN")],
)
def test_a_refused_token_is_told_by_its_variable_without_the_token(status, url, variable):
    detail = f"The token {CANARY_TOKEN} could not be authorized."
    wire = make_wire(Answers(refused(status, "UNAUTHORIZED", detail=detail)), url=url)
    with pytest.raises(AuthenticationError, match=f"Check that {variable}") as caught:
        wire.send("GET", "/v2/x")

    assert CANARY_TOKEN not in str(caught.value)


def test_502_503_504_in_turn_are_asked_again():
    answers = Answers(refused(502), refused(503), refused(504), GOOD)

    assert 4 == make_wire(answers).send("POST", ADJUST, BODY, writes=True).attempts


def test_a_write_that_ends_in_500_is_unknown():
    with pytest.raises(OutcomeUnknownError, match="500"):
        make_wire(Answers(refused(500))).send("POST", ADJUST, BODY, writes=True)


def test_a_read_that_ends_in_500_is_told_as_it_is():
    with pytest.raises(SquareUnavailableError):
        make_wire(Answers(refused(500))).send("GET", "/v2/x")


def test_waits_double_up_to_the_cap():
    clock = Clock()
    with pytest.raises(SquareUnavailableError):
        make_wire(Answers(refused(503)), clock=clock, attempts=7).send("GET", "/v2/x")

    assert [0.5, 1.0, 2.0, 4.0, 8.0, 8.0] == clock.slept


def test_jitter_takes_up_to_half_of_a_wait_off():
    clock = Clock()
    wire = make_wire(Answers(refused(503)), clock=clock, jitter=lambda: 1.0, attempts=4)
    with pytest.raises(SquareUnavailableError):
        wire.send("GET", "/v2/x")

    assert [0.25, 0.5, 1.0] == clock.slept


def test_the_number_of_tries_is_limited():
    answers = Answers(refused(503))
    with pytest.raises(SquareUnavailableError):
        make_wire(answers, attempts=2).send("GET", "/v2/x")

    assert 2 == len(answers.requests)


def test_no_try_begins_after_the_budget():
    clock = Clock()
    answers = Answers(refused(503))
    with pytest.raises(SquareUnavailableError):
        make_wire(answers, clock=clock, attempts=99, budget=10.0).send("GET", "/v2/x")

    assert (5, 7.5) == (len(answers.requests), clock.now)


def test_429_for_ever_empties_the_budget():
    clock = Clock()
    answers = Answers(refused(429, "RATE_LIMITED", detail="slow down"))
    with pytest.raises(RateLimitedError, match="This request was refused"):
        make_wire(answers, clock=clock, attempts=99).send("POST", ADJUST, BODY, writes=True)

    assert clock.now <= 60.0


@pytest.mark.parametrize(
    ("header", "waited"),
    [
        ("7", 7.0),
        ("20", 20.0),
        ("0", 0.5),
        ("-5", 0.5),
        ("soon", 0.5),
        ("Sun, 01 Nov 2020 00:00:00 GMT", 0.5),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 0.5),
    ],
    ids=["seconds", "above the cap", "zero", "negative", "unreadable", "past", "no such year"],
)
def test_retry_after_is_honoured_and_never_shortens_a_wait(header, waited):
    clock = Clock()
    answers = Answers(reply(429, {"errors": []}, Retry_After=header), GOOD)
    make_wire(answers, clock=clock).send("GET", "/v2/x")

    assert [waited] == clock.slept


def test_429_without_retry_after_waits_as_usual():
    clock = Clock()
    make_wire(Answers(refused(429), GOOD), clock=clock).send("GET", "/v2/x")

    assert [0.5] == clock.slept


@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_beyond_the_budget_stops_without_waiting(status):
    clock = Clock()
    with pytest.raises(SquareError):
        make_wire(Answers(reply(status, {"errors": []}, Retry_After="3600")), clock=clock).send(
            "GET", "/v2/x"
        )

    assert [] == clock.slept


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("12", 12.0),
        (" 12 ", 12.0),
        ("-12", 0.0),
        ("1.5", None),
        ("", None),
        ("9" * 5000, None),
        ("Mon, 02 Nov 2026 09:31:00 GMT", 60.0),
        ("Mon, 02 Nov 2026 09:31:00 -0000", 60.0),
        ("Mon, 02 Nov 2026 11:31:00 +0200", 60.0),
        ("Mon, 02 Nov 2026 09:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, seconds):
    now = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)

    assert seconds == parse_retry_after(header, now)


@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_of_hours_says_when_to_come_back(status):
    refusal = reply(status, {"errors": []}, Retry_After=str(3 * 3600))
    with pytest.raises(SquareError, match=r"come back on \w+day .* \(..:.. UTC\)") as told:
        make_wire(Answers(refusal)).send("GET", "/v2/x")

    assert 10_800.0 == told.value.retry_after


def test_the_time_to_come_back_is_told_in_words_and_in_utc():
    now = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)

    assert "Monday 02 November 2026 at " in come_back(3600, now)
    assert "(10:30 UTC)" in come_back(3600, now)


@pytest.mark.parametrize("seconds", [1e12, 1e20, 1e300])
def test_a_time_beyond_the_calendar_is_told_as_such(seconds):
    assert "longer than a calendar holds" in come_back(seconds)


# What is sent


def test_an_answer_is_asked_for_as_it_is():
    answers = Answers(GOOD)
    make_wire(answers).send("GET", "/v2/x")

    assert "identity" == answers.requests[0].headers["Accept-Encoding"]


def test_a_request_carries_token_and_version():
    answers = Answers(GOOD)
    make_wire(answers, token=SecretStr("abc")).send("POST", ADJUST, BODY)

    headers = answers.requests[0].headers
    assert ("Bearer abc", "application/json") == (headers["Authorization"], headers["Content-Type"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", headers["Square-Version"])


@pytest.mark.parametrize("token", ["", "two words", "line\n", "\x00", "tökén"])
def test_a_token_that_no_header_can_hold_is_refused_without_showing_it(token):
    with pytest.raises(SettingsError) as caught:
        BearerToken(SecretStr(token))

    assert not token or token not in str(caught.value)


def test_a_lone_surrogate_is_refused_before_any_request():
    answers = Answers(GOOD)
    with pytest.raises(ParameterError, match="lone surrogate"):
        make_wire(answers).send("POST", ADJUST, {"reason": "\ud800"})

    assert [] == answers.requests


# Over a real socket


class RawServer:
    """Accepts connections one after another, and hands each to the function given."""

    def __init__(self, handle: Callable[[socket.socket], None]) -> None:
        self._handle = handle
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.connections = 0

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                self._handle(connection)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@contextmanager
def serving(handle: Callable[[socket.socket], None]) -> Iterator[RawServer]:
    server = RawServer(handle)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(10)


def read_request(connection):
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    while length and len(body) < int(length[1]):
        body += connection.recv(65536)


def answering(*pieces: bytes, reset: bool = False):
    def handle(connection):
        read_request(connection)
        for piece in pieces:
            connection.sendall(piece)
        if reset:
            linger = struct.pack("ii", 1, 0)  # closing sends RST in place of FIN
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    return handle


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "handle",
    [
        answering(reset=True),
        answering(HEAD + b"Content-Length: 100\r\n\r\n", b'{"event": ', reset=True),
        answering(HEAD + b"Content-Length: 100\r\n\r\n", b'{"event": {}}'),
        answering(HEAD + b"Content-Length: 9\r\nConnection: close\r\n\r\n", b'{"event":'),
        answering(b"SSH-2.0-OpenSSH\r\n\r\n"),
        answering(),
        answering(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n", b"{}"),
    ],
    ids=["RST", "RST in the body", "wrong length", "truncated", "no HTTP", "closed", "no gzip"],
)
def test_a_broken_answer_leaves_a_write_unknown_after_every_try(handle):
    with serving(handle) as server:
        wire = make_wire(None, url=server.url, attempts=3)
        with pytest.raises(OutcomeUnknownError):
            wire.send("POST", ADJUST, BODY, writes=True)
        wire.close()

    assert 3 == server.connections


def dripping(start: bytes, drip: bytes):
    """Sends the start, and then piece after piece, each long before a read takes too long."""

    def handle(connection):
        read_request(connection)
        with suppress(OSError):  # the client hangs up: that is what is tested
            connection.sendall(start)
            for _ in range(1_000):
                connection.sendall(drip)
                time.sleep(0.01)

    return handle


@pytest.mark.parametrize(
    ("start", "drip"),
    [
        (HEAD + b"Content-Length: 9999\r\n\r\n", b" "),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (HEAD + b"X-Long: ", b"a"),
        (HEAD, b"X-More: 1\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"", b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"),
        (b"HTTP/1.1 2", b"0"),
    ],
    ids=["body", "chunks", "header", "headers", "100", "103", "status"],
)
def test_an_answer_that_drips_meets_the_deadline_of_the_whole_try(start, drip):
    with serving(dripping(start, drip)) as server:
        wire = make_wire(None, url=server.url, attempts=1, attempt=0.2)
        began = time.monotonic()
        with pytest.raises(OutcomeUnknownError):
            wire.send("POST", ADJUST, BODY, writes=True)
        took = time.monotonic() - began
        wire.close()

    assert 0.15 < took < 3.0


def test_a_handshake_that_drips_meets_the_deadline_of_the_whole_try():
    def handle(connection):
        with suppress(OSError):
            connection.sendall(b"\x16\x03\x03\x40\x00")
            for _ in range(1_000):
                connection.sendall(b"\x02")
                time.sleep(0.01)

    with serving(handle) as server:
        url = server.url.replace("http:", "https:")
        wire = make_wire(None, url=url, attempts=1, attempt=0.2)
        began = time.monotonic()
        with pytest.raises(NotSentError):
            wire.send("GET", "/v2/x")
        took = time.monotonic() - began
        wire.close()

    assert took < 3.0


def test_a_connection_that_was_kept_has_a_new_deadline_for_each_request():
    body = HEAD + b"Content-Length: 2\r\n\r\n{}"

    def handle(connection):
        for _ in range(3):
            read_request(connection)
            time.sleep(0.1)
            connection.sendall(body)

    with serving(handle) as server:
        wire = make_wire(None, url=server.url, attempts=1, attempt=0.25)
        answers = [wire.send("POST", ADJUST, BODY, writes=True).answer for _ in range(3)]
        wire.close()

    assert ([{}] * 3, 1) == (answers, server.connections)


@pytest.mark.parametrize(
    "piece",
    [b"X-More: 1\r\n" * 100, b"a" * 1_000, b"HTTP/1.1 100 Continue\r\n\r\n" * 40],
    ids=["headers", "one header", "100"],
)
def test_a_head_without_end_is_cut_off(piece):
    sent = [0]

    def handle(connection):
        read_request(connection)
        with suppress(OSError):
            connection.sendall(b"" if piece.startswith(b"HTTP") else HEAD + b"X: ")
            while sent[0] < 50_000_000:
                connection.sendall(piece)
                sent[0] += len(piece)

    with serving(handle) as server:
        wire = make_wire(None, url=server.url, attempts=1)
        with pytest.raises(OutcomeUnknownError):
            wire.send("POST", ADJUST, BODY, writes=True)
        wire.close()

    assert sent[0] < 10_000_000


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "deflate", "br", "zstd", "x\x1b[2J"])
def test_an_encoded_answer_is_never_decoded(encoding):
    bomb = gzip.compress(gzip.compress(b"[" + b" " * 10_000_000 + b"]"))
    head = HEAD + f"Content-Encoding: {encoding}\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    with serving(answering(head, bomb)) as server:
        wire = make_wire(None, url=server.url, attempts=1)
        tracemalloc.start()
        with pytest.raises(UnexpectedAnswerError, match="it is encoded") as caught:
            wire.send("GET", "/v2/x")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        wire.close()

    assert most < 5_000_000
    assert str(caught.value).isprintable()


def test_a_server_that_says_nothing_meets_the_read_limit():
    def silent(connection):
        read_request(connection)
        connection.recv(1)

    with serving(silent) as server:
        wire = make_wire(None, url=server.url, attempts=1, read=0.05)
        with pytest.raises(OutcomeUnknownError, match="ReadTimeout"):
            wire.send("POST", ADJUST, BODY, writes=True)
        wire.close()


def test_a_port_where_nobody_listens_is_not_sent():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    wire = make_wire(None, url=f"http://127.0.0.1:{port}", attempts=2)
    with pytest.raises(NotSentError) as caught:
        wire.send("POST", ADJUST, BODY, writes=True)
    wire.close()

    assert 2 == caught.value.attempts


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
def test_a_self_signed_certificate_is_refused_before_anything_is_sent(tmp_path):
    options = ["-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"]
    files = ["-keyout", tmp_path / "key.pem", "-out", tmp_path / "certificate.pem"]
    subprocess.run(["openssl", "req", *options, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    received = []

    def handshake(connection):
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                received.append(secured.recv(1))
        except OSError:
            pass  # the client hangs up: that is what is tested

    with serving(handshake) as server:
        wire = make_wire(None, url=server.url.replace("http:", "https:"))
        with pytest.raises(NotSentError, match="the connection was not secure"):
            wire.send("POST", ADJUST, BODY, writes=True)
        wire.close()

    assert ([], 1) == (received, server.connections)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_proxies_of_the_environment_are_ignored(monkeypatch, name):
    body = b'{"ok": 1}'
    direct = answering(HEAD + b"Content-Length: 9\r\nConnection: close\r\n\r\n" + body)
    monkeypatch.setenv("NO_PROXY", "")
    with serving(direct) as server, serving(answering(reset=True)) as proxy:
        monkeypatch.setenv(name, proxy.url)
        wire = make_wire(None, url=server.url)
        exchange = wire.send("GET", "/v2/x")
        wire.close()

    assert ({"ok": 1}, 0) == (exchange.answer, proxy.connections)


def test_a_certificate_file_of_the_environment_is_ignored(monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))

    make_wire(None, url=SQUARE).close()


def test_the_keys_of_connections_are_never_written_down(monkeypatch, tmp_path):
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    make_wire(None, url=SQUARE).close()

    assert [] == list(tmp_path.iterdir())
