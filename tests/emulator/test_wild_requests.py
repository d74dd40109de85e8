"""Wild requests: never a 500, never a hang, never a file that is not sound.

Every operation gets its own valid request, about things that exist and with a key of its own, with
something in it replaced, left out or added, in process; a served one gets bytes that are hardly
HTTP. Square's models judge each answer.
"""

import json
import re
import socket
import struct
from contextlib import ExitStack, closing
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty_helpers.emulator import Emulator, Server
from loyalty_helpers.emulator.ledger import EVENT_FIELDS
from loyalty_helpers.emulator.routes import ROUTES, find_route
from tests.seed_world import ACCOUNT_ID, COFFEE_ID, COFFEE_TIER_ID, ORDER_EARNING_12, PROGRAM_ID

from .conftest import TOKEN, Api
from .square_schema import problems_of

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
ORDER = {
    "location_id": LOCATION,
    "line_items": [
        {
            **LINE,
            "modifiers": [{"name": "Oat", "quantity": "1", "base_price_money": USD}],
            "applied_discounts": [{"discount_uid": "own"}],
            "metadata": {"till": "2"},
        }
    ],
    "taxes": [{"name": "Tax", "percentage": "8.5", "scope": "ORDER"}],
    "discounts": [
        {"name": "Less", "amount_money": USD, "scope": "ORDER"},
        {"uid": "own", "percentage": "5", "type": "FIXED_PERCENTAGE", "scope": "LINE_ITEM"},
    ],
    "service_charges": [
        {"name": "Table", "percentage": "5", "calculation_phase": "SUBTOTAL_PHASE", "taxable": True}
    ],
    "reference_id": "r",
    "customer_id": "<customer>",
}
PERIOD = {"start_at": "2026-01-01T00:00:00Z", "end_at": "2027-01-01T00:00:00+01:00"}
FILTER = {
    "loyalty_account_filter": {"loyalty_account_id": ACCOUNT_ID},
    "type_filter": {"types": ["ADJUST_POINTS"]},
    "date_time_filter": {"created_at": PERIOD},
    "location_filter": {"location_ids": [LOCATION]},
    "order_filter": {"order_id": ORDER_EARNING_12},
}
CUSTOMERS = {
    "filter": {
        "phone_number": {"exact": "+14155551234"},
        "email_address": {"fuzzy": "example"},
        "reference_id": {"exact": "r"},
        "creation_source": {"values": ["LOYALTY"], "rule": "INCLUDE"},
        "created_at": PERIOD,
    },
    "sort": {"field": "CREATED_AT", "order": "DESC"},
}
CUSTOMER = {
    "given_name": "G",
    "phone_number": "+14155550162",
    "email_address": "g@example.com",
    "birthday": "09-21",
    "address": {"address_line_1": "500 Electric Ave", "country": "US"},
    "tax_ids": {"eu_vat": "IE3426675K"},
}
KEY = {"idempotency_key": "<key>"}
# In a request, `<order>` and the like stand for the id of one that is made for that request: what
# has been used up, or has been answered before under the same key, is refused before it is read.
VALID = [
    ("POST", f"{ACCOUNT}/adjust", {"adjust_points": {"points": 1, "reason": "r"}, **KEY}),
    (
        "POST",
        f"{ACCOUNT}/accumulate",
        {"accumulate_points": {"order_id": "<paid>"}, "location_id": LOCATION, **KEY},
    ),
    (
        "POST",
        "/v2/loyalty/accounts",
        {
            "loyalty_account": {
                "program_id": PROGRAM_ID,
                "mapping": {"phone_number": "<phone>"},
                "enrolled_at": "2026-01-01T00:00:00Z",
            },
            **KEY,
        },
    ),
    (
        "POST",
        "/v2/loyalty/accounts/search",
        {"query": {"mappings": [{"phone_number": "+14155551234"}]}, "limit": 2, "cursor": None},
    ),
    ("GET", ACCOUNT, None),
    ("POST", "/v2/loyalty/events/search", {"query": {"filter": FILTER}, "limit": 2}),
    ("GET", "/v2/loyalty/programs", None),
    ("GET", PROGRAM, None),
    (
        "POST",
        f"{PROGRAM}/calculate",
        {"order_id": "<order>", "loyalty_account_id": ACCOUNT_ID},
    ),
    ("GET", f"{PROGRAM}/promotions", None),
    ("POST", f"{PROGRAM}/promotions", {"loyalty_promotion": PROMOTION, **KEY}),
    ("GET", f"{PROGRAM}/promotions/<promotion>", None),
    ("POST", f"{PROGRAM}/promotions/<promotion>/cancel", {}),
    (
        "POST",
        "/v2/loyalty/rewards",
        {
            "reward": {
                "loyalty_account_id": ACCOUNT_ID,
                "reward_tier_id": COFFEE_TIER_ID,
                "order_id": "<order>",
            },
            **KEY,
        },
    ),
    (
        "POST",
        "/v2/loyalty/rewards/search",
        {"query": {"loyalty_account_id": ACCOUNT_ID, "status": "ISSUED"}, "limit": 2},
    ),
    ("GET", "/v2/loyalty/rewards/<reward>", None),
    ("DELETE", "/v2/loyalty/rewards/<reward>", None),
    ("POST", "/v2/loyalty/rewards/<reward>/redeem", {"location_id": LOCATION, **KEY}),
    (
        "POST",
        "/v2/customers/search",
        {"query": CUSTOMERS, "limit": 2, "count": True},
    ),
    ("GET", "/v2/customers/<customer>", None),
    ("POST", "/v2/customers", {**CUSTOMER, **KEY}),
    ("POST", "/v2/orders", {"order": ORDER, **KEY}),
    ("GET", f"/v2/orders/{ORDER_EARNING_12}", None),
    ("POST", "/v2/orders/<order>/pay", {"payment_ids": ["<payment>"], "order_version": 1, **KEY}),
    (
        "POST",
        "/v2/payments",
        {
            "source_id": "cnon:card-nonce-ok",
            "amount_money": USD,
            "tip_money": USD,
            "order_id": "<order>",
            "location_id": LOCATION,
            "autocomplete": True,
            **KEY,
        },
    ),
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
    st.sampled_from(["Square-Version", "Content-Type", "Content-Length", "Content-Encoding"])
    | st.sampled_from(["Transfer-Encoding", "Accept", "Cookie", "Host", "Authorization", "X-Wild"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
    | st.sampled_from(["2022-01-01", "9999-99-99", "text/html", "application/json; charset=x"])
    | st.sampled_from(["-1", "0", "3", "1_0", "9" * 30, "gzip", "chunked", "Bearer "]),
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


class Wild:
    """An emulator that wild requests are sent to, and what they need to exist."""

    def __init__(self, api):
        self.api, self.sent, self.last_order = api, 0, ""
        api.adjust(1_000_000, "for rewards")

    def send(self, method, path, content=None, headers=None):
        """Send a request in which names such as `<order>` come to stand for something."""
        if "promotions" in path:
            self.end_promotions()  # ten at a time are all that there may be
        for name in NAMES:
            if name in path or name in (content or ""):
                made = getattr(self, name.strip("<>"))()
                path = path.replace(name, made)
                content = content and content.replace(name, made)
        return self.api.client.request(method, path, content=content, headers=headers)

    def key(self):
        self.sent += 1
        return f"wild {self.sent}"

    def phone(self):
        self.sent += 1
        return f"+1212555{self.sent % 10_000:04}"

    def order(self):
        self.last_order = self.api.order(LINE).json()["order"]["id"]
        return self.last_order

    def payment(self):
        paid = self.api.pay(300, self.key(), order_id=self.last_order, autocomplete=False)
        return paid.json()["payment"]["id"]

    def paid(self):
        return self.api.bought(LINE, key=self.key())["id"]

    def customer(self):
        made = self.api.client.post("/v2/customers", json={"given_name": "G"})
        return made.json()["customer"]["id"]

    def reward(self):
        return self.api.reward(key=self.key()).json()["reward"]["id"]

    def promotion(self):
        return self.api.promote(self.key()).json()["loyalty_promotion"]["id"]

    def end_promotions(self):
        for status in ("ACTIVE", "SCHEDULED"):
            found = self.api.client.get(f"{PROGRAM}/promotions", params={"status": status}).json()
            for each in found.get("loyalty_promotions", []):
                self.api.client.post(f"{PROGRAM}/promotions/{each['id']}/cancel")


NAMES = (
    "<key>",
    "<phone>",
    "<order>",
    "<payment>",
    "<paid>",
    "<customer>",
    "<reward>",
    "<promotion>",
)


def assert_sound(api):
    """The file is whole, every balance is the sum of its events, and a good request works."""
    with api.emulator._database.reading() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchone() is None
    accounts = api.accounts(limit=200).json()
    totals = dict.fromkeys([each["id"] for each in accounts["loyalty_accounts"]], 0)
    for event in api.all_events():
        points = event[EVENT_FIELDS[event["type"]]].get("points", 0)
        totals[event["loyalty_account_id"]] += points
    assert "cursor" not in accounts
    assert totals == {each["id"]: each["balance"] for each in accounts["loyalty_accounts"]}
    assert api.adjust(1, "a good request").status_code == 200


@pytest.fixture
def wild(api):
    """Whatever a test sends, the world is sound after it."""
    yield Wild(api)
    assert_sound(api)


def test_every_operation_is_among_the_valid_ones():
    assert {find_route(method, path)[0] for method, path, _ in VALID} == set(ROUTES)


@pytest.mark.parametrize(("method", "path", "body"), VALID)
def test_what_is_made_wild_is_valid_before(wild, method, path, body):
    content = None if body is None else json.dumps(body)

    assert wild.send(method, path, content).status_code == 200


@ANY_REQUESTS
@given(request=requests())
def test_wild_fields_are_answered_in_the_envelope(wild, request):
    method, path, body, headers = request
    answer = wild.send(method, path, None if body is None else json.dumps(body), headers)

    assert answer.status_code < 500
    assert (answer.status_code == 200) == ("errors" not in answer.json())


@ANY_REQUESTS
@given(case=st.sampled_from(VALID), content=st.binary(max_size=200))
def test_wild_bytes_are_answered_in_the_envelope(wild, case, content):
    method, path, _ = case
    answer = wild.api.client.request(method, path, content=content)

    assert answer.status_code < 500


SEGMENTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9).map(
    lambda text: quote(text, safe="")
) | st.sampled_from(["", ".", "..", "%2F", "%00", "%ff", "main", "search", "a" * 9000, ACCOUNT_ID])
METHODS = st.sampled_from(
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW", "get"]
)


@st.composite
def addresses(draw):
    """The path of some operation, wild in one or two segments, and a query."""
    segments = draw(st.sampled_from(VALID))[1].split("/")[1:]
    for _ in range(draw(st.integers(1, 2))):
        start = draw(st.integers(0, len(segments)))
        segments[start : start + draw(st.integers(0, 2))] = draw(st.lists(SEGMENTS, max_size=2))
    # Two slashes before anything else are the client's way to name a host.
    return "/" + "/".join(segments).lstrip("/")


@ANY_REQUESTS
@given(method=METHODS, path=addresses(), body=st.sampled_from([None, "{}", '{"limit": 1}']))
def test_wild_paths_and_methods_are_answered_in_the_envelope(wild, method, path, body):
    assert wild.send(method, path, body).status_code in (200, 400, 404, 405)


@ANY_REQUESTS
@given(
    query=st.lists(
        st.tuples(
            st.sampled_from(["status", "limit", "cursor", "x"]),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
            | st.integers().map(str)
            | st.sampled_from(["ACTIVE", "ENDED", "30", "031", "٣", "1e1", "%ff", "a" * 9000]),
        ),
        max_size=4,
    )
)
def test_wild_queries_are_answered_in_the_envelope(wild, query):
    answer = wild.api.client.get(f"{PROGRAM}/promotions", params=query)

    assert answer.status_code in (200, 400)


@pytest.mark.parametrize("nested", ["[" * 100_000, '{"a":' * 100_000, "9" * 1_000_000])
def test_bodies_without_an_end_are_refused(wild, nested):
    answer = wild.api.client.post(f"{ACCOUNT}/adjust", content=nested)

    assert answer.status_code == 400


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
    """Where a served emulator listens, whose world is sound in the end."""
    path = tmp_path_factory.mktemp("wild") / "world.db"
    with Emulator.open(path) as emulator:
        with Server(emulator) as server:
            host, port = server.url.removeprefix("http://").split(":")
            yield host, int(port)
        assert_sound(Api(emulator))


def reach(address):
    """A connection on which nothing takes longer than 10 seconds."""
    return closing(socket.create_connection(address, timeout=10))


def answer_to(address, sent):
    """Everything that is answered until the server closes."""
    with reach(address) as wild:
        try:
            wild.sendall(sent)
            wild.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: wild.recv(65536), b""))
        except TimeoutError:
            raise
        except OSError:
            return b""  # it did not want all of it


