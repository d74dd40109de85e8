"""What Square documents of the wire, one fact a case."""

from .place import Answer, Place

REASON = "Late order"


def problem(answer: Answer) -> tuple[int, str, str]:
    return answer.status, answer.first["category"], answer.first["code"]


def ids_of(answer: Answer) -> list[str]:
    """The ids of the events of a page."""
    return [event["id"] for event in answer.body.get("events", [])]


# Program and accounts


def test_main_is_the_program_that_its_id_names(place: Place) -> None:
    program = place.program()

    assert place.get(f"programs/{program['id']}").body["program"] == program


def test_reward_tiers_are_listed_from_the_cheapest(place: Place) -> None:
    points = [tier["points"] for tier in place.program()["reward_tiers"]]

    assert points == sorted(points)


def test_nobody_found_is_an_empty_object(place: Place) -> None:
    found = place.search(mappings=[{"phone_number": "+12125550147"}])

    assert (found.status, found.body) == (200, {})


def test_a_new_account_has_no_points_and_is_not_enrolled(place: Place) -> None:
    made = place.new_buyer("new")

    assert (made["balance"], made["lifetime_points"], made.get("enrolled_at")) == (0, 0, None)
    assert made["program_id"] == place.program()["id"]


def test_an_account_is_found_by_its_phone_number(place: Place) -> None:
    buyer = place.buyer("found")
    found = place.search(mappings=[{"phone_number": place.phone("found")}]).body

    assert [buyer["id"]] == [each["id"] for each in found["loyalty_accounts"]]


def test_an_account_is_found_by_its_customer(place: Place) -> None:
    buyer = place.buyer("customer")
    found = place.search(customer_ids=[buyer["customer_id"]]).body

    assert buyer["id"] in [each["id"] for each in found["loyalty_accounts"]]


def test_an_account_is_retrieved_as_it_is_found(place: Place) -> None:
    buyer = place.buyer("retrieved")

    assert place.account(buyer["id"]) == buyer


def test_accounts_come_in_pages_the_oldest_first(place: Place) -> None:
    place.buyer("pages one")
    place.buyer("pages two")
    first = place.post("accounts/search", {"limit": 1}).body
    second = place.post("accounts/search", {"limit": 1, "cursor": first["cursor"]}).body
    pages = [page["loyalty_accounts"] for page in (first, second)]

    assert [len(page) for page in pages] == [1, 1]
    assert pages[0][0]["id"] != pages[1][0]["id"]
    assert pages[0][0]["created_at"] <= pages[1][0]["created_at"]


# Adjust


def test_an_adjustment_is_answered_with_its_event_alone(place: Place) -> None:
    buyer = place.buyer("event")
    answer = place.adjust(buyer["id"], 12, "event", reason=REASON)
    event = answer.body["event"]

    assert (answer.status, list(answer.body)) == (200, ["event"])
    assert (event["type"], event["loyalty_account_id"]) == ("ADJUST_POINTS", buyer["id"])
    assert (event["adjust_points"]["points"], event["adjust_points"]["reason"]) == (12, REASON)
    assert (event["source"], event.get("location_id")) == ("LOYALTY_API", None)


def test_added_points_raise_balance_and_lifetime_points(place: Place) -> None:
    buyer = place.buyer("added")
    place.adjust(buyer["id"], 7, "added")
    after = place.account(buyer["id"])

    assert after["balance"] - buyer["balance"] == 7
    assert after["lifetime_points"] - buyer["lifetime_points"] == 7


def test_the_same_request_again_takes_effect_once(place: Place) -> None:
    buyer = place.buyer("again")
    first = place.adjust(buyer["id"], 5, "again")
    second = place.adjust(buyer["id"], 5, "again")

    assert second.body == first.body
    assert place.balance(buyer["id"]) - buyer["balance"] == 5


