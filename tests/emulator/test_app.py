"""The WSGI application: token, version, headers, paths, bodies, and storage that fails."""

import json
import sqlite3
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty_helpers.emulator.app import MAX_BODY_BYTES, SQUARE_VERSION
from loyalty_helpers.emulator.database import BUSY_SECONDS
from loyalty_helpers.emulator.wire import CODES
from tests.seed_world import ACCOUNT_ID, PROGRAM_ID

from .conftest import problem, refused

ADJUST = f"/v2/loyalty/accounts/{ACCOUNT_ID}/adjust"
POSTS = (
    ADJUST,
    f"/v2/loyalty/accounts/{ACCOUNT_ID}/accumulate",
    "/v2/loyalty/accounts",
    "/v2/loyalty/accounts/search",
    "/v2/loyalty/events/search",
)


@pytest.mark.parametrize("sent", ["", "Bearer wrong", "local-token", "Bearer local-token "])
def test_wrong_token_is_unauthorized(api, sent):
    answer = api.client.get("/v2/locations", headers={"Authorization": sent})

    assert problem(answer) == (401, "AUTHENTICATION_ERROR", "UNAUTHORIZED", None)
    detail = "This request could not be authorized."
    assert detail == answer.json()["errors"][0]["detail"]


def test_missing_token_is_unauthorized(api):
    client = httpx.Client(transport=httpx.WSGITransport(api.emulator), base_url="http://e")

    assert client.get("/v2/locations").status_code == 401


def test_version_asked_for_is_echoed(api):
    answer = api.client.get("/v2/locations", headers={"Square-Version": "2025-08-20"})

    assert answer.headers["Square-Version"] == "2025-08-20"


def test_default_version_is_told(api):
    assert api.client.get("/v2/locations").headers["Square-Version"] == SQUARE_VERSION


@pytest.mark.parametrize("version", ["", "latest", "2025-8-20", "2025-02-30", "20250820"])
def test_malformed_version_is_refused(api, version):
    answer = api.client.get("/v2/locations", headers={"Square-Version": version})

    assert refused("INVALID_SQUARE_VERSION_FORMAT") == problem(answer)


def test_date_is_the_clocks(api):
    assert api.client.get("/v2/locations").headers["Date"] == "Mon, 02 Nov 2026 09:30:00 GMT"


def test_answers_are_json(api):
    assert api.client.get("/nowhere").headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v2/loyalty",
        "/v2/locations/",
        "/.//v2/locations",  # the client makes //v2/locations of it
        "/v2/loyalty/accounts//adjust",
        "/v2/☃",
    ],
)
def test_unknown_path_is_not_found(api, path):
    assert refused("NOT_FOUND", status=404) == problem(api.client.get(path))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ADJUST),
        ("DELETE", "/v2/loyalty/accounts"),
        ("POST", "/v2/locations"),
        ("PUT", ADJUST),
    ],
)
def test_wrong_method_is_not_allowed(api, method, path):
    assert refused("METHOD_NOT_ALLOWED", status=405) == problem(api.client.request(method, path))


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v2/locations", {"GET"}),
        ("/v2/loyalty/rewards/x", {"GET", "DELETE"}),
        (f"/v2/loyalty/programs/{PROGRAM_ID}/promotions", {"GET", "POST"}),
    ],
)
def test_refused_method_is_told_which_are_allowed(api, path, allowed):
    assert allowed == set(api.client.put(path).headers["Allow"].split(", "))


@pytest.mark.parametrize("path", ["/v2/locations", "/v2/nothing", ADJUST])
def test_answer_to_head_has_no_body(api, path):
    answer = api.client.head(path)

    assert (b"", True) == (answer.content, int(answer.headers["Content-Length"]) > 0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"points",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b"\xef\xbb\xbf{}",
        b"[" * 200_000,
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
@pytest.mark.parametrize("path", POSTS)
def test_body_that_is_no_json_is_refused(api, path, body):
    assert refused("EXPECTED_JSON_BODY") == problem(api.client.post(path, content=body))


@pytest.mark.parametrize("body", ["[]", "1", "null", '"text"', "1e999"])
def test_body_must_be_an_object(api, body):
    assert refused("EXPECTED_OBJECT") == problem(api.client.post(ADJUST, content=body))


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "x"])
def test_wrong_content_type_is_refused(api, content_type):
    answer = api.client.post(ADJUST, content="{}", headers={"Content-Type": content_type})

    assert refused("INVALID_CONTENT_TYPE") == problem(answer)


