"""A token and a phone number are looked for wherever they could come to light.

The number is an argument of the caller, so a debugger that prints the local variables of every
frame shows it; the token is in no frame at all.
"""

import logging
import traceback
from types import TracebackType

import httpx
import pytest
from pydantic import SecretStr

from loyalty_helpers.errors import LoyaltyError
from loyalty_helpers.forms import adjust_form, buyer_form
from loyalty_helpers.records.models import LoyaltyAccount, LoyaltyEvent
from loyalty_helpers.records.tables import EventTable
from loyalty_helpers.session import connect
from loyalty_helpers.settings import load_settings
from loyalty_helpers.steps.adjustments import Preview
from loyalty_helpers.transports.network import BearerToken
from loyalty_helpers.transports.recordings import RecordingTransport

from .doubles import (
    ACCOUNT_BODY,
    ACCOUNT_ID,
    CANARY_PHONE,
    CANARY_TOKEN,
    EVENT,
    PROGRAM_ID,
    Answers,
    make_client,
    refused,
    reply,
)

TOKEN = SecretStr(CANARY_TOKEN)
FOUND = reply(200, {"loyalty_accounts": [ACCOUNT_BODY]})
REFUSED = refused(400, "X", detail=f"{CANARY_PHONE} with {CANARY_TOKEN}")
DRAMA_PHONE = "+442079460123"  # kept for fiction, but none of the 555 numbers that are shown


def client(*answers):
    return make_client(Answers(*answers), token=TOKEN)


def hidden(text):
    return CANARY_TOKEN not in text and CANARY_PHONE not in text and CANARY_PHONE[1:] not in text


def everything(value, depth=4):
    """The repr and str of a value and, level by level, of what vars() finds in it."""
    texts = [repr(value), str(value)]
    if depth and hasattr(value, "__dict__") and not isinstance(value, SecretStr):
        texts += [text for each in vars(value).values() for text in everything(each, depth - 1)]
    return texts


def locals_of(trace: TracebackType | None):
    """The repr of every local variable of every frame, as rich tracebacks print them."""
    for frame, _ in traceback.walk_tb(trace):
        if frame.f_code.co_filename != __file__:
            yield from map(repr, frame.f_locals.values())


def test_no_part_of_a_client_shows_the_token():
    asked = client(FOUND)
    asked.find_account(phone_number=CANARY_PHONE)

    assert [] == [text for text in everything(asked) if CANARY_TOKEN in text]


def test_a_client_shows_no_phone_number_of_its_requests():
    asked = client(FOUND)
    asked.find_account(phone_number=CANARY_PHONE)

    assert all(map(hidden, [repr(asked), str(asked), repr(asked.exchanges), repr(vars(asked))]))


def test_the_auth_shows_no_token():
    assert ["BearerToken([token])"] * 2 == everything(BearerToken(TOKEN), depth=0)
    assert all(map(hidden, everything(BearerToken(TOKEN))))


def test_settings_show_no_token(monkeypatch):
    monkeypatch.setenv("SQUARE_ACCESS_TOKEN", CANARY_TOKEN)
    monkeypatch.setenv("LOYALTY_EMULATOR_TOKEN", CANARY_TOKEN)

    settings = load_settings()
    assert all(map(hidden, [*everything(settings), settings.model_dump_json()]))


def test_a_shown_exchange_hides_token_and_phone_number():
    asked = client(FOUND)
    asked.find_account(phone_number=CANARY_PHONE)

    shown = asked.last_exchange
    assert all(map(hidden, [repr(shown), str(shown), shown.curl, *shown._view().values()]))


def test_a_shown_account_hides_the_phone_number():
    account = LoyaltyAccount.model_validate(ACCOUNT_BODY)

    texts = [
        *everything(account, 1),
        *account._view().values(),
        repr(list(account.__rich_repr__())),
    ]
    assert all(map(hidden, texts))
    assert "***0123" in str(account)


def test_a_shown_event_hides_a_phone_number_in_its_reason():
    told = EVENT | {"adjust_points": {"points": 12, "reason": f"call {CANARY_PHONE}"}}
    event = LoyaltyEvent.model_validate(told)

    assert all(map(hidden, [*everything(event, 1), repr(event.details), *event._view().values()]))


@pytest.mark.parametrize("written", [DRAMA_PHONE, DRAMA_PHONE[1:], "020 7946" + " 0123"])
def test_a_number_in_a_reason_is_hidden_wherever_the_reason_is_shown(written):
    """However it is written, and though it is none of the made-up 555 numbers."""
    reason = f"call {written} back"
    event = EVENT | {"adjust_points": {"points": 12, "reason": reason}}
    asked = client(reply(200, {"event": event}))
    made = asked.adjust_points(ACCOUNT_ID, 12, reason=reason, idempotency_key="k")
    account = LoyaltyAccount.model_validate(ACCOUNT_BODY)
    given = {"points": 12, "reason": reason, "run_id": "r"}
    form = adjust_form(asked, account, **given)

    shown = [asked.last_exchange, made, EventTable((made,)), Preview(account, **given), form]
    texts = [text for each in shown for text in each._view().values()]
    texts += [asked.last_exchange.curl, repr(made.details), str(asked.last_exchange)]
    assert [] == [text for text in texts if written in text]
    assert reason == made.reason
    assert reason == form.values["reason"]


