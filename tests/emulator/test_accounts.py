"""CreateLoyaltyAccount, RetrieveLoyaltyAccount, SearchLoyaltyAccounts; programs and locations."""

import pytest

from tests import seed_world as seed
from tests.seed_world import (
    CUSTOMER_SHARED,
    CUSTOMER_WITHOUT_PHONE,
    LOCATIONS,
    PHONE_OTHER_TWIN,
    PHONE_TWIN,
    PHONES_SHARED_CUSTOMER,
)

from .conftest import problem, refused

PHONE = "loyalty_account.mapping.phone_number"


def test_new_account_has_nothing_and_is_not_enrolled(api):
    account = api.create().json()["loyalty_account"]

    assert {
        "id": account["id"],
        "program_id": seed.PROGRAM_ID,
        "balance": 0,
        "lifetime_points": 0,
        "customer_id": account["customer_id"],
        "created_at": "2026-11-02T09:30:00Z",
        "updated_at": "2026-11-02T09:30:00Z",
        "mapping": {
            "id": account["mapping"]["id"],
            "created_at": "2026-11-02T09:30:00Z",
            "phone_number": "+14155559876",
        },
    } == account


def test_new_account_can_be_retrieved(api):
    account = api.create().json()["loyalty_account"]

    assert account == api.account(account["id"])


def test_new_ids_are_version_4_uuids(api):
    account = api.create().json()["loyalty_account"]

    assert (account["id"][14], account["mapping"]["id"][14]) == ("4", "4")


def test_same_seed_gives_the_same_answers(open_api):
    assert open_api().create().json() == open_api().create().json()


def test_seeded_ids_that_are_taken_are_passed_over(api, open_api, tmp_path, clock):
    from loyalty_helpers.emulator import Emulator, SeededIds

    first = api.create().json()["loyalty_account"]
    with Emulator.open(tmp_path / "world-0.db", clock=clock, ids=SeededIds(1)) as again:
        second = type(api)(again).create("+14155559877", key="other").json()["loyalty_account"]

    assert first["id"] != second["id"]


@pytest.mark.parametrize(
    "phone", ["4155551234", "+1415555", "+49301234567", "+1 415 555 1234", "x"]
)
def test_phone_outside_the_markets_or_no_phone_is_refused(api, phone):
    assert refused("INVALID_PHONE_NUMBER", PHONE) == problem(api.create(phone))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("+442079460123", "+442079460123"), ("+4402079460123", "+442079460123")],
)
def test_national_zero_is_dropped(api, sent, kept):
    assert kept == api.create(sent).json()["loyalty_account"]["mapping"]["phone_number"]


def test_account_without_phone_is_refused_in_the_words_seen(api):
    answer = api.create(None)

    assert refused("BAD_REQUEST") == problem(answer)
    detail = "Must provide phone_number in the mapping field"
    assert detail == answer.json()["errors"][0]["detail"]


def test_phone_has_one_account(api):
    assert refused("BAD_REQUEST", PHONE) == problem(api.create("+14155551234"))


def test_code_of_a_second_account_can_be_chosen(open_api):
    api = open_api(duplicate_phone_code="CONFLICT")

    assert refused("CONFLICT", PHONE, 409) == problem(api.create("+14155551234"))


def test_unknown_program_is_not_found(api):
    answer = api.create(program_id="other")

    assert refused("NOT_FOUND", "loyalty_account.program_id", 404) == problem(answer)


def test_code_of_an_unknown_program_can_be_chosen(open_api):
    answer = open_api(unknown_program_code="BAD_REQUEST").create(program_id="other")

    assert refused("BAD_REQUEST", "loyalty_account.program_id") == problem(answer)


def test_known_customer_is_linked(api):
    account = api.create(customer_id=CUSTOMER_SHARED).json()["loyalty_account"]

    assert account["customer_id"] == CUSTOMER_SHARED


def test_unknown_customer_is_refused(api):
    answer = api.create(customer_id="NOBODY")

    assert refused("CUSTOMER_NOT_FOUND", "loyalty_account.customer_id") == problem(answer)


def test_unknown_customer_is_accepted_if_so_assumed(open_api):
    api = open_api(unknown_customer_accepted=True)

    assert api.create(customer_id="NOBODY").status_code == 200


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00Z"),
        ("2024-02-29T12:00:00.9+02:00", "2024-02-29T10:00:00Z"),
        ("2026-11-02T09:30:00Z", "2026-11-02T09:30:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ],
)
def test_enrolled_at_may_be_past(api, sent, kept):
    assert kept == api.create(enrolled_at=sent).json()["loyalty_account"]["enrolled_at"]


@pytest.mark.parametrize(
    "sent",
    ["2026-11-02T09:30:01Z", "2020-05-11T25:11:07Z", "2024-02-29", "0001-01-01T00:00:00+14:00"],
)
def test_enrolled_at_of_the_future_or_of_no_time_is_refused(api, sent):
    answer = api.create(enrolled_at=sent)

    assert refused("INVALID_TIME", "loyalty_account.enrolled_at") == problem(answer)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"program_id": None}, refused("MISSING_REQUIRED_PARAMETER", "loyalty_account.program_id")),
        ({"program_id": "p" * 37}, refused("VALUE_TOO_LONG", "loyalty_account.program_id")),
        ({"mapping": []}, refused("EXPECTED_OBJECT", "loyalty_account.mapping")),
        ({"mapping": {"phone_number": 1}}, refused("EXPECTED_STRING", PHONE)),
        ({"customer_id": 1}, refused("EXPECTED_STRING", "loyalty_account.customer_id")),
    ],
)
def test_malformed_account_is_told(api, change, expected):
    assert expected == problem(api.create(**change))


