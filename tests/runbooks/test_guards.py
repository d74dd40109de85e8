"""What keeps a run where it belongs, and what is told of it to whom it concerns only."""

import csv
import stat
from contextlib import suppress
from copy import copy, deepcopy
from itertools import combinations

import pytest

from loyalty_helpers import connect
from loyalty_helpers.api import square_error
from loyalty_helpers.errors import (
    ParameterError,
    PlanError,
    ProductionGuardError,
    SettingsError,
)
from loyalty_helpers.runbooks.apply.outcomes import outcome_of
from loyalty_helpers.runbooks.plan import (
    Intent,
    Plan,
    Row,
    check_place,
    make_plan,
    writing_client,
)
from loyalty_helpers.runbooks.plan.document import write_plan
from loyalty_helpers.runbooks.results import repeats_told
from loyalty_helpers.runbooks.views import Planned
from loyalty_helpers.runner import Notebook
from tests.doubles import ACCOUNT_ID, ADJUST, make_client

from .conftest import QUICK
from .harness import plan_by, run_of


@pytest.mark.parametrize("name", ["environment", "merchant_id", "program_id"])
def test_a_plan_for_another_place_is_refused(world, name: str) -> None:
    header = world.plan().plan.header.model_copy(update={name: "another"})

    with pytest.raises(PlanError, match=f"made for {name} 'another'"):
        check_place(header, world.client)


@pytest.fixture
def production(world, monkeypatch):
    """A client of production as connect() gives it; the emulator stands in for Square."""
    [merchant] = {location.merchant_id for location in world.client.list_locations()}
    monkeypatch.setenv("SQUARE_ACCESS_TOKEN", "local-token")
    monkeypatch.setenv("LOYALTY_ALLOW_PRODUCTION", merchant)
    with connect("production", transport=world.wire) as client:
        yield client


def plan_for(world, **changes) -> Plan:
    """A plan on disk, whole, and for production unless `changes` say otherwise."""
    plan = world.plan().plan
    header = plan.header.model_copy(update={"environment": "production", **changes})
    return write_plan(plan.path, header, list(plan.rows()))


def opened(client, plan: Plan, approved_by: str = "somebody"):
    return writing_client(client, plan.path, plan.digest, approved_by)


def test_production_is_written_with_a_plan_for_it_and_a_name(world, production) -> None:
    _, writing = opened(production, plan_for(world))

    writing.adjust_points(ACCOUNT_ID, 1, idempotency_key="k")
    assert 1 == world.wire.writes


@pytest.mark.parametrize(
    ("planned", "approved_by"),
    [
        ({}, ""),
        ({}, " "),
        ({}, "A"),
        ({}, "\u200b\u2060\u200b"),
        ({}, "\u3164\u3164"),
        ({}, "Ann\u202e"),
        ({"environment": "local"}, "somebody"),
        ({"environment": "sandbox"}, "somebody"),
        ({"merchant_id": "ANOTHER"}, "somebody"),
    ],
)
def test_nothing_else_opens_production(world, production, planned, approved_by: str) -> None:
    with pytest.raises(ProductionGuardError, match="Nothing was changed"):
        opened(production, plan_for(world, **planned), approved_by)


@pytest.mark.parametrize("approved", ["", "0" * 64, "0" * 12])
def test_a_plan_that_was_not_approved_opens_nothing(world, production, approved: str) -> None:
    with pytest.raises(PlanError, match="is not this plan's digest"):
        writing_client(production, plan_for(world).path, approved, "somebody")


def test_a_plan_whose_merchant_was_changed_by_hand_opens_nothing(world, production) -> None:
    [merchant] = {location.merchant_id for location in world.client.list_locations()}
    plan = plan_for(world, merchant_id="ANOTHER")
    plan.path.write_text(plan.path.read_text().replace("ANOTHER", merchant))

    with pytest.raises(PlanError, match="is not as it was written"):
        opened(production, plan)


