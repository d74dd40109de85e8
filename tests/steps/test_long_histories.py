"""What an adjustment costs, and what it finds, for a buyer with many events."""

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from loyalty_helpers import purchases
from loyalty_helpers.emulator import Emulator, SeededIds
from loyalty_helpers.emulator.clock import SettableClock
from loyalty_helpers.records.models import LoyaltyEvent
from loyalty_helpers.steps.adjustments import adjust, preview, verify
from tests.doubles import ACCOUNT_ID, PHONE, Faulty, make_client

pytestmark = pytest.mark.slow

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
IMPOSSIBLE = "2020-05-11T25:11:07Z"


class Ledger:
    """A client of a fresh emulator, with its clock and with what was sent."""

    def __init__(self, emulator, clock):
        self.clock, self._sent = clock, Faulty(httpx.WSGITransport(emulator))
        self.client = make_client(self._sent)
        self._made = 0

    def fill(self, events, *, apart=1):
        """Somebody else's adjustments; so many seconds apart if there is a clock to move."""
        for _ in range(events):
            self._made += 1
            key = f"history-{self._made}"
            self.client.adjust_points(ACCOUNT_ID, 1, reason="History", idempotency_key=key)
            if self.clock and apart:
                self.clock.advance(timedelta(seconds=apart))

    def job(self, **wanted):
        """What notebook 02 does: find, preview, adjust, retrieve, verify."""
        account = self.client.find_account(phone_number=PHONE)
        done = adjust(self.client, self.preview(account, **wanted))
        self.client.retrieve_account(account.id)
        return done, verify(self.client, done)

    def preview(self, account=None, points=12, reason="Late order", run_id="run-1"):
        account = account or self.client.retrieve_account(ACCOUNT_ID)
        return preview(self.client, account, points=points, reason=reason, run_id=run_id)

    def cost(self, work):
        """How many requests it takes, and what it gives."""
        before = len(self._sent.requests)
        found = work()
        return len(self._sent.requests) - before, found


@contextmanager
def opened(folder, clock):
    file = folder / "ledger.sqlite3"
    more = {"clock": clock} if clock else {}
    with Emulator.open(file, ids=SeededIds(1), **more) as emulator:
        made = Ledger(emulator, clock)
        with made.client:
            yield made


@pytest.fixture
def ledger(tmp_path):
    """With a clock that stands still unless somebody moves it."""
    with opened(tmp_path, SettableClock(NOON)) as made:
        yield made


@pytest.fixture
def real(tmp_path):
    """With the machine's own clock."""
    with opened(tmp_path, None) as made:
        yield made


FEW = 11  # requests of the whole job for a buyer with 5 events, as in the recording


@pytest.mark.parametrize("events", [0, 5, 29, 30, 31, 649])
def test_an_adjustment_takes_as_many_requests_whatever_the_history(ledger, events):
    ledger.fill(events)

    cost, (done, checked) = ledger.cost(ledger.job)
    assert (FEW, "now", ()) == (cost, done.applied, checked.problems)


@pytest.mark.parametrize("events", [31, 649])
def test_a_history_of_one_second_takes_one_request_more(ledger, events):
    """Only a look at that second tells whether the event was there before."""
    ledger.fill(events, apart=0)

    cost, (done, checked) = ledger.cost(ledger.job)
    assert (FEW + 1, "now", ()) == (cost, done.applied, checked.problems)


@pytest.mark.parametrize("events", [5, 31, 649])
def test_a_history_made_in_a_hurry_by_a_real_clock_takes_one_request_more_at_most(real, events):
    real.fill(events)

    cost, (done, checked) = real.cost(real.job)
    assert ("now", ()) == (done.applied, checked.problems)
    assert cost in (FEW, FEW + 1)


def test_events_that_come_in_between_are_read_by_their_pages(ledger):
    ledger.fill(200)
    done = adjust(ledger.client, ledger.preview())
    ledger.fill(65)

    cost, checked = ledger.cost(lambda: verify(ledger.client, done))
    assert (2 + 3, ()) == (cost, checked.problems)  # 66 new events, 3 pages


@pytest.mark.parametrize("since", [0, 5, 29, 30, 31, 649])
@pytest.mark.parametrize("apart", [0, 1])
def test_a_run_applied_before_says_so_however_deep_its_event_is(ledger, since, apart):
    first, _ = ledger.job()
    ledger.fill(since, apart=apart)
    ledger.fill(1)

    again, checked = ledger.job()
    assert ("before", first.event, ()) == (again.applied, again.event, checked.problems)


def test_a_deep_run_applied_before_is_looked_up_by_its_second(ledger):
    ledger.job()
    ledger.clock.advance(timedelta(seconds=1))
    ledger.fill(649)

    cost, _ = ledger.cost(ledger.job)
    assert FEW + 1 == cost


def test_a_moved_balance_is_found_in_a_long_history(ledger):
    ledger.fill(100)
    done = adjust(ledger.client, ledger.preview())
    moved = done.before.model_copy(update={"balance": done.before.balance - 1})
    checked = verify(ledger.client, type(done)(done.event, moved, "now", "run-1", done.known))

    assert (
        "the balance moved by +13 points, but the events since then (1) make +12 points",
    ) == checked.problems


