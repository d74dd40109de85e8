"""The core with one thing wrong at a time: each mutant must make its check fail.

Every check is one that the core passes as it is; both run in a child, which a mutant cannot leave.
"""

import json
import os
import shutil
import sqlite3
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from loyalty_helpers import connect, session
from loyalty_helpers.api.client import LoyaltyClient
from loyalty_helpers.emulator import Emulator
from loyalty_helpers.emulator.clock import SettableClock
from loyalty_helpers.errors import (
    JournalError,
    ParameterError,
    PlanError,
    ProductionGuardError,
    RunStoppedError,
)
from loyalty_helpers.runbooks import run as facade
from loyalty_helpers.runbooks import undo as undoing
from loyalty_helpers.runbooks.apply.journal import JOURNAL, Journal
from loyalty_helpers.runbooks.identity import identity_of, marker_in
from loyalty_helpers.runbooks.limits import Time
from loyalty_helpers.runbooks.plan import Row, found, guards
from loyalty_helpers.runbooks.plan import document as plan
from loyalty_helpers.runbooks.views import Planned
from tests.doubles import ACCOUNT_ID, make_client, refused, reply
from tests.simulation.place import Hours

from . import conftest
from .conftest import QUICK, World
from .harness import before_commits, plan_by, run_of, start, told
from .test_fault_matrix import on_adjust, state_of, whenever
from .test_gates_and_clocks import HOURS, TWO_OF_ONE, Clock, elsewhere, nothing_is_done

pytestmark = pytest.mark.slow

Send = Callable[[httpx.Request], httpx.Response]
Lie = Callable[[httpx.Request, Send], httpx.Response]
OTHER = "row_id,phone_number,points,reason\na,+14155551234,5,Late\n"

# Checks


def once(world: World, planned) -> bool:
    """Whether the ledger holds each row of the plan once: asked of the emulator, past any lie."""
    with make_client(httpx.WSGITransport(world.emulator)) as client:
        events = list(client.search_events(types=["ADJUST_POINTS"]))
    found = Counter(marker_in(event.reason) for event in events)
    header = planned.plan.header
    return all(found[header.identity(row).marker] == 1 for row in planned.plan.rows())


def applied_elsewhere(world: World, planned, row_number: int = 1) -> None:
    """Square has carried a row out, and nobody here knows; and it forgets the keys."""
    [row] = [row for row in planned.plan.rows() if row.n == row_number]
    identity = planned.plan.header.identity(row)
    world.client.adjust_points(
        row.account_id,
        row.points,
        reason=identity.marked(row.reason),
        idempotency_key=identity.key,
    )
    world.emulator.forget_keys()


def lost_answers(world: World) -> None:
    planned = world.plan()
    world.fail("drop-after:path=/adjust,next=2")
    world.apply(planned)
    assert once(world, planned)
    assert world.verify(planned).ok


def answers_that_stay_lost(world: World) -> None:
    planned = world.plan()
    world.fail("drop-after:path=/adjust,next=2")
    world.fail("forget-keys:seconds=0")
    world.apply(planned, limits=replace(QUICK, tries=1))
    assert once(world, planned)


def killed_in_the_middle_of_a_send(world: World) -> None:
    """The event of the row is found only after a while, and the run goes on at once."""
    hours = Hours()
    waits = Time(lambda: hours.now, lambda: hours.now, hours.pass_by)
    with Emulator.open(world.folder / "dated.sqlite3", clock=hours.utc) as emulator:
        dated = World(world.folder, emulator)
        planned = dated.plan()
        with Journal.open(planned.plan) as opened, opened.commit():
            opened.sent(1, waits.now())
        applied_elsewhere(dated, planned)
        dated.fail("late-events:seconds=1")
        dated.apply(planned, limits=replace(QUICK, settle=2.2), time=waits)
        assert once(dated, planned)


def lost_journal(world: World) -> None:
    planned = world.plan()
    world.apply(planned)
    (planned.plan.folder / JOURNAL).unlink()
    world.emulator.forget_keys()
    world.apply(planned)
    assert once(world, planned)


def old_key(world: World) -> None:
    planned = world.plan()
    with Journal.open(planned.plan) as opened, opened.commit():
        opened.sent(1, 0.0)
    world.apply(planned)
    with Journal.look(planned.plan.folder) as looked:
        assert next(looked.entries()).state == "REVIEW"


