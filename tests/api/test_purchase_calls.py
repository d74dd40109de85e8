"""The operations of a purchase: what is sent, and answers to something else."""

import pytest

from loyalty_helpers.errors import ParameterError, ProductionGuardError, UnexpectedAnswerError
from loyalty_helpers.records.orders import Money
from tests.doubles import ACCOUNT_ID, PROGRAM_ID, Answers, make_client, reply

USD = {"amount": 900, "currency": "USD"}
ORDER = {"id": "order-1", "location_id": "L1", "state": "OPEN", "version": 1, "total_money": USD}
PAYMENT = {"id": "payment-1", "status": "COMPLETED", "order_id": "order-1", "total_money": USD}
REWARD = {
    "id": "reward-1",
    "status": "ISSUED",
    "loyalty_account_id": ACCOUNT_ID,
    "reward_tier_id": "tier-1",
    "points": 10,
}
LINE = {"name": "Coffee", "quantity": "1", "base_price_money": USD}


def asked(call, answer):
    """The request that a call sends, as method, path and body, and what the call gives."""
    transport = Answers(reply(200, answer))
    given = call(make_client(transport))
    [request] = transport.requests
    return (
        request.method,
        request.url.path,
        transport.bodies[0] if request.content else None,
    ), given


def test_create_order():
    request, order = asked(
        lambda c: c.create_order("L1", [LINE], idempotency_key="k"), {"order": ORDER}
    )

    body = {"order": {"location_id": "L1", "line_items": [LINE]}, "idempotency_key": "k"}
    assert request == ("POST", "/v2/orders", body)
    assert str(order.total_money) == "9.00 USD"


def test_retrieve_order():
    request, order = asked(lambda c: c.retrieve_order("order-1"), {"order": ORDER})

    assert request == ("GET", "/v2/orders/order-1", None)
    assert order.state == "OPEN"


def test_create_payment():
    request, payment = asked(
        lambda c: c.create_payment(
            "order-1", Money(**USD), source_id="cnon:card-nonce-ok", idempotency_key="k"
        ),
        {"payment": PAYMENT},
    )

    body = {"source_id": "cnon:card-nonce-ok", "amount_money": USD, "order_id": "order-1"}
    assert request == ("POST", "/v2/payments", body | {"idempotency_key": "k"})
    assert payment.status == "COMPLETED"


def test_pay_order_with_nothing():
    request, _ = asked(lambda c: c.pay_order("order-1", idempotency_key="k"), {"order": ORDER})

    body = {"payment_ids": [], "idempotency_key": "k"}
    assert request == ("POST", "/v2/orders/order-1/pay", body)


def test_calculate_points():
    request, earned = asked(
        lambda c: c.calculate_points("order-1", program_id=PROGRAM_ID, account_id=ACCOUNT_ID),
        {"points": 6, "promotion_points": 12},
    )

    body = {"order_id": "order-1", "loyalty_account_id": ACCOUNT_ID}
    assert request == ("POST", f"/v2/loyalty/programs/{PROGRAM_ID}/calculate", body)
    assert (earned.points, earned.promotion_points) == (6, 12)


def test_create_reward():
    request, reward = asked(
        lambda c: c.create_reward(ACCOUNT_ID, "tier-1", order_id="order-1", idempotency_key="k"),
        {"reward": REWARD},
    )

    wanted = {"loyalty_account_id": ACCOUNT_ID, "reward_tier_id": "tier-1", "order_id": "order-1"}
    assert request == ("POST", "/v2/loyalty/rewards", {"reward": wanted, "idempotency_key": "k"})
    assert (reward.status, reward.points) == ("ISSUED", 10)


def test_retrieve_reward():
    request, _ = asked(lambda c: c.retrieve_reward("reward-1"), {"reward": REWARD})

    assert request == ("GET", "/v2/loyalty/rewards/reward-1", None)


@pytest.mark.parametrize(
    ("call", "answer", "told"),
    [
        (lambda c: c.retrieve_order("other"), {"order": ORDER}, "another order"),
        (lambda c: c.retrieve_reward("other"), {"reward": REWARD}, "another reward"),
        (
            lambda c: c.create_payment(
                "other", Money(**USD), source_id="CASH", idempotency_key="k"
            ),
            {"payment": PAYMENT},
            "the payment of another order",
        ),
        (
            lambda c: c.create_reward("other", "tier-1", idempotency_key="k"),
            {"reward": REWARD},
            "a reward of another account",
        ),
        (lambda c: c.retrieve_order("order-1"), {}, "there is no 'order'"),
        (
            lambda c: c.calculate_points("order-1", program_id=PROGRAM_ID),
            {"points": "6"},
            "no proper EarnedPoints",
        ),
    ],
)
def test_an_answer_to_something_else_is_an_error(call, answer, told):
    with pytest.raises(UnexpectedAnswerError, match=told):
        asked(call, answer)


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.create_order("L1", [LINE], idempotency_key="k"),
        lambda c: c.create_payment("o", Money(**USD), source_id="CASH", idempotency_key="k"),
        lambda c: c.pay_order("o", idempotency_key="k"),
        lambda c: c.create_reward("a", "t", idempotency_key="k"),
    ],
)
def test_a_client_that_only_reads_sends_no_purchase(call):
    transport = Answers(reply(200, {}))

    with pytest.raises(ProductionGuardError):
        call(make_client(transport, may_write=False))
    assert transport.requests == []


def test_a_client_that_only_reads_calculates():
    transport = Answers(reply(200, {"points": 6}))
    client = make_client(transport, may_write=False)

    assert client.calculate_points("order-1", program_id=PROGRAM_ID).points == 6


@pytest.mark.parametrize("bad", ["../orders", "", "a/b"])
def test_an_id_that_is_no_id_is_never_sent(bad):
    with pytest.raises(ParameterError, match="cannot be an id of Square"):
        make_client(Answers(reply(200, {}))).retrieve_order(bad)


@pytest.mark.parametrize(
    ("amount", "currency", "told"),
    [
        (1200, "USD", "12.00 USD"),
        (5, "EUR", "0.05 EUR"),
        (-150, "USD", "-1.50 USD"),
        (300, "JPY", "300 JPY"),
    ],
)
def test_money_is_told_in_its_currency(amount, currency, told):
    assert str(Money(amount=amount, currency=currency)) == told


def test_cash_is_the_exact_amount():
    request, _ = asked(
        lambda c: c.create_payment("order-1", Money(**USD), source_id="CASH", idempotency_key="k"),
        {"payment": PAYMENT},
    )

    assert {"buyer_supplied_money": USD} == request[2]["cash_details"]
