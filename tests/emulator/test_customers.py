"""The directory: what a new customer is, and who is found by which filter in which order."""

from datetime import timedelta

import pytest

from .conftest import problem, refused

EMAIL = "ada.l@example.com"
ADDRESS = {
    "address_line_1": "500 Electric Ave",
    "address_line_2": "Suite 600",
    "administrative_district_level_1": "NY",
    "country": "US",
    "locality": "New York",
    "postal_code": "10003",
}


def made(api, **profile):
    answer = api.client.post("/v2/customers", json=profile)
    return answer.json()["customer"]


def search(api, filters=None, **more):
    query = {"filter": filters, "sort": more.pop("sort", None)}
    return api.client.post("/v2/customers/search", json={"query": query, **more})


def found(api, filters=None, **more):
    """The given names of those who are found."""
    return [each["given_name"] for each in search(api, filters, **more).json().get("customers", ())]


@pytest.fixture
def people(api, clock):
    """Three who have names, made a minute after each other."""
    for profile in (
        {"given_name": "Cy", "family_name": "Young", "phone_number": "+14155550161"},
        {"given_name": "Ada", "email_address": EMAIL, "reference_id": "Crew 7"},
        {"given_name": "Bo", "email_address": "bo@example.org", "reference_id": "crew 70"},
    ):
        clock.advance(timedelta(minutes=1))
        made(api, **profile)
    return api


NAMED = {"creation_source": {"values": ["THIRD_PARTY"]}}


# Search


def test_stranger_is_not_answered_for_an_email_address_that_nobody_has(people):
    filters = {"email_address": {"exact": "nobody@example.com"}}

    assert {} == search(people, filters, limit=2).json()


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"email_address": {"exact": EMAIL.upper()}}, ["Ada"]),
        ({"email_address": {"exact": "ada.l@example"}}, []),
        ({"email_address": {"fuzzy": "EXAMPLE"}}, ["Ada", "Bo"]),
        ({"email_address": {"fuzzy": "example ada"}}, ["Ada"]),
        ({"email_address": {"fuzzy": " "}}, []),
        ({"phone_number": {"exact": "+1 (415) 555-0161"}}, ["Cy"]),
        ({"phone_number": {"fuzzy": "555-0161"}}, ["Cy"]),
        ({"phone_number": {"fuzzy": "nobody"}}, []),
        ({"reference_id": {"exact": "crew 7"}}, ["Ada"]),
        ({"reference_id": {"fuzzy": "7 crew"}}, ["Ada", "Bo"]),
        (NAMED, ["Ada", "Bo", "Cy"]),
        ({"creation_source": {"values": ["LOYALTY"], "rule": "EXCLUDE"}}, ["Ada", "Bo", "Cy"]),
        ({"creation_source": {"values": ["DIRECTORY"]}}, []),
        ({"created_at": {"start_at": "2026-11-02T09:32:00Z"}}, ["Ada", "Bo"]),
        ({"created_at": {"end_at": "2026-11-02T09:32:00Z"}, **NAMED}, ["Cy"]),
        ({"updated_at": {"start_at": "2026-11-02T10:33:00+01:00"}}, ["Bo"]),
        ({"email_address": {"fuzzy": "example"}, "reference_id": {"exact": "crew 70"}}, ["Bo"]),
        ({"email_address": {"exact": EMAIL}, "phone_number": {"exact": "+14155550161"}}, []),
    ],
)
def test_found_are_those_whom_every_filter_fits(people, filters, names):
    assert names == found(people, filters)


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        (None, ["Ada", "Bo", "Cy"]),
        ({"order": "DESC"}, ["Cy", "Bo", "Ada"]),
        ({"field": "CREATED_AT"}, ["Cy", "Ada", "Bo"]),
        ({"field": "CREATED_AT", "order": "DESC"}, ["Bo", "Ada", "Cy"]),
    ],
)
def test_order_is_by_name_unless_asked_otherwise(people, sort, names):
    assert names == found(people, NAMED, sort=sort)


def test_who_has_no_name_is_sorted_by_what_else_there_is(people):
    for profile in ({"company_name": "Bits"}, {"email_address": "aa@example.com"}):
        made(people, **profile)
    customers = search(people, NAMED).json()["customers"]

    first = ("given_name", "company_name", "email_address")
    shown = [next(filter(None, map(each.get, first))) for each in customers]
    assert ["aa@example.com", "Ada", "Bits", "Bo", "Cy"] == shown