def another_digest(world: World) -> None:
    with pytest.raises(PlanError):
        world.apply(world.plan(), approved_plan="0" * 64)


def edited_plan(world: World) -> None:
    planned = world.plan()
    text = planned.plan.path.read_text()
    planned.plan.path.write_text(text.replace('"points":12', '"points":92'))
    with pytest.raises(PlanError):
        world.apply(planned)


def two_at_once(world: World) -> None:
    planned = world.plan()
    with Journal.open(planned.plan), pytest.raises(JournalError):
        Journal.open(planned.plan)


def rows_of_one_account(world: World) -> None:
    """The second row is possible only after the first, whose answer is late."""
    sheet = "row_id,phone_number,points,reason\na,+14155551234,9,r\nb,+14155551234,-9,r\n"
    planned = world.plan(sheet)
    world.fail("503:path=/adjust,next=1")
    world.apply(planned, limits=replace(QUICK, retry_wait=0.2, retry_cap=0.2))
    assert once(world, planned)


def two_undoings(world: World) -> None:
    before = world.balances()
    world.apply(world.plan())
    undoings = [plan_by(world.client, "plan_undo", "run", run_id=name) for name in ("one", "two")]
    for planned in undoings:
        world.apply(planned)
        assert world.verify(planned).counts == {"APPLIED": 4}
    assert before == world.balances()


def double_in_the_ledger(world: World) -> None:
    planned = world.plan()
    world.apply(planned)
    applied_elsewhere(world, planned)
    world.emulator.forget_keys()
    applied_elsewhere(world, planned)
    assert not world.verify(planned).ok


def replaced_plan(world: World) -> None:
    """Another plan is put in its place after the approval was looked at."""
    planned, other = world.plan(), world.plan(OTHER, "other")
    content, real = other.plan.path.read_bytes(), world.wire.handle_request

    def replace_it(request):
        planned.plan.path.write_bytes(content)
        return real(request)

    world.wire.handle_request = replace_it
    with pytest.raises(PlanError):
        world.apply(planned)


def lost_folder_that_may_repeat(world: World) -> None:
    """Three days later, with another event since, so that no look since yesterday finds it."""
    clock = SettableClock(datetime(2027, 1, 4, 9, tzinfo=UTC))
    with Emulator.open(world.folder / "dated.sqlite3", clock=clock) as emulator:
        dated = World(world.folder, emulator)
        planned = dated.plan(allow_repeats=True)
        dated.apply(planned)
        shutil.rmtree(planned.plan.folder)
        clock.advance(timedelta(days=3))
        dated.apply(dated.plan(OTHER, "other"))
        emulator.forget_keys()
        again = dated.plan(allow_repeats=True)
        dated.apply(again)
        assert once(dated, again)


def failed_canary(world: World) -> None:
    planned = world.plan()
    on_adjust(world, whenever(1, nothing_is_done))
    for _ in range(2):
        with pytest.raises(RunStoppedError):
            world.apply(planned, limits=replace(QUICK, canary=1))
    assert world.wire.writes == 0


def late_resend(world: World) -> None:
    """The answer is lost after the write, and three hours and all keys are gone before a resend."""
    clock, planned = Clock(), world.plan(OTHER)

    def lose(request):
        type(world.wire).handle_request(world.wire, request).read()
        world.emulator.forget_keys()
        clock.now += HOURS
        raise httpx.ReadError("lost")

    on_adjust(world, whenever(1, lose))
    world.apply(planned, time=clock.time())
    assert once(world, planned)


def asleep(world: World) -> None:
    clock, planned = Clock(), world.plan()

    def sleep(request) -> None:
        elsewhere(world, planned, 2, 3, 4)
        clock.now += HOURS

    on_adjust(world, whenever(1, sleep))
    world.apply(planned, limits=replace(QUICK, in_flight=1), time=clock.time())
    assert once(world, planned)


def another_reason(world: World) -> None:
    planned = world.plan(OTHER)
    world.apply(planned)
    shutil.rmtree(planned.plan.folder)
    with pytest.raises(PlanError):
        world.plan(OTHER.replace("Late", "Early"))


