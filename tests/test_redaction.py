"""Masks: what is hidden, and what stays readable."""

import pytest

from loyalty_helpers.redaction import (
    bare_numbers,
    holds_token,
    is_test_number,
    mask_body,
    mask_phone,
    mask_reason,
    mask_repr,
    mask_text,
)

from .doubles import CANARY_TOKEN


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+14155550123", "***0123"),
        ("14155550123", "***0123"),
        ("+1 (415) 555-0123", "***0123"),
        ("***0123", "***"),
        ("0123", "***"),
        ("", "***"),
    ],
)
def test_a_phone_number_keeps_its_last_four_digits(number, masked):
    assert masked == mask_phone(number)


@pytest.mark.parametrize(
    "number",
    ["+14155550123", "+12340123", "+1 415 555 0123", "+1-415-555-0123", "+1 (415) 555-0123"],
)
def test_a_phone_number_in_a_text_is_masked_however_it_is_written(number):
    assert "call ***0123, please" == mask_text(f"call {number}, please")


@pytest.mark.parametrize(
    "text",
    ["12 points", "+12 points", "1beb38f9-54de-4cb6-8121-718bDexample", "2026-11-02 09:30:00 UTC"],
)
def test_other_numbers_stay(text):
    assert text == mask_text(text)


@pytest.mark.parametrize(
    "number",
    [
        "+1\u00a0(415)\u00a0555\u20110123",
        "+44 (0)20 7946 0123",
        "\uff0b14155550123",
        "415-555-0123",
        "415 555 0123",
        "415 555-0123",
        "415.555.0123",
        "(415) 555-0123",
        "(415)555-0123",
        "(415)\u00a0555\u20110123",
        "415\u202f555\u202f0123",
        "415\u2010555\u20100123",
        "1-415-555-0123",
        "1 (415) 555-0123",
        "020 7946 0123",
        "(020) 7946 0123",
        "07700 900123",
        "06 12 34 01 23",
        "06.12.34.01.23",
        "03-1234-0123",
        "0044 20 7946 0123",
    ],
)
def test_a_phone_number_in_national_or_other_form_is_masked_as_well(number):
    assert "call ***0123, please" == mask_text(f"call {number}, please")


@pytest.mark.parametrize(
    "text",
    [
        "4155550123 cents",  # ten digits in a row may be anything
        "1beb38f9-54de-4cb6-8121-718bdexample",
        "5b1c0e3e-0123-4567-8901-012345678901",
        "KSUXURMVGUGEZRRZTMA3K4VEMF",
        "ln1-0123456789012345678901234567890123456789",
        "sha256 0012345678901234567890",
        "run 2026-11-28-415-555-0123",
        "run late-415-555-0123",
        "28.11.2026 10:30",
        "01.02.2026 09:30:00",
        "01-02-2026 1000 points",
        "05 12 2026 10:30",
        "2026-11-02T09:30:00+0100",
        "from 01.02.2026-05.02.2026",
        "1,234,567.89 and 100 200 3000 and 100 000 0000",
        "row 0001 123456",
        "192.168.1.100",
        "  250  300  5500",
    ],
)
def test_ids_dates_and_amounts_stay(text):
    assert text == mask_text(text)


def test_our_own_example_stays_readable():
    assert "such as +14155551234" == mask_text("such as +14155551234")
    assert "of ***1234, such as ***0123" == mask_text("of +14155551234, such as +14155550123")


def test_a_value_is_masked_before_it_is_escaped():
    assert r"'call ***0123\n\xa0'" == mask_repr("call (415)\u00a0555\u20110123\n\u00a0")


@pytest.mark.parametrize(
    ("value", "shown"), [("14155550123", "'*******0123'"), (14155550123, "*******0123"), (7, "7")]
)
def test_what_may_be_a_phone_number_shows_its_last_four_digits(value, shown):
    assert shown == mask_repr(value, phone=True)


@pytest.mark.parametrize("token", [CANARY_TOKEN, "sq0" + "atp-" + "canary_canary-22"])
def test_a_token_of_square_is_hidden_in_a_text(token):
    assert "Bearer [token]!" == mask_text(f"Bearer {token}!")


