"""The network is shut but for the loopback, in this process and in those it starts."""

import socket
import subprocess
import sys

import pytest
import sitecustomize

OUTSIDE = ("192.0.2.1", 80)  # an address kept for documentation: nobody has it


def test_a_connection_to_another_host_is_refused() -> None:
    with pytest.raises(OSError, match="tests stay on this machine"):
        socket.create_connection(OUTSIDE, timeout=1)


def test_a_name_of_another_host_is_not_looked_up() -> None:
    with pytest.raises(OSError, match="tests stay on this machine"):
        socket.getaddrinfo("connect.squareup.com", 443)


def test_a_child_process_is_shut_in_as_well() -> None:
    code = f"import socket; socket.create_connection({OUTSIDE!r}, timeout=1)"
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert child.returncode == 1
    assert "tests stay on this machine" in child.stderr


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name is found to be one address, and nobody is asked."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)


LOOK_UP = ("socket.getaddrinfo", ("sandbox.example", 443))
REACH = ("socket.connect", (None, ("192.0.2.7", 443)))


@pytest.mark.usefixtures("names")
def test_a_door_opens_to_a_host_where_its_name_leads() -> None:
    with sitecustomize.open_to("sandbox.example"):
        sitecustomize.guard(*LOOK_UP)
        socket.getaddrinfo("sandbox.example", 443)
        sitecustomize.guard(*REACH)


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize(
    ("event", "args"),
    [
        ("socket.getaddrinfo", ("another.example", 443)),
        ("socket.connect", (None, ("192.0.2.8", 443))),
        ("socket.connect", (None, ("192.0.2.7", 80))),
    ],
    ids=["another name", "another address", "another port"],
)
def test_an_open_door_leads_nowhere_else(event: str, args: tuple[object, ...]) -> None:
    with sitecustomize.open_to("sandbox.example"):
        socket.getaddrinfo("sandbox.example", 443)
        with pytest.raises(OSError, match="tests stay on this machine"):
            sitecustomize.guard(event, args)


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize(("event", "args"), [LOOK_UP, REACH], ids=["name", "address"])
def test_a_door_shuts_behind_its_test(event: str, args: tuple[object, ...]) -> None:
    with sitecustomize.open_to("sandbox.example"):
        socket.getaddrinfo("sandbox.example", 443)
    with pytest.raises(OSError, match="tests stay on this machine"):
        sitecustomize.guard(event, args)


def test_the_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()
