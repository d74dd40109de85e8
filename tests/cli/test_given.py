"""Parameters from a file or standard input count as those that are typed."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from loyalty_helpers.cli.given import given_parameters
from loyalty_helpers.errors import ParameterError
from tests.commands import loyalty, receipt

pytestmark = pytest.mark.slow


def given(text: str, *typed: tuple[str, str]) -> dict[str, str]:
    Path("p.json").write_text(text, encoding="utf-8")
    return given_parameters(typed, ["p.json"])


def test_values_are_taken_as_if_they_were_typed() -> None:
    found = given('{"points": -5, "dry_run": false, "reason": "Für", "requests_per_second": 1.50}')

    expected = {"points": "-5", "dry_run": "false", "reason": "Für", "requests_per_second": "1.50"}
    assert expected == found


def test_numbers_are_taken_as_they_are_written() -> None:
    assert {"points": "1e3", "canary": "-0", "x": "NaN"} == given(
        '{"points": 1e3, "canary": -0, "x": NaN}'
    )


def test_a_file_and_typed_parameters_go_together() -> None:
    assert {"points": "5", "reason": "r"} == given('{"points": 5}', ("reason", "r"))


@pytest.mark.parametrize("text", ['{"points": 5}', '{"points": 5, "reason": "r"}'])
def test_a_parameter_that_is_typed_and_in_the_file_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match=r"^points: given more than once$"):
        given(text, ("points", "6"))


def test_a_parameter_that_the_file_has_twice_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"^points: given more than once$"):
        given('{"points": 5, "points": 6}')


@pytest.mark.parametrize("value", ["null", "[1]", '{"a": 1}'])
def test_what_is_no_single_value_is_refused_by_name(value: str) -> None:
    with pytest.raises(ParameterError, match=r"^reason: found no single value; allowed: a text"):
        given(f'{{"reason": {value}}}')


@pytest.mark.parametrize("text", ["", "points=5", "[]", "5", '{"points": 5', "[" * 100_000])
def test_what_is_no_json_object_is_refused_with_its_path(text: str) -> None:
    with pytest.raises(ParameterError, match=r"/p\.json holds no JSON object; allowed is one"):
        given(text)


def test_what_is_no_text_is_refused() -> None:
    Path("p.json").write_bytes(b'{"reason": "\xff"}')
    with pytest.raises(ParameterError, match="in UTF-8"):
        given_parameters([], ["p.json"])


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_cannot_be_read_is_refused_with_its_path(name: str) -> None:
    with pytest.raises(ParameterError, match=f"{Path.cwd()}.* cannot be read: "):
        given_parameters([], [name])


def test_standard_input_may_begin_with_a_byte_order_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = SimpleNamespace(buffer=io.BytesIO(b'\xef\xbb\xbf{"points": 5}'))
    monkeypatch.setattr(sys, "stdin", stream)

    assert {"points": "5"} == given_parameters([], ["-"])


def test_a_run_takes_its_parameters_from_standard_input() -> None:
    result = loyalty("run", "02_adjust_points", "--parameters", "-", given='{"points": 5}')

    assert 0 == result.returncode, result.stderr
    assert 5 == receipt("walkthrough-2")["points"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"pionts": 5}', "did you mean points?"),
        ('{"points": 1.5}', "points: found '1.5'; allowed: a whole number"),
        ('{"reason": "EAAAcanary"}', "reason: this looks like an access token"),
    ],
)
def test_such_parameters_are_checked_as_those_that_are_typed(text: str, told: str) -> None:
    result = loyalty("run", "02_adjust_points", "--parameters", "-", given=text)

    assert 2 == result.returncode
    assert told in result.stderr
    assert not Path("runs").exists()
