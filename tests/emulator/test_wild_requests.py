"""Wild requests: never a 500, never a hang, never a file that is not sound.

Every operation gets its own valid request with something in it replaced, left out or added, in
process; a served one gets bytes that are hardly HTTP. Square's models judge each answer.
"""

import json
import socket
from contextlib import closing, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty_helpers.emulator import Server
from loyalty_helpers.emulator.routes import ROUTES, find_route
from loyalty_helpers.emulator.seed import ACCOUNT_ID, ORDER_EARNING_12, PROGRAM_ID
from loyalty_helpers.emulator.seed_program import COFFEE_ID, COFFEE_TIER_ID

from .conftest import TOKEN

ACCOUNT, PROGRAM = f"/v2/loyalty/accounts/{ACCOUNT_ID}", f"/v2/loyalty/programs/{PROGRAM_ID}"
LOCATION = "L88917AVBK2S5"
USD = {"amount": 300, "currency": "USD"}
PROMOTION = {
    "name": "Double points",
    "incentive": {"type": "POINTS_MULTIPLIER", "points_multiplier_data": {"multiplier": "2"}},
    "available_time": {"time_periods": ["DTSTART:20261101T000000\nDURATION:P1D\nRRULE:FREQ=DAILY"]},
    "trigger_limit": {"times": 1, "interval": "DAY"},
    "minimum_spend_amount_money": USD,
}
LINE = {"name": "Coffee", "quantity": "1", "base_price_money": USD, "catalog_object_id": COFFEE_ID}
PERIOD = {"start_at": "2026-01-01T00:00:00Z", "end_at": "2027-01-01T00:00:00+01:00"}
FILTER = {
    "loyalty_account_filter": {"loyalty_account_id": ACCOUNT_ID},
    "type_filter": {"types": ["ADJUST_POINTS"]},
    "date_time_filter": {"created_at": PERIOD},
    "location_filter": {"location_ids": [LOCATION]},
    "order_filter": {"order_id": ORDER_EARNING_12},
}
KEY = {"idempotency_key": "wild"}
VALID = [
    ("POST", f"{ACCOUNT}/adjust", {"adjust_points": {"points": 1, "reason": "r"}, **KEY}),
    (
        "POST",
        f"{ACCOUNT}/accumulate",
        {"accumulate_points": {"order_id": ORDER_EARNING_12}, "location_id": LOCATION, **KEY},
    ),
    (
        "POST",
        "/v2/loyalty/accounts",
        {
            "loyalty_account": {
                "program_id": PROGRAM_ID,
                "mapping": {"phone_number": "+14155550161"},
                "enrolled_at": "2026-01-01T00:00:00Z",
            },
            **KEY,
        },
    ),
    (
        "POST",
        "/v2/loyalty/accounts/search",
        {"query": {"mappings": [{"phone_number": "+14155551234"}]}, "limit": 2, "cursor": "c"},
    ),
    ("GET", ACCOUNT, None),
    ("POST", "/v2/loyalty/events/search", {"query": {"filter": FILTER}, "limit": 2}),
    ("GET", "/v2/loyalty/programs", None),
    ("GET", PROGRAM, None),
    (
        "POST",
        f"{PROGRAM}/calculate",
        {"order_id": ORDER_EARNING_12, "loyalty_account_id": ACCOUNT_ID},
    ),
    ("GET", f"{PROGRAM}/promotions", None),
    ("POST", f"{PROGRAM}/promotions", {"loyalty_promotion": PROMOTION, **KEY}),
    ("GET", f"{PROGRAM}/promotions/loypromo_1", None),
    ("POST", f"{PROGRAM}/promotions/loypromo_1/cancel", {}),
    (
        "POST",
        "/v2/loyalty/rewards",
        {"reward": {"loyalty_account_id": ACCOUNT_ID, "reward_tier_id": COFFEE_TIER_ID}, **KEY},
    ),
    (
        "POST",
        "/v2/loyalty/rewards/search",
        {"query": {"loyalty_account_id": ACCOUNT_ID, "status": "ISSUED"}, "limit": 2},
    ),
    ("GET", "/v2/loyalty/rewards/r", None),
    ("DELETE", "/v2/loyalty/rewards/r", None),
    ("POST", "/v2/loyalty/rewards/r/redeem", {"location_id": LOCATION, **KEY}),
    ("POST", "/v2/customers/search", {"query": {"filter": {"phone_number": {"exact": "+1"}}}}),
    ("GET", "/v2/customers/c", None),
    ("POST", "/v2/customers", {"given_name": "G", "phone_number": "+14155550162", **KEY}),
    ("POST", "/v2/orders", {"order": {"location_id": LOCATION, "line_items": [LINE]}, **KEY}),
    ("GET", f"/v2/orders/{ORDER_EARNING_12}", None),
    ("POST", f"/v2/orders/{ORDER_EARNING_12}/pay", {"payment_ids": [], **KEY}),
    ("POST", "/v2/payments", {"source_id": "CASH", "amount_money": USD, **KEY}),
    ("GET", "/v2/locations", None),
]
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(2**31 - 1, 2**80)
    | st.floats(allow_nan=False)
    | st.text(max_size=40)
    | st.sampled_from(
        ["", "0" * 5000, "9" * 400, "\0", "\ud800", "+1", "2026-02-30T00:00:00Z", "RRULE:FREQ="]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
HEADERS = st.dictionaries(
    st.sampled_from(["Square-Version", "Content-Type", "Accept", "X-Wild", "Cookie"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
    | st.sampled_from(["2022-01-01", "9999-99-99", "text/html", "application/json; charset=x"]),
    max_size=2,
)
ANY_REQUESTS = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def places(value, path=()):
    """Where something stands in a body: the way to every value in it."""
    yield path
    if isinstance(value, dict | list):
        for name, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(child, (*path, name))


def replaced(value, path, new):
    """A copy of a body with another value at a place; `LEFT_OUT` takes it away."""
    if not path:
        return new
    first, rest = path[0], path[1:]
    copy = dict(value) if isinstance(value, dict) else list(value)
    if not rest and new is LEFT_OUT:
        del copy[first]
    else:
        copy[first] = replaced(copy[first], rest, new)
    return copy


LEFT_OUT = object()


@st.composite
def requests(draw):
    """A valid request of some operation, wild in one to three places."""
    method, path, body = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(places(body))))
        new = draw(JSON_VALUES | st.just(LEFT_OUT))
        body = replaced(body, place, None if new is LEFT_OUT and not place else new)
        if not isinstance(body, dict | list):
            break
    return method, path, body, draw(HEADERS)


def is_sound(api):
    """The file is whole, every balance is the sum of its events, and a good request works."""
    with api.emulator._world.database.reading() as connection:
        whole = connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    total = sum(
        event.get(name, {}).get("points", 0)
        for event in api.all_events({"loyalty_account_filter": {"loyalty_account_id": ACCOUNT_ID}})
        for name in event
        if isinstance(event[name], dict)
    )
    return whole and api.account()["balance"] == total


def test_every_operation_is_among_the_valid_ones():
    assert {find_route(method, path)[0] for method, path, _ in VALID} == set(ROUTES)


@ANY_REQUESTS
@given(request=requests())
def test_wild_fields_are_answered_in_the_envelope(api, request):
    method, path, body, headers = request
    content = None if body is None else json.dumps(body).encode()
    answer = api.client.request(method, path, content=content, headers=headers)

    assert answer.status_code < 500
    assert (answer.status_code == 200) == ("errors" not in answer.json())


@ANY_REQUESTS
@given(case=st.sampled_from(VALID), content=st.binary(max_size=200))
def test_wild_bytes_are_answered_in_the_envelope(api, case, content):
    answer = api.client.request(case[0], case[1], content=content)

    assert answer.status_code < 500


@pytest.mark.parametrize("nested", ["[" * 100_000, '{"a":' * 100_000, "9" * 1_000_000])
def test_bodies_without_an_end_are_refused(api, nested):
    answer = api.client.post(f"{ACCOUNT}/adjust", content=nested)

    assert answer.status_code == 400


def test_the_file_is_sound_after_wild_requests(api):
    wild = requests()

    @settings(max_examples=200, deadline=None, database=None)
    @given(request=wild)
    def send(request):
        method, path, body, headers = request
        api.client.request(method, path, content=json.dumps(body).encode(), headers=headers)

    send()

    assert is_sound(api)


AUTHORIZED = f"Host: e\r\nAuthorization: Bearer {TOKEN}\r\n".encode()
HARDLY_HTTP = {
    "nothing": b"",
    "no request line": b"\r\n\r\n",
    "bytes": bytes(range(256)) * 4,
    "a word": b"HELLO\r\n\r\n",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64,
    "another version": b"GET /v2/locations HTTP/9.9\r\n" + AUTHORIZED + b"\r\n",
    "no host": b"GET /v2/locations HTTP/1.1\r\n\r\n",
    "a long path": b"GET /" + b"a" * 300_000 + b" HTTP/1.1\r\n" + AUTHORIZED + b"\r\n",
    "a broken escape": b"GET /v2/%zz%00%ff HTTP/1.1\r\n" + AUTHORIZED + b"\r\n",
    "dots": b"GET /v2/../../etc/passwd HTTP/1.1\r\n" + AUTHORIZED + b"\r\n",
    "many headers": b"GET /v2/locations HTTP/1.1\r\n"
    + AUTHORIZED
    + b"".join(b"X-%d: 1\r\n" % n for n in range(20_000))
    + b"\r\n",
    "a header without a colon": b"GET /v2/locations HTTP/1.1\r\nnocolon\r\n" + AUTHORIZED + b"\r\n",
    "no end of the headers": b"GET /v2/locations HTTP/1.1\r\n" + AUTHORIZED,
    "a short body": b"POST /v2/orders HTTP/1.1\r\nContent-Length: 50\r\n" + AUTHORIZED + b"\r\n{",
    "a negative length": b"POST /v2/orders HTTP/1.1\r\nContent-Length: -1\r\n"
    + AUTHORIZED
    + b"\r\n{}",
    "a length that is none": b"POST /v2/orders HTTP/1.1\r\nContent-Length: x\r\n"
    + AUTHORIZED
    + b"\r\n{}",
    "a huge length": b"POST /v2/orders HTTP/1.1\r\nContent-Length: 999999999999\r\n"
    + AUTHORIZED
    + b"\r\n{}",
    "two lengths": b"POST /v2/orders HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n"
    + AUTHORIZED
    + b"\r\n{}",
    "broken chunks": b"POST /v2/orders HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
    + AUTHORIZED
    + b"\r\nzz\r\n{}\r\n",
    "an encoding that is none": b"POST /v2/orders HTTP/1.1\r\nTransfer-Encoding: gzip\r\n"
    + AUTHORIZED
    + b"\r\n{}",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    from loyalty_helpers.emulator import Emulator

    path = tmp_path_factory.mktemp("wild") / "world.db"
    with Emulator.open(path) as emulator, Server(emulator) as server:
        yield server.url


@pytest.mark.parametrize("sent", HARDLY_HTTP.values(), ids=HARDLY_HTTP)
def test_what_is_hardly_http_ends_and_the_next_request_is_answered(served, sent):
    host, port = served.removeprefix("http://").split(":")
    address = (host, int(port))
    wild = socket.create_connection(address, timeout=10)
    with closing(wild), suppress(ConnectionError):  # it may refuse before it has taken all of it
        wild.sendall(sent)
        wild.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: wild.recv(65536), b""))
        assert not answer.startswith(b"HTTP/1.1 500")
    with closing(socket.create_connection(address, timeout=10)) as good:
        good.sendall(b"GET /v2/locations HTTP/1.1\r\nConnection: close\r\n" + AUTHORIZED + b"\r\n")
        assert b"".join(iter(lambda: good.recv(65536), b"")).startswith(b"HTTP/1.1 200")
