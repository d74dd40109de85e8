"""Journals of an older program, which held texts where there are codes now, still go on."""

import csv
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from loyalty_helpers.runbooks.apply.journal import JOURNAL, Journal
from loyalty_helpers.runbooks.limits import Time
from loyalty_helpers.runbooks.views import Planned

from .conftest import QUICK, World

# As they were made until the codes came.
TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE account (
    id TEXT PRIMARY KEY, customer_id TEXT NOT NULL, planned INTEGER NOT NULL, found INTEGER
) WITHOUT ROWID;
CREATE TABLE row (
    n INTEGER PRIMARY KEY, row_id TEXT NOT NULL, account_id TEXT NOT NULL, phone TEXT NOT NULL,
    points INTEGER NOT NULL, reason TEXT NOT NULL, undoes TEXT NOT NULL,
    key TEXT NOT NULL, marker TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL DEFAULT 'PLANNED', attempts INTEGER NOT NULL DEFAULT 0,
    first_sent REAL, last_sent REAL,
    event_id TEXT NOT NULL DEFAULT '', event_at TEXT NOT NULL DEFAULT '',
    applied TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT ''
);
CREATE INDEX unfinished ON row (state, n) WHERE state IN ('PLANNED', 'SENT', 'UNKNOWN');
CREATE INDEX by_account ON row (account_id);
CREATE TABLE sighting (
    n INTEGER, event_id TEXT, account_id TEXT, points INTEGER, amiss TEXT NOT NULL,
    PRIMARY KEY (n, event_id)
) WITHOUT ROWID;
PRAGMA user_version = 1;
"""
NOT_FOUND = "sent, not answered, and not found in the ledger"
REFUSED = "refused: 400 BAD_REQUEST, field adjust_points.points"
DOUBTFUL = "doubtful: 400 IDEMPOTENCY_KEY_REUSED, field idempotency_key"
DOUBLED = "more than once in the ledger: events e1, e2"
REPEATED = "the ledger holds the same points with the same reason already: event e1"
MOVED = "the balance has moved since the plan was made"


def old_journal(planned: Planned, first: Mapping[str, Any]) -> None:
    """The journal of a plan in which the first row has these facts, and no other was sent."""
    plan = planned.plan
    with closing(sqlite3.connect(plan.folder / JOURNAL)) as journal, journal:
        journal.executescript(TABLES)
        journal.execute("INSERT INTO meta VALUES ('digest', ?)", (plan.digest,))
        for row in plan.rows():
            journal.execute(
                "INSERT OR IGNORE INTO account (id, customer_id, planned) VALUES (?, ?, ?)",
                (row.account_id, row.customer_id, row.before),
            )
            identity = plan.header.identity(row)
            journal.execute(
                "INSERT INTO row (n, row_id, account_id, phone, points, reason, undoes, key,"
                " marker) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(row.n, row.row_id, row.account_id, row.phone, row.points),
                    *(identity.marked(row.reason), row.undoes, identity.key, identity.marker),
                ),
            )
        for name, value in first.items():
            journal.execute(f"UPDATE row SET {name} = ? WHERE n = 1", (value,))  # noqa: S608 - a name of this file


def sent(state: str, note: str, seconds_ago: float = 0.0) -> dict[str, Any]:
    moment = Time().now() - seconds_ago
    facts = {"state": state, "note": note, "attempts": 1}
    return facts | {"first_sent": moment, "last_sent": moment}


def come_to(world: World, first: Mapping[str, Any], **limits: Any) -> tuple[str, str, int]:
    """State and note of the first row after the run went on, and how often it is in the ledger."""
    planned = world.plan()
    old_journal(planned, first)
    world.apply(planned, replace(QUICK, max_errors="4", **limits))
    world.verify(planned)
    path = planned.plan.folder / "results.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert ["APPLIED"] * 3 == [row["state"] for row in rows[1:]]
    return rows[0]["state"], rows[0]["note"], world.adjustments()[:4].count((12, "Late"))


@pytest.mark.parametrize("state", ["SENT", "UNKNOWN"])
def test_a_row_without_an_answer_is_sent_again(world: World, state: str) -> None:
    note = "no answer" if state == "UNKNOWN" else ""

    assert ("APPLIED", "", 1) == come_to(world, sent(state, note))


def test_a_row_that_was_refused_after_a_lost_answer_is_failed(world: World) -> None:
    assert ("FAILED", REFUSED, 0) == come_to(world, sent("UNKNOWN", REFUSED))


@pytest.mark.parametrize("note", [DOUBTFUL, "doubtful: event e1, no mark"])
def test_a_doubtful_row_is_for_a_person_and_is_not_sent_again(world: World, note: str) -> None:
    assert ("REVIEW", note, 0) == come_to(world, sent("UNKNOWN", note))


def test_an_old_key_is_for_a_person(world: World) -> None:
    first = sent("UNKNOWN", "503 SERVICE_UNAVAILABLE", seconds_ago=3_600)

    assert ("REVIEW", NOT_FOUND, 0) == come_to(world, first)


def test_what_was_not_found_is_sent_when_a_person_says_so(world: World) -> None:
    first = sent("REVIEW", NOT_FOUND, seconds_ago=3_600)

    assert ("APPLIED", "", 1) == come_to(world, first, resend_unknown=True)


@pytest.mark.parametrize("note", [DOUBTFUL, DOUBLED, "it has +5 points; it has another reason"])
def test_no_other_row_for_review_is_sent_by_the_same_word(world: World, note: str) -> None:
    assert ("REVIEW", note, 0) == come_to(world, sent("REVIEW", note), resend_unknown=True)


@pytest.mark.parametrize(
    "first",
    [
        sent("FAILED", "404 NOT_FOUND"),
        sent("FAILED", REFUSED),
        sent("REVIEW", NOT_FOUND),
        sent("REVIEW", "it is on account a"),
        {"state": "SKIPPED", "note": REPEATED},
        {"state": "SKIPPED", "note": MOVED},
    ],
    ids=lambda first: str(first["note"])[:20],
)
def test_what_has_ended_keeps_its_state_and_its_text(world: World, first: dict[str, Any]) -> None:
    assert (first["state"], first["note"], 0) == come_to(world, first)


def test_who_only_looks_changes_no_byte_of_it(world: World) -> None:
    planned = world.plan()
    old_journal(planned, sent("UNKNOWN", DOUBTFUL))
    before = (planned.plan.folder / JOURNAL).read_bytes()
    with Journal.look(planned.plan.folder) as journal:
        found = [(entry.code, entry.note) for entry in journal.entries()]

    assert [("DOUBTFUL", DOUBTFUL), *[("", "")] * 3] == found
    assert before == (planned.plan.folder / JOURNAL).read_bytes()
