"""One tree: drawn as it is, every code of Square in it, every text says what to do."""

import inspect
import re

import httpx
import pytest

from loyalty_helpers import errors
from loyalty_helpers.api import square_error
from loyalty_helpers.errors import (
    AuthenticationError,
    IdempotencyKeyReusedError,
    InvalidRequestError,
    LoyaltyError,
    NoAnswerError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    ParameterError,
    RateLimitedError,
    SquareError,
    SquareUnavailableError,
    UnexpectedAnswerError,
)

from .doubles import EVENT, Answers, make_client, make_wire, refused, reply

CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and value.__module__ == errors.__name__
]
REQUEST = "POST /v2/loyalty/accounts/search"

# The HTTP status of each code, as Square's specification of 2020-11-18 last gave it.
CODES = {
    400: """
        BAD_REQUEST MISSING_REQUIRED_PARAMETER INCORRECT_TYPE INVALID_TIME INVALID_TIME_RANGE
        INVALID_VALUE INVALID_CURSOR UNKNOWN_QUERY_PARAMETER CONFLICTING_PARAMETERS
        EXPECTED_JSON_BODY INVALID_SORT_ORDER VALUE_REGEX_MISMATCH VALUE_TOO_SHORT VALUE_TOO_LONG
        VALUE_TOO_LOW VALUE_TOO_HIGH VALUE_EMPTY ARRAY_LENGTH_TOO_LONG ARRAY_LENGTH_TOO_SHORT
        ARRAY_EMPTY EXPECTED_BOOLEAN EXPECTED_INTEGER EXPECTED_FLOAT EXPECTED_STRING
        EXPECTED_OBJECT EXPECTED_ARRAY EXPECTED_MAP INVALID_ARRAY_VALUE INVALID_ENUM_VALUE
        INVALID_CONTENT_TYPE NO_FIELDS_SET CUSTOMER_NOT_FOUND INVALID_PHONE_NUMBER
        SANDBOX_NOT_SUPPORTED INVALID_SQUARE_VERSION_FORMAT API_VERSION_INCOMPATIBLE
        UNEXPECTED_VALUE LOCATION_MISMATCH UNKNOWN_BODY_PARAMETER UNSUPPORTED_LOYALTY_REWARD_TIER
        MERCHANT_SUBSCRIPTION_NOT_FOUND""",
    401: "UNAUTHORIZED ACCESS_TOKEN_EXPIRED ACCESS_TOKEN_REVOKED CLIENT_DISABLED",
    403: "FORBIDDEN INSUFFICIENT_SCOPES APPLICATION_DISABLED V1_APPLICATION V1_ACCESS_TOKEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    408: "REQUEST_TIMEOUT",
    409: "CONFLICT",
    410: "GONE",
    413: "REQUEST_ENTITY_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "UNPROCESSABLE_ENTITY",
    429: "RATE_LIMITED",
    500: "INTERNAL_SERVER_ERROR",
    501: "NOT_IMPLEMENTED",
    502: "BAD_GATEWAY",
    503: "SERVICE_UNAVAILABLE TEMPORARY_ERROR",
    504: "GATEWAY_TIMEOUT",
}
OWN_CLASS = {
    401: AuthenticationError,
    403: AuthenticationError,
    404: NotFoundError,
    408: SquareUnavailableError,
    429: RateLimitedError,
    **dict.fromkeys((500, 501, 502, 503, 504), SquareUnavailableError),
}
EVERY_CODE = [(status, code) for status, codes in CODES.items() for code in codes.split()]


@pytest.mark.parametrize(("status", "code"), EVERY_CODE, ids=lambda value: str(value))
def test_every_code_of_square_has_its_class(status, code):
    error = square_error(status, [{"category": "X", "code": code}], request=REQUEST)

    assert (OWN_CLASS.get(status, InvalidRequestError), status, code) == (
        type(error),
        error.status,
        error.code,
    )


def test_a_reused_key_is_known_by_its_code_and_not_by_the_status():
    error = square_error(400, [{"code": "IDEMPOTENCY_KEY_REUSED"}], request=REQUEST)

    assert IdempotencyKeyReusedError is type(error)


def test_an_unknown_code_is_kept():
    error = square_error(418, [{"code": "TEAPOT"}], request=REQUEST)

    assert (InvalidRequestError, "TEAPOT") == (type(error), error.code)


def test_an_answer_without_errors_is_told_by_its_status():
    error = square_error(503, [], request=REQUEST)

    assert f"{REQUEST} -> 503 without a code" == str(error).splitlines()[0]


def test_an_error_carries_what_a_handler_needs():
    sent = {"category": "C", "code": "VALUE_TOO_LONG", "detail": "D", "field": "a.b"}
    error = square_error(400, [sent], request=REQUEST)

    assert (400, "C", "VALUE_TOO_LONG", "D", "a.b", REQUEST, (sent,)) == (
        error.status,
        error.category,
        error.code,
        error.detail,
        error.field,
        error.request,
        error.errors,
    )


def test_further_errors_of_an_answer_are_told():
    several = [{"code": "VALUE_EMPTY", "field": "a"}, {"code": "VALUE_TOO_LONG", "field": "b"}]

    assert "also VALUE_TOO_LONG b" in str(square_error(400, several, request=REQUEST))


def test_the_tree_is_drawn_as_it_is():
    drawn, above = {}, {}
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"((?:\|   |    )*)(?:\+-- )?(\w+Error)\b", line):
            depth = len(match[1]) // 4 + ("+--" in line)
            above[depth] = match[2]
            drawn[match[2]] = above.get(depth - 1)

    parents = {kind.__name__: kind.__mro__[1].__name__ for kind in CLASSES}
    assert parents | {"LoyaltyError": None} == drawn


