"""Serving over HTTP: loopback only, and clean stops."""

import json
import signal
import socket
import subprocess
import sys
import threading

import httpx
import pytest

from loyalty_helpers.emulator import PortInUseError, Server, serve

from .test_database import ROOT

pytestmark = pytest.mark.slow

HEADERS = {"Authorization": "Bearer local-token"}
SERVE = """
import sys
from loyalty_helpers.emulator import Emulator, serve
with Emulator.open(sys.argv[1]) as emulator:
    serve(emulator, on_ready=lambda url: print(url, flush=True))
print("stopped", flush=True)
"""


def start(path):
    command = [sys.executable, "-c", SERVE, str(path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip()


def pipelined(url, requests):
    """Everything that is answered to requests which were sent without waiting."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(b"".join(requests))
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def search(limit):
    body = json.dumps({"limit": limit})
    head = "POST /v2/loyalty/accounts/search HTTP/1.1\r\nHost: e\r\n"
    token = f"Authorization: {HEADERS['Authorization']}\r\n"
    return f"{head}{token}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def test_pipelined_requests_are_answered_in_order(api):
    limits = [1 + n % 7 for n in range(60)]
    with Server(api.emulator) as server:
        answers = pipelined(server.url, map(search, limits)).split(b"HTTP/1.1 200 OK")[1:]

    assert limits == [each.count(b'"program_id"') for each in answers]


@pytest.mark.parametrize("limit", [1, 30])
def test_loop_does_not_spin_while_pipelined_requests_wait(api, limit):
    """Whether there is something to write is asked once in a turn of the loop."""
    asked = []

    def watch(frame, event, _):
        if event == "call" and frame.f_code.co_name == "writable":
            asked.append(frame)

    threading.setprofile(watch)
    try:
        with Server(api.emulator) as server:
            pipelined(server.url, map(search, [limit] * 100))
    finally:
        threading.setprofile(None)

    # The connection, the trigger and the listening socket are asked, once for each request or so.
    assert 0 < len(asked) < 100 * 3 * 2


def test_answer_to_head_leaves_the_connection_in_order(api):
    with Server(api.emulator) as server, httpx.Client(headers=HEADERS) as client:
        head = client.head(f"{server.url}/v2/locations")

        assert (405, b"") == (head.status_code, head.content)
        assert 200 == client.get(f"{server.url}/v2/locations").status_code


def test_server_answers_and_stops(api):
    with Server(api.emulator) as server:
        answer = httpx.get(f"{server.url}/v2/locations", headers=HEADERS)
        assert answer.status_code == 200
        assert str(len(answer.json()["locations"])) == "2"

    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)


def test_server_stops_with_connections_open(api):
    with httpx.Client(headers=HEADERS) as client:
        with Server(api.emulator) as server:
            client.get(f"{server.url}/v2/locations")

        assert "waitress" not in {thread.name for thread in threading.enumerate()}


def test_server_listens_on_loopback(api):
    with Server(api.emulator) as server:
        assert server.url.startswith("http://127.0.0.1:")


def test_refusals_pass_the_server_unchanged(api):
    with Server(api.emulator) as server:
        answer = httpx.post(f"{server.url}/v2/loyalty/accounts", content=b"{", headers=HEADERS)

        assert answer.json()["errors"][0]["code"] == "EXPECTED_JSON_BODY"


def test_chunked_body_is_read(api):
    with Server(api.emulator) as server:
        url = f"{server.url}/v2/loyalty/accounts/search"

        assert httpx.post(url, content=iter([b"{", b"}"]), headers=HEADERS).status_code == 200


@pytest.mark.parametrize("use", [Server, serve])
def test_busy_port_is_told(api, use):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(PortInUseError, match=f"Port {port} on 127.0.0.1 is in use"):
            use(api.emulator, port)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_stops_cleanly_when_told_to(tmp_path, number):
    process, url = start(tmp_path / "w.db")
    httpx.get(f"{url}/v2/locations", headers=HEADERS)
    process.send_signal(number)

    assert process.communicate(timeout=10) == ("stopped\n", None)
    assert process.returncode == 0
