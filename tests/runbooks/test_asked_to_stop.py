"""A run in another thread than the main one is asked to stop, and tells how far it is."""

import json
import threading
import time
from dataclasses import replace

import pytest

from loyalty_helpers import runbooks
from loyalty_helpers.errors import RunStoppedError
from loyalty_helpers.runbooks import Standing, Time

from .conftest import QUICK, World
from .test_fault_matrix import on_adjust
from .test_gates_and_clocks import marks, states

ONE = replace(QUICK, in_flight=1)


def test_asked_while_a_row_is_on_its_way_it_stops_at_the_border_of_rows(world: World) -> None:
    planned, stop, real = world.plan(), threading.Event(), world.wire.handle_request

    def answer(request):
        stop.set()
        return real(request)

    on_adjust(world, answer)
    with pytest.raises(RunStoppedError, match=r"it was interrupted[\s\S]*To go on:"):
        world.apply(planned, ONE, time=Time.until(stop))

    assert [("APPLIED", 1), *[("PLANNED", 0)] * 3] == states(planned)


def test_asked_while_it_reads_it_stops_before_the_next_request(world: World) -> None:
    planned, stop = world.plan(), threading.Event()
    stop.set()
    before = len(world.wire.paths)

    with pytest.raises(RunStoppedError, match="it was interrupted"):
        world.apply(planned, time=Time.until(stop))
    assert not [path for path in world.wire.paths[before:] if "/events/" in path]


def test_asked_while_it_waits_for_late_events_it_stops_at_once(world: World) -> None:
    planned, stop = world.plan(), threading.Event()
    world.fail("drop-after:path=/adjust,next=1")
    patient = replace(ONE, settle=60.0, tries=1)
    threading.Timer(0.5, stop.set).start()
    began = time.monotonic()

    with pytest.raises(RunStoppedError, match="it was interrupted"):
        world.apply(planned, patient, time=Time.until(stop))
    assert time.monotonic() - began < 10


def test_a_run_that_was_asked_to_stop_is_resumed(world: World) -> None:
    planned, stop, real = world.plan(), threading.Event(), world.wire.handle_request
    on_adjust(world, lambda request: (stop.set(), real(request))[1])
    with pytest.raises(RunStoppedError):
        world.apply(planned, ONE, time=Time.until(stop))
    world.wire.handle_request = real
    world.apply(planned)

    assert marks(world, planned) == [1, 1, 1, 1]


def test_who_listens_is_told_where_a_run_ends(world: World) -> None:
    planned, heard = world.plan(), []
    approved = planned.plan.digest
    runbooks.Run(world.client, "run", approved_plan=approved, limits=QUICK).apply(told=heard.append)

    assert (4, 4, 0) == (heard[-1].done, heard[-1].rows, heard[-1].errors)
    assert str(heard[-1]) == json.loads((planned.plan.folder / "progress.json").read_text())["text"]


def test_who_listens_is_told_in_place_of_the_log(world: World, capsys) -> None:
    planned = world.plan()
    approved = planned.plan.digest
    run = runbooks.Run(world.client, "run", approved_plan=approved, limits=QUICK)
    run.apply(told=lambda standing: None)

    assert "" == capsys.readouterr().err


def test_a_standing_says_how_long_the_rest_may_take() -> None:
    assert "5 of 20 rows, 2.5/s, 6 s left, 1 without success" == str(Standing(5, 20, 2.5, 1))


def test_what_is_raised_holds_the_reason_apart(world: World) -> None:
    planned, stop = world.plan(), threading.Event()
    stop.set()

    with pytest.raises(RunStoppedError) as caught:
        world.apply(planned, time=Time.until(stop))
    assert "it was interrupted" == caught.value.reason
