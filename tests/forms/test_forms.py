"""Forms: fields told by the table of parameters, buttons that call steps with what was typed."""

from html import unescape

import httpx
import ipywidgets as widgets
import pytest

from loyalty_helpers import forms
from loyalty_helpers.errors import ParameterError
from loyalty_helpers.parameters import PARAMETERS
from loyalty_helpers.records import LoyaltyAccount
from tests.doubles import ACCOUNT_BODY, Answers, emulator_client, make_client, refused
from tests.seed_world import PHONE_RICH

ACCOUNT = LoyaltyAccount.model_validate(ACCOUNT_BODY)
ADJUSTMENT = {"points": 12, "reason": "Late", "run_id": "r"}
ORDERS = {"first_order": "4 Coffee 300", "second_order": "1 Coffee 300", "run_id": "r"}


@pytest.fixture
def client():
    return make_client(Answers())


def all_forms(client):
    yield forms.buyer_form(client, phone_number="+14155550101")
    yield forms.adjust_form(client, ACCOUNT, **ADJUSTMENT)
    yield forms.events_form(client, ACCOUNT)
    yield forms.purchase_form(client, ACCOUNT, **ORDERS)


def test_each_field_is_called_and_explained_as_in_the_table(client) -> None:
    for form in all_forms(client):
        for name, field in form.fields.items():
            parameter = PARAMETERS[name]
            assert parameter.label in field.input.description
            assert name in field.input.description
            assert parameter.allowed == field.input.tooltip
            assert parameter.help[1:] in unescape(field.below.value)


def test_yes_or_no_is_a_box_and_a_reason_has_several_lines(client) -> None:
    form = forms.adjust_form(client, ACCOUNT, **ADJUSTMENT, allow_negative_balance="True")

    kinds = {name: type(field.input) for name, field in form.fields.items()}
    assert {
        "points": widgets.Text,
        "reason": widgets.Textarea,
        "run_id": widgets.Text,
        "allow_negative_balance": widgets.Checkbox,
    } == kinds
    assert form.values["allow_negative_balance"] is True


def test_a_form_gives_what_was_typed_as_its_step_takes_it(client) -> None:
    form = forms.adjust_form(client, ACCOUNT, **ADJUSTMENT)
    form.fields["points"].typed = " -5 "
    form.fields["reason"].typed = " Entered twice "

    expected = {"points": -5, "reason": "Entered twice", "run_id": "r"}
    assert expected | {"allow_negative_balance": False} == form.values


def test_a_filter_gives_what_a_search_takes(client) -> None:
    form = forms.events_form(client, ACCOUNT, event_types="OTHER, EXPIRE_POINTS")
    form.fields["start_date"].typed = "2026-01-31"

    found = form.values
    assert ["OTHER", "EXPIRE_POINTS"] == found["types"]
    assert ("2026-01-31T00:00:00+00:00", None) == (found["start_at"].isoformat(), found["end_at"])


def test_a_button_that_writes_looks_different_and_says_what_it_changes(client) -> None:
    for form in all_forms(client):
        for text, act in form.acts.items():
            writes = text in ("Adjust", "Buy")
            assert writes == (act.button.button_style == "warning")
            assert writes == (act.button.tooltip != "Reads only")


@pytest.mark.parametrize("points", ["+12", "012", "1.5", ""])
def test_a_number_that_is_refused_is_told_in_the_form_and_nothing_is_sent(points) -> None:
    network = Answers()
    form = forms.adjust_form(make_client(network), ACCOUNT, **ADJUSTMENT)
    form.fields["points"].typed = points
    for act in form.acts.values():
        act.press()
        assert "Please correct this" in form.answer.value

    assert [] == network.requests


def test_an_answer_goes_when_a_value_changes(client) -> None:
    form = forms.adjust_form(client, ACCOUNT, **ADJUSTMENT | {"points": "x"})
    form.acts["Preview"].press()
    form.fields["points"].typed = "12"

    assert "" == form.answer.value


def test_a_number_that_is_refused_is_told_at_its_field(client):
    form = forms.adjust_form(client, ACCOUNT, **ADJUSTMENT)
    form.fields["points"].typed = "1.5"

    assert "a whole number without points or commas" in form.fields["points"].error