def test_taken_points_lower_the_balance(place: Place) -> None:
    buyer = place.buyer("taken")
    place.adjust(buyer["id"], 9, "taken-add")
    before = place.balance(buyer["id"])
    event = place.adjust(buyer["id"], -4, "taken").body["event"]

    assert event["adjust_points"]["points"] == -4
    assert before - place.balance(buyer["id"]) == 4


def test_more_than_there_is_is_not_taken_away(place: Place) -> None:
    buyer = place.buyer("too much")
    points = -max(buyer["balance"], 0) - 1
    answer = place.adjust(buyer["id"], points, "too much")

    assert problem(answer) == (400, "INVALID_REQUEST_ERROR", "BAD_REQUEST")
    assert place.balance(buyer["id"]) == buyer["balance"]


def test_a_negative_balance_can_be_allowed(place: Place) -> None:
    buyer = place.buyer("negative")
    points = -buyer["balance"] - 3
    answer = place.adjust(buyer["id"], points, "negative", allow_negative_balance=True)
    balance = place.balance(buyer["id"])
    place.adjust(buyer["id"], -points, "negative-back")

    assert (answer.status, balance) == (200, -3)


def test_a_reason_has_an_end(place: Place) -> None:
    buyer = place.buyer("reason")

    assert place.adjust(buyer["id"], 1, "reason", reason="x" * 3501).status == 400


# Events


def test_an_event_is_found_as_it_was_answered(place: Place) -> None:
    buyer = place.buyer("ledger")
    event = place.adjust(buyer["id"], 2, "ledger", reason=REASON).body["event"]

    assert event in place.events_with(buyer["id"], event["id"])


def test_events_come_in_pages_the_newest_first(place: Place) -> None:
    buyer = place.buyer("event pages")
    place.adjust(buyer["id"], 1, "pages-1")
    last = place.adjust(buyer["id"], 2, "pages-2").body["event"]
    place.events_with(buyer["id"], last["id"])
    first = place.events(buyer["id"], limit=1).body
    second = place.events(buyer["id"], limit=1, cursor=first["cursor"]).body

    assert [len(page["events"]) for page in (first, second)] == [1, 1]
    assert first["events"][0]["id"] != second["events"][0]["id"]
    assert first["events"][0]["created_at"] >= second["events"][0]["created_at"]


def test_a_period_begins_with_its_start_and_ends_before_its_end(place: Place) -> None:
    buyer = place.buyer("period")
    event = place.adjust(buyer["id"], 2, "period").body["event"]
    place.events_with(buyer["id"], event["id"])
    at = event["created_at"]
    from_then = {"start_at": at, "end_at": "2100-01-01T00:00:00Z"}
    until_then = {"start_at": "2020-01-01T00:00:00Z", "end_at": at}
    after = place.events(buyer["id"], date_time_filter={"created_at": from_then})
    before = place.events(buyer["id"], date_time_filter={"created_at": until_then})

    assert event["id"] in ids_of(after)
    assert event["id"] not in ids_of(before)


def test_events_are_filtered_by_type(place: Place) -> None:
    buyer = place.buyer("types")
    event = place.adjust(buyer["id"], 2, "types").body["event"]
    place.events_with(buyer["id"], event["id"])
    of_two = place.events(buyer["id"], type_filter={"types": ["CREATE_REWARD", "ADJUST_POINTS"]})
    of_another = place.events(buyer["id"], type_filter={"types": ["CREATE_REWARD"]})

    assert event["id"] in ids_of(of_two)
    assert event["id"] not in ids_of(of_another)


def test_events_are_filtered_by_account(place: Place) -> None:
    buyer, another = place.buyer("whose"), place.buyer("another")
    event = place.adjust(buyer["id"], 2, "whose").body["event"]
    place.events_with(buyer["id"], event["id"])

    assert event["id"] in ids_of(place.events(buyer["id"]))
    assert event["id"] not in ids_of(place.events(another["id"]))