@pytest.mark.parametrize("order", ["ASC", "DESC"])
def test_pages_hold_everybody_once_and_each_has_the_count(people, order):
    sent = {"limit": 2, "sort": {"order": order}, "count": True}
    first = search(people, NAMED, **sent).json()
    second = search(people, NAMED, **sent, cursor=first["cursor"]).json()
    names = [each["given_name"] for page in (first, second) for each in page["customers"]]

    assert (["Ada", "Bo", "Cy"], "cursor" in second) == (sorted(names), False)
    assert (3, 3) == (first["count"], second["count"])


def test_count_of_nobody_is_0(people):
    filters = {"email_address": {"exact": "nobody@example.com"}}

    assert {"count": 0} == search(people, filters, count=True).json()


@pytest.mark.parametrize(
    ("filters", "code", "field"),
    [
        ({"email_address": {}}, "MISSING_REQUIRED_PARAMETER", "email_address.exact"),
        (
            {"reference_id": {"exact": "a", "fuzzy": "b"}},
            "CONFLICTING_PARAMETERS",
            "reference_id.exact",
        ),
        ({"phone_number": {"exact": "4155550161"}}, "INVALID_PHONE_NUMBER", "phone_number.exact"),
        ({"creation_source": {"values": ["X"]}}, "INVALID_ENUM_VALUE", "creation_source.values[0]"),
        ({"created_at": {"start_at": "today"}}, "INVALID_TIME", "created_at.start_at"),
        ({"group_ids": {"any": ["g"]}}, "INVALID_VALUE", "group_ids"),
        ({"segment_ids": {"any": ["s"]}}, "INVALID_VALUE", "segment_ids"),
        ({"custom_attribute": {"filters": []}}, "INVALID_VALUE", "custom_attribute"),
    ],
)
def test_filter_that_cannot_be_acted_on_is_refused_by_name(api, filters, code, field):
    assert refused(code, f"query.filter.{field}") == problem(search(api, filters))


# New customers


def test_new_customer_has_the_address_and_the_tax_ids_that_were_sent(api):
    customer = made(api, given_name="Amelia", address=ADDRESS, tax_ids={"eu_vat": "IE3426675K"})

    assert ADDRESS == customer["address"]
    assert {"eu_vat": "IE3426675K"} == customer["tax_ids"]


def test_names_in_an_address_are_ignored(api):
    sent = {**ADDRESS, "first_name": "Amelia", "last_name": "Earhart"}

    assert ADDRESS == made(api, given_name="Amelia", address=sent)["address"]


@pytest.mark.parametrize(
    ("sent", "birthday"),
    [("1998-09-21", "1998-09-21"), ("09-21", "0000-09-21"), ("02-29", "0000-02-29")],
)
def test_birthday_without_a_year_has_the_year_0000(api, sent, birthday):
    assert birthday == made(api, given_name="B", birthday=sent)["birthday"]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"given_name": "x" * 301}, "VALUE_TOO_LONG"),
        ({"family_name": "x" * 301}, "VALUE_TOO_LONG"),
        ({"company_name": "x" * 501}, "VALUE_TOO_LONG"),
        ({"nickname": "x" * 101}, "VALUE_TOO_LONG"),
        ({"reference_id": "x" * 101}, "VALUE_TOO_LONG"),
        ({"email_address": "x" * 243 + "@example.com"}, "VALUE_TOO_LONG"),
        ({"email_address": "nobody"}, "INVALID_EMAIL_ADDRESS"),
        ({"phone_number": "+1415"}, "INVALID_PHONE_NUMBER"),
        ({"birthday": "2026-02-30"}, "INVALID_TIME"),
        ({"birthday": "21 September"}, "INVALID_TIME"),
    ],
)
def test_field_of_a_customer_that_is_wrong_is_named(api, sent, code):
    (field,) = sent

    assert refused(code, field) == problem(api.client.post("/v2/customers", json=sent))


def test_longest_names_pass(api):
    customer = made(api, given_name="x" * 300, family_name="y" * 300, reference_id="z" * 100)

    assert (300, 300) == (len(customer["given_name"]), len(customer["family_name"]))
