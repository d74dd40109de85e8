"""The emulator answers as it says that it assumes; another answer would be seen; the table."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from loyalty_helpers.emulator import Assumptions, Emulator, Fault, SettableClock

from .__main__ import ask, table
from .open_questions import NOT_ASKED, OWN_WORDS, QUESTIONS, Question
from .place import NOON, Door, local, moving, sandbox

ROOT = Path(__file__).parents[2]
UNASKED = ("3 key again, after days", "14 headers of a 429")
ASKED = [q for q in QUESTIONS if q.assumed != OWN_WORDS and q.text not in UNASKED]
REUSED = "400 IDEMPOTENCY_KEY_REUSED idempotency_key"
# What would be seen where Square did otherwise: each switch, its question, and the answer then.
OTHERWISE = [
    ("negative_adjust_lowers_lifetime", True, "1 lifetime points", "balance 6, lifetime 6"),
    ("zero_adjust_allowed", True, "2 adjust by 0", "200"),
    ("keys_are_per_account", True, "3 key again, other account", "200"),
    ("refused_requests_consume_keys", True, "3 key again, after a refusal", REUSED),
    ("key_reused_detail", "Other words.", "3 its text", "Other words."),
    ("duplicate_phone_code", "CONFLICT", "4 a phone", "409 CONFLICT"),
    ("negative_balance_may_fall_further", True, "6 one that is below 0", "200"),
    ("int32_overflow_is_out_of_range", False, "7 points 2147483648", "400 EXPECTED_INTEGER"),
    ("cursor_bound_to_query", False, "8 a cursor of another", "200"),
    ("mappings_and_customers_code", "BAD_REQUEST", "9 phone numbers and", "400 BAD_REQUEST"),
    ("balance_change_moves_updated_at", False, "10 updated_at", "stays"),
    ("order_earns_once", False, "12 the same order twice", "200"),
    ("order_not_completed_code", "CONFLICT", "12 an order that is open", "409 CONFLICT"),
    ("purchase_that_earns_nothing_succeeds", False, "12 an order that earns", "400 BAD_REQUEST"),
    ("order_location_code", "CONFLICT", "12 a location", "409 CONFLICT location_id"),
    ("unread_fields_refused", True, "13 a field that", "400 UNKNOWN_BODY_PARAMETER"),
    ("unread_fields_refused", True, "13 a read-only field", "400 UNKNOWN_BODY_PARAMETER"),
]


def named(text: str) -> Question:
    """The first question whose text begins so."""
    return next(question for question in QUESTIONS if question.text.startswith(text))


@pytest.mark.parametrize("question", ASKED, ids=lambda question: question.text)
def test_the_emulator_answers_as_it_assumes(question: Question, tmp_path: Path) -> None:
    with local(tmp_path) as place:
        assert question.ask(place) == question.assumed


@pytest.mark.parametrize(("switch", "value", "question", "seen"), OTHERWISE)
def test_another_answer_would_be_seen(
    switch: str, value: object, question: str, seen: str, tmp_path: Path
) -> None:
    assumptions = Assumptions(**{switch: value})  # type: ignore[arg-type]  # each has a type of its own
    with local(tmp_path, assumptions=assumptions) as place:
        asked = named(question)

        assert asked.ask(place).startswith(seen)
        assert not asked.assumed.startswith(seen)


def test_every_open_question_is_asked() -> None:
    assert {question.text.split()[0] for question in QUESTIONS} == {str(n) for n in range(1, 16)}


@pytest.mark.parametrize("text", UNASKED)
def test_what_one_run_cannot_find_out_is_said_to_be_not_asked(text: str, tmp_path: Path) -> None:
    with local(tmp_path) as place:
        assert named(text).ask(place).startswith(NOT_ASKED)


def test_the_table_is_printed() -> None:
    command = [sys.executable, "-m", "tests.contract"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = told.splitlines()

    assert lines[0].split() == ["question", "same", "assumed", "seen", "on", "local"]
    assert len(lines) == len(QUESTIONS) + 1
    assert "  NO" not in told


def test_the_table_says_what_is_otherwise(tmp_path: Path) -> None:
    with local(tmp_path, assumptions=Assumptions(zero_adjust_allowed=True)) as place:
        [otherwise] = [line for line in table(place) if "  NO  " in line]

    assert otherwise.startswith("2 adjust by 0 ")
    assert otherwise.endswith(" 200")


def test_a_question_that_goes_wrong_tells_the_last_answer(tmp_path: Path) -> None:
    with local(tmp_path) as place:
        question = Question("", lambda place: str(place.get("no-such-thing").body["event"]), "")

        assert ask(question, place) == (
            "no answer: KeyError 'event'; the last answer was 404 NOT_FOUND"
        )


@pytest.mark.parametrize(
    ("token", "wanted", "is_open"),
    [("token", True, True), ("token", False, False), ("", True, False), ("", False, False)],
)
def test_the_sandbox_is_asked_only_when_both_are_said(
    token: str, wanted: bool, is_open: bool
) -> None:
    assert Door(SecretStr(token), wanted).open == is_open


def test_the_token_is_not_shown() -> None:
    assert "secret-token" not in repr(Door(SecretStr("secret-token"), True))


def test_a_rate_limit_that_is_met_is_waited_for_and_its_headers_are_told(tmp_path: Path) -> None:
    clock, door = SettableClock(NOON), Door(SecretStr("local-token"), True)
    with (
        Emulator.open(tmp_path / "world.db", clock=clock) as emulator,
        sandbox(door, httpx.WSGITransport(emulator), moving(clock)) as place,
    ):
        emulator.faults.add(Fault.parse("rate-limit:rate=1,burst=1,retry-after=3"))

        assert [place.get("programs/main").status for _ in range(3)] == [200, 200, 200]
        assert named("14").ask(place) == "retry-after: 3"