def test_the_client_that_was_asked_for_a_writing_one_stays_shut(world, production) -> None:
    opened(production, plan_for(world))

    with pytest.raises(ProductionGuardError, match="only reads"):
        production.adjust_points(ACCOUNT_ID, 1, idempotency_key="k")


AROUND = {
    "variant": lambda client: client.variant(attempts=1),
    "variant of a variant": lambda client: client.variant().variant(pace=None),
    "variant that may write": lambda client: client.variant(may_write=True),
    "variant without a gate": lambda client: client.variant(gate=None),
    "another environment": lambda client: setattr(client, "environment", "local") or client,
    "may_write": lambda client: setattr(client, "may_write", True) or client,
    "a gate": lambda client: setattr(client, "gate", None) or client,
    "a copy": copy,
    "a deep copy": deepcopy,
    "an open block": lambda client: client.__enter__(),
}


@pytest.mark.parametrize("way", AROUND.values(), ids=AROUND)
def test_no_public_way_leads_around_the_gate(world, production, way) -> None:
    with suppress(TypeError, AttributeError):  # there is no such way
        with pytest.raises(ProductionGuardError, match="only reads"):
            way(production).adjust_points(ACCOUNT_ID, 1, idempotency_key="k")
        with pytest.raises(ProductionGuardError, match="only reads"):
            way(production).request("POST", ADJUST, {"idempotency_key": "k"})
    assert 0 == world.wire.writes


def test_no_public_name_of_a_client_is_about_writing(production) -> None:
    public = {name: value for name, value in vars(production).items() if name[0] != "_"}

    assert ["exchanges"] == list(public)


def test_a_client_keeps_its_environment(production) -> None:
    with pytest.raises(AttributeError):
        production.environment = "sandbox"


@pytest.mark.parametrize("approved_by", ["\u200b", "+44 20 7946 0958", "ann@shop.example"])
def test_a_plan_is_not_applied_by_who_is_no_name_anywhere(world, approved_by: str) -> None:
    planned = world.plan()

    with pytest.raises(ParameterError, match="approved_by: found"):
        world.apply(planned, approved_by=approved_by)
    assert 0 == world.wire.writes


PRODUCTION = ("token", "allowed merchant", "plan for production", "digest", "name")


@pytest.mark.parametrize(
    "missing",
    [m for n in range(len(PRODUCTION) + 1) for m in combinations(PRODUCTION, n)],
    ids=lambda missing: " and ".join(missing) or "nothing",
)
def test_production_without_any_of_its_guards_reads_and_writes_nothing(
    world, monkeypatch, missing: tuple[str, ...]
) -> None:
    """The emulator stands in for production; the merchant of the token is all that is asked."""
    planned = world.plan()
    header = planned.plan.header
    if "plan for production" not in missing:
        header = header.model_copy(update={"environment": "production"})
        plan = write_plan(planned.plan.path, header, list(planned.plan.rows()))
        planned = Planned(plan)
    if "token" not in missing:
        monkeypatch.setenv("SQUARE_ACCESS_TOKEN", "local-token")
    if "allowed merchant" not in missing:
        monkeypatch.setenv("LOYALTY_ALLOW_PRODUCTION", header.merchant_id)
    digest = "" if "digest" in missing else planned.plan.digest
    world.wire.paths.clear()

    def apply():
        with connect("production", transport=world.wire) as client:
            name = "" if "name" in missing else "somebody"
            approval = {"approved_plan": digest, "approved_by": name}
            return run_of(client, planned, limits=QUICK, **approval).apply()

    if not missing:
        assert apply().counts == {"APPLIED": 4}
        return
    with suppress(SettingsError, ProductionGuardError):
        assert apply().counts == {}
    assert set(world.wire.paths) <= {"/v2/locations"}


def test_one_adjustment_in_production_needs_a_digest_before_anything_runs() -> None:
    given = {"environment": "production", "dry_run": "false"}

    with pytest.raises(ParameterError, match="production needs the digest"):
        Notebook.read("adjust_points").check(given)


