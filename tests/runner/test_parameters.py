import pytest

from loyalty_helpers.errors import ParameterError
from loyalty_helpers.runbooks.plan import APPROVAL_LENGTH
from loyalty_helpers.runner import Notebook


def refusal(**given: object) -> str:
    with pytest.raises(ParameterError) as error:
        Notebook.read("02_adjust_points").check(given)
    return str(error.value)


def test_text_of_the_command_line_becomes_what_the_notebook_takes() -> None:
    given = {"points": "-5", "allow_negative_balance": "True", "phone_number": "+14155550101"}
    checked = Notebook.read("02_adjust_points").check(given)

    assert (-5, True, "+14155550101") == (
        checked["points"],
        checked["allow_negative_balance"],
        checked["phone_number"],
    )


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ("1.5", "a whole number without points or commas, such as 1000 or -10"),
        ("1e3", "a whole number with its digits written out, such as 1000"),
        ("0", "any whole number but 0: leave out a row that changes nothing"),
        ("+5", "a number without a plus, such as 10; a minus takes points away"),
        ("1,000", "a whole number without points or commas, such as 1000 or -10"),
        ("five", "a whole number in digits and nothing else, such as 10 or -10"),
        ("", "a whole number such as 10 or -10; an empty cell is not taken for 0"),
        ("NaN", "a whole number such as 10 or -10; NaN often stands for an empty cell"),
        ("0x10", "a whole number in digits and nothing else, such as 10 or -10"),
    ],
)
def test_points_must_be_a_whole_number_other_than_0(points: str, reason: str) -> None:
    allowed = "a whole number, negative to take away, not 0, of 32 bits"

    assert f"points: found {points!r}; allowed: {allowed}; {reason}" == refusal(points=points)


@pytest.mark.parametrize("points", [0, 1.5, True, 2**31, -(2**31), "99999999999"])
def test_points_of_another_type_or_size_are_refused(points: object) -> None:
    assert "points: found" in refusal(points=points)


@pytest.mark.parametrize("number", ["14155550101", "415 555 0101", "+1415555CALL", "+1415555"])
def test_a_phone_number_that_is_not_e164_is_refused(number: str) -> None:
    assert "allowed: E.164 format" in refusal(phone_number=number)


def test_a_refused_phone_number_is_not_repeated_in_full() -> None:
    assert "4155550123" not in refusal(phone_number="+4155550123x")
    assert "0123" in refusal(phone_number="+4155550123x")


def test_a_national_number_is_refused_with_an_example_that_can_be_read() -> None:
    example = "E.164 format: '+', country code and number, such as +14155551234"
    reason = "a plus and the country code before the number, such as +14155551234"

    assert f"phone_number: found '***0123'; allowed: {example}; {reason}" == refusal(
        phone_number="(415) 555-0123"
    )


def test_a_reason_over_3500_characters_is_refused_and_shown_short() -> None:
    text = refusal(reason="x" * 3501)

    assert "(3501 characters); allowed: text of up to 3,500 characters" in text
    assert len(text) < 200


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    assert "pionts: there is no such parameter (did you mean points?)" in refusal(pionts="5")


def test_all_problems_are_told_at_once() -> None:
    text = refusal(points="0", phone_number="x", run_id="Has Space", environment="moon")

    assert ["environment", "phone_number", "points", "run_id"] == [
        line.split(":")[0] for line in text.splitlines()
    ]


@pytest.mark.parametrize("run_id", ["", "../up", "{0}", "UPPER", "-x", "a" * 65, "a/b"])
def test_a_run_id_names_a_folder_and_is_kept_plain(run_id: str) -> None:
    assert "run_id: found" in refusal(run_id=run_id)


@pytest.mark.parametrize("account", ["../../v2/payments", "a?b", "a/b", "x" * 37])
def test_an_id_that_would_change_the_path_is_refused(account: str) -> None:
    assert "account_id: found" in refusal(account_id=account)


def test_naming_the_buyer_takes_back_the_default_phone_number() -> None:
    checked = Notebook.read("02_adjust_points").check({"customer_id": "CUSTOMER"})

    assert ("", "CUSTOMER", "") == (
        checked["phone_number"],
        checked["customer_id"],
        checked["account_id"],
    )


def test_two_ways_to_name_the_buyer_are_refused() -> None:
    text = refusal(customer_id="CUSTOMER", account_id="ACCOUNT")

    assert "give exactly one of phone_number, customer_id, account_id" in text


def test_no_way_to_name_the_buyer_is_refused() -> None:
    assert "found none" in refusal(phone_number="")


def test_a_token_is_never_a_parameter_and_is_not_repeated() -> None:
    token = "EAAA" + "canary-value"

    assert "set SQUARE_ACCESS_TOKEN" in refusal(reason=token)
    assert token not in refusal(reason=token)


def test_a_digest_is_given_by_as_many_characters_as_approve_a_plan() -> None:
    notebook, short = Notebook.read("adjust_points"), "a" * (APPROVAL_LENGTH - 1)
    with pytest.raises(ParameterError, match=f"plan only, or {APPROVAL_LENGTH} or more characters"):
        notebook.check({"approved_plan": short})

    assert f"{short}a" == notebook.check({"approved_plan": f"{short}a"})["approved_plan"]


@pytest.mark.parametrize("types", ["ADJUST", "ADJUST_POINTS;OTHER", "adjust_points"])
def test_unknown_event_types_are_refused(types: str) -> None:
    with pytest.raises(ParameterError, match="event_types: found"):
        Notebook.read("04_balance_events").check({"event_types": types})


@pytest.mark.parametrize("day", ["2026-13-01", "2026-02-30", "01.02.2026", "2026-1-1", "yesterday"])
def test_a_day_is_written_as_yyyy_mm_dd(day: str) -> None:
    with pytest.raises(ParameterError, match="start_date: found"):
        Notebook.read("04_balance_events").check({"start_date": day})
