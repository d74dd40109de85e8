"""Shuts the network but for the loopback, in every Python process that has this folder on its path.

The tests put it on PYTHONPATH, so kernels and commands that they start are shut in as well: Python
imports a module of this name at its start, before anything else runs.
"""

import ipaddress
import sys

LOCAL_NAMES = {"localhost", "", None}
# The one host beyond this machine that may be asked, over TLS. Only the contract's tests on
# Square's Sandbox name one, and only when they are told to.
door = ""


class NetworkShutError(OSError):
    """A test tried to reach something beyond this machine."""


def is_local(host):
    if isinstance(host, bytes):
        host = host.decode()
    if host in LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def guard(event, args):
    if event == "socket.connect" and isinstance(args[1], tuple):
        host, through = args[1][0], args[1][1] == 443
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host, through = args[0], args[0] in (door, door.encode())
    else:
        return
    if not (is_local(host) or (door and through)):
        raise NetworkShutError(f"tests stay on this machine: {event} to {host!r} was refused")


sys.addaudithook(guard)
