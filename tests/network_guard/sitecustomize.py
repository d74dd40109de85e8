"""Shuts the network but for the loopback, in every Python process that has this folder on its path.

The tests put it on PYTHONPATH, so kernels and commands that they start are shut in as well: Python
imports a module of this name at its start, before anything else runs.
"""

import ipaddress
import sys

LOCAL_NAMES = {"localhost", "", None}


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
        host = args[1][0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0]
    else:
        return
    if not is_local(host):
        raise NetworkShutError(f"tests stay on this machine: {event} to {host!r} was refused")


sys.addaudithook(guard)
