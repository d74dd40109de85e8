"""Worlds to measure in: the seed world, and what a busy seller's ledger would add to it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import httpx

from loyalty_helpers.emulator import Emulator

ACCOUNT_ID = "1beb38f9-54de-4cb6-8121-718bDexample"
RICH_PHONE = "+14155550101"
# Others' events, before and after those of the accounts that are asked for.
EVENTS = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?),
    made(id, account, at) AS (
        SELECT printf('event-%09d', i), printf('account-%05d', i * 7919 % 20011),
            strftime('%Y-%m-%dT%H:%M:%SZ', 1735689600 + i * 59 % 57000000, 'unixepoch')
        FROM n
    )
    INSERT INTO event (id, account_id, type, created_at, points, body)
    SELECT id, account, 'ADJUST_POINTS', at, 1,
        json_object('id', id, 'type', 'ADJUST_POINTS', 'created_at', at,
            'adjust_points', json_object('loyalty_program_id', 'p', 'points', 1, 'reason', 'Bench'),
            'loyalty_account_id', account, 'source', 'LOYALTY_API')
    FROM made
"""


def grown(path: Path, events: int) -> Emulator:
    """The seed world with so many events of others beside it."""
    Emulator.open(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(EVENTS, (events,))
    return Emulator.open(path)


def client_of(emulator: Emulator) -> httpx.Client:
    """An httpx client of an embedded emulator."""
    return httpx.Client(
        transport=httpx.WSGITransport(emulator),
        base_url="http://emulator",
        headers={"Authorization": "Bearer local-token"},
    )
