"""What keeps a run where it belongs, and what is told of it to whom it concerns only."""

import csv
import stat
from contextlib import suppress
from itertools import combinations

import pytest

from loyalty_helpers import connect, runbooks
from loyalty_helpers.errors import (
    ParameterError,
    PlanError,
    ProductionGuardError,
    SettingsError,
)
from loyalty_helpers.notebooks_runner.checking import check_parameters
from loyalty_helpers.runbooks.guards import check_place, place_of, writing_client
from loyalty_helpers.runbooks.plan import write_plan
from loyalty_helpers.runbooks.views import Planned
from tests.doubles import Answers, make_client, reply

from .conftest import QUICK


@pytest.mark.parametrize("name", ["environment", "merchant_id", "program_id"])
def test_a_plan_for_another_place_is_refused(world, name: str) -> None:
    header = world.plan().plan.header.model_copy(update={name: "another"})

    with pytest.raises(PlanError, match=f"made for {name} 'another'"):
        check_place(header, place_of(world.client))


@pytest.mark.parametrize(
    ("planned_for", "approved_by", "opens"),
    [
        ("production", "somebody", True),
        ("production", "", False),
        ("production", " ", False),
        ("local", "somebody", False),
        ("sandbox", "somebody", False),
    ],
)
def test_production_is_written_only_with_a_plan_for_it_and_a_name(
    world, planned_for: str, approved_by: str, opens: bool
) -> None:
    header = world.plan().plan.header.model_copy(update={"environment": planned_for})
    client = make_client(Answers(reply(200, {})), may_write=False)
    client.environment = "production"

    if opens:
        assert writing_client(client, header, approved_by) is not client
    else:
        with pytest.raises(ProductionGuardError, match="Nothing was changed"):
            writing_client(client, header, approved_by)


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
            return runbooks.apply(
                client,
                planned,
                approved_plan=digest,
                approved_by="" if "name" in missing else "somebody",
                limits=QUICK,
            )

    if not missing:
        assert apply().counts == {"APPLIED": 4}
        return
    with suppress(SettingsError, ProductionGuardError):
        assert apply().counts == {}
    assert set(world.wire.paths) <= {"/v2/locations"}


def test_one_adjustment_in_production_needs_a_digest_before_anything_runs() -> None:
    given = {"environment": "production", "dry_run": "false"}

    with pytest.raises(ParameterError, match="production needs the digest"):
        check_parameters("adjust_points", given)


def test_one_adjustment_in_production_needs_a_digest_in_a_notebook_too(world) -> None:
    world.client.environment = "production"

    with pytest.raises(ProductionGuardError):
        runbooks.plan_one(
            world.client,
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


def test_a_reason_is_no_formula_in_the_results(world) -> None:
    planned = world.plan("phone_number,points,reason\n+14155551234,1,=1+1\n")
    world.apply(planned)
    world.verify(planned)
    with (planned.plan.folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        [row] = csv.DictReader(file)

    assert row["reason"].startswith("'=1+1 [lr1:")
