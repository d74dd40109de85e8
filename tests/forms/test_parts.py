"""The parts of forms and pages: fields that tell their errors, buttons, the banner."""

import ipywidgets as widgets
import pytest

from loyalty_helpers.clicks import check_click
from loyalty_helpers.errors import LoyaltyError, ParameterError
from loyalty_helpers.forms import Act, Field, banner
from loyalty_helpers.forms.settled import Browser
from loyalty_helpers.parameters import PARAMETERS


class SlowBrowser(Browser):
    """A browser that answers when it is told to."""

    def __init__(self):
        super().__init__()
        self.signs.told = self.signs.asked

    def answer(self):
        self.signs.told = self.signs.asked


def test_every_parameter_has_a_label_in_words():
    assert [] == [name for name, p in PARAMETERS.items() if not p.label or "_" in p.label]


def test_a_field_has_its_label_and_squares_name_for_it():
    found = Field("phone_number").input.description

    assert "Phone number <span>phone_number</span>" == found


def test_a_field_of_a_pages_own_shows_no_name():
    assert "Ticket number" == Field("ticket", label="Ticket number").input.description


def test_a_label_is_no_html():
    assert "&lt;b&gt;" in Field("ticket", label="<b>").input.description


def test_a_field_says_what_it_means():
    assert "Whole points; negative takes away" in Field("points").below.value


def test_a_field_gives_its_value_by_the_rule_of_the_table():
    assert -5 == Field("points", " -5 ").read()


def test_what_is_typed_has_no_space_around_it():
    assert "late" == Field("reason", " late ").typed


def test_a_value_that_is_refused_is_told_at_the_field_with_what_is_allowed():
    field = Field("points", "1.5")
    with pytest.raises(ParameterError):
        field.read()

    assert "a whole number without points or commas" in field.error
    assert field.error in field.below.value


def test_a_refused_value_is_named_and_masked_where_it_is_raised():
    with pytest.raises(ParameterError, match=r"Phone number: found '\*\*\*0101x'; allowed: "):
        Field("phone_number", "+14155550101x").read()


def test_a_field_tells_what_is_wrong_as_one_types():
    field = Field("points")
    field.input.value = "1.5"

    assert "Points: this cannot be right" in field.error


def test_an_error_goes_when_the_value_is_mended():
    field = Field("points", "x")
    field.input.value = "1.5"
    field.input.value = "15"

    assert "" == field.error


def test_an_empty_field_is_not_wrong_as_one_types():
    field = Field("points", "5")
    field.input.value = ""

    assert "" == field.error


def test_a_required_field_is_refused_when_it_is_empty():
    field = Field("phone_number", required=True)
    with pytest.raises(ParameterError):
        field.read()

    assert "Phone number: please fill this in" in field.error


def test_a_field_that_is_cleared_is_empty_and_not_wrong():
    field = Field("points", "x")
    field.clear()

    assert ("", "") == (field.typed, field.error)


def test_a_box_that_is_cleared_is_as_it_was_at_first():
    field = Field("allow_negative_balance", False)
    field.input.value = True
    field.clear()

    assert field.typed is False


def test_an_error_masks_phone_numbers_and_is_no_html():
    field = Field("points")
    field.error = "<b>+14155550101</b>"

    assert "&lt;b&gt;***0101" in field.below.value


def test_an_error_is_said_by_screen_readers():
    field = Field("points", "x")
    field.error = "wrong"

    assert 'role="alert"' in field.below.value


def test_suggestions_can_be_picked_and_others_typed():
    field = Field("reason", suggestions=("Late order", "Damaged goods"))
    field.input.value = "Another"

    assert isinstance(field.input, widgets.Combobox)
    assert "Another" == field.read()


def test_a_change_is_told():
    field, told = Field("points"), []
    field.on_change(lambda: told.append(field.typed))
    field.input.value = "5"

    assert ["5"] == told


def press_enter(field):
    """What the browser sends for Enter in a field."""
    field.input._handle_custom_msg({"event": "submit"}, [])


def test_enter_is_told():
    field, told = Field("points", "5"), []
    field.on_submit(lambda: told.append(field.typed))
    press_enter(field)

    assert ["5"] == told


