"""Two purchases: earned with the first, spent on the second, verified; all of it once."""

from dataclasses import replace

import httpx
import pytest

from loyalty_helpers import purchases
from loyalty_helpers.emulator import Emulator, Fault, SeededIds, program
from loyalty_helpers.errors import ParameterError
from loyalty_helpers.records.show import VERIFICATION_MIME
from tests.doubles import ACCOUNT_ID, make_client
from tests.seed_world import SANDWICH_TIER_ID

FIRST, SECOND = "4 Coffee 300", "1 Coffee 300, 1 Sandwich 800"
WRITES = ("/v2/orders$", "/v2/payments$", "/accumulate$", "/v2/loyalty/rewards$")


class Shop:
    """A client of a fresh emulator, and the emulator behind it."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.client = make_client(httpx.WSGITransport(emulator))

    def plan(self, first=FIRST, second=SECOND, run_id="run-1", **more):
        account = self.client.retrieve_account(ACCOUNT_ID)
        orders = {"first_order": first, "second_order": second}
        return purchases.plan(self.client, account, run_id=run_id, **orders, **more)

    def buy(self, **wanted):
        return purchases.buy(self.client, self.plan(**wanted))

    def balance(self):
        return self.client.retrieve_account(ACCOUNT_ID).balance

    def events(self):
        return [event.type for event in self.client.search_events(account_id=ACCOUNT_ID)][::-1]

    def writes(self):
        return [each for each in self.client.exchanges if "idempotency_key" in (each.body or {})]


@pytest.fixture
def shop(tmp_path):
    with Emulator.open(tmp_path / "shop.sqlite3", ids=SeededIds(1)) as emulator:
        yield Shop(emulator)


STORY = ["ACCUMULATE_POINTS", "CREATE_REWARD", "REDEEM_REWARD", "ACCUMULATE_POINTS"]


def test_both_purchases_earn_and_the_reward_is_redeemed_by_itself(shop):
    verified = shop.buy()

    assert verified.ok
    assert [12, 8] == [each.points for each in verified.earned]
    assert (verified.reward.status, verified.after.balance) == ("REDEEMED", 10)
    assert shop.events() == STORY


def test_square_s_walkthrough_1(shop):
    """12 points for $12, 10 of them for 10 % off $10, 9 points for the $9 that are left."""
    shop.emulator.set_program(program("walkthrough-1"))

    verified = shop.buy(first="1 Lunch 1200", second="1 Lunch 1000")

    assert verified.summary == "verified: balance 0 -> 11 points, +12 -10 +9"


def test_planning_sends_nothing_that_writes(shop):
    shop.plan()

    assert shop.writes() == []


def test_the_same_run_buys_once(shop):
    shop.buy()
    again = shop.buy()

    assert again.ok
    assert (again.applied, again.after.balance) == ("before", 10)
    assert shop.events() == STORY


def test_another_run_buys_again(shop):
    shop.buy()
    other = shop.buy(run_id="run-2")

    assert (other.applied, other.after.balance) == ("now", 20)


@pytest.mark.parametrize("path", WRITES)
def test_an_answer_that_is_lost_after_the_write_changes_nothing_twice(shop, path):
    shop.emulator.faults.add(Fault.parse(f"drop-after:path={path},next=1"))

    assert shop.buy().ok
    assert shop.events() == STORY


@pytest.mark.parametrize("done", range(7))
def test_a_run_that_stopped_after_any_step_is_gone_on_with(shop, done):
    planned = shop.plan()
    steps = [
        lambda: purchases.place_order(shop.client, planned, 1),
        lambda: purchases.pay(shop.client, planned, steps[0]()),
        lambda: purchases.accumulate(shop.client, planned, steps[1]()),
        lambda: purchases.place_order(shop.client, planned, 2),
        lambda: purchases.use_reward(shop.client, planned, steps[3]()),
        lambda: purchases.pay(shop.client, planned, steps[3]()),
        lambda: purchases.accumulate(shop.client, planned, steps[3]()),
    ]
    for step in steps[:done]:
        step()

    assert shop.buy().ok
    assert shop.events() == STORY


def test_orders_that_were_edited_under_a_used_run_id_are_refused(shop):
    shop.buy()

    with pytest.raises(ParameterError, match="take a new run id"):
        shop.buy(first="5 Coffee 300")
    assert shop.events() == STORY


def test_a_reward_that_the_buyer_cannot_pay_is_refused_before_it_is_asked_for(shop):
    with pytest.raises(ParameterError, match="takes 10 points and the account has 3"):
        shop.buy(first="1 Coffee 300")
    assert "CREATE_REWARD" not in shop.events()


def test_an_order_that_a_reward_makes_free_is_completed_without_a_payment(shop):
    verified = shop.buy(second="1 Coffee 300")

    assert verified.ok
    assert (verified.earned[1].order.state, verified.earned[1].events) == ("COMPLETED", ())
    assert shop.balance() == 2


def test_a_reward_for_nothing_in_the_order_is_told(shop):
    verified = shop.buy(second="1 Tea 300")

    assert verified.reward.status == "DELETED"
    assert any("holds nothing that the reward is for" in each for each in verified.problems)


def test_points_that_somebody_adds_meanwhile_are_no_problem(shop):
    planned = shop.plan()
    shop.client.adjust_points(ACCOUNT_ID, 5, idempotency_key="somebody")

    verified = purchases.buy(shop.client, planned)

    assert verified.ok
    assert verified.after.balance == 15


def test_an_event_that_is_not_in_the_ledger_is_told(shop):
    planned = shop.plan()
    verified = purchases.buy(shop.client, planned)
    first, second = verified.earned
    stray = replace(first, events=(first.events[0].model_copy(update={"id": "stray"}),))

    told = purchases.verify(shop.client, planned, stray, verified.reward, second)

    assert [f"the ledger has 1 events of order {first.order.id}"] == [
        each.split(",")[0] for each in told.problems
    ]


def test_a_reward_that_was_not_paid_for_is_told(shop):
    planned = shop.plan()
    verified = purchases.buy(shop.client, planned)
    shop.client.adjust_points(ACCOUNT_ID, 10, idempotency_key="more")
    unpaid = shop.client.create_reward(ACCOUNT_ID, planned.tier.id, idempotency_key="unpaid")

    told = purchases.verify(shop.client, planned, *verified.earned[:1], unpaid, verified.earned[1])

    assert told.problems == ("the reward is ISSUED, not REDEEMED",)


def test_the_cheapest_reward_is_taken_and_another_can_be_named(shop):
    assert shop.plan().tier.points == 10
    assert shop.plan(reward_tier_id=SANDWICH_TIER_ID).tier.points == 15


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"first": "Coffee 300"}, "first_order: 'Coffee 300' is no line"),
        ({"first": "0 Coffee 300"}, "is no line"),
        ({"first": ""}, "is no line"),
        ({"second": "1 Coffee 3.00"}, "second_order: '1 Coffee 3.00' is no line"),
        ({"second": "1 Coffee 300,"}, "second_order: '' is no line"),
        ({"reward_tier_id": "none"}, "no reward tier 'none'. It has: .*Free coffee"),
        ({"location_id": "none"}, "no location 'none'. There are: .*Harbor Street"),
        ({"run_id": "Run 1"}, "run_id 'Run 1' is not allowed"),
    ],
)
def test_what_is_not_allowed_is_told_with_what_is(shop, wanted, told):
    with pytest.raises(ParameterError, match=told):
        shop.plan(**wanted)


def test_lines_are_read_with_their_quantities_and_cents(shop):
    assert [(1, "Iced coffee", 350), (2, "Sandwich", 800)] == [
        (line.quantity, line.name, line.cents)
        for line in shop.plan(second="1 Iced coffee 350, 2 Sandwich 800").orders[1]
    ]


def test_every_key_is_of_its_own_and_short_enough_for_payments(shop):
    shop.buy()
    keys = [each.body["idempotency_key"] for each in shop.writes()]

    assert len(keys) == len(set(keys)) == 7
    assert max(map(len, keys)) <= 45


def test_a_preview_tells_totals_and_the_reward(shop):
    told = str(shop.plan())

    assert "4 Coffee: 12.00 USD" in told
    assert "Free coffee, for 10 points" in told


def test_the_receipt_gets_the_facts(shop):
    facts = shop.buy()._repr_mimebundle_()[VERIFICATION_MIME]

    assert (facts["verified"], facts["points"], facts["applied"]) == (True, 10, "now")
    assert (facts["balance_before"], facts["balance_after"]) == (0, 10)
