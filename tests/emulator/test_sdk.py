"""Square's own Python SDK against the served emulator: every operation, success and refusal."""

import pytest

from tests.seed_world import ACCOUNT_ID, MERCHANT_ID, ORDER_EARNING_12, ORDER_OPEN, PROGRAM_ID

from .square_schema import problems_of

LOCATION = "L88917AVBK2S5"


def refused(call, **sent):
    """Return status, code and field of the SDK's error."""
    from square.core.api_error import ApiError

    # The SDK would wait and ask again; one answer is enough.
    with pytest.raises(ApiError) as caught:
        call(**sent, request_options={"max_retries": 0})
    first = caught.value.errors[0]
    return caught.value.status_code, first.code, first.field


def test_program(square):
    assert square.loyalty.programs.get("main").program.id == PROGRAM_ID


def test_unknown_program(square):
    found = refused(square.loyalty.programs.get, program_id="none")

    assert found == (404, "NOT_FOUND", None)


def test_enrolment(square):
    account = square.loyalty.accounts.create(
        loyalty_account={"program_id": PROGRAM_ID, "mapping": {"phone_number": "+14155550177"}},
        idempotency_key="k",
    ).loyalty_account

    assert ("+14155550177", 0) == (account.mapping.phone_number, account.balance)


def test_enrolment_with_a_phone_that_cannot_be(square):
    account = {"program_id": PROGRAM_ID, "mapping": {"phone_number": "12"}}
    create = square.loyalty.accounts.create
    found = refused(create, loyalty_account=account, idempotency_key="k")

    assert found == (400, "INVALID_PHONE_NUMBER", "loyalty_account.mapping.phone_number")


def test_search_for_an_account(square):
    query = {"mappings": [{"phone_number": "+14155551234"}]}
    [account] = square.loyalty.accounts.search(query=query).loyalty_accounts

    assert account.id == ACCOUNT_ID


def test_search_that_finds_none(square):
    query = {"mappings": [{"phone_number": "+14155550000"}]}

    assert square.loyalty.accounts.search(query=query).loyalty_accounts is None


def test_search_by_what_cannot_be_combined(square):
    query = {"mappings": [{"phone_number": "+14155551234"}], "customer_ids": ["c"]}
    found = refused(square.loyalty.accounts.search, query=query)

    assert found == (400, "CONFLICTING_PARAMETERS", "query.customer_ids")


def test_pages_of_accounts(square):
    first = square.loyalty.accounts.search(limit=30)
    second = square.loyalty.accounts.search(limit=30, cursor=first.cursor)

    assert not {a.id for a in first.loyalty_accounts} & {a.id for a in second.loyalty_accounts}


def test_account(square):
    assert square.loyalty.accounts.get(ACCOUNT_ID).loyalty_account.balance == 0


def test_unknown_account(square):
    found = refused(square.loyalty.accounts.get, account_id="none")

    assert found == (404, "NOT_FOUND", None)


def adjust(square, points, key="k"):
    return square.loyalty.accounts.adjust(
        ACCOUNT_ID,
        adjust_points={"points": points, "reason": "Late order"},
        idempotency_key=key,
    )


def test_adjustment(square):
    event = adjust(square, 12).event

    assert ("ADJUST_POINTS", 12, "Late order") == (
        event.type,
        event.adjust_points.points,
        event.adjust_points.reason,
    )
    assert square.loyalty.accounts.get(ACCOUNT_ID).loyalty_account.balance == 12


def test_adjustment_with_the_same_key(square):
    assert adjust(square, 12) == adjust(square, 12)


def test_adjustment_below_zero(square):
    call = square.loyalty.accounts.adjust
    sent = {"account_id": ACCOUNT_ID, "idempotency_key": "k", "adjust_points": {"points": -1}}

    assert refused(call, **sent) == (400, "BAD_REQUEST", None)


def test_accumulation_by_an_order(square):
    [event] = square.loyalty.accounts.accumulate_points(
        ACCOUNT_ID,
        accumulate_points={"order_id": ORDER_EARNING_12},
        idempotency_key="k",
        location_id=LOCATION,
    ).events

    assert ("ACCUMULATE_POINTS", 12) == (event.type, event.accumulate_points.points)


def test_accumulation_by_an_open_order(square):
    found = refused(
        square.loyalty.accounts.accumulate_points,
        account_id=ACCOUNT_ID,
        accumulate_points={"order_id": ORDER_OPEN},
        idempotency_key="k",
        location_id=LOCATION,
    )

    assert found == (400, "BAD_REQUEST", "accumulate_points.order_id")


def test_events_of_an_account(square):
    event = adjust(square, 12).event
    filters = {"loyalty_account_filter": {"loyalty_account_id": ACCOUNT_ID}}

    assert square.loyalty.search_events(query={"filter": filters}).events == [event]


def test_all_events(square):
    """Judges every event of the seed world, so every type."""
    page = square.loyalty.search_events(limit=30)
    types = {event.type for event in page.events}
    while page.cursor:
        page = square.loyalty.search_events(limit=30, cursor=page.cursor)
        types |= {event.type for event in page.events}

    assert len(types) == 8


def test_events_of_a_type_that_is_none(square):
    query = {"filter": {"type_filter": {"types": ["PARTY"]}}}
    found = refused(square.loyalty.search_events, query=query)

    assert found == (400, "INVALID_ENUM_VALUE", "query.filter.type_filter.types[0]")


def test_locations(square):
    merchants = {location.merchant_id for location in square.locations.list().locations}

    assert merchants == {MERCHANT_ID}


def test_wrong_token(connected):
    assert refused(connected("wrong").locations.list) == (401, "UNAUTHORIZED", None)


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (200, b'{"event": {"id": "e", "points": 1}}', "body.event.points: unknown"),
        (200, b'{"event": {"id": 1}}', "body.event.id: 1 is no <class 'str'>"),
        (200, b'{"event": {"id": null}}', "body.event.id: None is no <class 'str'>"),
        (200, b'{"event": {"type": "PARTY"}}', "body.event.type: 'PARTY' is not Square's"),
        (200, b'{"event": {"expire_points": {"points": 1}}}', None),
        (200, b'{"event": []}', "body.event: [] is no object"),
        (200, b'{"errors": []}', "errors do not go with the status 200"),
        (400, b"{}", "errors do not go with the status 400"),
        (400, b'{"errors": [{"code": "CONFLICT"}]}', "errors[0].category: missing"),
        (400, b'{"errors": []}', "errors: [] is no array with something in it"),
    ],
)
def test_judge_is_strict(status, body, problem):
    """The one that passes shows what the SDK's models leave open: they hardly require a field."""
    found = problems_of("POST", "/v2/loyalty/accounts/a/adjust", status, body)

    assert found == ([problem] if problem else [])
