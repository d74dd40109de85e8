"""Keys: one effect, one answer, per endpoint, also when many ask at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from loyalty_helpers.emulator import Emulator
from tests.seed_world import PHONE_RICH

from .conftest import Api, problem, refused

REUSED = refused("IDEMPOTENCY_KEY_REUSED", "idempotency_key")


def test_same_request_gets_the_first_answer(api, clock):
    first = api.adjust(12)
    clock.set(clock().replace(year=2027))
    second = api.adjust(12)

    assert first.json() == second.json()
    assert api.account()["balance"] == 12


def test_order_of_names_in_the_body_does_not_matter(api):
    url = f"/v2/loyalty/accounts/{api.account()['id']}/adjust"
    one = api.client.post(url, content='{"idempotency_key":"k","adjust_points":{"points":1}}')
    two = api.client.post(url, content='{"adjust_points": {"points":1}, "idempotency_key":"k"}')

    assert one.json() == two.json()


def test_changed_request_is_refused(api):
    api.adjust(12)
    answer = api.adjust(13)

    assert problem(answer) == REUSED
    detail = "The idempotency key can only be retried with the same request data."
    assert detail == answer.json()["errors"][0]["detail"]


def test_other_account_is_a_changed_request(api):
    api.adjust(12)

    assert problem(api.adjust(12, account=api.account_by_phone(PHONE_RICH)["id"])) == REUSED


def test_other_account_is_another_request_if_so_assumed(open_api):
    api = open_api(keys_are_per_account=True)
    api.adjust(12)

    assert api.adjust(12, account=api.account_by_phone(PHONE_RICH)["id"]).status_code == 200


def test_other_endpoint_may_use_the_key(api):
    api.adjust(12)

    assert api.accumulate(points=3).status_code == 200


@pytest.mark.parametrize("phone", ["+14155559876", "+14155550000"])
def test_creating_an_account_again_gives_the_same_account(api, phone):
    assert api.create(phone).json() == api.create(phone).json()


def test_refused_request_leaves_its_key_free(api):
    api.adjust(-5)

    assert api.adjust(5).status_code == 200


def test_refused_request_consumes_its_key_if_so_assumed(open_api):
    api = open_api(refused_requests_consume_keys=True)
    first = api.adjust(-5)
    api.adjust(9, "other")

    assert first.json() == api.adjust(-5).json()
    assert problem(api.adjust(5)) == REUSED


def test_malformed_request_leaves_its_key_free_in_any_case(open_api):
    api = open_api(refused_requests_consume_keys=True)
    api.adjust("x")

    assert api.adjust(5).status_code == 200


def test_text_of_a_reused_key_can_be_chosen(open_api):
    api = open_api(key_reused_detail="Different")
    api.adjust(1)

    assert api.adjust(2).json()["errors"][0]["detail"] == "Different"


def test_identical_requests_at_once_have_one_effect(api):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.adjust(5), range(40)))

    assert len({answer.text for answer in answers}) == 1
    assert api.account()["balance"] == 5


def test_different_requests_at_once_are_all_kept(api):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: api.adjust(1, f"key {i}"), range(120)))

    assert {200} == {answer.status_code for answer in answers}
    assert api.account()["balance"] == 120


def test_key_is_known_to_the_next_emulator_on_the_file(api, tmp_path):
    first = api.adjust(5)
    with Emulator.open(tmp_path / "world-0.db") as emulator:
        assert first.json() == Api(emulator).adjust(5).json()
