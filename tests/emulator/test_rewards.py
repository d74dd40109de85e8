"""Rewards: points are held, then used up or given back, once and for good."""

from datetime import timedelta

import pytest

from tests.seed_world import ACCOUNT_ID, COFFEE_TIER_ID, LOCATIONS, PHONE_RICH, PROGRAM_ID

from .conftest import problem, refused

NOT_FOUND = refused("NOT_FOUND", status=404)


@pytest.fixture
def reward(api):
    api.adjust(12)
    return api.reward().json()["reward"]


def last_event(api):
    filters = {"loyalty_account_filter": {"loyalty_account_id": ACCOUNT_ID}}
    return api.events(filters).json()["events"][0]


def test_answer_is_the_reward(reward):
    assert {
        "id": reward["id"],
        "status": "ISSUED",
        "loyalty_account_id": ACCOUNT_ID,
        "reward_tier_id": COFFEE_TIER_ID,
        "points": 10,
        "created_at": "2026-11-02T09:30:00Z",
        "updated_at": "2026-11-02T09:30:00Z",
    } == reward


def test_points_are_held_and_lifetime_points_stay(api, reward):
    account = api.account()

    assert (account["balance"], account["lifetime_points"]) == (2, 12)


def test_event_takes_the_points(api, reward):
    event = last_event(api)

    assert "CREATE_REWARD" == event["type"]
    assert {"loyalty_program_id": PROGRAM_ID, "points": -10, "reward_id": reward["id"]} == (
        event["create_reward"]
    )
    assert "location_id" not in event


def test_first_reward_sets_enrolled_at(api, reward):
    assert "2026-11-02T09:30:00Z" == api.account()["enrolled_at"]


def test_ids_are_version_3_uuids_of_their_own(api, reward):
    event = last_event(api)

    assert ("3", "3") == (reward["id"][14], event["id"][14])
    assert reward["id"] != event["id"]


def test_reward_is_retrieved(api, reward):
    answer = api.client.get(f"/v2/loyalty/rewards/{reward['id']}")

    assert {"reward": reward} == answer.json()


def test_too_few_points_are_refused(api):
    api.adjust(9)

    assert refused("BAD_REQUEST") == problem(api.reward())


def test_same_request_gets_the_same_reward(api, reward):
    assert {"reward": reward} == api.reward().json()
    assert 2 == api.account()["balance"]


def test_redeemed_reward_moves_no_points(api, reward):
    event = api.redeem(reward["id"]).json()["event"]

    assert ("REDEEM_REWARD", LOCATIONS[0]) == (event["type"], event["location_id"])
    assert {"loyalty_program_id": PROGRAM_ID, "reward_id": reward["id"]} == event["redeem_reward"]
    assert 2 == api.account()["balance"]


def test_redeemed_reward_tells_when(api, reward, clock):
    clock.advance(timedelta(minutes=5))
    api.redeem(reward["id"])

    (found,) = api.rewards().json()["rewards"]
    now = "2026-11-02T09:35:00Z"
    assert ("REDEEMED", now, now) == (found["status"], found["updated_at"], found["redeemed_at"])


def test_deleted_reward_gives_its_points_back(api, reward):
    assert (200, {}) == ((answer := api.delete(reward["id"])).status_code, answer.json())

    account = api.account()
    assert (account["balance"], account["lifetime_points"]) == (12, 12)
    assert 10 == last_event(api)["delete_reward"]["points"]


@pytest.mark.parametrize("end", ["redeem", "delete"])
@pytest.mark.parametrize("then", ["redeem", "delete"])
def test_what_became_of_a_reward_is_final(api, reward, end, then):
    getattr(api, end)(reward["id"])
    answer = api.delete(reward["id"]) if then == "delete" else api.redeem(reward["id"], "other")

    assert refused("BAD_REQUEST") == problem(answer)


def test_unknown_reward_is_not_found(api):
    answers = (api.client.get("/v2/loyalty/rewards/x"), api.delete("x"), api.redeem("x"))

    assert {NOT_FOUND} == {problem(answer) for answer in answers}


def test_unknown_account_is_not_found(api):
    assert NOT_FOUND == problem(api.reward("nobody"))


def test_unknown_tier_is_not_found(api):
    field = "reward.reward_tier_id"

    assert refused("NOT_FOUND", field, 404) == problem(api.reward(reward_tier_id="none"))


def test_unknown_location_is_refused(api, reward):
    answer = api.redeem(reward["id"], location="LNOWHERE")

    assert refused("INVALID_VALUE", "location_id") == problem(answer)


def test_search_gives_the_last_changed_first(api, clock):
    api.adjust(30)
    made = []
    for key in "abc":
        clock.advance(timedelta(minutes=1))
        made.append(api.reward(key=key).json()["reward"]["id"])
    api.redeem(made[0])
    clock.advance(timedelta(minutes=1))
    api.delete(made[1])

    found = [reward["id"] for reward in api.rewards().json()["rewards"]]
    assert [made[1], made[2], made[0]] == found


def test_search_by_status(api, reward):
    assert [reward] == api.rewards(status="ISSUED").json()["rewards"]
    assert {} == api.rewards(status="REDEEMED").json()


def test_pages_give_every_reward_once(api):
    page = api.client.post("/v2/loyalty/rewards/search", json={"limit": 7}).json()
    found = page["rewards"]
    while "cursor" in page:
        body = {"limit": 7, "cursor": page["cursor"]}
        page = api.client.post("/v2/loyalty/rewards/search", json=body).json()
        found += page["rewards"]

    times = [reward["updated_at"] for reward in found]
    assert len(found) == len({reward["id"] for reward in found}) > 30
    assert sorted(times, reverse=True) == times


def test_every_reward_of_the_seed_histories_exists(api):
    account = api.account_by_phone(PHONE_RICH)["id"]
    ends = {"REDEEMED": "REDEEM_REWARD", "DELETED": "DELETE_REWARD"}
    filters = {"loyalty_account_filter": {"loyalty_account_id": account}}
    events = api.all_events(filters | {"type_filter": {"types": sorted(ends.values())}})

    assert {(e[e["type"].lower()]["reward_id"], e["type"]) for e in events} == {
        (reward["id"], ends[reward["status"]]) for reward in api.rewards(account).json()["rewards"]
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, refused("MISSING_REQUIRED_PARAMETER", "query.loyalty_account_id")),
        (
            {"loyalty_account_id": ACCOUNT_ID, "status": "NEW"},
            refused("INVALID_ENUM_VALUE", "query.status"),
        ),
    ],
)
def test_malformed_query_is_told(api, query, expected):
    answer = api.client.post("/v2/loyalty/rewards/search", json={"query": query})

    assert expected == problem(answer)


@pytest.mark.parametrize(
    ("switch", "act"),
    [
        ("insufficient_points_code", lambda api, reward: api.reward(key="other")),
        ("unknown_tier_code", lambda api, reward: api.reward(key="other", reward_tier_id="x")),
        (
            "reward_not_issued_code",
            lambda api, reward: (api.delete(reward), api.delete(reward))[1],
        ),
    ],
)
def test_code_of_a_refusal_can_be_chosen(open_api, switch, act):
    api = open_api(**{switch: "CONFLICT"})
    api.adjust(12)
    reward = api.reward().json()["reward"]["id"]

    assert refused("CONFLICT", status=409)[:3] == problem(act(api, reward))[:3]
