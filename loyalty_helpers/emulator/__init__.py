"""An emulator of Square's Loyalty API, with its state in one SQLite file.

It shares no code with the client: the wire is their only common ground.
"""

from .app import Emulator
from .assumptions import Assumptions
from .clock import SeededIds, SettableClock, parse_rfc3339, utc_now
from .database import EmulatorFileError
from .fault_plan import Faults
from .faults import Fault
from .seed import program
from .server import PortInUseError, Server, serve

__all__ = [
    "Assumptions",
    "Emulator",
    "EmulatorFileError",
    "Fault",
    "Faults",
    "PortInUseError",
    "SeededIds",
    "Server",
    "SettableClock",
    "parse_rfc3339",
    "program",
    "serve",
    "utc_now",
]