def test_content_type_may_name_a_charset(api):
    headers = {"Content-Type": "application/json; charset=utf-8"}

    assert api.client.post(POSTS[3], content="{}", headers=headers).status_code == 200


def test_wrong_content_type_is_415_if_so_assumed(open_api):
    api = open_api(wrong_content_type_code="UNSUPPORTED_MEDIA_TYPE")

    answer = api.client.post(ADJUST, content="{}", headers={"Content-Type": "text/plain"})
    assert refused("UNSUPPORTED_MEDIA_TYPE", status=415) == problem(answer)


def test_body_that_is_too_large_is_refused(api):
    answer = api.client.post(ADJUST, content=b" " * (MAX_BODY_BYTES + 1))

    assert refused("REQUEST_ENTITY_TOO_LARGE", status=413) == problem(answer)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
known_names = st.sampled_from(
    [
        "idempotency_key",
        "adjust_points",
        "points",
        "reason",
        "allow_negative_balance",
        "accumulate_points",
        "order_id",
        "location_id",
        "loyalty_account",
        "program_id",
        "mapping",
        "phone_number",
        "customer_id",
        "enrolled_at",
        "query",
        "mappings",
        "customer_ids",
        "filter",
        "limit",
        "cursor",
        "loyalty_account_filter",
        "loyalty_account_id",
        "type_filter",
        "types",
        "date_time_filter",
        "created_at",
        "start_at",
        "end_at",
        "location_filter",
        "location_ids",
        "order_filter",
    ]
)
likely_bodies = st.recursive(
    json_values | st.sampled_from(["k", 1, -1, "2026-01-01T00:00:00Z", "+14155550000", ACCOUNT_ID]),
    lambda inner: st.dictionaries(known_names, inner, max_size=5) | st.lists(inner, max_size=2),
    max_leaves=16,
)


@settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(path=st.sampled_from(POSTS), body=st.dictionaries(known_names, likely_bodies, max_size=6))
def test_wild_bodies_are_answered_in_the_envelope(api, path, body):
    answer = api.client.post(path, content=json.dumps(body))

    assert answer.status_code < 500
    assert (answer.status_code == 200) == ("errors" not in answer.json())


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    # The client resolves dots before they reach the wire, and a search is another operation.
    segment=st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="/?#"), min_size=1
    ).filter(lambda segment: segment not in {".", "..", "search"})
)
def test_wild_paths_are_answered_in_the_envelope(api, segment):
    answer = api.client.get(f"/v2/loyalty/accounts/{quote(segment)}")

    assert answer.status_code == 404


def held(api):
    """Return the connection that the next request will get."""
    return api.emulator._database._idle[-1]


def test_full_disk_is_told_and_nothing_written(api):
    connection = held(api)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")
    answers = [
        api.adjust(1, f"key {i}", adjust_points={"points": 1, "reason": "r" * 3000})
        for i in range(40)
    ]
    kept = sum(answer.status_code == 200 for answer in answers)

    assert problem(answers[-1]) == (500, "API_ERROR", "INTERNAL_SERVER_ERROR", None)
    assert "the disk is full" in answers[-1].json()["errors"][0]["detail"]
    assert kept == api.account()["balance"]


def test_file_that_became_read_only_is_told(api):
    held(api).execute("PRAGMA query_only=1")
    answer = api.adjust(1)

    assert problem(answer) == (500, "API_ERROR", "INTERNAL_SERVER_ERROR", None)
    assert "read-only" in answer.json()["errors"][0]["detail"]
    assert api.account()["balance"] == 0


def test_file_that_stays_busy_is_told(api, tmp_path, monkeypatch):
    held(api).execute("PRAGMA busy_timeout=50")
    other = sqlite3.connect(tmp_path / "world-0.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    assert problem(api.adjust(1)) == (503, "API_ERROR", "SERVICE_UNAVAILABLE", None)
    assert api.account()["balance"] == 0
    other.execute("ROLLBACK")
    other.close()
    assert api.adjust(1).status_code == 200
    assert BUSY_SECONDS > 1


def test_closed_emulator_says_so(api):
    api.emulator.close()

    assert "closed" in api.client.get("/v2/locations").json()["errors"][0]["detail"]


def test_every_code_has_a_status_of_failure():
    assert all(400 <= status <= 504 for status, _ in CODES.values())
