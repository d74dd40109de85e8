"""Each operation as it goes over the wire, and what the client makes of the answer."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import httpx
import pytest

from loyalty_helpers.errors import (
    AccountNotFoundError,
    InvalidRequestError,
    NoAnswerError,
    NoRecordingError,
    NotSentError,
    ParameterError,
    ProductionGuardError,
    SeveralAccountsError,
    SquareUnavailableError,
    UnexpectedAnswerError,
)
from loyalty_helpers.records.models import LoyaltyEvent
from loyalty_helpers.session import connect
from tests.doubles import (
    ACCOUNT,
    ACCOUNT_BODY,
    ACCOUNT_ID,
    ADJUST,
    CANARY_PHONE,
    CANARY_TOKEN,
    EVENT,
    PHONE,
    PROGRAM_ID,
    Answers,
    make_client,
    refused,
    reply,
)

LOCATION = "L88917AVBK2S5"
ORDER = "RFZfrdtm3mhO1oGzf5Cx7fEMsmGZY"  # $12 at that location: earns 12 points
CUSTOMER = "Q80035RNBEZ4WYTB1P9PTAMTexample"
RICH, SHARED = "+14155550101", "+14155550160"  # more events than a page; a customer of two accounts


@pytest.fixture
def local():
    with connect("local") as client:
        yield client


def sent(client):
    exchange = client.last_exchange
    return exchange.method, exchange.path, exchange.body


# Each operation


def test_retrieve_program(local):
    program = local.retrieve_program()

    assert ("GET", "/v2/loyalty/programs/main", None) == sent(local)
    assert (PROGRAM_ID, "ACTIVE", "Points") == (
        program.id,
        program.status,
        program.terminology.other,
    )
    assert [10, 15] == [tier.points for tier in program.reward_tiers]


def test_list_locations(local):
    locations = local.list_locations()

    assert ("GET", "/v2/locations", None) == sent(local)
    assert (LOCATION, {"ML7RT2C9WQ5XK"}) == (
        locations[0].id,
        {location.merchant_id for location in locations},
    )


def test_a_location_names_its_country(local):
    assert {"US"} == {location.country for location in local.list_locations()}


@pytest.mark.parametrize(
    "by", [{"email_address": "ada@example.com"}, {"reference_id": "CRM 4711"}], ids=str
)
def test_search_customers(local, by):
    profile = {"email_address": "ada@example.com", "reference_id": "CRM 4711"}
    made = local.request("POST", "/v2/customers", profile | {"idempotency_key": "k"})

    found = [customer.id for customer in local.search_customers(**by)]

    [(name, text)] = by.items()
    asked = {"query": {"filter": {name: {"exact": text}}}}
    assert ("POST", "/v2/customers/search", asked) == sent(local)
    assert [made.answer["customer"]["id"]] == found


@pytest.mark.parametrize("by", [{}, {"email_address": "a@example.com", "reference_id": "1"}])
def test_a_search_for_customers_takes_one_way(local, by):
    with pytest.raises(ParameterError, match="exactly one of email_address, reference_id"):
        local.search_customers(**by)


def test_a_token_is_not_searched_for(local):
    with pytest.raises(ParameterError, match="found an access token"):
        local.search_customers(reference_id=CANARY_TOKEN)

    assert not local.exchanges


def test_create_account(local):
    joined = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    account = local.create_account(
        "+14155559876", program_id=PROGRAM_ID, idempotency_key="k", enrolled_at=joined
    )

    enrolment = {
        "program_id": PROGRAM_ID,
        "mapping": {"phone_number": "+14155559876"},
        "enrolled_at": "2025-01-02T03:04:05Z",
    }
    body = {"loyalty_account": enrolment, "idempotency_key": "k"}
    assert ("POST", "/v2/loyalty/accounts", body) == sent(local)
    assert (0, joined, account.id) == (
        account.balance,
        account.enrolled_at,
        local.find_account(phone_number="+14155559876").id,
    )


def test_search_accounts_by_phone_numbers(local):
    found = list(local.search_accounts(phone_numbers=[PHONE, RICH]))

    mappings = [{"phone_number": PHONE}, {"phone_number": RICH}]
    body = {"limit": 30, "query": {"mappings": mappings}}
    assert ("POST", "/v2/loyalty/accounts/search", body) == sent(local)
    assert [PHONE, RICH] == [account.mapping.phone_number for account in found]


def test_search_accounts_by_customer_ids(local):
    found = list(local.search_accounts(customer_ids=[CUSTOMER]))

    body = {"limit": 30, "query": {"customer_ids": [CUSTOMER]}}
    assert (body, [ACCOUNT_ID]) == (sent(local)[2], [account.id for account in found])


def test_search_all_accounts(local):
    found = list(local.search_accounts(page_size=200))

    assert {"limit": 200} == sent(local)[2]
    assert (45, True) == (len(found), found[0].id == ACCOUNT_ID)


def test_retrieve_account(local):
    account = local.retrieve_account(ACCOUNT_ID)

    assert ("GET", ACCOUNT, None) == sent(local)
    assert (ACCOUNT_ID, 0, datetime(2020, 5, 11, 22, 55, 18, tzinfo=UTC)) == (
        account.id,
        account.balance,
        account.created_at,
    )


def test_adjust_points(local):
    event = local.adjust_points(ACCOUNT_ID, 12, idempotency_key="k", reason="Late order 😀")

    adjustment = {"points": 12, "reason": "Late order 😀"}
    assert ("POST", ADJUST, {"adjust_points": adjustment, "idempotency_key": "k"}) == sent(local)
    assert ("ADJUST_POINTS", 12, "Late order 😀") == (event.type, event.points, event.reason)
    assert 12 == local.retrieve_account(ACCOUNT_ID).balance


def test_adjust_points_below_zero(local):
    local.adjust_points(ACCOUNT_ID, -5, idempotency_key="k", allow_negative_balance=True)

    body = {"adjust_points": {"points": -5}, "idempotency_key": "k", "allow_negative_balance": True}
    assert (body, -5) == (sent(local)[2], local.retrieve_account(ACCOUNT_ID).balance)


def test_adjust_points_below_zero_is_refused_unless_allowed(local):
    with pytest.raises(InvalidRequestError) as caught:
        local.adjust_points(ACCOUNT_ID, -5, idempotency_key="k")

    assert ((400, "BAD_REQUEST"), 0) == (
        (caught.value.status, caught.value.code),
        local.retrieve_account(ACCOUNT_ID).balance,
    )


def test_accumulate_points_of_an_order(local):
    events = local.accumulate_points(
        ACCOUNT_ID, location_id=LOCATION, idempotency_key="k", order_id=ORDER
    )

    body = {
        "accumulate_points": {"order_id": ORDER},
        "location_id": LOCATION,
        "idempotency_key": "k",
    }
    assert ("POST", f"{ACCOUNT}/accumulate", body) == sent(local)
    assert [("ACCUMULATE_POINTS", 12)] == [(event.type, event.points) for event in events]


def test_accumulate_a_number_of_points(local):
    events = local.accumulate_points(
        ACCOUNT_ID, location_id=LOCATION, idempotency_key="k", points=7
    )

    assert ({"points": 7}, [7]) == (
        sent(local)[2]["accumulate_points"],
        [event.points for event in events],
    )


def test_a_purchase_that_earns_nothing_has_no_events():
    client = make_client(Answers(reply(200, {})))

    assert [] == client.accumulate_points("a", location_id="l", idempotency_key="k", points=1)


def test_search_events_with_every_filter(local):
    account = local.find_account(phone_number=RICH)
    list(
        local.search_events(
            account_id=account.id,
            types=["ACCUMULATE_POINTS"],
            start_at=datetime(2025, 1, 1, tzinfo=UTC),
            end_at=datetime(2027, 1, 1, tzinfo=UTC),
            location_ids=[LOCATION],
            order_id=ORDER,
            page_size=10,
        )
    )

    created_at = {"start_at": "2025-01-01T00:00:00Z", "end_at": "2027-01-01T00:00:00Z"}
    filters = {
        "loyalty_account_filter": {"loyalty_account_id": account.id},
        "type_filter": {"types": ["ACCUMULATE_POINTS"]},
        "date_time_filter": {"created_at": created_at},
        "location_filter": {"location_ids": [LOCATION]},
        "order_filter": {"order_id": ORDER},
    }
    body = {"limit": 10, "query": {"filter": filters}}
    assert ("POST", "/v2/loyalty/events/search", body) == sent(local)


def test_search_events_without_a_filter(local):
    next(local.search_events())

    assert {"limit": 30} == sent(local)[2]


def test_events_of_a_balance_add_up_to_it(local):
    account = local.find_account(phone_number=RICH)
    events = list(local.search_events(account_id=account.id))

    assert (True, account.balance) == (len(events) > 30, sum(event.points for event in events))


def test_the_end_of_a_period_counts_events_of_the_second_it_is_in(local):
    event = local.adjust_points(ACCOUNT_ID, 12, idempotency_key="k")
    end = event.created_at + timedelta(microseconds=1)

    assert [event] == list(local.search_events(account_id=ACCOUNT_ID, end_at=end))
    assert [] == list(local.search_events(account_id=ACCOUNT_ID, end_at=event.created_at))


def test_the_start_of_a_period_leaves_out_events_before_it(local):
    event = local.adjust_points(ACCOUNT_ID, 12, idempotency_key="k")
    start = event.created_at + timedelta(microseconds=1)

    assert [] == list(local.search_events(account_id=ACCOUNT_ID, start_at=start))
    assert [event] == list(local.search_events(account_id=ACCOUNT_ID, start_at=event.created_at))


# Exactly one account


@pytest.mark.parametrize(
    "by", [{"phone_number": PHONE}, {"customer_id": CUSTOMER}, {"account_id": ACCOUNT_ID}]
)
def test_find_account_finds_the_one(local, by):
    assert ACCOUNT_ID == local.find_account(**by).id


@pytest.mark.parametrize(
    ("by", "hint"),
    [
        ({"phone_number": "+14155559999"}, "search by customer_id"),
        ({"customer_id": "nobody"}, "Check the id, and the environment"),
        ({"account_id": "nobody"}, "Check the id, and the environment"),
    ],
)
def test_find_account_says_that_there_is_none(local, by, hint):
    with pytest.raises(AccountNotFoundError, match=hint):
        local.find_account(**by)


def test_find_account_lists_several(local):
    customer = local.find_account(phone_number=SHARED).customer_id
    ids = [account.id for account in local.search_accounts(customer_ids=[customer])]
    with pytest.raises(SeveralAccountsError, match=r"2 loyalty accounts fit; .*by account_id") as e:
        local.find_account(customer_id=customer)

    assert (tuple(ids), True) == (e.value.account_ids, all(i in str(e.value) for i in ids))


def test_find_account_by_phone_lists_several():
    two = {"loyalty_accounts": [ACCOUNT_BODY, ACCOUNT_BODY | {"id": "other"}]}
    with pytest.raises(SeveralAccountsError):
        make_client(Answers(reply(200, two))).find_account(phone_number=PHONE)


def test_buyers_that_look_alike_when_masked_are_told_apart(local):
    twin, other = (local.find_account(phone_number=n) for n in ("+14155550142", "+12125550142"))

    assert (twin.masked_phone_number, True) == (other.masked_phone_number, twin.id != other.id)


@pytest.mark.parametrize(
    ("by", "found"),
    [
        ({}, "none"),
        ({"phone_number": PHONE, "account_id": "a"}, "phone_number and account_id"),
        ({"customer_id": "c", "account_id": "a"}, "customer_id and account_id"),
    ],
)
def test_find_account_wants_exactly_one_way(local, by, found):
    with pytest.raises(ParameterError, match=f"exactly one of .* found {found}"):
        local.find_account(**by)


# Refused before any request

BAD_IDS = ["../../v2/payments", "a?b", "a/b", "x" * 37, ""]


@pytest.mark.parametrize("bad", BAD_IDS)
@pytest.mark.parametrize(
    "call",
    [
        lambda client, bad: client.retrieve_account(bad),
        lambda client, bad: client.adjust_points(bad, 1, idempotency_key="k"),
        lambda client, bad: client.accumulate_points(
            bad, location_id="l", idempotency_key="k", points=1
        ),
        lambda client, bad: client.retrieve_program(bad),
        lambda client, bad: client.create_account(PHONE, program_id=bad, idempotency_key="k"),
    ],
    ids=["retrieve", "adjust", "accumulate", "program", "create"],
)
def test_an_id_that_could_change_the_path_is_never_sent(call, bad):
    answers = Answers(reply(200))
    with pytest.raises(ParameterError):
        call(make_client(answers), bad)

    assert [] == answers.requests


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.adjust_points("a", 0, idempotency_key="k"),
        lambda c: c.adjust_points("a", 2**31, idempotency_key="k"),
        lambda c: c.adjust_points("a", 1, idempotency_key="k", reason="x" * 3501),
        lambda c: c.adjust_points("a", 1, idempotency_key="k", reason="a\0"),
        lambda c: c.adjust_points("a", 1, idempotency_key="k", reason="\ud800"),
        lambda c: c.adjust_points("a", 1, idempotency_key="k", reason=None),
        lambda c: c.adjust_points("a", 1, idempotency_key=""),
        lambda c: c.adjust_points("a", 1, idempotency_key="x" * 129),
        lambda c: c.adjust_points("a", 1, idempotency_key=None),
        lambda c: c.accumulate_points("a", location_id="l", idempotency_key="k"),
        lambda c: c.accumulate_points(
            "a", location_id="l", idempotency_key="k", order_id="o", points=1
        ),
        lambda c: c.create_account("14155551234", program_id="p", idempotency_key="k"),
        lambda c: c.search_accounts(phone_numbers=[PHONE], customer_ids=["c"]),
        lambda c: c.search_accounts(phone_numbers=[PHONE] * 31),
        lambda c: c.search_accounts(customer_ids=["c"] * 31),
        lambda c: c.search_accounts(customer_ids="abc"),
        lambda c: c.search_accounts(page_size=201),
        lambda c: c.search_events(page_size=31),
        lambda c: c.search_events(account_id="a/b"),
        lambda c: c.search_events(types="OTHER"),
        lambda c: c.search_events(start_at=datetime(2026, 1, 1)),
    ],
)
def test_a_bad_value_is_refused_at_the_call_and_never_sent(call):
    answers = Answers(reply(200))
    with pytest.raises(ParameterError):
        call(make_client(answers))

    assert [] == answers.requests


@pytest.mark.parametrize("key", ["k", "x" * 128])
def test_a_key_of_1_to_128_characters_is_sent(key):
    answers = Answers(reply(200, {"event": EVENT}))
    make_client(answers).adjust_points(ACCOUNT_ID, 12, idempotency_key=key)

    assert key == answers.bodies[0]["idempotency_key"]


@pytest.mark.parametrize("reason", ["x" * 3500, "😀", "<img src=x onerror=alert(1)>", "a\nb"])
def test_a_reason_comes_back_as_it_was_sent(local, reason):
    event = local.adjust_points(ACCOUNT_ID, 1, idempotency_key="k", reason=reason)

    assert (reason, [event]) == (
        event.reason,
        list(local.search_events(account_id=ACCOUNT_ID)),
    )


@pytest.mark.parametrize(("points", "negative"), [(2**31 - 1, False), (-(2**31) + 1, True)])
def test_points_of_32_bits_are_taken(local, points, negative):
    local.adjust_points(ACCOUNT_ID, points, idempotency_key="k", allow_negative_balance=negative)

    assert points == local.retrieve_account(ACCOUNT_ID).balance


# A client that may only read


@pytest.mark.parametrize(
    "write",
    [
        lambda c: c.adjust_points(ACCOUNT_ID, 12, idempotency_key="k"),
        lambda c: c.accumulate_points(ACCOUNT_ID, location_id="l", idempotency_key="k", points=1),
        lambda c: c.create_account(PHONE, program_id=PROGRAM_ID, idempotency_key="k"),
        lambda c: c.request("POST", ADJUST, {"idempotency_key": "k"}),
        lambda c: c.request("POST", ADJUST),
    ],
)
def test_a_client_that_only_reads_sends_no_write(write):
    answers = Answers(reply(200, {"event": EVENT}))
    with pytest.raises(ProductionGuardError, match="only reads"):
        write(make_client(answers, may_write=False))

    assert [] == answers.requests


def test_a_client_that_only_reads_still_searches():
    client = make_client(Answers(reply(200, {"loyalty_accounts": [ACCOUNT_BODY]})), may_write=False)

    assert ACCOUNT_ID == client.find_account(phone_number=PHONE).id


# Pages


def page(name, *items, cursor=None):
    return reply(200, {name: list(items)} | ({"cursor": cursor} if cursor else {}))


def events(*names):
    return [EVENT | {"id": name} for name in names]


def test_nothing_is_asked_before_the_first_record_is_wanted():
    answers = Answers(page("events"))
    make_client(answers).search_events()

    assert [] == answers.requests


def test_the_next_page_is_asked_when_its_first_record_is_wanted():
    answers = Answers(page("events", *events("1", "2"), cursor="c"), page("events", *events("3")))
    found = make_client(answers).search_events()

    assert (["1", "2"], 1) == ([next(found).id, next(found).id], len(answers.requests))
    assert (["3"], 2) == ([event.id for event in found], len(answers.requests))


def test_the_cursor_goes_with_the_query_it_came_from():
    answers = Answers(page("events", *events("1"), cursor="c"), page("events"))
    list(make_client(answers).search_events(account_id="a", page_size=1))

    first, second = answers.bodies
    assert first | {"cursor": "c"} == second


def test_every_account_is_found_once_over_pages(local):
    paged = [account.id for account in local.search_accounts(page_size=7)]

    assert [account.id for account in local.search_accounts(page_size=200)] == paged
    assert (45, 45) == (len(paged), len(set(paged)))


def test_the_same_cursor_twice_stops():
    found = make_client(Answers(page("events", *events("1"), cursor="c"))).search_events()
    with pytest.raises(UnexpectedAnswerError, match="same page cursor twice"):
        list(islice(found, 9))  # without the rule it would go on for ever


@pytest.mark.parametrize("cursor", [7, ["c"], {"c": 1}])
def test_a_cursor_that_is_no_text_stops(cursor):
    found = make_client(Answers(page("events", cursor=cursor))).search_events()
    with pytest.raises(UnexpectedAnswerError, match="cursor is no text"):
        list(found)


def test_a_page_that_is_no_list_stops():
    with pytest.raises(UnexpectedAnswerError, match="'events' is no list"):
        list(make_client(Answers(reply(200, {"events": {}}))).search_events())


def test_nothing_found_is_an_empty_answer():
    assert [] == list(make_client(Answers(reply(200, {}))).search_accounts(customer_ids=["c"]))


# Answers about something else


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (lambda c: c.retrieve_account("other"), {"loyalty_account": ACCOUNT_BODY}),
        (
            lambda c: c.retrieve_program("other"),
            {"program": {"id": "p", "status": "A", "terminology": {"one": "P", "other": "P"}}},
        ),
        (
            lambda c: c.accumulate_points("other", location_id="l", idempotency_key="k", points=1),
            {"events": [EVENT]},
        ),
        (lambda c: c.adjust_points("other", 12, idempotency_key="k"), {"event": EVENT}),
    ],
    ids=["account", "program", "accumulate", "adjust"],
)
def test_the_record_of_another_is_no_answer(call, body):
    with pytest.raises(UnexpectedAnswerError, match="another"):
        call(make_client(Answers(reply(200, body))))


@pytest.mark.parametrize(
    ("call", "warned"),
    [
        (lambda c: c.adjust_points("search", 1, idempotency_key="k"), True),
        (lambda c: c.create_account(PHONE, program_id="p", idempotency_key="k"), True),
        (lambda c: c.retrieve_account("a"), False),
        (lambda c: next(c.search_events()), False),
    ],
)
def test_only_a_write_warns_that_it_may_have_changed_points(call, warned):
    answer = reply(200, {"events": ["text"]})
    with pytest.raises(UnexpectedAnswerError) as caught:
        call(make_client(Answers(answer)))

    assert warned is ("It may have changed points" in str(caught.value))


# Any other request


def test_any_other_operation_can_be_asked():
    answers = Answers(reply(200, {"ok": 1}))
    make_client(answers).request("GET", "/v2/loyalty/programs/p/promotions?status=ACTIVE&limit=3")

    url = answers.requests[0].url
    assert "/v2/loyalty/programs/p/promotions?status=ACTIVE&limit=3" == url.raw_path.decode()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/../oauth2/revoke"),
        ("GET", "/v2/%2e%2e/oauth2"),
        ("GET", "/oauth2/token"),
        ("GET", "https://evil.example/v2/x"),
        ("GET", "//evil.example/v2/x"),
        ("GET", "/v2/a b"),
        ("GET", "/v2/a\n"),
        ("GET", "/v2/x#y"),
        ("GET", "/v2"),
        ("GET", "/v2/x?a=/search"),
        ("DELETE", "/v2/loyalty/rewards/r"),
        ("POST", ADJUST + "?/search"),
        ("POST", ADJUST + "?a=/search"),
        ("POST", ADJUST + "#/search"),
        ("POST", ADJUST + "?a=b"),
    ],
)
def test_a_path_that_could_mean_another_request_is_never_sent(method, path):
    answers = Answers(reply(200))
    with pytest.raises(ParameterError):
        make_client(answers, may_write=False).request(method, path, {"idempotency_key": "k"})

    assert [] == answers.requests


def test_any_other_write_needs_a_key():
    answers = Answers(reply(200))
    with pytest.raises(ParameterError, match="idempotency_key"):
        make_client(answers).request("POST", "/v2/loyalty/rewards", {"reward": {}})

    assert [] == answers.requests


# The client itself


def test_exchanges_are_kept_oldest_first_and_not_for_ever():
    client = make_client(Answers(reply(200, {"loyalty_account": ACCOUNT_BODY})))
    for _ in range(101):
        client.retrieve_account(ACCOUNT_ID)

    assert (100, client.exchanges[-1]) == (len(client.exchanges), client.last_exchange)


def test_there_is_no_last_exchange_before_the_first():
    with pytest.raises(ParameterError, match="nothing was asked yet"):
        _ = make_client(Answers(reply(200))).last_exchange


def test_an_exchange_tells_how_often_it_was_tried():
    client = make_client(Answers(refused(503), reply(200, {"locations": []})))
    client.list_locations()

    assert (2, 200) == (client.last_exchange.attempts, client.last_exchange.status)


def test_a_refused_request_is_the_last_exchange_with_its_status_and_its_answer():
    good = reply(200, {"loyalty_account": ACCOUNT_BODY})
    client = make_client(Answers(good, refused(400, "BAD_REQUEST", detail=f"no {CANARY_PHONE}")))
    client.retrieve_account(ACCOUNT_ID)
    with pytest.raises(InvalidRequestError):
        client.adjust_points(ACCOUNT_ID, 12, idempotency_key="k")

    last = client.last_exchange
    assert [200, 400] == [exchange.status for exchange in client.exchanges]
    assert ("POST", ADJUST, "k") == (last.method, last.path, last.body["idempotency_key"])
    assert "BAD_REQUEST" == last.answer["errors"][0]["code"]
    assert "-> 400" in str(last)
    assert CANARY_PHONE not in str(last)


def test_a_request_that_failed_at_every_try_is_one_exchange_with_the_last_of_them():
    client = make_client(Answers(refused(503), refused(502)), attempts=3)
    with pytest.raises(SquareUnavailableError):
        client.list_locations()

    [exchange] = client.exchanges
    assert (502, 3) == (exchange.status, exchange.attempts)


@pytest.mark.parametrize("content", [b"<html>", b"", b"[]"])
def test_an_answer_that_is_no_json_object_is_an_exchange_without_one(content):
    client = make_client(Answers(reply(500, content)), attempts=1)
    with pytest.raises(SquareUnavailableError):
        client.list_locations()

    assert (500, None) == (client.last_exchange.status, client.last_exchange.answer)
    assert "-> 500\ncurl" in str(client.last_exchange)


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (httpx.ConnectError("refused"), NotSentError),
        (httpx.ReadTimeout("slow"), NoAnswerError),
        (NoRecordingError("nothing fits"), NoRecordingError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_request_without_an_answer_is_an_exchange_that_says_so(trouble, told):
    client = make_client(Answers(trouble), attempts=1)
    with pytest.raises(told):
        client.adjust_points(ACCOUNT_ID, 12, idempotency_key="k")

    last = client.last_exchange
    assert (ADJUST, None, None, 1) == (last.path, last.status, last.answer, last.attempts)
    assert "-> no answer" in str(last)
    assert "curl" in str(last)


def test_an_answer_that_is_followed_by_none_is_not_told_for_the_last_try():
    client = make_client(Answers(refused(503), httpx.ReadTimeout("slow")), attempts=2)
    with pytest.raises(NoAnswerError):
        client.adjust_points(ACCOUNT_ID, 12, idempotency_key="k")

    assert (None, 2) == (client.last_exchange.status, client.last_exchange.attempts)


@pytest.mark.parametrize(("may_write", "told"), [(True, "yes, in"), (False, "no, it only reads")])
def test_a_client_shows_what_it_may_do(may_write, told):
    client = make_client(Answers(reply(200)), may_write=may_write)

    assert f"changes points  {told}" in str(client)


def test_records_of_the_emulator_are_typed(local):
    assert LoyaltyEvent is type(next(local.search_events()))
