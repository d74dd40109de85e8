"""What a caller may give, and what is refused before any request."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from loyalty_helpers.api.checks import (
    check_approver,
    check_id,
    check_list,
    check_page_size,
    check_phone_number,
    check_points,
    check_reason,
    next_second,
    rfc3339,
)
from loyalty_helpers.api.keys import check_run_id
from loyalty_helpers.errors import ParameterError
from tests.doubles import ACCOUNT_ID, CANARY_TOKEN


@pytest.mark.parametrize("number", ["+14155551234", "+442079460123", "+819012345678"])
def test_a_number_in_e164_passes(number):
    assert number == check_phone_number(number)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("+1 415 555 1234", "+14155551234"),
        ("+1 (415) 555-1234", "+14155551234"),
        ("+1.415.555.1234", "+14155551234"),
        ("+1\u00a0415\u00a0555\u20111234", "+14155551234"),
        (" +14155551234\n", "+14155551234"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("+4402079460958", "+442079460958"),
        ("+33 (0)1 23 45 67 89", "+33123456789"),
    ],
)
def test_a_number_has_one_normal_form_however_it_is_written(written, normal):
    assert normal == check_phone_number(written)


NATIONAL = "a plus and the country code before the number, such as +14155551234"
EXISTING = "a number that exists, in E.164 format: a plus, the country code and the number"


@pytest.mark.parametrize(
    ("number", "shown", "allowed"),
    [
        ("14155551234", "'*******1234'", NATIONAL),
        ("(415) 555-1234", "'***1234'", NATIONAL),
        ("(415)\u00a0555\u20111234", "'***1234'", NATIONAL),
        ("", "''", NATIONAL),
        ("0", "'0'", NATIONAL),
        (None, "None", NATIONAL),
        (14155551234, "*******1234", NATIONAL),
        ("+1415CALLNOW", "'+1415CALLNOW'", EXISTING),
        ("+1.41556E+10", "'+*.***56E+10'", EXISTING),
        ("+1415555１２３４", "'***１２３４'", EXISTING),  # noqa: RUF001 - the point
        ("+1415555012", "'***5012'", f"{EXISTING}; this one is too short for +1"),
        ("+1415555123456789", "'+************6789'", f"{EXISTING}; this one is too long for +1"),
        ("+4420794609", "'***4609'", f"{EXISTING}; this one is of a wrong length for +44"),
        ("+1", "'+1'", f"{EXISTING}; this one is too short"),
        ("+99912345678", "'***5678'", f"{EXISTING}; no country has this code"),
        (
            "+12005550199",
            "'***0199'",
            f"{EXISTING}; no number of +1 begins like this one: look for a mistyped digit",
        ),
    ],
)
def test_any_other_number_is_refused_with_the_reason(number, shown, allowed):
    with pytest.raises(ParameterError) as error:
        check_phone_number(number)

    assert f"phone_number: found {shown}; allowed: {allowed}" == str(error.value)


@pytest.mark.parametrize(
    "reason", ["", "Late order", "x" * 3500, "😀" * 1750, "<b>", "a\nb", "=HYPERLINK()", "$x$"]
)
def test_a_text_that_square_takes_passes(reason):
    assert reason == check_reason(reason)


@pytest.mark.parametrize("reason", ["x" * 3501, "😀" * 1751])
def test_a_reason_over_3500_characters_is_refused_with_its_length(reason):
    with pytest.raises(ParameterError, match=r"reason has 350\d characters; .* up to 3500"):
        check_reason(reason)


@pytest.mark.parametrize("reason", ["a\0b", "a\ud800b", "\udfff"])
def test_a_reason_that_is_no_valid_text_is_refused(reason):
    with pytest.raises(ParameterError, match="NUL or a lone surrogate"):
        check_reason(reason)


@pytest.mark.parametrize("reason", [None, 5, b"Late order"])
def test_a_reason_that_is_no_text_is_refused(reason):
    with pytest.raises(ParameterError, match="reason must be a text"):
        check_reason(reason)


@pytest.mark.parametrize("text", ["{}", "paid with {}.", "a\n{}"])
def test_a_token_anywhere_in_a_reason_is_refused_and_not_shown(text):
    with pytest.raises(ParameterError, match="reason: found an access token") as error:
        check_reason(text.format(CANARY_TOKEN))

    assert CANARY_TOKEN not in str(error.value)


@pytest.mark.parametrize("run_id", ["sq0" + "atp-canary-22", "x_" + "sq0" + "csp-canary-22"])
def test_a_run_id_with_a_token_is_refused_and_not_shown(run_id):
    with pytest.raises(ParameterError, match="neither a token nor a phone number") as error:
        check_run_id(run_id)

    assert "canary" not in str(error.value)


def test_a_run_id_that_is_a_phone_number_is_refused():
    with pytest.raises(ParameterError, match=r"run_id '\*\*\*0123' is not allowed"):
        check_run_id("415-555-0123")


@pytest.mark.parametrize("run_id", ["2026-11-28", "20261128-0930", "2026112801", "late-415-2026"])
def test_dates_and_numbers_are_run_ids(run_id):
    assert run_id == check_run_id(run_id)


@pytest.mark.parametrize("identifier", ["4155550123", "14155550123", "415-555-0123", "0" * 8])
def test_a_phone_number_in_place_of_an_id_is_refused_and_not_shown(identifier):
    with pytest.raises(ParameterError, match="this one looks like a phone number") as error:
        check_id(identifier, "account_id")

    assert identifier not in str(error.value)


@pytest.mark.parametrize("identifier", ["1234567", "4155550123a", "1" * 16])
def test_other_ids_of_digits_pass(identifier):
    assert identifier == check_id(identifier, "account_id")


def test_a_token_in_place_of_an_id_is_refused_and_not_shown():
    with pytest.raises(ParameterError, match="account_id: found an access token") as error:
        check_id("sq0" + "atp-canary-22", "account_id")

    assert "canary" not in str(error.value)


@pytest.mark.parametrize(
    "name",
    ["", "Ann", "J\u00f6", "\u738b\u4f1f", "4711", "Ann O'Neil (night)", "\uff21\uff22"],
)
def test_a_name_that_can_be_read_approves(name):
    assert name == check_approver(name)


UNSEEN = {
    "spaces": " \u00a0\u3000",
    "one letter": "A",
    "signs": "-- !",
    "zero width": "\u200b\u200c\u2060",
    "zero width in a name": "An\u200bn",
    "direction": "Ann\u202e",
    "control": "Ann\x07",
    "fillers of Hangul": "\u3164\u3164\u115f\u1160\uffa0",
    "blank Braille": "\u2800\u2800",
    "tags": "\U000e0041\U000e0042",
    "variation selectors": "\ufe0f\ufe0f",
    "private": "\ue000\ue001",
}


@pytest.mark.parametrize("name", UNSEEN.values(), ids=UNSEEN)
def test_who_cannot_be_read_approves_nothing(name):
    with pytest.raises(ParameterError, match=r"approved_by: found .* a name that can be read"):
        check_approver(name)


@pytest.mark.parametrize("name", [None, 5])
def test_who_is_no_text_approves_nothing(name):
    with pytest.raises(ParameterError, match="approved_by: found"):
        check_approver(name)


@pytest.mark.parametrize(
    "name", ["+14155550123", "4155550123", "Ann, (415) 555-0123", "ann@shop.example", "Ann <a@b.c>"]
)
def test_a_phone_number_or_an_e_mail_address_approves_nothing_and_is_not_shown(name):
    with pytest.raises(ParameterError, match="a name or a staff id") as error:
        check_approver(name)

    assert name not in str(error.value)


def test_a_token_approves_nothing_and_is_not_shown():
    with pytest.raises(ParameterError, match="approved_by: found an access token") as error:
        check_approver(f"Ann {CANARY_TOKEN}")

    assert CANARY_TOKEN not in str(error.value)


@pytest.mark.parametrize("points", [1, -1, 2**31 - 1, -(2**31) + 1])
def test_points_of_32_bits_pass(points):
    assert points == check_points(points)


@pytest.mark.parametrize("points", [0, 2**31, -(2**31), 10**20])
def test_points_outside_are_refused_with_the_limits(points):
    with pytest.raises(ParameterError, match="-2147483647 to 2147483647 and not 0"):
        check_points(points)


@pytest.mark.parametrize("points", [1.0, 1.5, "12", None, True, float("nan")])
def test_points_that_are_no_whole_number_are_refused(points):
    with pytest.raises(ParameterError, match="points must be a whole number"):
        check_points(points)


@pytest.mark.parametrize("identifier", [ACCOUNT_ID, "a", "A-Z_09", "x" * 36])
def test_an_id_of_plain_characters_passes(identifier):
    assert identifier == check_id(identifier, "account_id")


@pytest.mark.parametrize(
    "identifier",
    ["../../v2/payments", "a?b", "a/b", "a#b", "a%2Fb", "x" * 37, "", "a b", "a\n", "é", ".", None],
)
def test_an_id_that_could_change_the_path_is_refused(identifier):
    with pytest.raises(ParameterError, match=r"account_id .* 1 to 36 of A-Z"):
        check_id(identifier, "account_id")


def test_a_list_of_texts_passes():
    assert ["a", "b"] == check_list(("a", "b"), "types")


@pytest.mark.parametrize("values", ["ADJUST_POINTS", "", [1], [None]])
def test_a_text_is_not_taken_for_the_list_of_its_letters(values):
    with pytest.raises(ParameterError, match="types must be a list of texts"):
        check_list(values, "types")


@pytest.mark.parametrize("size", [0, -1, 31, "30", True, 1.0])
def test_a_page_size_outside_is_refused(size):
    with pytest.raises(ParameterError, match="page_size must be 1 to 30"):
        check_page_size(size, 30)


def test_a_moment_is_written_in_utc_by_whole_seconds():
    moment = datetime(2026, 11, 2, 10, 30, 0, 999, tzinfo=timezone(timedelta(hours=1)))

    assert "2026-11-02T09:30:00Z" == rfc3339(moment, "start_at")


@pytest.mark.parametrize("moment", [datetime(2026, 11, 2), "2026-11-02T09:30:00Z", 0])
def test_a_moment_without_a_time_zone_is_refused(moment):
    with pytest.raises(ParameterError, match="start_at must be a datetime with a time zone"):
        rfc3339(moment, "start_at")


@pytest.mark.parametrize(
    ("microsecond", "second"), [(0, 0), (1, 1), (999_999, 1)], ids=["whole", "begun", "almost over"]
)
def test_the_next_second_is_the_first_whole_one(microsecond, second):
    moment = datetime(2026, 11, 2, 9, 30, 0, microsecond, tzinfo=UTC)

    assert datetime(2026, 11, 2, 9, 30, second, tzinfo=UTC) == next_second(moment)


def test_the_last_moment_of_all_has_no_next_second():
    last = datetime.max.replace(tzinfo=UTC)

    assert last == next_second(last)
