"""What Square's documentation leaves open: asked of a place, and told in a few words each.

Every question changes its own buyers only. What the emulator answers is what it assumes;
docs/emulator.md gives the reasons. What no single run can find out is said to be not asked.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .place import Answer, Place

NOT_ASKED = "not asked"
OWN_WORDS = "in words of its own"
NO_ACCOUNT = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Question:
    """A question, how it is asked, and what the emulator assumes."""

    text: str
    ask: Callable[[Place], str]
    assumed: str


def text_of(answer: Answer) -> str:
    """The detail of a refusal, which is for people only."""
    return str(answer.first["detail"]) if "errors" in answer.body else str(answer)


def lifetime_after_negative(place: Place) -> str:
    buyer = place.new_buyer("q1")
    place.adjust(buyer["id"], 10, "q1-add")
    place.adjust(buyer["id"], -4, "q1-take")
    after = place.account(buyer["id"])
    return f"balance {after['balance']}, lifetime {after['lifetime_points']}"


def adjust_by_zero(place: Place) -> str:
    return str(place.adjust(place.new_buyer("q2")["id"], 0, "q2"))


def key_same_body(place: Place) -> str:
    buyer = place.new_buyer("q3a")
    first, second = (place.adjust(buyer["id"], 1, "q3a") for _ in range(2))
    same = "the same event" if first == second else str(second)
    return f"{same}, balance {place.balance(buyer['id'])}"


def key_other_body(place: Place) -> str:
    buyer = place.new_buyer("q3b")
    place.adjust(buyer["id"], 1, "q3b")
    return str(place.adjust(buyer["id"], 2, "q3b"))


def key_other_body_detail(place: Place) -> str:
    buyer = place.new_buyer("q3c")
    place.adjust(buyer["id"], 1, "q3c")
    return text_of(place.adjust(buyer["id"], 2, "q3c"))


def key_other_account(place: Place) -> str:
    place.adjust(place.new_buyer("q3d")["id"], 1, "q3d")
    return str(place.adjust(place.new_buyer("q3e")["id"], 1, "q3d"))


def key_other_endpoint(place: Place) -> str:
    buyer = place.new_buyer("q3f")
    place.adjust(buyer["id"], 1, "q3f")
    return str(place.accumulate(buyer["id"], "q3f", points=1))


def key_after_refusal(place: Place) -> str:
    buyer = place.new_buyer("q3g")
    place.adjust(buyer["id"], -5, "q3g")
    return str(place.adjust(buyer["id"], 5, "q3g"))


def key_after_days(_: Place) -> str:
    return f"{NOT_ASKED}: no run lasts for days"


def duplicate_phone(place: Place) -> str:
    buyer = place.new_buyer("q4")
    return str(place.enrol(buyer["mapping"]["phone_number"], "q4-again"))


def unknown_account(place: Place) -> str:
    return str(place.get(f"accounts/{NO_ACCOUNT}"))


def unknown_account_text(place: Place) -> str:
    return text_of(place.get(f"accounts/{NO_ACCOUNT}"))


def malformed_account(place: Place) -> str:
    return str(place.get("accounts/no-such-id"))


def falls_below_zero(place: Place) -> str:
    return str(place.adjust(place.new_buyer("q6a")["id"], -1, "q6a"))


def falls_below_zero_text(place: Place) -> str:
    return text_of(place.adjust(place.new_buyer("q6c")["id"], -1, "q6c"))


def falls_further_below_zero(place: Place) -> str:
    buyer = place.new_buyer("q6b")
    place.adjust(buyer["id"], -1, "q6b-1", allow_negative_balance=True)
    return str(place.adjust(buyer["id"], -1, "q6b-2"))


def points_fraction(place: Place) -> str:
    return str(place.adjust(place.new_buyer("q7a")["id"], 1.5, "q7a"))


def points_beyond_32_bits(place: Place) -> str:
    return str(place.adjust(place.new_buyer("q7b")["id"], 2**31, "q7b"))


def limit_of(what: str, limit: int) -> Callable[[Place], str]:
    """Asks a search for so many a page."""
    return lambda place: str(place.post(f"{what}/search", {"limit": limit}))


def cursor_that_is_none(place: Place) -> str:
    return str(place.post("accounts/search", {"cursor": "none"}))


def cursor_of_another_query(place: Place) -> str:
    buyer = place.new_buyer("q8")
    last = [place.adjust(buyer["id"], 1, f"q8-{n}").body["event"] for n in range(2)][-1]
    place.events_with(buyer["id"], last["id"])
    cursor = place.events(buyer["id"], limit=1).body["cursor"]
    types = {"types": ["ADJUST_POINTS"]}
    return str(place.events(buyer["id"], limit=1, cursor=cursor, type_filter=types))


def phones_and_customers(place: Place) -> str:
    buyer = place.new_buyer("q9a")
    mappings = [{"phone_number": buyer["mapping"]["phone_number"]}]
    return str(place.search(mappings=mappings, customer_ids=[buyer["customer_id"]]))


def phone_without_plus(place: Place) -> str:
    number = place.new_buyer("q9b")["mapping"]["phone_number"].removeprefix("+")
    answer = place.search(mappings=[{"phone_number": number}])
    return f"{answer}, {len(answer.body.get('loyalty_accounts', []))} found"


def updated_at_after_adjust(place: Place) -> str:
    """Times are whole seconds: what happens within one would look as if it had not moved."""
    buyer = place.new_buyer("q10")
    place.wait(2)
    place.adjust(buyer["id"], 1, "q10")
    return "moves" if place.account(buyer["id"])["updated_at"] > buyer["updated_at"] else "stays"


def enrolled_at_after_adjust(place: Place) -> str:
    buyer = place.new_buyer("q11")
    place.adjust(buyer["id"], 1, "q11")
    return "set" if "enrolled_at" in place.account(buyer["id"]) else "absent"


def same_order_twice(place: Place) -> str:
    buyer, order = place.new_buyer("q12a"), place.bought("q12a")
    first = place.accumulate(buyer["id"], "q12a-1", order_id=order["id"])
    if not first.body.get("events"):
        return f"{NOT_ASKED}: an order earns nothing here ({first})"
    return str(place.accumulate(buyer["id"], "q12a-2", order_id=order["id"]))


def open_order(place: Place) -> str:
    buyer, order = place.new_buyer("q12b"), place.order("q12b")
    return str(place.accumulate(buyer["id"], "q12b", order_id=order["id"]))


def order_that_earns_nothing(place: Place) -> str:
    """An order of 1 cent earns nothing with a point for each dollar, nor with one for coffees."""
    buyer, order = place.new_buyer("q12c"), place.bought("q12c", cents=1)
    answer = place.accumulate(buyer["id"], "q12c", order_id=order["id"])
    earned = answer.body.get("events")
    return f"{NOT_ASKED}: every order earns points here" if earned else f"{answer}, no events"


def order_of_another_location(place: Place) -> str:
    others = [each["id"] for each in place.locations() if each["id"] != place.location()]
    if not others:
        return f"{NOT_ASKED}: the seller has one location"
    buyer, order = place.new_buyer("q12d"), place.bought("q12d")
    return str(place.accumulate(buyer["id"], "q12d", others[0], order_id=order["id"]))


def unknown_fields(place: Place) -> str:
    return str(place.adjust(place.new_buyer("q13a")["id"], 1, "q13a", no_such_field="x"))


def read_only_fields(place: Place) -> str:
    program = place.program()["id"]
    buyer = place.new_buyer("q13b")
    return str(place.accumulate(buyer["id"], "q13b", points=1, loyalty_program_id=program))


def read_only_balance(place: Place) -> str:
    answer = place.enrol(place.unused_phone("q13c"), "q13c", balance=5)
    account = answer.body.get("loyalty_account", {})
    return f"{answer}, balance {account.get('balance', 'unknown')}"


def rate_limit_headers(place: Place) -> str:
    """Nobody knows the limit, and looking for it would be an attack; one may be met by chance."""
    if not place.limited:
        return f"{NOT_ASKED}: no limit was met"
    told = {k: v for k, v in place.limited.items() if "retry" in k or "limit" in k}
    return ", ".join(f"{name}: {value}" for name, value in told.items()) or "none"


def token_of_nobody(place: Place) -> str:
    return str(place.as_stranger("programs/main"))


def token_of_nobody_text(place: Place) -> str:
    return text_of(place.as_stranger("programs/main"))


def no_token(place: Place) -> str:
    return str(place.without_token("programs/main"))


KEY_REUSED = "400 IDEMPOTENCY_KEY_REUSED idempotency_key"
NO_POINTS = "400 INVALID_VALUE adjust_points.points"
WRONG_ORDER = "400 BAD_REQUEST accumulate_points.order_id"
ENROLLED = "400 BAD_REQUEST loyalty_account.mapping.phone_number"
QUESTIONS = tuple(
    Question(*each)
    for each in (
        ("1 lifetime points after +10 and -4", lifetime_after_negative, "balance 6, lifetime 10"),
        ("2 adjust by 0", adjust_by_zero, NO_POINTS),
        ("3 key again, same body", key_same_body, "the same event, balance 1"),
        ("3 key again, other points", key_other_body, KEY_REUSED),
        (
            "3 its text",
            key_other_body_detail,
            "The idempotency key can only be retried with the same request data.",
        ),
        ("3 key again, other account", key_other_account, KEY_REUSED),
        ("3 key again, other endpoint", key_other_endpoint, "200"),
        ("3 key again, after a refusal", key_after_refusal, "200"),
        ("3 key again, after days", key_after_days, "kept for ever, but for the fault forget-keys"),
        ("4 a phone number that is enrolled", duplicate_phone, ENROLLED),
        ("5 an account that does not exist", unknown_account, "404 NOT_FOUND"),
        ("5 its text", unknown_account_text, OWN_WORDS),
        ("5 an id that is none", malformed_account, "404 NOT_FOUND"),
        ("6 a balance that would fall below 0", falls_below_zero, "400 BAD_REQUEST"),
        ("6 its text", falls_below_zero_text, OWN_WORDS),
        ("6 one that is below 0 already", falls_further_below_zero, "400 BAD_REQUEST"),
        ("7 points 1.5", points_fraction, "400 EXPECTED_INTEGER adjust_points.points"),
        ("7 points 2147483648", points_beyond_32_bits, "400 VALUE_TOO_HIGH adjust_points.points"),
        ("8 0 accounts a page", limit_of("accounts", 0), "400 VALUE_TOO_LOW limit"),
        ("8 201 accounts a page", limit_of("accounts", 201), "400 VALUE_TOO_HIGH limit"),
        ("8 31 events a page", limit_of("events", 31), "400 VALUE_TOO_HIGH limit"),
        ("8 a cursor that is none", cursor_that_is_none, "400 INVALID_CURSOR cursor"),
        ("8 a cursor of another query", cursor_of_another_query, "400 INVALID_CURSOR cursor"),
        (
            "9 phone numbers and customers",
            phones_and_customers,
            "400 CONFLICTING_PARAMETERS query.customer_ids",
        ),
        ("9 a phone number without +", phone_without_plus, "200, 0 found"),
        ("10 updated_at after an adjustment", updated_at_after_adjust, "moves"),
        ("11 enrolled_at after an adjustment", enrolled_at_after_adjust, "absent"),
        ("12 the same order twice", same_order_twice, WRONG_ORDER),
        ("12 an order that is open", open_order, WRONG_ORDER),
        ("12 an order that earns nothing", order_that_earns_nothing, "200, no events"),
        (
            "12 a location that is not the order's",
            order_of_another_location,
            "400 BAD_REQUEST location_id",
        ),
        ("13 a field that does not exist", unknown_fields, "200"),
        ("13 a read-only field", read_only_fields, "200"),
        ("13 a read-only balance", read_only_balance, "200, balance 0"),
        ("14 headers of a 429", rate_limit_headers, "no limit, but for the fault rate-limit"),
        ("15 a token that is nobody's", token_of_nobody, "401 UNAUTHORIZED"),
        ("15 its text", token_of_nobody_text, "This request could not be authorized."),
        ("15 no token", no_token, "401 UNAUTHORIZED"),
    )
)
