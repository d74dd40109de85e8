"""A request as people see it: masked, shortened, and copyable into a shell."""

import json
import subprocess

import pytest

from loyalty_helpers.api.exchange import Exchange
from tests.doubles import ADJUST, LOCAL, PHONE


def exchange(body=None, answer=None, path=ADJUST, method="POST", **more):
    return Exchange(method, LOCAL, path, body, 200, answer or {}, **more)


def arguments(command):
    """What a shell makes of the command; `curl` prints its arguments in place of going out."""
    script = 'curl() { for each in "$@"; do printf "%s\\0" "$each"; done; }\n' + command
    variables = {"SQUARE_ACCESS_TOKEN": "my-token", "PHONE_NUMBER": PHONE}
    run = subprocess.run(["bash", "-c", script], env=variables, capture_output=True, check=True)
    return run.stdout.decode().split("\0")[:-1]


def test_the_curl_line_sends_the_request():
    body = {"adjust_points": {"points": 12}, "idempotency_key": "k"}

    url, _, token, _, version, _, kind, _, sent = arguments(exchange(body).curl)
    assert (LOCAL + ADJUST, "Authorization: Bearer my-token", body) == (
        url,
        token,
        json.loads(sent),
    )
    assert "Square-Version: 2026-09-16" == version
    assert "Content-Type: application/json" == kind


@pytest.mark.parametrize(
    "reason",
    [
        "it's",
        "$(touch x)",
        "`touch x`",
        "$HOME",
        '"; rm x; "',
        "a\nb",
        "\\",
        "'\"'",
        "!x",
        "😀",
        "\x1b",
    ],
)
def test_the_curl_line_takes_any_reason_as_text(reason):
    body = {"adjust_points": {"reason": reason}}

    assert body == json.loads(arguments(exchange(body).curl)[-1])


def test_the_curl_line_takes_phone_numbers_from_a_variable():
    body = {"query": {"mappings": [{"phone_number": PHONE}]}}
    curl = exchange(body).curl

    assert (False, body) == (PHONE in curl, json.loads(arguments(curl)[-1]))


def test_the_curl_line_of_a_query_is_one_argument():
    path = "/v2/x?status=ACTIVE&limit=3"

    assert LOCAL + path == arguments(exchange(path=path, method="GET").curl)[0]


def test_a_request_without_a_body_shows_none():
    shown = str(exchange(path="/v2/locations", method="GET", answer={"locations": []}))

    assert shown.startswith('GET /v2/locations\n-> 200\n{\n  "locations": []\n}\ncurl ')


def test_phone_numbers_are_masked_on_both_sides():
    body = {"phone_number": PHONE, "note": f"call {PHONE}"}
    shown = exchange(body, answer=body)

    assert all(PHONE[1:] not in text for text in shown._view().values())


def test_long_lists_are_shown_by_their_first_items():
    shown = str(exchange(answer={"events": [{"id": n} for n in range(30)]}))

    assert ('"id": 2' in shown, '"id": 3' in shown) == (True, False)
    assert "... and 27 more" in shown


def test_a_list_of_three_is_shown_whole():
    assert "more" not in str(exchange(answer={"events": [1, 2, 3]}))


def test_a_retried_request_says_so():
    assert "-> 200 (attempt 3)" in str(exchange(attempts=3))


def test_the_kept_body_is_not_masked_for_code_that_asks_for_it():
    assert {"phone_number": PHONE} == exchange({"phone_number": PHONE}).body