def test_one_adjustment_in_production_needs_a_digest_in_a_notebook_too(world) -> None:
    client = make_client(world.wire, environment="production")

    with pytest.raises(ProductionGuardError):
        plan_by(
            client,
            "plan_one",
            phone_number="+14155551234",
            points=1,
            reason="r",
            run_id="one",
            dry_run=False,
        )
    assert [] == world.wire.paths


@pytest.mark.parametrize("run_id", ["../up", "a/b", "", "A", "x" * 65])
def test_a_run_id_cannot_leave_its_folder(world, run_id: str) -> None:
    with pytest.raises(ParameterError, match="run_id"):
        world.plan(run_id=run_id)


def left_by_a_run(world):
    planned = world.plan()
    world.apply(planned)
    world.verify(planned)
    return [path for path in planned.plan.folder.iterdir() if path.is_file()]


def test_what_a_run_leaves_is_its_owners_only(world) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in left_by_a_run(world)}

    assert dict.fromkeys(modes, 0o600) == modes


def test_no_file_of_a_run_holds_a_phone_number(world) -> None:
    for path in left_by_a_run(world):
        assert b"4155550101" not in path.read_bytes(), path.name


def test_phone_numbers_are_there_if_they_are_asked_for(world) -> None:
    planned = world.plan(show_phone_numbers=True)

    assert "+14155550101" in [row.phone for row in planned.plan.rows()]


@pytest.mark.parametrize("number", ["4155550199", "442079460958", "+14155550199", "415-555-0199"])
def test_results_mask_a_number_in_a_reason_and_the_ledger_holds_it(world, number: str) -> None:
    planned = world.plan(f"phone_number,points,reason\n+14155551234,1,call {number} back\n")
    world.apply(planned)
    world.verify(planned)

    shown = [str(planned), (planned.plan.folder / "results.csv").read_text(encoding="utf-8-sig")]
    assert [True, True] == [f"call ***{number[-4:]} back" in text for text in shown]
    assert [False, False] == [number in text for text in shown]
    assert (1, f"call {number} back") == world.adjustments()[0]


@pytest.mark.parametrize("number", ["4155550199", "+14155550199", "415-555-0199"])
def test_a_row_that_is_left_out_is_told_without_its_number(world, number: str) -> None:
    """Its id, account, points and event are what repairs it."""
    rows = [
        Row(row_id="a", phone_number="+14155550199", points=5, reason=f"call {number}"),
        Row(row_id="b", account_id=ACCOUNT_ID, points=5, reason="Late"),
    ]
    intent = Intent("undo_adjustments", "partial", allow_partial=True)
    folder = world.folder / "runs" / "partial"
    plan = make_plan(world.client, rows, intent, folder, repeats_told=repeats_told)
    left_out = (plan.folder / "left_out.csv").read_text(encoding="utf-8-sig")

    assert "a,***0199,5,call ***0199,," in left_out
    assert "5550199" not in left_out.replace("-", "")


@pytest.mark.parametrize("number", ["4155550199", "+14155550199", "415-555-0199"])
def test_the_note_of_a_row_holds_no_number_that_an_answer_held(world, number: str) -> None:
    error = {"code": f"NOT {number}", "field": number}
    refusal = square_error(400, [error], request="POST /adjust")

    assert outcome_of(refusal).note.detail == "400 NOT ***0199, field ***0199"


def test_a_phone_number_as_the_account_of_one_adjustment_is_refused_and_not_shown(
    world, refused
) -> None:
    for name in ("account_id", "customer_id"):
        given = {"points": 1, "reason": "r", "run_id": "one", name: "4155550199"}
        told = refused(
            ParameterError, lambda given=given: plan_by(world.client, "plan_one", **given)
        )

        assert f"{name}: found '******0199'" in told
    assert [] == world.wire.paths


def test_a_reason_is_no_formula_in_the_results(world) -> None:
    planned = world.plan("phone_number,points,reason\n+14155551234,1,=1+1\n")
    world.apply(planned)
    world.verify(planned)
    with (planned.plan.folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        [row] = csv.DictReader(file)

    assert row["reason"].startswith("'=1+1 [lr1:")