def test_events_are_filtered_by_location(place: Place) -> None:
    buyer = place.buyer("where")
    adjusted = place.adjust(buyer["id"], 2, "nowhere").body["event"]
    [earned] = place.accumulate(buyer["id"], "somewhere", points=3).body["events"]
    place.events_with(buyer["id"], earned["id"])
    found = ids_of(place.events(buyer["id"], location_filter={"location_ids": [place.location()]}))

    assert earned["id"] in found
    assert adjusted["id"] not in found, "an adjustment is made at no location"


def test_no_event_found_is_an_empty_object(place: Place) -> None:
    buyer = place.buyer("no order")
    found = place.events(buyer["id"], order_filter={"order_id": "no-such-order"})

    assert (found.status, found.body) == (200, {})


# Purchases and rewards


def test_points_computed_elsewhere_are_accumulated_at_a_location(place: Place) -> None:
    buyer = place.buyer("elsewhere")
    [event] = place.accumulate(buyer["id"], "elsewhere", points=3).body["events"]

    assert (event["type"], event["accumulate_points"]["points"]) == ("ACCUMULATE_POINTS", 3)
    assert event["location_id"] == place.location()
    assert place.balance(buyer["id"]) - buyer["balance"] == 3


def test_a_paid_order_is_completed_and_accumulated_by_its_id(place: Place) -> None:
    buyer = place.buyer("order")
    order = place.bought("order")
    state = place.send("GET", f"/v2/orders/{order['id']}").body["order"]["state"]
    answer = place.accumulate(buyer["id"], "order", order_id=order["id"])

    assert (state, answer.status) == ("COMPLETED", 200)
    for event in answer.body.get("events", []):
        assert event["accumulate_points"]["order_id"] == order["id"]


def test_a_reward_holds_its_points_until_it_is_deleted(place: Place) -> None:
    buyer = place.buyer("reward")
    tier = place.program()["reward_tiers"][0]
    place.adjust(buyer["id"], tier["points"], "for-reward")
    before = place.balance(buyer["id"])
    wanted = {"loyalty_account_id": buyer["id"], "reward_tier_id": tier["id"]}
    body = {"reward": wanted, "idempotency_key": place.key("reward")}
    reward = place.post("rewards", body).body["reward"]
    held = place.balance(buyer["id"])
    place.send("DELETE", f"/v2/loyalty/rewards/{reward['id']}")

    assert (reward["status"], before - held) == ("ISSUED", tier["points"])
    assert place.balance(buyer["id"]) == before


# Refusals


def test_an_account_without_a_phone_number_is_refused(place: Place) -> None:
    account = {"program_id": place.program()["id"]}
    body = {"loyalty_account": account, "idempotency_key": place.key("no-phone")}

    assert problem(place.post("accounts", body)) == (400, "INVALID_REQUEST_ERROR", "BAD_REQUEST")


def test_a_phone_number_that_is_none_is_refused(place: Place) -> None:
    answer = place.enrol("+1415", "bad-phone")

    assert problem(answer) == (400, "INVALID_REQUEST_ERROR", "INVALID_PHONE_NUMBER")


def test_an_account_that_does_not_exist_is_not_found(place: Place) -> None:
    answer = place.get("accounts/00000000-0000-4000-8000-000000000000")

    assert problem(answer) == (404, "INVALID_REQUEST_ERROR", "NOT_FOUND")


def test_a_request_without_a_key_is_refused(place: Place) -> None:
    buyer = place.buyer("no key")
    answer = place.post(f"accounts/{buyer['id']}/adjust", {"adjust_points": {"points": 1}})

    assert (answer.status, answer.first["category"]) == (400, "INVALID_REQUEST_ERROR")
    assert place.balance(buyer["id"]) == buyer["balance"]


def test_a_token_that_is_nobodys_is_refused(place: Place) -> None:
    answer = place.as_stranger("programs/main")

    assert problem(answer) == (401, "AUTHENTICATION_ERROR", "UNAUTHORIZED")