A = "EAAA"  # what begins like a token stands in two parts, here as everywhere
TOKENS = [
    A + "lcanary" * 8,
    A + "canary",
    A + "A" * 60,
    A + "-_" * 15,
    "EQAA" + "canary" * 8,
    *("sq0" + kind + "-canary-22" for kind in ("atp", "csp", "idp", "ATP")),
    "SQ0" + "ATP-CANARY-22",
]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("text", ["{}", "paid with {}.", "a\n{}", "key={}", "'{}'", "it_is_{}"])
def test_a_token_is_known_anywhere_in_a_text(token, text):
    assert holds_token(text.format(token))
    assert text.format("[token]") == mask_text(text.format(token))


@pytest.mark.parametrize(
    "text",
    [
        "Late order",
        A,
        A + " points",
        "eaaa" + "1234-4cb6-8121-718bdexample",
        "1beb38f9-54de-4cb6-8121-" + "eaaa12345678",
        A + "Q9KX7TBV2WMD3HJ5NRC8PF",  # 26 letters and digits: a customer's id
        "BRE" + A + "CANARY",
        "sq0 to sq9",
        "sq01234-567890",
        "Sequoia sq0-1234567",
    ],
)
def test_honest_texts_and_ids_are_no_token(text):
    assert not holds_token(text)
    assert text == mask_text(text)


def test_a_token_is_known_at_any_depth_of_a_body():
    assert holds_token({"a": [{"b": TOKENS[0]}]})
    assert holds_token({TOKENS[0]: 1})
    assert not holds_token({"a": [{"b": "Late order"}, 12, None]})


@pytest.mark.parametrize(
    "number",
    ["4155550123", "14155550123", "442079460123", "07700900123", "415 5550123", "415-5550123"],
)
def test_a_bare_number_in_a_reason_is_masked(number):
    assert "call ***0123, please" == mask_reason(f"call {number}, please")
    assert "tel:***0123" == mask_reason(f"tel:{number}")
    assert [number] == bare_numbers(f"call {number}")


@pytest.mark.parametrize("number", ["+14155550123", "(415) 555-0123", "020 7946 0123"])
def test_a_reason_is_masked_as_any_text_as_well(number):
    assert "call ***0123" == mask_reason(f"call {number}")


@pytest.mark.parametrize(
    "reason",
    [
        "Late order, ticket 4711",
        "Late order of 2026-11-28, 12 points",
        "20261128 order 123456789",
        "Undo of event 5b1c0e3e-0123-4567-8901-012345678901",
        "order A4155550123",
        "order 2026-4155550123",
        "1.4155550123 and 0,4155550123",
        "late [lr1:abcdefgh23456723]",
    ],
)
def test_other_numbers_in_a_reason_stay(reason):
    assert reason == mask_reason(reason)


def test_a_reason_in_a_body_is_masked_as_a_reason():
    body = {"adjust_points": {"reason": "call 4155550123", "points": 4155550123}}

    masked = {"adjust_points": {"reason": "call ***0123", "points": 4155550123}}
    assert masked == mask_body(body)


def test_a_given_secret_is_hidden_in_a_text():
    assert "it is [token]." == mask_text("it is hunter2.", ["hunter2", ""])


def test_a_body_is_masked_at_every_depth():
    body = {"a": [{"phone_number": "14155550123"}], "b": "+14155550123", "c": 14155550123}

    assert {"a": [{"phone_number": "***0123"}], "b": "***0123", "c": 14155550123} == mask_body(body)


def test_a_phone_number_that_is_sent_as_a_number_is_masked():
    assert {"phone_number": "***0123"} == mask_body({"phone_number": 14155550123})


def test_masking_leaves_the_original_as_it_is():
    body = {"mapping": {"phone_number": "+14155550123"}}
    mask_body(body)

    assert {"mapping": {"phone_number": "+14155550123"}} == body


def test_test_numbers_stay_where_they_are_wanted():
    body = {"phone_number": "+14155550123", "other": {"phone_number": "+442079460123"}}

    assert {"phone_number": "+14155550123", "other": {"phone_number": "***0123"}} == mask_body(
        body, keep_test_numbers=True
    )


@pytest.mark.parametrize(
    ("number", "made_up"),
    [
        ("+14155550123", True),
        ("14155550123", True),
        ("+14154150123", False),
        ("+442079460123", False),
        ("+1415555012", False),
        ("+11155550123", False),
        ("+1٤١٥555٠١٢٣", False),  # noqa: RUF001 - digits of another script are the point
    ],
)
def test_only_555_numbers_of_america_are_made_up(number, made_up):
    assert made_up is is_test_number(number)


def test_a_refused_value_is_shown_masked_and_cut():
    assert "'***0123'" == mask_repr("+14155550123")
    assert 63 == len(mask_repr("x" * 1000))
