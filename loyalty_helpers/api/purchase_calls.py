"""The operations of a purchase: orders, payments, the points that they earn, and rewards."""

from collections.abc import Sequence
from typing import Any

from loyalty_helpers.api.calls import Calls, parsed, record, records, unexpected
from loyalty_helpers.api.checks import check_id, check_points
from loyalty_helpers.errors import ParameterError
from loyalty_helpers.records import EarnedPoints, LoyaltyEvent, LoyaltyReward, Money, Order, Payment


class PurchaseCalls(Calls):
    """What a LoyaltyClient does around a purchase: a part of it that has a file of its own."""

    # Orders and payments

    def create_order(
        self, location_id: str, line_items: Sequence[dict[str, Any]], *, idempotency_key: str
    ) -> Order:
        """Open an order; Square computes its prices.

        https://developer.squareup.com/reference/square/orders-api/create-order

        Args:
            location_id: where the purchase is made.
            line_items: as Square takes them: `name`, `quantity` (a text), `base_price_money`.
            idempotency_key: names this order. Again with the same key, the answer is the order as
                it was when it was made: retrieve it to see what it is now.
        """
        order = {"location_id": location_id, "line_items": list(line_items)}
        answer = self._write("/v2/orders", {"order": order, "idempotency_key": idempotency_key})
        return record(Order, answer, "order")

    def retrieve_order(self, order_id: str) -> Order:
        """One order as it is now.

        https://developer.squareup.com/reference/square/orders-api/retrieve-order
        """
        return self._retrieve(Order, "/v2/orders", "order", order_id)

    def create_payment(
        self, order_id: str, amount: Money, *, source_id: str, idempotency_key: str
    ) -> Payment:
        """Pay an order in full, which completes it and redeems its rewards.

        https://developer.squareup.com/reference/square/payments-api/create-payment

        Args:
            order_id: the order that is paid.
            amount: its total; Square takes no payment of 0, see `pay_order`.
            source_id: `CASH` for the exact amount, or what Square's payment form made of a card;
                the Sandbox takes `cnon:card-nonce-ok`.
            idempotency_key: 1 to 45 characters that name this payment.
        """
        money = {"amount": amount.amount, "currency": amount.currency}
        body: dict[str, Any] = {
            "source_id": source_id,
            "idempotency_key": idempotency_key,
            "amount_money": money,
            "order_id": check_id(order_id, "order_id"),
        }
        if source_id == "CASH":
            body["cash_details"] = {"buyer_supplied_money": money}
        same, another = {"order_id": order_id}, "the payment of another order"
        return record(Payment, self._write("/v2/payments", body), "payment", same, another)

    def pay_order(self, order_id: str, *, idempotency_key: str) -> Order:
        """Complete an order whose total is 0, which takes no payment.

        https://developer.squareup.com/reference/square/orders-api/pay-order
        """
        path = f"/v2/orders/{check_id(order_id, 'order_id')}/pay"
        body = {"payment_ids": [], "idempotency_key": idempotency_key}
        return record(Order, self._write(path, body), "order")

    # Points

    def calculate_points(
        self, order_id: str, *, program_id: str, account_id: str = ""
    ) -> EarnedPoints:
        """What an order would earn; nothing is earned by asking.

        https://developer.squareup.com/reference/square/loyalty-api/calculate-loyalty-points

        Args:
            order_id: the order, paid or not.
            program_id: the id of the program; there is no `main` here.
            account_id: the buyer's account, so that limits of promotions are counted.
        """
        body = {"order_id": check_id(order_id, "order_id")}
        if account_id:
            body["loyalty_account_id"] = check_id(account_id, "account_id")
        path = f"/v2/loyalty/programs/{check_id(program_id, 'program_id')}/calculate"
        exchange = self._wire.send("POST", path, body)
        return parsed(EarnedPoints, exchange, exchange.answer)

    def accumulate_points(
        self,
        account_id: str,
        *,
        location_id: str,
        idempotency_key: str,
        order_id: str = "",
        points: int = 0,
    ) -> list[LoyaltyEvent]:
        """Add the points that a purchase earns: of an order, or a number computed elsewhere.

        https://developer.squareup.com/reference/square/loyalty-api/accumulate-loyalty-points

        Args:
            account_id: the loyalty account's id.
            location_id: where the purchase was made.
            idempotency_key: 1 to 128 characters that name this purchase.
            order_id: a completed order; Square computes its points.
            points: whole points, at least 1; not together with an order.

        Returns:
            The events; none for a purchase that earns nothing.
        """
        if bool(order_id) == bool(points):
            raise ParameterError("give either order_id or points, and not both")
        earned = {"order_id": order_id} if order_id else {"points": check_points(points)}
        path = f"/v2/loyalty/accounts/{check_id(account_id, 'account_id')}/accumulate"
        body = {
            "accumulate_points": earned,
            "location_id": location_id,
            "idempotency_key": idempotency_key,
        }
        answer = self._write(path, body)
        events = records(LoyaltyEvent, answer, "events")
        if any(event.loyalty_account_id != account_id for event in events):
            raise unexpected(answer, f"it holds events of another account: {events!r}")
        return events

    # Rewards

    def create_reward(
        self, account_id: str, reward_tier_id: str, *, idempotency_key: str, order_id: str = ""
    ) -> LoyaltyReward:
        """Hold the points of a reward tier, and take the discount from the order, if one is given.

        https://developer.squareup.com/reference/square/loyalty-api/create-loyalty-reward

        Args:
            account_id: whose points are held.
            reward_tier_id: what they buy; the program lists its tiers.
            idempotency_key: 1 to 128 characters that name this reward.
            order_id: an open order. Paying it redeems the reward.
        """
        reward = {
            "loyalty_account_id": check_id(account_id, "account_id"),
            "reward_tier_id": check_id(reward_tier_id, "reward_tier_id"),
        }
        if order_id:
            reward["order_id"] = order_id
        body = {"reward": reward, "idempotency_key": idempotency_key}
        same, another = {"loyalty_account_id": account_id}, "a reward of another account"
        answer = self._write("/v2/loyalty/rewards", body)
        return record(LoyaltyReward, answer, "reward", same, another)

    def retrieve_reward(self, reward_id: str) -> LoyaltyReward:
        """One reward as it is now.

        https://developer.squareup.com/reference/square/loyalty-api/retrieve-loyalty-reward
        """
        return self._retrieve(LoyaltyReward, "/v2/loyalty/rewards", "reward", reward_id)
