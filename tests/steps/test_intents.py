"""A run id stands for one whole intent: anything else under it is refused, and nothing is sent."""

import json
import stat
from pathlib import Path

import pytest

from loyalty_helpers import purchases
from loyalty_helpers.errors import (
    IdempotencyKeyReusedError,
    OutcomeUnknownError,
    ParameterError,
    RunIdTakenError,
)
from loyalty_helpers.forms import adjust_form, purchase_form
from loyalty_helpers.session import connect
from loyalty_helpers.steps.adjustments import adjust, preview
from loyalty_helpers.steps.intents import INTENT, check_intent, check_no_walkthrough, kept_intent
from tests.doubles import ACCOUNT_ID, emulator_client, refused

WANTED = {"points": 12, "reason": "Late order", "run_id": "run-1", "allow_negative_balance": False}
ORDERS = {"first_order": "4 Coffee 300", "second_order": "1 Coffee 300, 1 Sandwich 800"}
FOLDER = Path("runs", "run-1")
FILE = FOLDER / INTENT


@pytest.fixture
def client():
    with connect("local") as made:
        yield made


@pytest.fixture
def account(client):
    return client.retrieve_account(ACCOUNT_ID)


@pytest.fixture
def other(client):
    return next(each for each in client.search_accounts() if each.id != ACCOUNT_ID)


@pytest.fixture
def used(client, account):
    """The run id `run-1`, used; what its file holds."""
    adjust(client, preview(client, account, **WANTED))
    return FILE.read_text()


def writes(client):
    return [each for each in client.exchanges if "idempotency_key" in (each.body or {})]


def test_the_intent_is_on_the_disk_for_its_owner_only_and_without_what_was_typed(used):
    held = json.loads(used)["local"]

    assert (ACCOUNT_ID, 12, False) == (
        held["account_id"],
        held["points"],
        held["allow_negative_balance"],
    )
    assert "Late order" not in used
    assert (0o700, 0o600) == (
        stat.S_IMODE(FOLDER.stat().st_mode),
        stat.S_IMODE(FILE.stat().st_mode),
    )


def test_the_intent_is_on_the_disk_before_the_request_goes_out(tmp_path):
    reads, lost = [("never", None)] * 6, [("after", refused(500))] * 5
    with emulator_client(tmp_path, *reads, *lost) as (client, _):
        account = client.retrieve_account(ACCOUNT_ID)
        with pytest.raises(OutcomeUnknownError):
            adjust(client, preview(client, account, **WANTED))

    assert 12 == json.loads(FILE.read_text())["local"]["points"]


EDITS = [
    ({"points": 13}, "points 13"),
    ({"reason": "Another"}, "reason"),
    ({"allow_negative_balance": True}, "allow_negative_balance True"),
]


@pytest.mark.parametrize(("edit", "told"), EDITS)
def test_another_intent_under_a_used_run_id_is_refused_by_the_preview(
    client, account, used, edit, told
):
    sent = len(client.exchanges)
    message = (
        f"run id 'run-1' stands for account_id {ACCOUNT_ID}, points 12, reason, "
        "allow_negative_balance False in environment 'local'; asked for with another "
        f"{told}. Nothing was changed: take a new run id for a new intent"
    )
    with pytest.raises(RunIdTakenError) as caught:
        preview(client, account, **WANTED | edit)

    assert (message, sent, used) == (str(caught.value), len(client.exchanges), FILE.read_text())


@pytest.mark.parametrize("edit", [edit for edit, _ in EDITS])
def test_a_preview_made_before_the_run_id_was_used_is_refused_by_adjusting(client, account, edit):
    early = preview(client, account, **WANTED | edit)
    adjust(client, preview(client, account, **WANTED))
    held, sent = FILE.read_text(), len(client.exchanges)
    with pytest.raises(ParameterError, match="Nothing was changed: take a new run id"):
        adjust(client, early)

    assert (held, sent) == (FILE.read_text(), len(client.exchanges))


def test_another_buyer_under_a_used_run_id_is_refused_by_preview_and_adjusting(
    client, account, other
):
    early = preview(client, other, **WANTED)
    adjust(client, preview(client, account, **WANTED))
    held, sent = FILE.read_text(), len(client.exchanges)
    for step in (lambda: preview(client, other, **WANTED), lambda: adjust(client, early)):
        with pytest.raises(ParameterError, match=f"with another account_id {other.id}"):
            step()

    assert (held, sent) == (FILE.read_text(), len(client.exchanges))


def test_the_form_refuses_another_buyer_under_a_used_run_id(client, other, used):
    form = adjust_form(client, other, **WANTED)
    for button in ("Preview", "Adjust"):
        form.acts[button].press()
        assert "stands for account_id" in form.answer.value

    assert 1 == len(writes(client))
    assert used == FILE.read_text()


def test_the_same_intent_again_is_applied_before(client, account, used):
    again = adjust(client, preview(client, account, **WANTED))

    assert ("before", used) == (again.applied, FILE.read_text())


def test_the_same_intent_is_fine_on_a_ledger_that_was_reset(client, account, used, monkeypatch):
    monkeypatch.setenv("LOYALTY_HOME", "another")
    with connect("local") as fresh:
        assert "now" == adjust(fresh, preview(fresh, account, **WANTED)).applied


