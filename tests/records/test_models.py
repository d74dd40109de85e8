"""Records: strict where it matters, tolerant where Square may add, silent about people."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from loyalty_helpers.errors import UnexpectedAnswerError
from loyalty_helpers.records.models import (
    ExpiringPoints,
    ImpossibleTime,
    LoyaltyAccount,
    LoyaltyEvent,
    LoyaltyEventDetails,
    LoyaltyProgram,
    parse_time,
)
from tests.doubles import ACCOUNT_BODY, ACCOUNT_ID, EVENT, PROGRAM_ID, Answers, make_client, reply

DETAILS = {
    "ACCUMULATE_POINTS": ("accumulate_points", 5),
    "ACCUMULATE_PROMOTION_POINTS": ("accumulate_promotion_points", 5),
    "ADJUST_POINTS": ("adjust_points", -3),
    "CREATE_REWARD": ("create_reward", -10),
    "DELETE_REWARD": ("delete_reward", 10),
    "EXPIRE_POINTS": ("expire_points", -7),
    "OTHER": ("other_event", 2),
}
BARE_EVENT = {key: value for key, value in EVENT.items() if key != "adjust_points"}


def account(**more):
    return LoyaltyAccount.model_validate(ACCOUNT_BODY | more)


def event(**more):
    return LoyaltyEvent.model_validate(BARE_EVENT | more)


def answer_with(**more):
    """The client's account from an answer in which these fields are changed; None leaves out."""
    body = {key: value for key, value in (ACCOUNT_BODY | more).items() if value is not None}
    return make_client(Answers(reply(200, {"loyalty_account": body}))).retrieve_account(ACCOUNT_ID)


def test_a_record_is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        account().balance = 1_000_000


def test_fields_that_square_adds_are_ignored():
    assert account() == account(tier="gold", mapping=ACCOUNT_BODY["mapping"] | {"new": 1})


@pytest.mark.parametrize("field", ["program_id", "balance", "lifetime_points"])
def test_a_missing_field_is_told_by_its_name(field):
    with pytest.raises(UnexpectedAnswerError, match=f"no proper LoyaltyAccount: {field}: Field"):
        answer_with(**{field: None})


@pytest.mark.parametrize("balance", ["12", "ten", 12.0, 1.5, True, [12]])
def test_a_balance_of_another_type_is_refused_without_showing_it(balance):
    with pytest.raises(
        UnexpectedAnswerError, match="balance: Input should be a valid integer"
    ) as e:
        answer_with(balance=balance)

    assert repr(balance) not in str(e.value)


@pytest.mark.parametrize("points", ["ten", "12", 12.0, None])
def test_points_of_another_type_are_refused(points):
    with pytest.raises(ValidationError):
        event(adjust_points={"points": points})


def test_a_text_where_a_record_should_be_is_refused():
    with pytest.raises(UnexpectedAnswerError, match="no proper LoyaltyAccount"):
        list(make_client(Answers(reply(200, {"loyalty_accounts": ["text"]}))).search_accounts())


def test_negative_balances_are_fine():
    assert -25 == account(balance=-25).balance


def test_a_buyer_without_a_phone_number_is_fine():
    bare = {key: value for key, value in ACCOUNT_BODY.items() if key != "mapping"}

    assert "" == LoyaltyAccount.model_validate(bare).masked_phone_number


def test_expiring_points_are_shown_with_their_date():
    shown = str(
        account(expiring_point_deadlines=[{"points": 5, "expires_at": "2027-01-01T00:00:00Z"}])
    )

    assert "expires 2027-01-01 00:00:00+00:00  5" in shown


# Times


@pytest.mark.parametrize(
    ("sent", "moment"),
    [
        ("2020-05-11T22:55:18Z", datetime(2020, 5, 11, 22, 55, 18, tzinfo=UTC)),
        ("2020-05-11T22:55:18.837Z", datetime(2020, 5, 11, 22, 55, 18, 837000, tzinfo=UTC)),
        ("2020-05-12T00:55:18+02:00", datetime(2020, 5, 11, 22, 55, 18, tzinfo=UTC)),
    ],
)
def test_a_time_is_aware_and_in_utc(sent, moment):
    parsed = parse_time(sent)

    assert (moment, UTC) == (parsed, parsed.tzinfo)


@pytest.mark.parametrize(
    "sent",
    [
        "2020-05-11T25:11:07Z",
        "2016-11-16T25:44:22.837Z",
        "2020-02-30T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2020-05-11T22:55:18",
        "yesterday",
        "",
    ],
)
def test_a_time_that_cannot_exist_is_kept_and_told(sent):
    kept = parse_time(sent)

    assert (True, f"{sent} (as sent: no such time)") == (kept == sent, f"{kept}")
    assert ImpossibleTime is type(kept)


