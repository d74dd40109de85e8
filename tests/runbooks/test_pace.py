"""The pace finds a service's limit, stays just under it, and honours what the service asks for."""

import heapq
import itertools

import pytest

from loyalty_helpers.errors import HeldBackError
from loyalty_helpers.runbooks.apply.pace import Pace
from loyalty_helpers.runbooks.limits import Time

LIMIT, BURST, LATENCY, WORKERS = 40.0, 40.0, 0.01, 16


class Moment:
    """A clock that others move; who sleeps on it goes on at the time it asked for."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def simulate(requests: int) -> tuple[float, float]:
    """Workers against a token bucket, in virtual time: rate and share of refused requests."""
    clock, order = Moment(), itertools.count()
    pace = Pace(0.0, Time(monotonic=clock, sleep=lambda _: None))
    tokens, filled, taken, refused = BURST, 0.0, 0, 0
    todo = [(0.0, next(order), "slot", 0) for _ in range(WORKERS)]
    while taken < requests:
        clock.now, _, step, ticket = heapq.heappop(todo)
        if step == "slot":
            slot, lesson = pace.slot()
            heapq.heappush(todo, (slot, next(order), "send", lesson))
        elif step == "send" and ticket != pace.cuts:  # as take() does after its sleep
            heapq.heappush(todo, (clock.now, next(order), "slot", 0))
        elif step == "send":
            tokens, filled = min(BURST, tokens + (clock.now - filled) * LIMIT), clock.now
            status = 200 if tokens >= 1 else 429
            tokens -= status == 200
            heapq.heappush(todo, (clock.now + LATENCY, next(order), str(status), ticket))
        else:
            taken, refused = taken + (step == "200"), refused + (step == "429")
            pace.seen(ticket, int(step), None)
            heapq.heappush(todo, (clock.now, next(order), "slot", 0))
    return taken / clock.now, refused / (taken + refused)


def test_it_stays_just_under_the_limit() -> None:
    rate, refused = simulate(4_000)

    assert rate >= 0.95 * LIMIT
    assert refused <= 0.02


def sleeping(clock: Moment):
    def sleep(seconds: float) -> None:
        clock.now += seconds

    return sleep


@pytest.mark.parametrize("limit", [0.5, 7.0, 300.0])
def test_a_given_rate_is_never_exceeded(limit: float) -> None:
    clock = Moment()
    pace = Pace(limit, Time(monotonic=clock, sleep=sleeping(clock)))
    for _ in range(200):
        pace.seen(pace.take(), 200, None)

    assert 200 <= 1 + clock.now * limit + 1e-6


def test_retry_after_is_waited_for() -> None:
    clock = Moment()
    pace = Pace(0.0, Time(monotonic=clock, sleep=sleeping(clock)))
    pace.seen(pace.take(), 429, 30.0)
    pace.take()

    assert clock.now >= 30.0


def test_the_rate_falls_after_a_429() -> None:
    pace = Pace(0.0, Time(monotonic=Moment(), sleep=lambda _: None))
    before = pace.rate
    pace.seen(pace.take(), 429, None)

    assert pace.rate < before


def test_one_burst_of_429s_is_one_lesson() -> None:
    clock = Moment()
    pace = Pace(0.0, Time(monotonic=clock, sleep=sleeping(clock)))
    tickets = [pace.take() for _ in range(8)]
    pace.seen(tickets[0], 429, None)
    after_one = pace.rate
    for ticket in tickets[1:]:
        pace.seen(ticket, 429, None)

    assert after_one == pace.rate


def test_who_waits_is_told_when_the_run_stops() -> None:
    pace = Pace(0.0, Time(monotonic=Moment(), sleep=lambda _: None))
    pace.stop()

    with pytest.raises(HeldBackError):
        pace.take()


def after(*statuses: int, apart: float) -> float:
    """The rate after answers that come so many seconds apart, of the rate after the first one."""
    clock = Moment()
    pace = Pace(0.0, Time(monotonic=clock, sleep=lambda _: None))
    pace.seen(pace.slot()[1], 429, None)
    before = pace.rate
    for status in statuses:
        clock.now += apart
        pace.seen(pace.slot()[1], status, None)
    return pace.rate / before


def test_a_single_429_soon_after_another_may_be_chance() -> None:
    assert after(429, apart=0.5) == 1.0
    assert after(429, apart=2.5) == pytest.approx(0.9)


def test_many_429s_take_the_rate_to_the_share_that_was_taken() -> None:
    assert after(*[200] * 6, 429, 429, 429, apart=0.01) == pytest.approx(6 / 9, rel=0.01)


def test_429s_by_chance_do_not_bring_a_run_to_a_halt() -> None:
    """One of twenty requests is refused, however slow they are."""
    clock = Moment()
    pace = Pace(0.0, Time(monotonic=clock, sleep=sleeping(clock)))
    for n in range(1_500):
        pace.seen(pace.take(), 429 if n % 20 == 19 else 200, None)

    assert 1_500 / clock.now > 60