def test_enter_waits_for_what_was_typed_before_it():
    browser, told = SlowBrowser(), []
    field = Field("points", "5", browser=browser)
    field.on_submit(lambda: told.append(field.typed))
    press_enter(field)
    field.input.value = "50"
    browser.answer()

    assert ["50"] == told


def test_enter_that_presses_a_button_asks_the_browser_once():
    browser, told = SlowBrowser(), []
    field = Field("points", "5", browser=browser)
    field.on_submit(Act("Find", lambda: told.append(1), browser=browser).press)
    press_enter(field)
    browser.answer()

    assert [1] == told


def test_a_press_acts_on_what_arrives_before_the_browser_answers():
    browser, told = SlowBrowser(), []
    field = Field("points", "5")
    act = Act("Preview", lambda: told.append(field.typed), browser=browser)
    act.button.click()
    field.input.value = "50"
    browser.answer()

    assert ["50"] == told


def test_presses_in_a_row_act_once():
    browser, told = SlowBrowser(), []
    act = Act("Adjust", lambda: told.append(1), browser=browser)
    act.button.click()
    act.button.click()
    browser.answer()

    assert [1] == told


def test_a_press_that_was_made_while_the_button_worked_is_swallowed():
    browser, told = SlowBrowser(), []
    act = Act("Adjust", lambda: told.append(1), browser=browser)
    act.button.click()
    browser.answer()
    act.button.click()
    browser.answer()
    act.button.click()
    browser.answer()

    assert [1, 1] == told


def test_a_button_that_works_is_disabled_and_says_so():
    seen = []
    act = Act("Adjust", lambda: seen.append((act.button.disabled, act.button.description)))
    act.button.click()

    assert [(True, "Adjust ... working")] == seen
    assert (False, "Adjust") == (act.button.disabled, act.button.description)


def test_a_button_that_its_action_disables_stays_disabled():
    act = Act("Confirm", lambda: setattr(act, "enabled", False))
    act.button.click()

    assert (False, True) == (act.enabled, act.button.disabled)


def test_a_button_that_is_disabled_does_nothing():
    told = []
    act = Act("Confirm", lambda: told.append(1))
    act.enabled = False
    act.button.click()

    assert [] == told


def fail(error):
    raise error


def test_an_error_is_shown_below_the_button_in_its_own_words():
    act = Act("Adjust", lambda: fail(LoyaltyError("no answer from <+14155550101>")))
    act.button.click()

    assert "no answer from &lt;***0101&gt;" in act.trouble.value
    assert act.button.disabled is False


def test_an_error_that_should_not_happen_is_shown_as_well():
    act = Act("Adjust", lambda: fail(ZeroDivisionError("by zero")))
    act.button.click()

    assert "This should not happen: ZeroDivisionError: by zero" in act.trouble.value


def test_the_next_press_takes_an_error_back():
    errors = [LoyaltyError("once")]
    act = Act("Adjust", lambda: fail(errors.pop()) if errors else None)
    act.button.click()
    act.button.click()

    assert "" == act.trouble.value


def test_a_button_that_writes_looks_different_and_says_what_it_changes():
    writes, reads = Act("Adjust", list, writes="Changes the balance"), Act("Find", list)

    assert ("warning", "Changes the balance") == (writes.button.button_style, writes.button.tooltip)
    assert ("", "Reads only") == (reads.button.button_style, reads.button.tooltip)


def test_an_action_runs_inside_a_click(monkeypatch):
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5")
    with pytest.raises(LoyaltyError):
        check_click()
    act = Act("Adjust", check_click)
    act.button.click()

    assert "" == act.trouble.value


def test_the_banner_names_the_environment():
    assert "<b>sandbox</b>" in banner("sandbox").value


def test_production_is_red_and_has_the_word():
    assert "#b3261e" in banner("production").value
    assert "<b>PRODUCTION</b>" in banner("production").value


def test_a_field_is_where_one_types_as_soon_as_its_page_is_open():
    browser = Browser()
    field, sent = Field("points", browser=browser), []
    field.input.send = lambda content, *_: sent.append(content["do"])
    field.focus()
    before = list(sent)
    browser.signs.told = 1

    assert ([], ["focus"]) == (before, sent)
