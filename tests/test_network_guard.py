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


def test_the_door_is_shut_unless_a_test_of_the_contract_opens_it() -> None:
    assert sitecustomize.door == ""


def test_an_open_door_leads_to_one_host_over_tls_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitecustomize, "door", "sandbox.example")

    sitecustomize.guard("socket.getaddrinfo", ("sandbox.example", 443))
    sitecustomize.guard("socket.connect", (None, ("192.0.2.1", 443)))
    for event, args in (
        ("socket.getaddrinfo", ("another.example", 443)),
        ("socket.connect", (None, ("192.0.2.1", 80))),
    ):
        with pytest.raises(OSError, match="tests stay on this machine"):
            sitecustomize.guard(event, args)


def test_the_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()