def two_rows_of_one_buyer(world: World) -> None:
    world.apply(world.plan(TWO_OF_ONE), limits=replace(QUICK, canary=5))


def doubled_row_undone(world: World) -> None:
    before, planned = world.balances(), world.plan()
    world.apply(planned)
    world.emulator.forget_keys()
    applied_elsewhere(world, planned)
    world.apply(plan_by(world.client, "plan_undo", "run", run_id="back"))
    assert before == world.balances()


def same_file_again(world: World) -> None:
    world.apply(world.plan())
    with pytest.raises(PlanError):
        world.plan(run_id="again")


def same_run_for_another(world: World) -> None:
    for phone_number in ("+14155550101", "+14155550103"):
        wish = {"points": 5, "reason": "r", "run_id": "one", "dry_run": False}
        if phone_number == "+14155550101":
            planned = plan_by(world.client, "plan_one", phone_number=phone_number, **wish)
            world.apply(planned)
    with pytest.raises(PlanError):
        plan_by(world.client, "plan_one", phone_number=phone_number, **wish)


def unmarked_answer(world: World) -> None:
    """Square answers with an event that has not the row's mark, and does nothing."""
    planned = world.plan(OTHER)

    def unmarked(request):
        event = json.loads(nothing_is_done(request).read())
        event["event"]["adjust_points"]["reason"] = "Late"
        return reply(200, event)()

    on_adjust(world, whenever(1, unmarked))
    world.apply(planned)
    assert state_of(planned) == "REVIEW"


def older_event(world: World) -> None:
    """Another machine applied the row, which no search shows; another event came since."""
    clock = SettableClock(datetime(2027, 1, 4, 9, tzinfo=UTC))
    with Emulator.open(world.folder / "dated.sqlite3", clock=clock) as emulator:
        dated = World(world.folder, emulator)
        planned = dated.plan(OTHER)
        [row] = planned.plan.rows()
        identity = planned.plan.header.identity(row)
        sent = {"reason": identity.marked(row.reason), "idempotency_key": identity.key}
        dated.client.adjust_points(row.account_id, row.points, **sent)
        clock.advance(timedelta(minutes=1))
        dated.client.adjust_points(row.account_id, 1, reason="since", idempotency_key="since")
        hidden_from_searches(dated, identity.marker)
        dated.apply(planned)
        with Journal.look(planned.plan.folder) as looked:
            assert next(looked.entries()).applied == "before"


def hidden_from_searches(world: World, marker: str) -> None:
    real = world.wire.handle_request

    def hide(request):
        answer = real(request)
        if not request.url.path.endswith("/events/search"):
            return answer
        found = json.loads(answer.read())
        shown = [e for e in found.get("events", []) if marker not in json.dumps(e)]
        return reply(200, found | {"events": shown})()

    world.wire.handle_request = hide


def in_production(world: World):
    """A client of production as connect() gives it; the emulator stands in for Square."""
    [merchant] = {location.merchant_id for location in world.client.list_locations()}
    os.environ |= {"SQUARE_ACCESS_TOKEN": "local-token", "LOYALTY_ALLOW_PRODUCTION": merchant}
    return connect("production", transport=world.wire)


def production_without_a_plan(world: World) -> None:
    with in_production(world) as client, suppress(ProductionGuardError):
        client.adjust_points(ACCOUNT_ID, 1, idempotency_key="k")
    assert world.wire.writes == 0


def production_by_an_unseen_name(world: World) -> None:
    made = world.plan(OTHER).plan
    header = made.header.model_copy(update={"environment": "production"})
    ready = plan.write_plan(made.path, header, list(made.rows()))
    with in_production(world) as client, suppress(ProductionGuardError, ParameterError):
        run_of(client, Planned(ready), approved_by="\u200b\u2060\u200b", limits=QUICK).apply()
    assert world.wire.writes == 0


# Mutants: what is wrong, how, and the check that must not pass with it


class Lying(httpx.BaseTransport):
    """Between the core and the service: what is asked, or what is answered, becomes another."""

    def __init__(self, inner: httpx.BaseTransport, lie: Lie) -> None:
        self._inner, self._lie = inner, lie

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._lie(request, self._inner.handle_request)


def lying(lie: Lie) -> None:
    real = conftest.make_client
    conftest.make_client = lambda transport: real(Lying(transport, lie))


