"""The emulator answers as it says that it assumes; the table comes out; the door stays shut."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from .open_questions import QUESTIONS, Question
from .place import Door, local

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.text)
def test_the_emulator_answers_as_it_assumes(question: Question, tmp_path: Path) -> None:
    with local(tmp_path) as place:
        assert question.ask(place) == question.assumed


def test_every_open_question_is_asked() -> None:
    assert {question.text.split()[0] for question in QUESTIONS} == {str(n) for n in range(1, 16)}


def test_the_table_is_printed() -> None:
    command = [sys.executable, "-m", "tests.contract"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = told.splitlines()

    assert lines[0].split() == ["question", "same", "seen", "on", "local", "assumed"]
    assert len(lines) == len(QUESTIONS) + 1
    assert "  NO" not in told


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