@pytest.mark.parametrize("since", [0, 100])
def test_an_event_that_is_missing_is_found_in_a_long_history(ledger, since):
    ledger.fill(100)
    done, _ = ledger.job()
    ledger.fill(since)
    again = adjust(ledger.client, ledger.preview())
    stray = again.event.model_copy(update={"id": "stray"})
    checked = verify(ledger.client, type(done)(stray, again.before, "before", "run-1", again.known))

    assert ("the event is 0 times in the account's ledger, not once",) == checked.problems


def test_points_credited_twice_by_a_runbook_are_found(ledger):
    ledger.fill(100)
    done = adjust(ledger.client, ledger.preview())
    reason = " late  ORDER [lr1:aaaaaaaabbbbbbbb]"
    second = ledger.client.adjust_points(ACCOUNT_ID, 12, reason=reason, idempotency_key="twice")

    assert (
        f"event {second.id} came since with the same points and reason: they may be credited twice",
    ) == verify(ledger.client, done).problems


class ImpossibleTimes(httpx.BaseTransport):
    """In front of an emulator: the event of the adjustment has a time that no clock can show."""

    def __init__(self, inner, reason):
        self._inner, self._reason = inner, reason

    def handle_request(self, request):
        answer = self._inner.handle_request(request)
        body = json.loads(answer.read() or b"{}")
        for event in [*body.get("events", []), *[body.get("event", {})]]:
            if event.get("adjust_points", {}).get("reason") == self._reason:
                event["created_at"] = IMPOSSIBLE
        return httpx.Response(answer.status_code, json=body)


@pytest.mark.parametrize("since", [0, 100])
def test_a_time_that_cannot_exist_is_no_hindrance(tmp_path, since):
    clock = SettableClock(NOON)
    with Emulator.open(tmp_path / "l.sqlite3", ids=SeededIds(1), clock=clock) as emulator:
        ledger = Ledger(emulator, clock)
        ledger.client = make_client(ImpossibleTimes(httpx.WSGITransport(emulator), "Late order"))
        with ledger.client:
            ledger.fill(100)
            first, checked = ledger.job()
            ledger.fill(since)
            again, checked_again = ledger.job()

    assert (("now", ()), ("before", ())) == (
        (first.applied, checked.problems),
        (again.applied, checked_again.problems),
    )


# The preview's look for the same adjustment


def alike(ledger, reason):
    made = ledger.client.adjust_points(ACCOUNT_ID, 12, reason=reason, idempotency_key=reason)
    return made, ledger.preview()


@pytest.mark.parametrize(
    "reason", ["Late order [lr1:aaaaaaaabbbbbbbb]", " LATE  order", "late order"]
)
def test_a_preview_tells_of_the_same_adjustment_whoever_made_it(ledger, reason):
    made, planned = alike(ledger, reason)

    assert (made,) == planned.alike
    assert f"event {made.id}" in str(planned)


def test_a_preview_says_that_a_runbook_made_it(ledger):
    assert "made by a runbook" in str(alike(ledger, "Late order [lr1:aaaaaaaabbbbbbbb]")[1])
    assert "made by a runbook" not in str(alike(ledger, "Late order")[1].alike[0])


def test_a_preview_looks_at_the_newest_30_adjustments_and_says_so(ledger):
    _, planned = alike(ledger, "Late order")
    told = str(planned)
    ledger.clock.advance(timedelta(seconds=1))
    ledger.fill(29)
    still = ledger.preview().alike
    ledger.fill(1)

    assert "of the newest 30 adjustments" in told
    assert ((1, 0)) == (len(still), len(ledger.preview().alike))


# Purchases


def bought(ledger, run_id="run-1"):
    account = ledger.client.retrieve_account(ACCOUNT_ID)
    orders = {"first_order": "4 Coffee 300", "second_order": "1 Coffee 300, 1 Sandwich 800"}
    return purchases.buy(
        ledger.client, purchases.plan(ledger.client, account, run_id=run_id, **orders)
    )


def test_purchases_take_as_many_requests_whatever_the_history(ledger):
    ledger.fill(5)
    few, _ = ledger.cost(lambda: bought(ledger))
    ledger.fill(200)
    many, verified = ledger.cost(lambda: bought(ledger, "run-2"))

    assert (few, (), "now") == (many, verified.problems, verified.applied)


@pytest.mark.parametrize("since", [0, 5, 200])
def test_purchases_done_before_are_verified_however_deep_they_are(ledger, since):
    ledger.fill(40)
    bought(ledger)
    ledger.fill(since)
    again = bought(ledger)

    assert ((), "before") == (again.problems, again.applied)


def test_an_event_knows_its_time_when_it_can_exist():
    body = {"id": "e", "type": "OTHER", "loyalty_account_id": ACCOUNT_ID, "source": "SQUARE"}
    made = LoyaltyEvent.model_validate(
        body | {"created_at": IMPOSSIBLE, "other_event": {"points": 1}}
    )

    assert not isinstance(made.created_at, datetime)
