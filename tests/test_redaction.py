"""Masks: what is hidden, and what stays readable."""

import pytest

from loyalty_helpers.redaction import is_test_number, mask_body, mask_phone, mask_repr, mask_text

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


@pytest.mark.parametrize("token", [CANARY_TOKEN, "sq0" + "atp-" + "canary_canary-22"])
def test_a_token_of_square_is_hidden_in_a_text(token):
    assert "Bearer [token]!" == mask_text(f"Bearer {token}!")


def test_a_given_secret_is_hidden_in_a_text():
    assert "it is [token]." == mask_text("it is hunter2.", ["hunter2", ""])


def test_a_body_is_masked_at_every_depth():
    body = {"a": [{"phone_number": "14155550123"}], "b": "+14155550123", "c": 14155550123}

    assert {"a": [{"phone_number": "***0123"}], "b": "***0123", "c": 14155550123} == mask_body(body)


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