def test_retrieve_unknown_account_is_not_found(api):
    answer = api.client.get("/v2/loyalty/accounts/nobody")

    assert refused("NOT_FOUND", status=404) == problem(answer)


def test_search_finds_by_phone(api):
    assert api.account_by_phone("+14155551234")["id"] == seed.ACCOUNT_ID


def test_search_tells_twins_apart(api):
    assert api.account_by_phone(PHONE_TWIN)["id"] != api.account_by_phone(PHONE_OTHER_TWIN)["id"]


def test_search_by_customer_finds_an_account_without_phone(api):
    (account,) = api.accounts({"customer_ids": [CUSTOMER_WITHOUT_PHONE]}).json()["loyalty_accounts"]

    assert {"id", "created_at"} == account["mapping"].keys()


def test_search_by_a_shared_customer_finds_both_accounts_oldest_first(api):
    found = api.accounts({"customer_ids": [CUSTOMER_SHARED]}).json()["loyalty_accounts"]

    assert list(PHONES_SHARED_CUSTOMER) == [each["mapping"]["phone_number"] for each in found]


def test_search_by_several_phones_finds_any_of_them(api):
    mappings = [{"phone_number": phone} for phone in (PHONE_TWIN, PHONE_OTHER_TWIN, "+12125550000")]

    assert len(api.accounts({"mappings": mappings}).json()["loyalty_accounts"]) == 2


@pytest.mark.parametrize("phone", ["+12125550000", "14155551234", "x"])
def test_nothing_found_is_an_empty_answer(api, phone):
    assert api.accounts({"mappings": [{"phone_number": phone}]}).json() == {}


@pytest.mark.parametrize("query", [None, {}])
def test_search_without_criteria_finds_all_oldest_first(api, query):
    found = api.accounts(query, limit=200).json()

    assert "cursor" not in found
    times = [each["created_at"] for each in found["loyalty_accounts"]]
    assert len(times) >= 41
    assert sorted(times) == times


@pytest.mark.parametrize(
    ("query", "more", "expected"),
    [
        (
            {"mappings": [{"phone_number": "+1"}], "customer_ids": ["C"]},
            {},
            refused("CONFLICTING_PARAMETERS", "query.customer_ids"),
        ),
        ({"customer_ids": ["C"] * 31}, {}, refused("ARRAY_LENGTH_TOO_LONG", "query.customer_ids")),
        ({"mappings": [{}] * 31}, {}, refused("ARRAY_LENGTH_TOO_LONG", "query.mappings")),
        ({"customer_ids": []}, {}, refused("ARRAY_EMPTY", "query.customer_ids")),
        ({"customer_ids": "C"}, {}, refused("EXPECTED_ARRAY", "query.customer_ids")),
        ({"customer_ids": [1]}, {}, refused("EXPECTED_STRING", "query.customer_ids[0]")),
        ({"customer_ids": ["C", ""]}, {}, refused("VALUE_EMPTY", "query.customer_ids[1]")),
        ({"mappings": ["+1"]}, {}, refused("EXPECTED_OBJECT", "query.mappings[0]")),
        (
            {"mappings": [{}]},
            {},
            refused("MISSING_REQUIRED_PARAMETER", "query.mappings[0].phone_number"),
        ),
        ([], {}, refused("EXPECTED_OBJECT", "query")),
        ({}, {"limit": 0}, refused("VALUE_TOO_LOW", "limit")),
        ({}, {"limit": 201}, refused("VALUE_TOO_HIGH", "limit")),
        ({}, {"limit": "5"}, refused("EXPECTED_INTEGER", "limit")),
    ],
)
def test_malformed_search_is_told(api, query, more, expected):
    assert expected == problem(api.accounts(query, **more))


@pytest.mark.parametrize(
    ("switch", "query"),
    [
        (
            "mappings_and_customers_code",
            {"mappings": [{"phone_number": "x"}], "customer_ids": ["C"]},
        ),
        ("array_too_long_code", {"customer_ids": ["C"] * 31}),
    ],
)
def test_code_of_a_refusal_can_be_chosen(open_api, switch, query):
    assert problem(open_api(**{switch: "BAD_REQUEST"}).accounts(query))[2] == "BAD_REQUEST"


def test_program_is_found_by_id_and_as_main(api):
    by_id = api.client.get(f"/v2/loyalty/programs/{seed.PROGRAM_ID}").json()

    assert by_id == api.client.get("/v2/loyalty/programs/main").json()
    assert [tier["points"] for tier in by_id["program"]["reward_tiers"]] == [10, 15]


def test_unknown_program_cannot_be_retrieved(api):
    answer = api.client.get("/v2/loyalty/programs/other")

    assert refused("NOT_FOUND", status=404) == problem(answer)


def test_locations_are_ordered_by_name_and_of_one_merchant(api):
    found = api.client.get("/v2/locations").json()["locations"]

    assert [each["name"] for each in found] == ["Harbor Street", "Mill Road"]
    assert set(LOCATIONS) == {each["id"] for each in found}
    assert {seed.MERCHANT_ID} == {each["merchant_id"] for each in found}


def test_main_is_no_program_to_enrol_in(api):
    answer = api.create(program_id="main")

    assert refused("NOT_FOUND", "loyalty_account.program_id", 404) == problem(answer)
