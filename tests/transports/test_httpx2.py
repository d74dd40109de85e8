"""httpx2 can take the place of httpx: `make test-httpx2` runs every test of the client with it."""

import subprocess
import sys

SCRIPT = """
import httpx2
httpx2.alias_httpx()
from loyalty_helpers import connect
from loyalty_helpers.transports import httpx
with connect("local") as client:
    print(httpx.__name__, client.retrieve_program().status)
"""


def test_a_client_works_with_httpx2_in_place_of_httpx():
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)

    assert ["httpx2", "ACTIVE"] == run.stdout.split()