def answered(path: str, rewrite: Callable[[Any, Any], None]) -> None:
    """The answers to requests whose path ends so are rewritten, knowing what was sent."""

    def lie(request: httpx.Request, send: Send) -> httpx.Response:
        answer = send(request)
        if not request.url.path.endswith(path):
            return answer
        told = json.loads(answer.read())
        rewrite(told, json.loads(request.content))
        return reply(answer.status_code, told)()

    lying(lie)


def with_body(request: httpx.Request, body: bytes, path: str = "") -> httpx.Request:
    headers = {n: v for n, v in request.headers.items() if n.lower() != "content-length"}
    url = request.url.copy_with(path=path) if path else request.url
    return httpx.Request(request.method, url, headers=headers, content=body)


def new_key_per_try() -> None:
    def lie(request: httpx.Request, send: Send) -> httpx.Response:
        if request.url.path.endswith("/adjust"):
            body = json.loads(request.content) | {"idempotency_key": uuid.uuid4().hex}
            request = with_body(request, json.dumps(body).encode())
        return send(request)

    lying(lie)


def written(*statements: str) -> None:
    """The journal's file gets something else than what is written to it."""

    def write(journal: sqlite3.Connection) -> None:
        for statement in statements:
            journal.execute(statement)

    before_commits(write)


def intent_after_the_send() -> None:
    never = "attempts = 0, first_sent = NULL, last_sent = NULL"
    written(f"UPDATE row SET state = 'PLANNED', {never} WHERE state = 'SENT'")  # noqa: S608


def no_wait_before_a_resend() -> None:
    """A wait of a second or longer takes no time."""
    real = Hours.pass_by
    Hours.pass_by = lambda self, seconds: real(self, seconds if seconds < 1 else 0)


def unknown_taken_for_failed() -> None:
    def lie(request: httpx.Request, send: Send) -> httpx.Response:
        try:
            return send(request)
        except httpx.RequestError:
            return refused(400, "BAD_REQUEST")()

    lying(lie)


def ledger_not_looked_at() -> None:
    """No search finds an event."""
    answered("/events/search", lambda told, _: told.clear())


def keys_trusted_for_ever() -> None:
    now = "CAST(strftime('%s') AS REAL)"
    written(f"UPDATE row SET first_sent = {now}, last_sent = {now} WHERE attempts > 0")  # noqa: S608


def approval_not_checked() -> None:
    guards.check_approval = lambda *_: None


def digest_not_compared() -> None:
    def read_plan(path):
        value = json.loads(path.read_text())
        return plan.Plan(path, plan.Header.model_validate(value["header"]), value["digest"])

    def rows(self):
        return [Row(**row) for row in json.loads(self.path.read_text())["rows"]]

    guards.read_plan = facade.plans.read_plan = read_plan
    plan.Plan.rows = rows


def journal_not_locked() -> None:
    written("PRAGMA locking_mode = NORMAL")


def rows_of_an_account_side_by_side() -> None:
    """For the core, the second row is of another account; on the way it is the first one's."""
    written(
        "INSERT OR IGNORE INTO account SELECT 'alias', customer_id, planned, found FROM account",
        "UPDATE row SET account_id = 'alias' WHERE n = 2",
    )

    def lie(request: httpx.Request, send: Send) -> httpx.Response:
        if "alias" not in f"{request.url.path}{request.content}":
            return send(request)
        body = request.content.replace(b"alias", ACCOUNT_ID.encode())
        answer = send(with_body(request, body, request.url.path.replace("alias", ACCOUNT_ID)))
        told = answer.read().replace(ACCOUNT_ID.encode(), b"alias")
        return reply(answer.status_code, told)()

    lying(lie)


def undo_named_by_its_run() -> None:
    def identity(self, row):
        return identity_of(self.environment, self.merchant_id, self.run_id, row.row_id)

    plan.Header.identity = identity


def doubles_not_counted() -> None:
    """A search finds one event of each mark."""

    def rewrite(told: Any, _: Any) -> None:
        events = told.get("events", [])
        told["events"] = list({marker_in(json.dumps(e)) or e["id"]: e for e in events}.values())

    answered("/events/search", rewrite)


def plan_entered_unchecked() -> None:
    def rows(self):
        return [Row(**row) for row in json.loads(self.path.read_text())["rows"]]

    plan.Plan.rows = rows


