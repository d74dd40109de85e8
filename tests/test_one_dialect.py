"""One dialect: whatever door a text comes in by, it is read alike, or refused alike."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from loyalty_helpers import adjustments, forms
from loyalty_helpers.emulator import Emulator
from loyalty_helpers.errors import LoyaltyError
from loyalty_helpers.runbooks.limits import Limits
from loyalty_helpers.runbooks.plan import Row, read_sheet
from loyalty_helpers.runner import Notebook

from .doubles import CANARY_TOKEN, make_client
from .runbooks.harness import plan_by

REFUSED = "refused"
NUMBERS = {
    "12": 12,
    "-12": -12,
    " 12 ": 12,
    "12\n": 12,
    "+12": REFUSED,
    "012": REFUSED,
    "1e3": REFUSED,
    "1.0": REFUSED,
    "1,000": REFUSED,
    "1_000": REFUSED,
    "\uff11\uff12": REFUSED,
    "0": REFUSED,
    "-0": REFUSED,
    "0x10": REFUSED,
    "": REFUSED,
    "NaN": REFUSED,
    "true": REFUSED,
    "2147483648": REFUSED,
}
PHONES = {
    "+14155550101": "+14155550101",
    " +14155550101 ": "+14155550101",
    "+1 (415) 555-0101": "+14155550101",
    "+1\u00a0415\u00a0555\u20110101": "+14155550101",
    "+44 (0)20 7946 0958": "+442079460958",
    "4155550101": REFUSED,
    "(415) 555-0101": REFUSED,
    "14155550101": REFUSED,
    "+1415555010": REFUSED,
    "+12005550199": REFUSED,
    "+1415CALLNOW": REFUSED,
    "1.41556E+10": REFUSED,
}
BOOLEANS = {
    "true": True,
    "TRUE": True,
    "False": False,
    "false": False,
    " false ": False,
    "yes": REFUSED,
    "no": REFUSED,
    "1": REFUSED,
    "0": REFUSED,
    "": REFUSED,
}


@pytest.fixture
def client(monkeypatch, tmp_path):
    monkeypatch.setenv("LOYALTY_RUNS", str(tmp_path / "runs"))
    with Emulator.open(tmp_path / "emulator.sqlite3") as emulator:
        client = make_client(httpx.WSGITransport(emulator))
        program = client.retrieve_program()
        client.create_account("+44 (0)20 7946 0958", program_id=program.id, idempotency_key="k")
        yield client


def by_command_line(client: Any, folder: Path, name: str, text: str) -> Any:
    return Notebook.read("adjust_points").check({name: text})[name]


def by_file(client: Any, folder: Path, name: str, text: str) -> Any:
    cells = {"phone_number": "+14155550101", "points": "1", "reason": "r", name: f'"{text}"'}
    path = folder / "sheet.csv"
    path.write_text(f"{','.join(cells)}\n{','.join(cells.values())}\n")
    [row] = read_sheet(path).rows(max_points=2**31 - 1)
    return getattr(row, name) if isinstance(row, Row) else REFUSED


def by_form(client: Any, folder: Path, name: str, text: str) -> Any:
    if name == "phone_number":
        form = forms.buyer_form(client)
        form.fields[name].typed = text
        return client.find_account(**form.values).mapping.phone_number
    account = client.find_account(phone_number="+14155550101")
    given = {"points": 1, "reason": "r", "run_id": "r", "allow_negative_balance": True, name: text}
    return forms.adjust_form(client, account, **given).values[name]


def by_notebook(client: Any, folder: Path, name: str, text: str) -> Any:
    """What plain papermill gives a runbook with `-r`: the text as it is."""
    given = {"phone_number": "+14155550101", "points": 1, "reason": "r", name: text}
    given = {"allow_negative_balance": True, **given}
    planned = plan_by(client, "plan_one", run_id="run", **given)
    [row] = planned.plan.rows()
    if name == "phone_number":
        return client.retrieve_account(row.account_id).mapping.phone_number
    return row.points if name == "points" else planned.plan.header.allow_negative_balance


DOORS = [by_command_line, by_file, by_form, by_notebook]


def read(door: Any, client: Any, folder: Path, name: str, text: str) -> Any:
    try:
        return door(client, folder, name, text)
    except LoyaltyError:
        return REFUSED


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("text", "meant"), NUMBERS.items())
def test_a_number_is_read_alike(client, tmp_path, door, text, meant):
    assert meant == read(door, client, tmp_path, "points", text)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("text", "meant"), PHONES.items())
def test_a_phone_number_is_read_alike(client, tmp_path, door, text, meant):
    assert meant == read(door, client, tmp_path, "phone_number", text)


@pytest.mark.parametrize("door", [by_command_line, by_form, by_notebook])
@pytest.mark.parametrize(("text", "meant"), BOOLEANS.items())
def test_true_and_false_are_read_alike(client, tmp_path, door, text, meant):
    assert meant == read(door, client, tmp_path, "allow_negative_balance", text)


@pytest.mark.parametrize("text", ["false", "False"])
def test_limits_of_a_notebook_may_be_texts(text):
    limits = Limits(canary="5", in_flight="2", resend_unknown=text)

    assert (5, 2, False) == (limits.canary, limits.in_flight, limits.resend_unknown)


def test_a_buyer_who_was_enrolled_is_found_however_the_number_is_written(client):
    for number in ("+44 (0)20 7946 0958", "+4402079460958", "+442079460958"):
        assert "+442079460958" == client.find_account(phone_number=number).mapping.phone_number


SOME = "sq0" + "atp-canary-22"  # short enough for an id
TOKENS_IN = {
    "reason": f"paid with {CANARY_TOKEN}.",
    "account_id": SOME,
    "customer_id": SOME,
    "phone_number": f"+1415 {CANARY_TOKEN}",
    "points": SOME,
}


def cell(client: Any, folder: Path, name: str, text: str) -> None:
    cells = {"account_id": "", "points": "1", "reason": "r", name: text}
    path = folder / "sheet.csv"
    path.write_text(f"{','.join(cells)}\n{','.join(cells.values())}\n")
    plan_by(client, "plan_file", str(path), run_id="run")


def typed(client: Any, folder: Path, name: str, text: str) -> None:
    if name.endswith(("_id", "number")):
        client.find_account(**forms.buyer_form(client, **{name: text}).values)
    given = {"points": 1, "reason": "r", "run_id": "r", name: text}
    account = client.find_account(phone_number="+14155550101")
    adjustments.preview(client, account, **forms.adjust_form(client, account, **given).values)


def given_to_a_notebook(client: Any, folder: Path, name: str, text: str) -> None:
    buyer = {} if name.endswith(("_id", "number")) else {"phone_number": "+14155550101"}
    plan_by(
        client, "plan_one", **{"run_id": "run", "points": 1, "reason": "r", **buyer, name: text}
    )


def given_to_the_command(client: Any, folder: Path, name: str, text: str) -> None:
    Notebook.read("adjust_points").check({name: text})


@pytest.mark.parametrize("door", [cell, typed, given_to_a_notebook, given_to_the_command])
@pytest.mark.parametrize(("name", "text"), TOKENS_IN.items(), ids=TOKENS_IN)
def test_a_token_comes_in_by_no_door_and_no_refusal_shows_it(client, tmp_path, door, name, text):
    with pytest.raises(LoyaltyError) as caught:
        door(client, tmp_path, name, text)

    assert "canary" not in str(caught.value)
    left = [path.read_bytes() for path in (tmp_path / "runs").rglob("*") if path.is_file()]
    assert [] == [content for content in left if b"canary" in content]


@pytest.mark.parametrize("name", ["row_id", "undoes"])
def test_a_token_comes_in_by_no_other_cell(client, tmp_path, name):
    with pytest.raises(LoyaltyError, match="access token") as caught:
        cell(client, tmp_path, name, SOME)

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("name", ["approved_by", "run_id", "approved_plan", SOME])
def test_a_token_is_no_other_parameter_and_no_name_of_one(name):
    with pytest.raises(LoyaltyError, match="looks like an access token") as caught:
        Notebook.read("bulk_adjust").check({name: SOME})

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "write",
    [
        lambda c: c.adjust_points("a1", 1, reason=CANARY_TOKEN, idempotency_key="k"),
        lambda c: c.adjust_points("a1", 1, idempotency_key=CANARY_TOKEN),
        lambda c: c.create_order("l1", [{"name": CANARY_TOKEN}], idempotency_key="k"),
        lambda c: c.request("POST", "/v2/x", {"a": [CANARY_TOKEN], "idempotency_key": "k"}),
    ],
)
def test_no_request_that_writes_holds_a_token(client, write):
    with pytest.raises(LoyaltyError, match="found an access token") as caught:
        write(client)

    assert "canary" not in str(caught.value)
    assert "canary" not in repr([exchange.body for exchange in client.exchanges])


HONEST = ["Late order, 12 points", "EAAA" + " batteries", "Sequoia sq0-12", "\u00a312 f\u00fcr"]


@pytest.mark.parametrize("door", [cell, typed, given_to_a_notebook, given_to_the_command])
@pytest.mark.parametrize("reason", HONEST)
def test_an_honest_reason_comes_in_by_every_door(client, tmp_path, door, reason):
    text = f'"{reason}"' if door is cell else reason
    if door is cell:
        account = client.find_account(phone_number="+14155550101")
        path = tmp_path / "sheet.csv"
        path.write_text(f"account_id,points,reason\n{account.id},1,{text}\n")
        assert 1 == plan_by(client, "plan_file", str(path), run_id="run").plan.header.rows
    else:
        door(client, tmp_path, "reason", text)
