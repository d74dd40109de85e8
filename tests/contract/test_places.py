"""Where a case runs, and a rehearsal of the Sandbox: a seller who is not the emulator's own."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx
import pytest
from pydantic import SecretStr

from loyalty_helpers.emulator import Emulator, Fault, SeededIds, SettableClock, program

from . import conftest, test_wire
from .open_questions import NOT_ASKED, OWN_WORDS, QUESTIONS, Question
from .place import LOCAL, NOON, RECORDED, SANDBOX, Door, Place, moving, sandbox

CASES = [case for name, case in vars(test_wire).items() if name.startswith("test_")]
TOKEN = SecretStr("local-token")
Seller = Callable[[], AbstractContextManager[Place]]


def test_every_case_is_recorded_and_nothing_else_is() -> None:
    recorded = {path.stem for path in conftest.RECORDINGS.iterdir()}

    assert recorded == {case.__name__.removeprefix("test_") for case in CASES}


def test_a_case_without_a_recording_runs_on_the_emulator_alone() -> None:
    assert conftest.places_of("test_that_nobody_has_recorded") == [LOCAL]


@pytest.mark.parametrize(
    ("door", "places"),
    [
        (Door(TOKEN, True), [LOCAL, RECORDED, SANDBOX]),
        (Door(TOKEN, False), [LOCAL, RECORDED]),
        (Door(SecretStr(""), True), [LOCAL, RECORDED]),
    ],
    ids=["both", "a token alone", "no token"],
)
def test_a_case_runs_on_the_sandbox_only_when_both_are_said(
    door: Door, places: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conftest, "DOOR", door)
    monkeypatch.setattr(conftest, "RECORD", False)

    assert conftest.places_of("test_nobody_found_is_an_empty_object") == places


@pytest.fixture(scope="module", params=["walkthrough-1", "walkthrough-2"])
def seller(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Seller]:
    """Opens runs on one seller, who has none of the emulator's buyers; events are found late."""
    clock, ids = SettableClock(NOON), SeededIds(7)
    path = tmp_path_factory.mktemp("seller") / "world.db"
    with Emulator.open(path, clock=clock, ids=ids, program=program(request.param)) as emulator:
        with emulator._database.writing() as connection:
            connection.execute("DELETE FROM event")
            connection.execute("DELETE FROM account")
        emulator.faults.add(Fault.parse("late-events:seconds=5"))
        transport = httpx.WSGITransport(emulator)
        yield lambda: sandbox(Door(TOKEN, True), transport, moving(clock))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__.removeprefix("test_"))
def test_a_case_holds_on_any_seller_and_holds_again(
    case: Callable[[Place], None], seller: Seller
) -> None:
    for _ in range(2):
        with seller() as place:
            case(place)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.text)
def test_a_question_has_one_answer_on_any_seller_and_has_it_again(
    question: Question, seller: Seller
) -> None:
    for _ in range(2):
        with seller() as place:
            seen = question.ask(place)
        assert question.assumed in (seen, OWN_WORDS) or seen.startswith(NOT_ASKED)
