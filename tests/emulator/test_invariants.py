"""What holds whatever is done, in whatever order: checked after every step of random stories."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from loyalty_helpers.emulator import Emulator, SeededIds, SettableClock, program
from loyalty_helpers.emulator.ledger import EVENT_FIELDS
from tests.seed_world import ACCOUNT_ID, COFFEE_ID, SANDWICH_TIER_ID

from .conftest import Api

QUARTER = program(expiration_policy={"expiration_duration": "P3M"})
COFFEE = {"catalog_object_id": COFFEE_ID, "quantity": "2"}
OF_ACCOUNT = {"loyalty_account_filter": {"loyalty_account_id": ACCOUNT_ID}}


class Story(RuleBasedStateMachine):
    """One buyer of a program whose points expire after a quarter."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = SettableClock(datetime(2026, 1, 15, 9, tzinfo=UTC))
        path = Path(self.folder.name) / "world.db"
        self.emulator = Emulator.open(path, clock=self.clock, ids=SeededIds(1), program=QUARTER)
        self.api = Api(self.emulator)
        self.steps = 0
        self.last = None
        self.seen = []
        self.lifetime = 0
        self.rewards = []
        self.orders = []

    def teardown(self):
        self.api.client.close()
        self.emulator.close()
        self.folder.cleanup()

    def do(self, request):
        """Send a request with a key of its own, and keep it to be sent again."""
        self.steps += 1
        key = f"key {self.steps}"
        answer = request(key)
        assert answer.status_code < 500
        self.last = (request, key, answer)
        return answer.json() if answer.status_code == 200 else {}

    @rule(points=st.integers(-40, 40), overdraft=st.booleans())
    def adjust(self, points, overdraft):
        self.do(lambda key: self.api.adjust(points, key, allow_negative_balance=overdraft))

    @rule(points=st.integers(1, 40))
    def accumulate(self, points):
        self.do(lambda key: self.api.accumulate(key, points=points))

    @rule(times=st.integers(1, 3))
    def promote(self, times):
        self.do(lambda key: self.api.promote(key, trigger_limit={"times": times}))

    @rule()
    def order(self):
        order = self.do(lambda key: self.api.order(COFFEE, key=key))
        self.orders.append(order["order"]["id"])

    @rule(sandwich=st.booleans(), with_order=st.booleans())
    def reward(self, sandwich, with_order):
        more = {"reward_tier_id": SANDWICH_TIER_ID} if sandwich else {}
        if with_order and self.orders:
            more["order_id"] = self.orders[-1]
        made = self.do(lambda key: self.api.reward(key=key, **more))
        if made:
            self.rewards.append(made["reward"]["id"])

    @precondition(lambda self: self.rewards)
    @rule(data=st.data())
    def redeem(self, data):
        reward = data.draw(st.sampled_from(self.rewards))
        self.do(lambda key: self.api.redeem(reward, key))

    @precondition(lambda self: self.rewards)
    @rule(data=st.data())
    def delete(self, data):
        assert self.api.delete(data.draw(st.sampled_from(self.rewards))).status_code in (200, 400)

    @precondition(lambda self: self.orders)
    @rule()
    def pay_and_accumulate(self):
        order = self.orders.pop()
        total = self.api.found_order(order)["total_money"]["amount"]
        if total:
            self.do(lambda key: self.api.pay(total, key, order_id=order))
        else:
            body = {"idempotency_key": order, "payment_ids": []}
            assert self.api.client.post(f"/v2/orders/{order}/pay", json=body).status_code == 200
        self.do(lambda key: self.api.accumulate(key, order_id=order))

    @rule(days=st.integers(1, 45))
    def wait(self, days):
        self.clock.advance(timedelta(days=days))

    @precondition(lambda self: self.last and self.last[2].status_code == 200)
    @rule()
    def ask_again(self):
        request, key, first = self.last
        before = self.api.account()

        assert first.text == request(key).text
        assert before == self.api.account()

    @invariant()
    def ledger_and_account_agree(self):
        account = self.api.account()
        events = self.api.all_events(OF_ACCOUNT)[::-1]
        points = [event[EVENT_FIELDS[event["type"]]].get("points", 0) for event in events]
        lots = account.get("expiring_point_deadlines", [])

        assert account["balance"] == sum(points)
        assert account["lifetime_points"] >= self.lifetime
        assert events[: len(self.seen)] == self.seen, "an event changed, or came before another"
        assert sorted(each["created_at"] for each in events) == [e["created_at"] for e in events]
        assert max(account["balance"], 0) == sum(each["points"] for each in lots)
        assert all(each["expires_at"] > account["updated_at"] for each in lots)
        self.lifetime, self.seen = account["lifetime_points"], events

    @invariant()
    def rewards_hold_what_the_ledger_says(self):
        held = {each["id"]: each for each in self.api.rewards().json().get("rewards", [])}
        last = {}
        for event in self.seen:
            reward_id = event[EVENT_FIELDS[event["type"]]].get("reward_id")
            last[reward_id] = event["type"]
        last.pop(None, None)
        ends = {"CREATE_REWARD": "ISSUED", "REDEEM_REWARD": "REDEEMED", "DELETE_REWARD": "DELETED"}

        assert {key: ends[kind] for key, kind in last.items() if key in held} == {
            key: reward["status"] for key, reward in held.items()
        }


TestStory = Story.TestCase
TestStory.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
