"""Weeks of an office with several machines, judged by a model that knows intents and ledger only.

Nothing is doubled, nothing unapproved is sent, no row is lost in silence, and no success is told
that the ledger does not bear out. Square remembers its keys for a while, events are found late,
clocks are wrong, machines sleep, answers and folders get lost.
"""

import os
import random
from pathlib import Path

import pytest

from loyalty_helpers.emulator import Emulator
from tests.sampling import rest

from .model import Judge
from .people import Office
from .place import Hours, Machine, as_little_as_square_may

pytestmark = pytest.mark.slow

OFFICES = int(os.environ.get("OFFICES", "64"))  # 1,600 rows each, which `make test-all` adds
SHORT, LONG = (120, 12), (250, 30)  # operations, and rows in a file at most
SEEDS = range(4711, 4711 + OFFICES)


@pytest.mark.parametrize(
    ("seed", "size"),
    [(4711, SHORT), (4712, SHORT), *rest((seed, LONG) for seed in SEEDS)],
)
def test_an_office_over_weeks(tmp_path: Path, seed: int, size: tuple[int, int]) -> None:
    operations, rows = size
    hours = Hours()
    with Emulator.open(tmp_path / "emulator.sqlite3", clock=hours.utc) as emulator:
        machines = [Machine(tmp_path / name, emulator, hours) for name in ("a", "b", "c")]
        client = machines[0].client
        buyers = [account.id for account in client.search_accounts()][:30]
        as_little_as_square_may(emulator)
        dice = random.Random(seed)
        office = Office(emulator, hours, machines, Judge(client), dice, rows, buyers)
        office.work(operations)
        office.end()

        assert office.review <= office.unheard, "a row for a person that nobody had to lose"