def canary_forgotten() -> None:
    tried = "SELECT 'canary', 'held by the ledger' FROM row WHERE attempts > 0"
    written(f"INSERT OR REPLACE INTO meta {tried}")


def sleep_not_noticed() -> None:
    """The clock that the core looks at stands still."""
    Clock.time = lambda _: Time(now=lambda: 1_700_000_000.0, sleep=lambda _: None)


def reason_not_compared() -> None:
    found.same_words = lambda _: ""


def second_row_left_planned() -> None:
    written("UPDATE row SET state = 'PLANNED' WHERE n = 2")


def one_undoing_a_row() -> None:
    undoing.numbered = lambda row_id, _: row_id


def intent_not_compared() -> None:
    guards.other_meaning = lambda *_: ""


def mark_of_an_answer_not_looked_at() -> None:
    """Whatever is answered has the mark that was sent."""

    def rewrite(told: Any, sent: Any) -> None:
        told["event"]["adjust_points"].update(sent["adjust_points"])

    answered("/adjust", rewrite)


def age_of_an_answer_not_looked_at() -> None:
    """Whatever is answered was made just now."""
    later = {"created_at": "2999-01-01T00:00:00Z"}
    answered("/adjust", lambda told, _: told["event"].update(later))


def clients_without_a_gate() -> None:
    real = LoyaltyClient.__init__
    LoyaltyClient.__init__ = lambda self, *args, **options: real(
        self, *args, **options | {"gate": None}
    )


def any_text_is_a_name() -> None:
    session.is_name = bool
    guards.check_approver = lambda _: None


MUTANTS = [
    (mark_of_an_answer_not_looked_at, unmarked_answer),
    (age_of_an_answer_not_looked_at, older_event),
    (clients_without_a_gate, production_without_a_plan),
    (any_text_is_a_name, production_by_an_unseen_name),
    (plan_entered_unchecked, replaced_plan),
    (ledger_not_looked_at, lost_folder_that_may_repeat),
    (canary_forgotten, failed_canary),
    (sleep_not_noticed, late_resend),
    (sleep_not_noticed, asleep),
    (reason_not_compared, another_reason),
    (second_row_left_planned, two_rows_of_one_buyer),
    (one_undoing_a_row, doubled_row_undone),
    (ledger_not_looked_at, same_file_again),
    (intent_not_compared, same_run_for_another),
    (new_key_per_try, lost_answers),
    (intent_after_the_send, killed_in_the_middle_of_a_send),
    (no_wait_before_a_resend, killed_in_the_middle_of_a_send),
    (unknown_taken_for_failed, lost_answers),
    (ledger_not_looked_at, lost_journal),
    (ledger_not_looked_at, answers_that_stay_lost),
    (keys_trusted_for_ever, old_key),
    (approval_not_checked, another_digest),
    (digest_not_compared, edited_plan),
    (journal_not_locked, two_at_once),
    (rows_of_an_account_side_by_side, rows_of_one_account),
    (undo_named_by_its_run, two_undoings),
    (doubles_not_counted, double_in_the_ledger),
]


def checked(folder: str, check: Callable[[World], None], mutate: Callable[[], None]) -> None:
    """What a child does: become a mutant, then see whether the check still passes."""
    os.environ["LOYALTY_RUNS"] = f"{folder}/runs"
    mutate()
    with Emulator.open(f"{folder}/emulator.sqlite3") as emulator:
        check(World(Path(folder), emulator))


def nothing() -> None:
    """The core as it is."""


def ended(folder: Path, check: Callable[[World], None], mutate: Callable[[], None]):
    child = start(checked, str(folder), check, mutate)
    child.join(60)
    return child


@pytest.mark.parametrize("check", dict.fromkeys(check for _, check in MUTANTS))
def test_the_core_as_it_is_passes(tmp_path: Path, check: Callable[[World], None]) -> None:
    child = ended(tmp_path, check, nothing)

    assert child.exitcode == 0, told(child)


@pytest.mark.parametrize(("mutate", "check"), MUTANTS)
def test_a_mutant_does_not(
    tmp_path: Path, mutate: Callable[[], None], check: Callable[[World], None]
) -> None:
    assert ended(tmp_path, check, mutate).exitcode == 1
