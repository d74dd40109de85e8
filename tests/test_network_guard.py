"""The network is shut but for the loopback, in this process and in those it starts."""

import socket
import subprocess
import sys

import pytest

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


def test_the_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()
