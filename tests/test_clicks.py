"""Under Voila a write needs a click: in whatever way it is made, and from whichever thread."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from loyalty_helpers import adjustment_key, connect, forms
from loyalty_helpers.clicks import clicked
from loyalty_helpers.errors import ProductionGuardError, SettingsError
from loyalty_helpers.records import Money
from tests.doubles import ACCOUNT_ID, CANARY_TOKEN, PHONE

WRITES = {
    "adjust": lambda c: c.adjust_points(ACCOUNT_ID, 1, idempotency_key="k"),
    "accumulate": lambda c: c.accumulate_points(
        ACCOUNT_ID, location_id="L", points=1, idempotency_key="k"
    ),
    "enrol": lambda c: c.create_account("+14155550101", program_id="p", idempotency_key="k"),
    "order": lambda c: c.create_order("L", [], idempotency_key="k"),
    "payment": lambda c: c.create_payment(
        "o", Money(amount=1, currency="USD"), source_id="CASH", idempotency_key="k"
    ),
    "pay": lambda c: c.pay_order("o", idempotency_key="k"),
    "reward": lambda c: c.create_reward(ACCOUNT_ID, "t", idempotency_key="k"),
    "anything": lambda c: c.request("POST", "/v2/x", {"idempotency_key": "k"}),
}


@pytest.fixture
def voila(monkeypatch):
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")


@pytest.fixture
def client():
    with connect("local") as client:
        yield client


def add(client, run_id):
    return client.adjust_points(ACCOUNT_ID, 3, idempotency_key=adjustment_key(run_id, ACCOUNT_ID))


@pytest.mark.usefixtures("voila")
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_under_voila_each_write_outside_a_click_is_refused_before_it_is_sent(client, write):
    with pytest.raises(SettingsError, match="nobody pressed a button") as refusal:
        write(client)

    assert "Nothing was changed" in str(refusal.value)
    assert list(client.exchanges) == []


@pytest.mark.usefixtures("voila")
def test_under_voila_reading_needs_no_click(client):
    assert ACCOUNT_ID == client.find_account(phone_number=PHONE).id


@pytest.mark.usefixtures("voila")
def test_inside_a_click_it_is_written(client):
    with clicked():
        event = add(client, "pressed")

    assert event in list(client.search_events(account_id=ACCOUNT_ID))


@pytest.mark.usefixtures("voila")
def test_threads_that_a_click_started_write_as_well(client):
    with clicked(), ThreadPoolExecutor(1) as pool:
        event = pool.submit(add, client, "thread").result()

    assert event in list(client.search_events(account_id=ACCOUNT_ID))


@pytest.mark.usefixtures("voila")
def test_a_click_that_failed_is_over(client):
    with pytest.raises(ZeroDivisionError), clicked():
        raise ZeroDivisionError

    with pytest.raises(SettingsError):
        add(client, "later")


@pytest.mark.usefixtures("voila")
def test_a_click_within_a_click_does_not_end_it(client):
    with clicked():
        with clicked():
            pass
        assert 3 == add(client, "still").points


@pytest.mark.usefixtures("voila")
def test_the_buttons_of_a_form_are_clicks(client):
    form = forms.Form("Add", {}, {"Add": lambda: add(client, "by-button")})
    form.acts["Add"].press()

    assert "by-button" not in form.answer.value
    assert 3 == client.retrieve_account(ACCOUNT_ID).balance


@pytest.mark.parametrize("server", ["", "jupyter_server/2.20", "gunicorn/22"])
def test_elsewhere_a_cell_writes_without_a_click(monkeypatch, client, server):
    monkeypatch.setenv("SERVER_SOFTWARE", server)

    assert 3 == add(client, "cell").points


@pytest.mark.usefixtures("voila")
@pytest.mark.parametrize("named", ["", "local"])
def test_a_page_of_production_has_to_be_started_by_that_name(monkeypatch, named):
    monkeypatch.setenv("LOYALTY_ALLOW_PRODUCTION", "M1")
    monkeypatch.setenv("SQUARE_ACCESS_TOKEN", CANARY_TOKEN)
    monkeypatch.setenv("LOYALTY_ENVIRONMENT", "production")
    monkeypatch.setenv("LOYALTY_PAGES", named)

    with pytest.raises(ProductionGuardError, match="loyalty app --environment production"):
        connect()
