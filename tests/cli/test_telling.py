"""What stands before a last line, and what a last line names."""

import io
import sys

import httpx
import pytest

from loyalty_helpers.cli.place import place_of
from loyalty_helpers.cli.telling import Teller
from tests.doubles import Answers, refused, reply

SELLER = reply(200, {"locations": [{"id": "L1", "merchant_id": "M1"}]})


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


def told(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, *lines: str, **end: bool) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    teller = Teller()
    for line in lines:
        teller(line)
    teller.end(**end)
    return stream.getvalue()


def test_a_line_that_is_drawn_over_is_left_before_the_last_one(monkeypatch) -> None:
    assert told(monkeypatch, Terminal(), "1 of 3", "2 of 3").endswith("2 of 3\n")


def test_a_terminal_that_shows_that_ctrl_c_was_pressed_gets_a_new_line(monkeypatch) -> None:
    assert "\n" == told(monkeypatch, Terminal(), interrupted=True)


def test_a_terminal_without_a_line_of_progress_gets_no_empty_one(monkeypatch) -> None:
    assert "" == told(monkeypatch, Terminal())


def test_a_log_gets_a_line_at_once_and_the_next_one_later(monkeypatch) -> None:
    assert "1 of 3\n" == told(monkeypatch, io.StringIO(), "1 of 3", "2 of 3", interrupted=True)


@pytest.mark.parametrize("name", ["local", "recorded"])
def test_an_environment_without_a_seller_is_named_without_asking(name: str) -> None:
    network = Answers(SELLER)

    assert (f"environment {name}", []) == (place_of(name, network), network.requests)


@pytest.mark.parametrize("name", ["sandbox", "production"])
def test_at_square_the_seller_is_named(monkeypatch, name: str) -> None:
    monkeypatch.setenv("SQUARE_ACCESS_TOKEN", "token")
    monkeypatch.setenv("LOYALTY_ALLOW_PRODUCTION", "M1")
    network = Answers(SELLER)

    assert f"environment {name}, merchant M1" == place_of(name, network)


@pytest.mark.parametrize("answer", [refused(401, "UNAUTHORIZED"), httpx.ConnectError("no network")])
def test_a_seller_that_cannot_be_asked_for_is_said_not_to_be_known(monkeypatch, answer) -> None:
    monkeypatch.setenv("SQUARE_ACCESS_TOKEN", "token")
    network = Answers(answer)
    place = place_of("sandbox", network)

    assert ("environment sandbox, merchant not known", 1) == (
        place,
        len(network.requests),
    )