def test_the_impossible_time_of_the_walkthrough_is_shown_in_the_account():
    shown = str(account(updated_at="2020-05-11T25:11:07Z"))

    assert "updated_at       2020-05-11T25:11:07Z (as sent: no such time)" in shown


@pytest.mark.parametrize("sent", [0, 1589237718, ["2020-05-11T22:55:18Z"], {}])
def test_a_time_that_is_no_text_is_refused(sent):
    with pytest.raises(ValidationError, match="RFC 3339"):
        account(created_at=sent)


# Events


@pytest.mark.parametrize(("kind", "field", "points"), [(k, *v) for k, v in DETAILS.items()])
def test_each_type_has_its_points(kind, field, points):
    assert points == event(type=kind, **{field: {"points": points}}).points


@pytest.mark.parametrize(("kind", "field"), [(k, v[0]) for k, v in DETAILS.items()])
def test_a_type_without_its_points_is_refused(kind, field):
    with pytest.raises(ValidationError, match=f"a {kind} event without {field}.points"):
        event(type=kind)


def test_a_redemption_moves_no_points():
    redemption = event(type="REDEEM_REWARD", redeem_reward={"reward_id": "r"})

    assert (0, "r") == (redemption.points, redemption.details.reward_id)


def test_a_type_that_square_adds_later_is_kept():
    later = event(type="GIFT_POINTS", gift_points={"points": 5})

    assert ("GIFT_POINTS", 0, LoyaltyEventDetails()) == (later.type, later.points, later.details)


@pytest.mark.parametrize("kind", ["details", "points", "model_config", "__class__", ""])
def test_a_type_named_like_an_attribute_has_no_details(kind):
    assert LoyaltyEventDetails() == event(type=kind).details


def test_an_event_without_a_reason_has_an_empty_one():
    assert "" == event(adjust_points={"points": 1}).reason


# How they look

MASKED_DETAILS = (
    "LoyaltyEventDetails(points=1, reason='call ***0123', order_id=None, "
    "reward_id=None, loyalty_program_id=None, loyalty_promotion_id=None)"
)


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (account(), f"LoyaltyAccount(id='{ACCOUNT_ID}', balance=12)"),
        (
            LoyaltyEvent.model_validate(EVENT),
            "LoyaltyEvent(id='e1', type='ADJUST_POINTS', points=+12)",
        ),
        (
            account().mapping,
            "LoyaltyAccountMapping(id='m1', phone_number='***0123', created_at=None)",
        ),
        (
            LoyaltyEventDetails(points=1, reason="call +14155550123"),
            MASKED_DETAILS,
        ),
        (
            LoyaltyProgram.model_validate(
                {"id": PROGRAM_ID, "status": "ACTIVE", "terminology": {"one": "P", "other": "Ps"}}
            ),
            f"LoyaltyProgram(id='{PROGRAM_ID}', status='ACTIVE')",
        ),
    ],
    ids=["account", "event", "mapping", "details", "program"],
)
def test_a_repr_is_short_and_masked(record, text):
    assert text == repr(record)


def test_expiring_points_keep_an_impossible_time():
    points = ExpiringPoints.model_validate({"points": 5, "expires_at": "2027-13-01T00:00:00Z"})

    assert "2027-13-01T00:00:00Z" == points.expires_at


def _event_without(*names: str, **more: object) -> dict[str, object]:
    event = {
        "id": "e",
        "type": "ADJUST_POINTS",
        "created_at": "2026-07-15T00:00:00Z",
        "loyalty_account_id": "a",
        "source": "LOYALTY_API",
        "adjust_points": {"points": 12, "reason": "Late order"},
    }
    return {name: value for name, value in (event | more).items() if name not in names}


def test_event_without_a_type_has_that_of_what_it_holds():
    event = LoyaltyEvent.model_validate(_event_without("type", "source"))

    assert ("ADJUST_POINTS", 12, "Late order", "") == (
        event.type,
        event.points,
        event.reason,
        event.source,
    )


@pytest.mark.parametrize("nothing", [None, ""])
def test_null_type_is_a_missing_one(nothing):
    event = LoyaltyEvent.model_validate(_event_without(type=nothing, source=nothing))

    assert ("ADJUST_POINTS", "") == (event.type, event.source)


def test_event_that_tells_nothing_of_its_type_is_kept_with_no_points():
    event = LoyaltyEvent.model_validate(_event_without("type", "adjust_points"))

    assert ("", 0) == (event.type, event.points)
    assert "type=''" in repr(event)


def test_event_without_a_type_still_needs_its_points():
    with pytest.raises(ValidationError, match=r"ADJUST_POINTS event without adjust_points\.points"):
        LoyaltyEvent.model_validate(_event_without("type", adjust_points={"reason": "r"}))
