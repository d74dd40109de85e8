"""One adjustment: previewed, made once for its run id, and verified in the ledger."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from loyalty_helpers.api.keys import adjustment_key
from loyalty_helpers.errors import (
    InvalidRequestError,
    OutcomeUnknownError,
    ParameterError,
)
from loyalty_helpers.records import VERIFICATION_MIME
from loyalty_helpers.records.models import LoyaltyEvent
from loyalty_helpers.session import connect
from loyalty_helpers.steps.adjustments import adjust, preview, verify
from tests.doubles import ACCOUNT_ID, emulator_client, refused

REASON = "Late order"


@pytest.fixture
def client():
    with connect("local") as made:
        yield made


def plan(client, points=12, reason=REASON, run_id="run-1", **more):
    account = client.retrieve_account(ACCOUNT_ID)
    return preview(client, account, points=points, reason=reason, run_id=run_id, **more)


def another(client, points, key, reason="From the shop"):
    """What somebody else does to the same account meanwhile."""
    return client.adjust_points(
        ACCOUNT_ID, points, reason=reason, idempotency_key=key, allow_negative_balance=True
    )


def state(client):
    events = list(client.search_events(account_id=ACCOUNT_ID))
    return client.retrieve_account(ACCOUNT_ID).balance, [event.points for event in events]


def tamper(statement):
    """Change the emulator's file behind its back."""
    path = next(Path().glob("home/emulator.sqlite3"))
    with sqlite3.connect(path) as connection:
        assert connection.execute(statement).rowcount
    connection.close()


# Preview


def test_a_preview_shows_the_balance_now_and_after(client):
    planned = plan(client)

    assert (0, 12, 12) == (planned.account.balance, planned.points, planned.balance_after)


def test_a_preview_changes_nothing(client):
    plan(client)

    assert (0, []) == state(client)
    assert all(e.method == "GET" or e.path.endswith("/search") for e in client.exchanges)


def test_a_preview_reads_the_balance_anew(client):
    account = client.retrieve_account(ACCOUNT_ID)
    another(client, 5, "k")

    planned = preview(client, account, points=12, reason=REASON, run_id="run-1")
    assert (5, 17) == (planned.account.balance, planned.balance_after)


@pytest.mark.parametrize(
    "bad", [{"points": 0}, {"points": 1.5}, {"reason": "\0"}, {"run_id": "A/"}]
)
def test_a_preview_refuses_what_adjusting_would_refuse(client, bad):
    with pytest.raises(ParameterError):
        plan(client, **bad)


def test_a_preview_says_that_a_balance_below_zero_will_be_refused(client):
    assert "Square will refuse this" in str(plan(client, points=-1))


@pytest.mark.parametrize("more", [{"points": -1, "allow_negative_balance": True}, {"points": 1}])
def test_a_preview_that_will_be_taken_says_nothing(client, more):
    assert "refuse" not in str(plan(client, **more))


def test_a_preview_tells_of_the_same_adjustment_in_the_ledger(client):
    adjust(client, plan(client))

    planned = plan(client, run_id="run-2")
    assert 1 == len(planned.alike)
    assert "The ledger already holds +12 points with this reason" in str(planned)


@pytest.mark.parametrize("other", [{"points": 13}, {"reason": "Another"}])
def test_a_preview_says_nothing_of_other_adjustments(client, other):
    adjust(client, plan(client))

    assert () == plan(client, run_id="run-2", **other).alike


# Adjust


def test_an_adjustment_is_applied_now(client):
    done = adjust(client, plan(client))

    assert ("now", "applied now", 12, REASON) == (
        done.applied,
        done.told,
        done.event.points,
        done.event.reason,
    )
    assert (12, [12]) == state(client)


def test_the_same_run_again_adds_nothing_and_says_so(client):
    first = adjust(client, plan(client))
    second = adjust(client, plan(client))

    assert ("before", first.event) == (second.applied, second.event)
    assert second.told.startswith("applied before, at 20")
    assert "nothing was added this time" in str(second)
    assert (12, [12]) == state(client)