def test_the_values_of_a_form_name_every_problem_at_once(client):
    form = forms.adjust_form(client, ACCOUNT, **ADJUSTMENT | {"points": "x", "run_id": "X"})
    with pytest.raises(ParameterError) as refused:
        _ = form.values

    assert ["Points", "Run id"] == [line.split(":")[0] for line in str(refused.value).splitlines()]


def test_an_error_is_titled_in_words():
    network = Answers(lambda: httpx.Response(200, json={}))
    form = forms.buyer_form(make_client(network), phone_number="+14155550101")
    form.acts["Find account"].press()

    assert "<b>Account not found</b>" in form.answer.value


def test_enter_presses_the_first_button_which_only_reads():
    network = Answers(lambda: httpx.Response(200, json={}))
    form = forms.buyer_form(make_client(network), phone_number="+14155550101")
    form.fields["phone_number"].input._handle_custom_msg({"event": "submit"}, [])

    assert "Account not found" in form.answer.value


def head(form):
    """The title of a form, and whom it acts on."""
    return form.widget.children[0].value


def acting_forms(client, buyer):
    yield forms.adjust_form(client, ACCOUNT, **ADJUSTMENT, buyer=buyer)
    yield forms.events_form(client, ACCOUNT, start_date="2026-01-31", buyer=buyer)
    yield forms.purchase_form(client, ACCOUNT, **ORDERS, buyer=buyer)


def test_a_form_that_acts_on_a_buyer_shows_number_and_balance(client):
    for form in acting_forms(client, None):
        told = head(form)
        assert f"{ACCOUNT.masked_phone_number}, balance {ACCOUNT.balance} when last read" in told
        assert f"balance {ACCOUNT.balance}" in str(form)


def test_a_form_shows_the_balance_that_its_last_answer_has_read():
    body = {"loyalty_account": ACCOUNT_BODY | {"balance": 77}}
    answers = [lambda: httpx.Response(200, json=body), lambda: httpx.Response(200, json={})]
    form = forms.adjust_form(make_client(Answers(*answers)), ACCOUNT, **ADJUSTMENT)
    form.acts["Preview"].press()

    assert "balance 77 when last read" in head(form)


def test_a_form_is_emptied_when_another_buyer_is_named():
    network = Answers()
    client = make_client(network)
    buyer = forms.buyer_form(client, phone_number="+14155550101")
    made = list(acting_forms(client, buyer))
    buyer.fields["phone_number"].typed = "+14155550102"

    for form in made:
        assert {"", False} >= {*form.typed.values()}
        assert ACCOUNT.id not in str(form) + head(form)
        assert "names another buyer now" in head(form)
        for act in form.acts.values():
            act.press()
    assert [] == network.requests


def test_a_form_that_was_emptied_gives_no_values(client):
    buyer = forms.buyer_form(client, phone_number="+14155550101")
    form = forms.adjust_form(client, ACCOUNT, **ADJUSTMENT, buyer=buyer)
    buyer.fields["phone_number"].typed = "+14155550102"

    with pytest.raises(ParameterError, match="names another buyer now"):
        _ = form.values


def test_a_form_says_that_cells_took_other_values(client):
    form = forms.adjust_form(client, ACCOUNT, **ADJUSTMENT)
    assert 12 == form.values["points"]
    form.fields["points"].typed = "120"
    assert "run them again" in head(form)
    form.fields["points"].typed = "12"

    assert "run them again" not in head(form)


@pytest.mark.parametrize("then", [httpx.ConnectError("down"), refused(400), refused(429)])
def test_what_fails_after_the_write_is_not_told_as_if_nothing_had_been_changed(tmp_path, then):
    """Whoever read that would take another run id, and credit twice."""
    with emulator_client(tmp_path) as (client, between):
        form = forms.adjust_form(client, client.find_account(phone_number=PHONE_RICH), **ADJUSTMENT)
        between.after("/adjust", then)

        form.acts["Adjust"].press()

    told = form.answer.value.lower()
    assert "this request" in told
    assert "nothing" not in told.replace("it changed nothing", "").replace("changed nothing", "")