def test_a_refused_value_is_a_value_error_too():
    assert issubclass(ParameterError, ValueError)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_has_the_one_root(kind):
    assert issubclass(kind, LoyaltyError)


@pytest.mark.parametrize("kind", SquareError.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_error_of_square_says_what_to_do(kind):
    status = {IdempotencyKeyReusedError: 400, InvalidRequestError: 422}.get(kind) or next(
        status for status, own in OWN_CLASS.items() if own is kind
    )
    code = "IDEMPOTENCY_KEY_REUSED" if kind is IdempotencyKeyReusedError else "X"
    error = square_error(status, [{"code": code}], request=REQUEST)

    first, advice = str(error).splitlines()
    assert (f"{REQUEST} -> {status} {code}", kind) == (first, type(error))
    assert re.search(r"\b(Check|ask again|Ask again|repeat it)\b", advice)


def transport_errors(kind=httpx.TransportError):
    """Every class of httpx that a transport can raise, the groups aside."""
    below = kind.__subclasses__()
    return [kind] if not below else [leaf for each in below for leaf in transport_errors(each)]


NEVER_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"}


@pytest.mark.parametrize("kind", transport_errors(), ids=lambda kind: kind.__name__)
def test_every_transport_error_is_mapped_and_its_meaning_kept(kind):
    wire = make_wire(Answers(kind("told by the network")))
    with pytest.raises(NoAnswerError) as caught:
        wire.send("POST", "/v2/x", {}, writes=True)

    never = kind.__name__ in NEVER_SENT
    meaning = "" if never else f"{kind.__name__} after it was sent "
    assert (NotSentError if never else OutcomeUnknownError) is caught.type
    assert f"{meaning}(told by the network)" in str(caught.value)


@pytest.mark.parametrize("kind", [httpx.DecodingError, httpx.TooManyRedirects])
def test_other_request_errors_leave_the_outcome_unknown(kind):
    wire = make_wire(Answers(kind("told by the network")))
    with pytest.raises(OutcomeUnknownError, match=kind.__name__):
        wire.send("POST", "/v2/x", {}, writes=True)


def test_no_answer_says_what_happened_and_what_to_do():
    wire = make_wire(Answers(httpx.ConnectError("[Errno 111] Connection refused")))
    with pytest.raises(NotSentError) as caught:
        wire.send("GET", "/v2/x")

    assert (
        "GET /v2/x: no connection to http://127.0.0.1:8123 ([Errno 111] Connection refused). "
        "This request was not sent, so it changed nothing. Check the network, then run it again "
        "with the same run id."
    ) == str(caught.value)


def test_no_answer_counts_the_attempts():
    wire = make_wire(Answers(httpx.ReadTimeout("late")), attempts=3)
    with pytest.raises(OutcomeUnknownError) as caught:
        wire.send("POST", "/v2/x", {}, writes=True)

    assert ("POST /v2/x", 3) == (caught.value.request, caught.value.attempts)


def test_phone_numbers_in_an_error_of_square_are_masked():
    wire = make_wire(Answers(refused(400, "INVALID_PHONE_NUMBER", detail="+14155550123 is bad")))
    with pytest.raises(InvalidRequestError) as caught:
        wire.send("POST", "/v2/x", {})

    assert "***0123 is bad" == caught.value.detail


FORGED = "no\x1b[2K\r\nverified: all is well\x9b1m \u202e\u200b\x1b]0;t\x07"


@pytest.mark.parametrize("part", ["detail", "field", "code"])
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_no_text_of_square_can_forge_a_line_of_ours(part, status):
    wire = make_wire(Answers(refused(status, **{"code": "X"} | {part: FORGED})), attempts=1)
    with pytest.raises(SquareError) as caught:
        wire.send("GET", "/v2/x")

    assert getattr(caught.value, part).isprintable()
    assert all(line.isprintable() for line in str(caught.value).split("\n"))
    assert not any(line.startswith("verified") for line in str(caught.value).split("\n"))


def test_further_errors_cannot_forge_a_line_either():
    errors = [{"code": "X"}, {"code": FORGED, "field": FORGED}]
    wire = make_wire(Answers(reply(400, {"errors": errors})), attempts=1)
    with pytest.raises(SquareError) as caught:
        wire.send("GET", "/v2/x")

    assert all(line.isprintable() for line in str(caught.value).split("\n"))


@pytest.mark.parametrize(
    "wrong", [{"id": FORGED}, {"loyalty_account_id": "a\n"}, {"id": "\u202eid"}]
)
def test_an_id_that_could_forge_a_line_is_no_id(wrong):
    client = make_client(Answers(reply(200, {"events": [EVENT | wrong]})))
    with pytest.raises(UnexpectedAnswerError) as caught:
        list(client.search_events())

    assert str(caught.value).isprintable()


def test_a_time_that_is_none_is_shown_as_plain_text():
    client = make_client(Answers(reply(200, {"events": [EVENT | {"created_at": FORGED}]})))

    assert str(next(iter(client.search_events())).created_at).isprintable()


def test_a_page_cursor_that_is_new_for_ever_ends_at_a_number_that_is_said():
    class Endless(httpx.BaseTransport):
        pages = 0

        def handle_request(self, request):
            self.pages += 1
            return httpx.Response(200, json={"events": [], "cursor": f"c{self.pages}"})

    endless = Endless()
    with pytest.raises(UnexpectedAnswerError, match="more than 7 pages"):
        list(make_client(endless, pages=7).search_events())

    assert 7 == endless.pages