def test_the_same_preview_twice_adds_once(client):
    planned = plan(client)

    assert ["now", "before"] == [adjust(client, planned).applied for _ in range(2)]
    assert (12, [12]) == state(client)


@pytest.mark.parametrize("edited", [{"points": 500}, {"reason": "Another reason"}])
def test_points_or_reason_edited_under_the_same_run_id_are_refused(client, edited):
    adjust(client, plan(client))
    with pytest.raises(ParameterError, match="take a new run id for a new intent"):
        adjust(client, plan(client, **edited))

    assert (12, [12]) == state(client)


def test_a_new_run_id_is_a_new_intent(client):
    adjust(client, plan(client))
    adjust(client, plan(client, run_id="run-2"))

    assert (24, [12, 12]) == state(client)


def test_a_refused_adjustment_changes_nothing_and_may_be_repaired(client):
    with pytest.raises(InvalidRequestError):
        adjust(client, plan(client, points=-1))
    done = adjust(client, plan(client, points=-1, allow_negative_balance=True))

    assert ("now", (-1, [-1])) == (done.applied, state(client))


def test_an_answer_lost_for_good_is_found_by_the_next_run(tmp_path):
    reads = [("never", None)] * 6  # three of the preview, three of the adjustment
    lost = [("after", refused(500))] * 5
    with emulator_client(tmp_path, *reads, *lost) as (client, _):
        planned = plan(client)
        with pytest.raises(OutcomeUnknownError, match="Run it again with the same run id"):
            adjust(client, planned)
        done = adjust(client, planned)

        assert ("before", (12, [12])) == (done.applied, state(client))


# Verify


def test_a_verification_compares_with_what_is_there_now(client):
    done = adjust(client, plan(client))
    checked = verify(client, done)

    assert (True, 12) == (checked.ok, checked.after.balance)
    assert f"verified: balance 0 -> 12 points (+12), event {done.event.id}" == checked.summary


def test_a_run_applied_before_is_verified_too(client):
    adjust(client, plan(client))
    checked = verify(client, adjust(client, plan(client)))

    assert checked.ok
    assert checked.summary.startswith("verified: balance 12 -> 12 points (+12, applied before, at")


@pytest.mark.parametrize("points", [5, -30])
def test_an_event_of_somebody_else_in_between_is_no_problem(client, points):
    done = adjust(client, plan(client))
    another(client, points, "k")
    checked = verify(client, done)

    assert ((), 12 + points) == (checked.problems, checked.after.balance)


def test_an_event_of_somebody_else_before_is_no_problem(client):
    planned = plan(client)
    another(client, 5, "k")

    assert verify(client, adjust(client, planned)).ok


def test_a_missing_event_is_found(client):
    done = adjust(client, plan(client))
    tamper(f"DELETE FROM event WHERE id = '{done.event.id}'")  # noqa: S608 - an id of the emulator

    assert (
        "the event is 0 times in the account's ledger, not once",
        "the balance moved by +12 points, but the events since then (0) make +0 points",
    ) == verify(client, done).problems


def test_an_event_that_was_changed_is_found(client):
    done = adjust(client, plan(client))
    tamper("UPDATE event SET body = replace(body, 'Late order', 'Early order')")

    assert ("the event in the ledger is not the one that Square answered with",) == (
        verify(client, done).problems
    )


def test_a_moved_balance_is_found(client):
    done = adjust(client, plan(client))
    tamper(f"UPDATE account SET balance = 13 WHERE id = '{ACCOUNT_ID}'")  # noqa: S608

    checked = verify(client, done)
    assert (
        "the balance moved by +13 points, but the events since then (1) make +12 points",
    ) == checked.problems
    assert checked.summary.startswith("NOT VERIFIED: balance 0 -> 13 points")