@pytest.mark.parametrize("name", ["account_id", "customer_id"])
def test_a_form_hides_a_number_in_the_wrong_field(name):
    form = buyer_form(client(FOUND), **{name: DRAMA_PHONE[1:]})

    assert [] == [text for text in form._view().values() if DRAMA_PHONE[1:] in text]


FAULTS = {
    "refused": (REFUSED,),
    "unauthorized": (refused(401, "UNAUTHORIZED", detail=CANARY_TOKEN),),
    "several": (reply(200, {"loyalty_accounts": [ACCOUNT_BODY] * 2}),),
    "none": (reply(200),),
    "lost": (httpx.ReadTimeout("late"),),
    "not sent": (httpx.ConnectError("refused"),),
    "redirect": (reply(307, Location="https://evil.example"),),
    "wrong record": (reply(200, {"loyalty_accounts": [ACCOUNT_BODY | {"balance": "12"}]}),),
    "no record": (reply(200, {"loyalty_accounts": [CANARY_PHONE]}),),
    "not JSON": (reply(200, CANARY_PHONE.encode()),),
}


@pytest.mark.parametrize("answers", FAULTS.values(), ids=FAULTS)
def test_no_error_shows_token_or_phone_number(answers):
    with pytest.raises(LoyaltyError) as caught:
        client(*answers).find_account(phone_number=CANARY_PHONE)

    error = caught.value
    assert all(map(hidden, [repr(error), str(error), repr(vars(error))]))
    lines = traceback.format_exception(error)
    assert [] == [line for line in lines if CANARY_TOKEN in line or CANARY_PHONE in line]


@pytest.mark.parametrize("answers", FAULTS.values(), ids=FAULTS)
def test_no_frame_of_a_traceback_holds_the_token(answers):
    with pytest.raises(LoyaltyError) as caught:
        client(*answers).find_account(phone_number=CANARY_PHONE)

    assert [] == [text for text in locals_of(caught.value.__traceback__) if CANARY_TOKEN in text]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("in the transport")])
def test_no_frame_holds_the_token_when_a_request_is_interrupted(error):
    with pytest.raises(type(error)) as caught:
        client(error).find_account(phone_number=CANARY_PHONE)

    assert [] == [text for text in locals_of(caught.value.__traceback__) if CANARY_TOKEN in text]


@pytest.mark.parametrize(
    "variables",
    [
        {"LOYALTY_ENVIRONMENT": "sandbox", "SQUARE_ACCESS_TOKEN": f"{CANARY_TOKEN}\n"},
        {"LOYALTY_EMULATOR_TOKEN": CANARY_TOKEN},
        {"LOYALTY_EMULATOR_TOKEN": f" {CANARY_TOKEN}"},
        {"LOYALTY_ENVIRONMENT": CANARY_TOKEN},
    ],
    ids=["newline", "for the emulator", "with a space", "in the wrong place"],
)
def test_a_refused_token_is_in_no_text_and_no_frame(monkeypatch, variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(LoyaltyError) as caught:
        connect()

    shown = [*traceback.format_exception(caught.value), *locals_of(caught.value.__traceback__)]
    assert [] == [text for text in shown if CANARY_TOKEN in text]


@pytest.mark.parametrize("bad", [CANARY_PHONE, CANARY_TOKEN])
def test_a_secret_in_the_wrong_field_is_not_shown(bad):
    asked = client(FOUND)
    for call in (
        lambda: asked.retrieve_account(bad),
        lambda: asked.retrieve_program(bad),
        lambda: asked.find_account(phone_number=bad + "0" * 9),
        lambda: asked.adjust_points(ACCOUNT_ID, bad, idempotency_key="k"),
        lambda: asked.request(bad, "/v2/x"),
        lambda: asked.request("GET", bad),
    ):
        with pytest.raises(LoyaltyError) as caught:
            call()
        assert hidden(str(caught.value))


def test_debug_logs_of_httpx_hold_no_secret(caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(LoyaltyError):
        client(REFUSED).create_account(CANARY_PHONE, program_id=PROGRAM_ID, idempotency_key="k")

    assert caplog.records
    assert hidden(caplog.text)


def test_a_recording_holds_no_token_and_no_real_phone_number(tmp_path):
    account = ACCOUNT_BODY | {"mapping": {"phone_number": DRAMA_PHONE}}
    body = {"loyalty_accounts": [account], "note": f"{DRAMA_PHONE} {CANARY_TOKEN}"}
    target = tmp_path / "recording.json"
    recorder = RecordingTransport(
        Answers(reply(200, body)), target, notebook="n", source="emulator"
    )
    make_client(recorder, token=TOKEN).find_account(phone_number=DRAMA_PHONE)

    text = target.read_text()
    assert (False, False, True) == (
        CANARY_TOKEN in text,
        DRAMA_PHONE[1:] in text,
        "***0123" in text,
    )