def judge(answers):
    """None of the answers tells of a failure, and refusals are in the envelope."""
    while answers:
        head, _, rest = answers.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        told = re.search(rb"(?i)content-length: (\d+)", head)
        length = int(told[1]) if told else 0  # 100 Continue has no body
        body, answers = rest[:length], rest[length:]
        assert status < 500 or status == 501, head  # 501 is for encodings that there are not
        if b"application/json" in head and status >= 400 and len(body) == length:
            assert problems_of("", "", status, body) == []


def assert_answers(address):
    with reach(address) as good:
        good.sendall(b"GET /v2/locations HTTP/1.1\r\nConnection: close\r\n" + AUTHORIZED + b"\r\n")
        assert b"".join(iter(lambda: good.recv(65536), b"")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("sent", HARDLY_HTTP.values(), ids=HARDLY_HTTP)
def test_what_is_hardly_http_ends_and_the_next_request_is_answered(served, sent):
    judge(answer_to(served, sent))
    assert_answers(served)


SEARCH = b"POST /v2/loyalty/accounts/search HTTP/1.1\r\n" + AUTHORIZED
ADJUSTMENT = json.dumps({"adjust_points": {"points": 1}, "idempotency_key": "raw"}).encode()
GOOD = [
    b"GET /v2/locations HTTP/1.1\r\n" + AUTHORIZED + b"\r\n",
    SEARCH + b'Content-Length: 11\r\n\r\n{"limit":1}',
    SEARCH + b'Transfer-Encoding: chunked\r\n\r\n4\r\n{"li\r\n7;x=y\r\nmit":1}\r\n0\r\n\r\n',
    SEARCH + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
    f"POST {ACCOUNT}/adjust HTTP/1.1\r\nContent-Length: {len(ADJUSTMENT)}\r\n".encode()
    + AUTHORIZED
    + b"\r\n"
    + ADJUSTMENT,
]
PIECES = (
    st.binary(max_size=8)
    | st.sampled_from([b"\r\n", b"\r\n\r\n", b"\n", b": ", b" ", b"\0", b"x" * 9000])
    | st.sampled_from([b"Content-Length: 7\r\n", b"Transfer-Encoding: chunked\r\n"])
    | st.sampled_from([b"0\r\n\r\n", b"-1\r\n", b"f" * 20 + b"\r\n"])
)


@st.composite
def nearly_http(draw):
    """Good requests, one after the other, with bytes replaced, left out and added."""
    sent = b"".join(draw(st.lists(st.sampled_from(GOOD), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(1, 4))):
        start, length = draw(st.integers(0, len(sent))), draw(st.integers(0, 8))
        sent = sent[:start] + draw(PIECES) + sent[start + length :]
    return sent


@ANY_REQUESTS
@given(sent=nearly_http())
def test_what_is_nearly_http_ends_without_a_failure(served, sent):
    judge(answer_to(served, sent))


def close(wild):
    wild.close()


def reset(wild):
    """Close as a process does that is killed: what is under way is thrown away."""
    wild.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wild.close()


@pytest.mark.parametrize("leave", [close, reset])
def test_who_leaves_early_harms_nobody(served, leave):
    for sent in GOOD:
        for end in range(0, len(sent) + 1, 7):
            with reach(served) as wild:
                wild.sendall(sent[:end])
                leave(wild)
    assert_answers(served)


@pytest.mark.parametrize(
    "sent",
    [b"", GOOD[0][:20], GOOD[1][:-5]],
    ids=["nothing", "half a head", "half a body"],
)
def test_who_stays_and_is_silent_keeps_nobody_waiting(served, sent):
    with ExitStack() as silent:
        for _ in range(150):
            silent.enter_context(reach(served)).sendall(sent)
        assert_answers(served)


def test_who_reads_no_answer_keeps_nobody_waiting(served):
    with reach(served) as silent:
        silent.sendall(GOOD[0] * 50)
        assert_answers(served)