def test_points_that_were_credited_twice_are_found(client):
    done = adjust(client, plan(client))
    second = another(client, 12, "a key made anew for the retry", reason=REASON)

    assert (
        f"event {second.id} came since with the same points and reason: they may be credited twice",
    ) == verify(client, done).problems


def test_the_same_adjustment_of_an_earlier_run_is_not_taken_for_a_double(client):
    adjust(client, plan(client))

    assert verify(client, adjust(client, plan(client, run_id="run-2"))).ok


class TwiceInTheLedger:
    """A client whose ledger holds every event twice."""

    def __init__(self, client):
        self._client = client

    def __getattr__(self, name):
        return getattr(self._client, name)

    def search_events(self, **filters):
        for event in self._client.search_events(**filters):
            yield from (event, event)


def test_an_event_that_is_there_twice_is_found(client):
    done = adjust(client, plan(client))

    assert "the event is 2 times in the account's ledger, not once" in (
        verify(TwiceInTheLedger(client), done).problems
    )


def test_a_verification_shows_every_problem(client):
    done = adjust(client, plan(client))
    tamper(f"UPDATE account SET balance = 13 WHERE id = '{ACCOUNT_ID}'")  # noqa: S608
    view = verify(client, done)._view()

    assert f"NOT VERIFIED: account {ACCOUNT_ID}" == view["text/plain"].splitlines()[0]
    assert "the balance moved by +13 points" in view["text/plain"]


def test_the_facts_for_the_receipt_agree_with_the_records(client):
    done = adjust(client, plan(client))
    checked = verify(client, done)

    assert {
        "verified": True,
        "account_id": ACCOUNT_ID,
        "event_id": done.event.id,
        "points": 12,
        "applied": "now",
        "balance_before": 0,
        "balance_after": 12,
        "problems": [],
        "summary": checked.summary,
    } == checked._view()[VERIFICATION_MIME]


def test_the_key_of_an_adjustment_is_made_of_run_and_account(client):
    adjust(client, plan(client))

    sent = [e.body for e in client.exchanges if e.path.endswith("/adjust")]
    assert [adjustment_key("run-1", ACCOUNT_ID)] == [body["idempotency_key"] for body in sent]


def test_a_hostile_reason_is_adjusted_and_verified_like_any_other(client):
    reason = "<img src=x onerror=alert(1)> $x$ \x1b[31m\n'quoted'"
    done = adjust(client, plan(client, reason=reason))

    assert (reason, True) == (done.event.reason, verify(client, done).ok)


def test_a_balance_is_not_compared_with_events_that_were_known(client):
    """Square's ledger need not reach back to the first point: only what came since counts."""
    another(client, 100, "k")
    tamper("DELETE FROM event WHERE points = 100")

    assert verify(client, adjust(client, plan(client))).ok


def test_an_event_without_a_reason_is_adjusted_too(client):
    done = adjust(client, plan(client, reason=""))

    assert ("", True, LoyaltyEvent) == (
        done.event.reason,
        verify(client, done).ok,
        type(done.event),
    )


def test_the_run_id_is_told(client):
    done = adjust(client, plan(client))

    assert ("run-1", True) == (done.run_id, "run-1" in str(replace(done)))


class Busy:
    """A client on whose account somebody else earns points while its events are read."""

    def __init__(self, client, purchases):
        self._client, self._purchases = client, iter(range(purchases))

    def __getattr__(self, name):
        return getattr(self._client, name)

    def search_events(self, **filters):
        events = list(self._client.search_events(**filters))
        for number in self._purchases:
            another(self._client, 5, f"purchase-{number}")
            break
        return events


@pytest.mark.parametrize("purchases", [1, 2])
def test_a_purchase_between_two_reads_is_no_false_alarm(client, purchases):
    planned = plan(client)
    done = adjust(Busy(client, purchases), planned)
    checked = verify(Busy(client, purchases), done)

    assert () == checked.problems
