"""Shuts the network but for the loopback, in every Python process that has this folder on its path.

The tests put it on PYTHONPATH, so kernels and commands that they start are shut in as well: Python
imports a module of this name at its start, before anything else runs.
"""

import ipaddress
import sys
from contextlib import contextmanager

LOCAL_NAMES = {"localhost", "", None}
# The one host beyond this machine that may be asked over TLS, and the addresses that its name was
# found to have. Only the contract's tests on Square's Sandbox open this, when they are told to.
door = None
behind = set()


class NetworkShutError(OSError):
    """A test tried to reach something beyond this machine."""


def is_local(host):
    host = named(host)
    if host in LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def named(host):
    return host.decode() if isinstance(host, bytes) else host


@contextmanager
def open_to(name):
    """Let this process reach one host, at the addresses that its name is looked up to be."""
    import socket  # every Python process starts with this module, and few need that one

    global door
    look_up = socket.getaddrinfo

    def noting(host, *args, **kwargs):
        found = look_up(host, *args, **kwargs)
        if named(host) == name:
            behind.update(entry[4][0] for entry in found)
        return found

    door, socket.getaddrinfo = name, noting
    try:
        yield
    finally:
        door, socket.getaddrinfo = None, look_up
        behind.clear()


def guard(event, args):
    if event == "socket.connect" and isinstance(args[1], tuple):
        host, through = args[1][0], args[1][1] == 443 and args[1][0] in behind
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host, through = args[0], named(args[0]) == door
    else:
        return
    if not (is_local(host) or through):
        raise NetworkShutError(f"tests stay on this machine: {event} to {host!r} was refused")


sys.addaudithook(guard)