def test_an_intent_without_its_file_is_still_refused_by_square(client, account, used):
    FILE.unlink()
    with pytest.raises(IdempotencyKeyReusedError):
        adjust(client, preview(client, account, **WANTED | {"points": 13}))

    assert not FILE.exists()


def test_each_environment_has_intents_of_its_own():
    for environment, points in (("local", 1), ("sandbox", 2)):
        with kept_intent(environment, "run-1", {"points": points}):
            pass

    assert {"local": {"points": 1}, "sandbox": {"points": 2}} == json.loads(FILE.read_text())
    with pytest.raises(ParameterError, match="points 2 in environment 'sandbox'"):
        check_intent("sandbox", "run-1", {"points": 1})


def test_what_was_refused_leaves_the_intents_of_other_environments():
    with kept_intent("local", "run-1", {"points": 1}):
        pass
    before = FILE.read_text()
    with pytest.raises(ParameterError), kept_intent("sandbox", "run-1", {"points": 2}):
        raise ParameterError("refused")

    assert before == FILE.read_text()


def test_a_refusal_of_the_same_intent_again_does_not_free_its_run_id():
    with kept_intent("local", "run-1", {"points": 1}):
        pass
    before = FILE.read_text()
    with pytest.raises(ParameterError), kept_intent("local", "run-1", {"points": 1}):
        raise ParameterError("refused")

    assert before == FILE.read_text()


def test_replaying_a_recording_writes_and_checks_nothing():
    FOLDER.mkdir(parents=True)
    FILE.write_text("no JSON")
    check_intent("recorded", "run-1", {"points": 1})
    with kept_intent("recorded", "run-1", {"points": 1}):
        pass

    assert "no JSON" == FILE.read_text()


def test_a_file_in_place_of_the_folder_is_a_refusal_before_anything_is_sent(client, account):
    planned = preview(client, account, **WANTED)
    Path("runs").write_text("a file where the folder should be")
    sent = len(client.exchanges)
    with pytest.raises(ParameterError, match="what the run id stands for cannot be read"):
        adjust(client, planned)

    assert sent == len(client.exchanges)


def test_a_folder_that_cannot_be_made_is_a_refusal_before_anything_is_sent(client, account):
    planned = preview(client, account, **WANTED)
    Path("runs").mkdir()
    FOLDER.symlink_to("nowhere/at-all")
    sent = len(client.exchanges)
    with pytest.raises(ParameterError, match=r"cannot be written to .* Nothing was sent"):
        adjust(client, planned)

    assert sent == len(client.exchanges)


@pytest.mark.parametrize("held", [b"no JSON", b"[1]", b'{"local": 1}', b"\xff", b"7"])
def test_a_file_that_cannot_be_read_is_a_refusal(client, account, held):
    FOLDER.mkdir(parents=True)
    FILE.write_bytes(held)
    with pytest.raises(ParameterError, match="cannot be read from"):
        preview(client, account, **WANTED)


# Runbooks


@pytest.mark.parametrize("step", ["preview", "adjust", "plan", "place_order"])
def test_the_run_id_of_a_runbook_is_refused(client, account, step):
    wanted = {"run_id": "run-1", **ORDERS}
    planned = preview(client, account, **WANTED)
    buying = purchases.plan(client, account, **wanted)
    steps = {
        "preview": lambda: preview(client, account, **WANTED),
        "adjust": lambda: adjust(client, planned),
        "plan": lambda: purchases.plan(client, account, **wanted),
        "place_order": lambda: purchases.place_order(client, buying, 1),
    }
    FOLDER.mkdir(parents=True)
    (FOLDER / "plan.json").touch()
    with pytest.raises(RunIdTakenError, match="run id 'run-1' is that of a runbook"):
        steps[step]()

    assert [] == writes(client)
    assert not FILE.exists()


def test_a_runbook_can_refuse_the_run_id_of_a_walkthrough(used):
    with pytest.raises(RunIdTakenError, match="stands for what a walkthrough has done"):
        check_no_walkthrough(FOLDER, "run-1")

    check_no_walkthrough(Path("runs", "run-2"), "run-2")


# Purchases


def test_purchases_for_another_buyer_under_a_used_run_id_are_refused(client, account, other):
    early = purchases.plan(client, other, run_id="run-1", **ORDERS)
    purchases.buy(client, purchases.plan(client, account, run_id="run-1", **ORDERS))
    held, sent = FILE.read_text(), len(writes(client))
    form = purchase_form(client, other, run_id="run-1", **ORDERS)
    form.acts["Buy"].press()
    with pytest.raises(ParameterError, match=f"with another account_id {other.id}"):
        purchases.buy(client, early)

    assert f"another account_id {other.id}" in form.answer.value
    assert (held, sent) == (FILE.read_text(), len(writes(client)))


@pytest.mark.parametrize("order", ["first_order", "second_order"])
def test_other_orders_under_a_used_run_id_are_refused(client, account, order):
    purchases.buy(client, purchases.plan(client, account, run_id="run-1", **ORDERS))
    with pytest.raises(ParameterError, match=f"with another {order}"):
        purchases.plan(client, account, run_id="run-1", **ORDERS | {order: "1 Tea 300"})


def test_the_run_id_of_purchases_is_none_for_an_adjustment(client, account):
    purchases.buy(client, purchases.plan(client, account, run_id="run-1", **ORDERS))
    with pytest.raises(ParameterError, match="stands for account_id"):
        preview(client, account, **WANTED)
