"""Forms: fields told by the table of parameters, buttons that call steps with what was typed."""

import ipywidgets as widgets
import pytest

from loyalty_helpers import forms
from loyalty_helpers.parameters import PARAMETERS
from loyalty_helpers.records import LoyaltyAccount
from tests.doubles import ACCOUNT_BODY, Answers, make_client

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
            assert (name, parameter.allowed) == (field.description, field.tooltip)
            assert parameter.help == getattr(field, "placeholder", parameter.help)


def test_yes_or_no_is_a_box_and_a_reason_has_several_lines(client) -> None:
    form = forms.adjust_form(client, ACCOUNT, **ADJUSTMENT, allow_negative_balance="True")

    kinds = {name: type(field) for name, field in form.fields.items()}
    assert {
        "points": widgets.Text,
        "reason": widgets.Textarea,
        "run_id": widgets.Text,
        "allow_negative_balance": widgets.Checkbox,
    } == kinds
    assert form.values["allow_negative_balance"] is True


def test_a_form_gives_what_was_typed_as_its_step_takes_it(client) -> None:
    form = forms.adjust_form(client, ACCOUNT, **ADJUSTMENT)
    form.fields["points"].value = " -5 "
    form.fields["reason"].value = " Entered twice "

    expected = {"points": -5, "reason": "Entered twice", "run_id": "r"}
    assert expected | {"allow_negative_balance": False} == form.values


def test_a_filter_gives_what_a_search_takes(client) -> None:
    form = forms.events_form(client, ACCOUNT, event_types="OTHER, EXPIRE_POINTS")
    form.fields["start_date"].value = "2026-01-31"

    found = form.values
    assert ["OTHER", "EXPIRE_POINTS"] == found["types"]
    assert ("2026-01-31T00:00:00+00:00", None) == (found["start_at"].isoformat(), found["end_at"])


def test_a_button_that_writes_looks_different_and_says_what_it_changes(client) -> None:
    for form in all_forms(client):
        for text, button in form.buttons.items():
            writes = text in ("Adjust", "Buy")
            assert writes == (button.button_style == "warning")
            assert writes == (button.tooltip != "Reads only")


@pytest.mark.parametrize("points", ["+12", "012", "1.5", ""])
def test_a_number_that_is_refused_is_told_in_the_form_and_nothing_is_sent(points) -> None:
    network = Answers()
    form = forms.adjust_form(make_client(network), ACCOUNT, **ADJUSTMENT)
    form.fields["points"].value = points
    for button in form.buttons.values():
        button.click()
        assert "Please correct this" in form.answer.value

    assert [] == network.requests


def test_an_answer_goes_when_a_value_changes(client) -> None:
    form = forms.adjust_form(client, ACCOUNT, **ADJUSTMENT | {"points": "x"})
    form.buttons["Preview"].click()
    form.fields["points"].value = "12"

    assert "" == form.answer.value
