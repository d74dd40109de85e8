"""The desk without a browser: what each step shows, and what a change empties."""

import httpx
import pytest

from loyalty_helpers.api import RetryPolicy, adjustment_key, check_run_id
from loyalty_helpers.emulator import Emulator
from loyalty_helpers.pages.desk_model import Desk, DeskError
from loyalty_helpers.pages.desk_stages import (
    TICKET_LENGTH,
    Buyer,
    Done,
    Search,
    run_id_of,
)
from loyalty_helpers.session import connect
from loyalty_helpers.settings import Settings
from tests.doubles import ACCOUNT_ID, CANARY_TOKEN, PHONE, make_client, refused, reply
from tests.seed_world import (
    CUSTOMER_SHARED,
    CUSTOMER_WITHOUT_PHONE,
    MERCHANT_ID,
    PHONE_NEGATIVE,
    PHONE_RICH,
)

from .line import Line, fails

ASKED = (50, "Late delivery", "4711")
LOST = httpx.ReadTimeout("no answer")
DOWN = httpx.ConnectError("refused")


@pytest.fixture
def emulator(tmp_path):
    with Emulator.open(tmp_path / "emulator.sqlite3", token="local-token") as emulator:
        yield emulator


@pytest.fixture
def line(emulator):
    return Line(httpx.WSGITransport(emulator))


@pytest.fixture
def client(line):
    with make_client(line, attempts=2) as client:
        yield client


@pytest.fixture
def desk(client):
    return Desk(client)


@pytest.fixture
def production(line):
    settings = Settings(square_access_token="local-token", loyalty_allow_production=MERCHANT_ID)
    with connect(
        "production", settings=settings, transport=line, policy=RetryPolicy(attempts=1)
    ) as client:
        yield Desk(client)


def at_buyer(desk, typed=PHONE):
    desk.find(typed)
    return desk


def at_preview(desk, *asked, typed=PHONE):
    at_buyer(desk, typed).preview(*(asked or ASKED))
    return desk.now


def at_done(desk, *asked, typed=PHONE):
    desk.confirm(at_preview(desk, *asked, typed=typed))
    return desk.now


def told(call, *args):
    """What the desk says, and where."""
    with pytest.raises(DeskError) as caught:
        call(*args)
    return caught.value.field, str(caught.value)


def balance(client, account_id=ACCOUNT_ID):
    return client.retrieve_account(account_id).balance


def customer(client, **profile):
    """A customer of another system, enrolled by this phone number."""
    body = profile | {"idempotency_key": str(profile)}
    return client.request("POST", "/v2/customers", body).answer["customer"]["id"]


def enrolled(client, phone_number, **profile):
    """The account of a new buyer with such a profile."""
    customer(client, phone_number=phone_number, **profile)
    program = client.retrieve_program().id
    return client.create_account(phone_number, program_id=program, idempotency_key=phone_number).id


# Whom a text means


@pytest.mark.parametrize(
    "typed",
    [
        "+14155550101",
        "(415) 555-0101",
        "415 555 0101",
        "1 415.555.0101",
        "0fe54250-faad-4d67-803b-8b390f49cebd",
        "KSUXURMVGUGEZRRZTMA3K4VEMF",
        "  +14155550101 ",
    ],
)
def test_a_buyer_is_found_by_phone_number_account_id_and_customer_id(desk, typed):
    assert at_buyer(desk, typed).now.account.id == "0fe54250-faad-4d67-803b-8b390f49cebd"


@pytest.mark.parametrize(
    ("country", "typed", "number"),
    [
        ("GB", "020 7946 0958", "+442079460958"),
        ("FR", "01 99 00 12 34", "+33199001234"),
        ("JP", "03-5555-0123", "+81355550123"),
        ("AU", "(02) 5550 1234", "+61255501234"),
    ],
)
def test_a_number_is_read_as_the_sellers_country_dials_it(desk, line, country, typed, number):
    place = {"locations": [{"id": "L1", "merchant_id": "M1", "country": country}]}
    asked = []

    def elsewhere(request):
        asked.append(request.content.decode())
        return reply(200, place if request.url.path == "/v2/locations" else {})()

    line.before = elsewhere
    told(desk.find, typed)

    assert any(number in body for body in asked)


def test_a_buyer_without_a_phone_number_is_found_by_the_customer_id(desk):
    assert at_buyer(desk, CUSTOMER_WITHOUT_PHONE).now.account.masked_phone_number == ""


@pytest.mark.parametrize("typed", ["ada@example.com", "crm/4711 b", "ADA@EXAMPLE.COM"])
def test_a_buyer_is_found_by_e_mail_address_and_reference_id(desk, client, typed):
    profile = {"email_address": "ada@example.com", "reference_id": "crm/4711 b"}
    account_id = enrolled(client, "+14155559876", **profile)

    assert at_buyer(desk, typed).now.account.id == account_id


def test_a_reference_id_of_digits_is_no_phone_number(desk, client):
    account_id = enrolled(client, "+14155559876", reference_id="0815")

    assert at_buyer(desk, "0815").now.account.id == account_id


def test_what_may_mean_two_buyers_shows_both(desk, client):
    """Digits that are one buyer's phone number and another one's reference id."""
    account_id = enrolled(client, "+14155559876", reference_id="4155550101")

    found = {account.id for account in at_buyer(desk, "4155550101").now.accounts}
    assert found == {account_id, client.find_account(phone_number=PHONE_RICH).id}


def test_several_accounts_are_shown_and_one_is_chosen(desk):
    found = at_buyer(desk, CUSTOMER_SHARED).now.accounts
    desk.choose(found[1])

    assert len(found) == 2
    assert desk.now.account == found[1]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "Please type a phone number, an e-mail address"),
        ("+1415555CALL", "a number that exists"),
        ("+1 415 555 010", "too short"),
        ("415-555-CALL", "Looked for this as account id, customer id, reference id"),
        ("415 555 010", "a phone number of another country begins with a plus"),
        ("+12125550199", "Looked for this as phone number ***0199"),
        ("nobody@example.com", "Looked for this as e-mail address, reference id"),
        (CANARY_TOKEN, "an access token"),
    ],
)
def test_whoever_is_not_found_is_told_at_the_field(desk, typed, says):
    field, text = told(desk.find, typed)

    assert field == "buyer"
    assert says in text
    assert desk.now == Search()


@pytest.mark.parametrize(
    "typed", ["+1 (212) 555-0199", "(212) 555-0199", "+44 212 555 0199", "x@y.z"]
)
def test_no_error_repeats_a_phone_number(desk, typed):
    assert "555" not in told(desk.find, typed)[1]


def test_a_token_for_loyalty_alone_finds_a_buyer_by_phone_number(desk, line):
    answer = refused(403, "INSUFFICIENT_SCOPES")
    line.before = lambda request: answer() if "/customers/" in request.url.path else None

    assert at_buyer(desk, "(415) 555-0101").now.account.balance == 322


def test_a_token_for_loyalty_alone_says_why_it_finds_no_e_mail_address(desk, line):
    answer = refused(403, "INSUFFICIENT_SCOPES")
    line.before = lambda request: answer() if "/customers/" in request.url.path else None

    assert "access token" in told(desk.find, "ada@example.com")[1]


def test_a_token_that_may_not_see_the_country_takes_a_number_with_its_plus(desk, line):
    answer = refused(403, "INSUFFICIENT_SCOPES")
    line.before = lambda request: answer() if request.url.path == "/v2/locations" else None

    assert "begins with a plus" in told(desk.find, "(415) 555-0101")[1]


def test_too_many_customers_are_not_listed(desk, client):
    for n in range(31):
        customer(client, given_name=f"Buyer {n}", reference_id="all")

    assert "More than 30 customers" in told(desk.find, "all")[1]


# The buyer


def test_the_buyer_comes_with_the_newest_events(desk):
    events = at_buyer(desk, PHONE_RICH).now.events

    assert len(events) == 30
    assert list(events) == sorted(events, key=lambda event: event.created_at, reverse=True)


def test_another_search_empties_everything(desk):
    at_done(desk)
    told(desk.find, "+12125550199")

    assert desk.now == Search()


def test_a_search_that_gets_no_answer_empties_everything(desk, line):
    at_done(desk)
    line.before = fails(DOWN)

    assert "cannot be reached" in told(desk.find, PHONE)[1]
    assert desk.now == Search()


@pytest.mark.parametrize("reach", [at_preview, at_done])
def test_a_change_of_points_reason_or_ticket_leaves_the_buyer(desk, reach):
    reach(desk)
    desk.edit()

    assert isinstance(desk.now, Buyer)


@pytest.mark.parametrize("reach", [at_buyer, at_preview, at_done])
def test_a_change_of_the_buyer_empties_all_that_follows(desk, reach):
    reach(desk)
    desk.forget()

    assert desk.now == Search()


@pytest.mark.parametrize(
    ("reach", "stage"), [(at_done, Search), (at_preview, Buyer), (at_buyer, Search)]
)
def test_a_step_back_leads_to_the_stage_before(desk, reach, stage):
    reach(desk)
    desk.back()

    assert isinstance(desk.now, stage)


# Preview


def test_a_preview_shows_before_change_and_after_and_changes_nothing(desk, client, line):
    seen = at_preview(desk, 50, "Late delivery", "4711", typed=PHONE_RICH)

    assert (322, 50, 372) == (seen.asked.account.balance, seen.asked.points, seen.after)
    assert line.writes == 0


def test_a_preview_without_a_buyer_is_refused(desk):
    assert told(desk.preview, *ASKED) == ("buyer", "Please find the buyer first.")


def test_a_preview_of_what_is_there_already_warns_and_names_it(desk):
    done = at_done(desk)
    warning = at_preview(desk, 50, " late  DELIVERY ", "4712").warning

    assert done.proof.event_id in warning
    assert "This buyer's history holds +50 points with this reason" in warning


@pytest.mark.parametrize("other", [(51, "Late delivery", "4712"), (50, "Wrong order", "4712")])
def test_a_preview_of_anything_else_does_not_warn(desk, other):
    at_done(desk)

    assert at_preview(desk, *other).warning == ""


def test_more_than_there_is_is_refused_at_the_points(desk):
    at_buyer(desk, PHONE_RICH)

    field, text = told(desk.preview, -323, "Entered twice", "4711")
    assert field == "points"
    assert "The balance is 322: at most 322 points can be taken away" in text


def test_a_balance_below_zero_can_be_raised_and_not_lowered(desk):
    at_buyer(desk, PHONE_NEGATIVE)

    assert "at most 0 points" in told(desk.preview, -1, "Entered twice", "1")[1]
    desk.preview(5, "Goodwill", "1")
    assert desk.now.after == -20


@pytest.mark.parametrize("ticket", ["", "  ", "#", "x" * 41, "415-555-0101", "(415) 555-0101"])
def test_a_ticket_that_is_none_is_told_at_the_field(desk, ticket):
    at_buyer(desk)

    field, text = told(desk.preview, 50, "Goodwill", ticket)
    assert field == "ticket"
    assert "such as 4711 or INC-4711" in text


@pytest.mark.parametrize("ticket", ["4711", "INC-4711", "a b/c", "9" * TICKET_LENGTH, "Zürich 4"])
def test_a_run_id_is_made_of_the_ticket(ticket):
    run_id = run_id_of(ticket, ACCOUNT_ID)

    assert run_id == check_run_id(run_id) == run_id_of(ticket, ACCOUNT_ID)
    assert check_run_id(f"undo-{run_id}")


def test_a_ticket_can_be_read_in_the_run_id():
    assert run_id_of("INC 4711", ACCOUNT_ID).startswith("desk-inc-4711-")


def test_a_ticket_can_be_about_two_buyers(desk):
    first, second = at_done(desk), at_done(desk, typed=PHONE_RICH)

    assert first.previewed.asked.run_id != second.previewed.asked.run_id
    assert (50, 372) == (first.proof.account.balance, second.proof.account.balance)


# Confirm


def test_what_was_confirmed_is_proved_from_the_ledger(desk, client):
    done = at_done(desk)
    event = next(client.search_events(account_id=ACCOUNT_ID))

    assert (event.id, 0, 50) == (done.proof.event_id, done.proof.before, balance(client))
    assert (50, "Late delivery") == (event.points, event.reason)
    assert not done.proof.problems
    assert event in done.buyer.events


def test_pressed_twice_it_is_done_once(desk, client, line):
    seen = at_preview(desk)
    desk.confirm(seen)
    desk.confirm(seen)

    assert (50, 1) == (balance(client), line.writes)


def test_a_preview_that_is_not_in_sight_any_more_is_not_confirmed(desk, line):
    old = at_preview(desk)
    at_preview(desk, 60, "Goodwill", "4712")

    assert "not the one in sight" in told(desk.confirm, old)[1]
    assert line.writes == 0


@pytest.mark.parametrize("leave", ["forget", "edit", "back"])
def test_a_preview_that_was_left_is_not_confirmed(desk, line, leave):
    seen = at_preview(desk)
    getattr(desk, leave)()

    told(desk.confirm, seen)
    assert line.writes == 0


def test_the_same_ticket_with_the_same_content_is_applied_once(desk, client):
    at_done(desk)
    again = at_done(desk)

    assert "nothing was changed this time" in again.proof.note
    assert balance(client) == 50


@pytest.mark.parametrize("other", [(60, "Late delivery", "4711"), (50, "Goodwill", "4711")])
def test_the_same_ticket_with_other_content_is_refused_in_words(desk, client, other):
    at_done(desk)
    at_buyer(desk)

    field, text = told(desk.preview, *other)
    assert field == "ticket"
    assert "with other points or another reason" in text
    assert balance(client) == 50


def test_a_ticket_of_another_place_with_other_content_is_refused(desk, client):
    """The key was used from another computer, whose runs are not known here."""
    at_buyer(desk)
    key = adjustment_key(run_id_of("4711", ACCOUNT_ID), ACCOUNT_ID)
    client.adjust_points(ACCOUNT_ID, 20, reason="Goodwill", idempotency_key=key)
    desk.preview(*ASKED)

    field, text = told(desk.confirm, desk.now)
    assert (field, balance(client)) == ("ticket", 20)
    assert "with other points or another reason" in text


@pytest.mark.parametrize("points", [50, 7])
def test_what_has_changed_since_the_preview_is_shown_before_it_is_confirmed(desk, client, points):
    """A colleague adds the same for another ticket, or the buyer buys something."""
    seen = at_preview(desk)
    client.adjust_points(ACCOUNT_ID, points, reason="Late delivery", idempotency_key="k")

    assert "Something has changed since the preview" in told(desk.confirm, seen)[1]
    assert (points, points) == (balance(client), desk.now.asked.account.balance)
    assert bool(desk.now.warning) == (points == 50)
    desk.confirm(desk.now)
    assert balance(client) == points + 50


def test_two_desks_with_one_ticket_add_once(desk, client):
    other = Desk(client)
    first, second = at_preview(desk), at_preview(other)
    desk.confirm(first)
    told(other.confirm, second)
    other.confirm(other.now)

    assert balance(client) == 50
    assert "nothing was changed this time" in other.now.proof.note


def test_an_answer_that_is_lost_is_asked_for_again_by_the_same_button(desk, client, line):
    seen = at_preview(desk)
    line.after = fails(LOST, "/adjust")

    assert "same button again" in told(desk.confirm, seen)[1]
    assert desk.now is seen
    line.after = lambda request: None
    desk.confirm(seen)
    assert balance(client) == 50
    assert not desk.now.proof.problems


def test_what_has_changed_while_the_service_was_down_is_shown_first(desk, client, line):
    seen = at_preview(desk)
    line.before = fails(DOWN)
    told(desk.confirm, seen)
    line.before = lambda request: None
    client.adjust_points(ACCOUNT_ID, 50, reason="Late delivery", idempotency_key="k")

    assert "Something has changed" in told(desk.confirm, seen)[1]
    assert (50, True) == (balance(client), bool(desk.now.warning))


def test_a_service_that_is_down_changes_nothing_and_keeps_the_preview(desk, client, line):
    seen = at_preview(desk)
    line.before = fails(DOWN)

    assert "cannot be reached. Nothing was changed" in told(desk.confirm, seen)[1]
    line.before = lambda request: None
    desk.confirm(seen)
    assert balance(client) == 50


@pytest.mark.parametrize("then", [DOWN, LOST])
def test_after_a_lost_answer_nothing_is_said_to_be_unchanged(desk, line, then):
    """The points may be there since the first try, whatever becomes of the second one."""
    seen = at_preview(desk)
    line.after = fails(LOST, "/adjust")
    told(desk.confirm, seen)
    line.before = fails(then)

    text = told(desk.confirm, seen)[1]
    assert "nobody can tell yet" in text
    assert "Nothing was changed" not in text


def test_a_ledger_that_cannot_be_read_afterwards_is_no_success(desk, client, line):
    """The points are there; the proof is not, until the button is pressed again."""
    seen = at_preview(desk)
    line.after = lambda request: (
        setattr(line, "before", fails(DOWN)) if request.url.path.endswith("/adjust") else None
    )

    assert "nobody can tell yet" in told(desk.confirm, seen)[1]
    assert desk.now is seen
    line.before = line.after = lambda request: None
    desk.confirm(seen)
    assert (50, 1) == (balance(client), sum(e.points == 50 for e in desk.now.buyer.events))


# Undo


def test_undoing_is_previewed_and_confirmed_like_any_adjustment(desk, client, line):
    done = at_done(desk)
    sent = line.writes
    desk.undo()

    assert (50, -50, 0) == (desk.now.asked.account.balance, desk.now.asked.points, desk.now.after)
    assert desk.now.asked.reason == f"Undo of event {done.proof.event_id}"
    assert line.writes == sent
    desk.confirm(desk.now)
    assert balance(client) == 0


def test_what_is_left_of_undoing_leads_back_to_what_was_done(desk):
    done = at_done(desk)
    desk.undo()
    desk.back()

    assert desk.now is done


def test_an_adjustment_is_undone_once(desk, client):
    at_done(desk)
    desk.undo()
    desk.confirm(desk.now)
    assert not desk.now.can_be_undone

    again = at_done(desk)
    assert not again.can_be_undone
    assert again.undone_by
    assert balance(client) == 0


def test_two_desks_undo_once(desk, client):
    other = Desk(client)
    at_done(desk)
    at_done(other)
    desk.undo()
    other.undo()
    desk.confirm(desk.now)
    told(other.confirm, other.now)

    assert balance(client) == 0


def test_an_undoing_is_not_undone(desk):
    at_done(desk)
    desk.undo()
    desk.confirm(desk.now)

    assert told(desk.undo)[1] == "There is nothing that could be undone here."


def test_what_was_spent_meanwhile_is_not_undone(desk, client):
    at_done(desk)
    client.adjust_points(ACCOUNT_ID, -20, reason="Reward", idempotency_key="k")

    assert "The balance is 30" in told(desk.undo)[1]
    assert isinstance(desk.now, Done)


# Production


def test_production_shows_a_digest_and_asks_for_who_approves(production, line):
    seen = at_preview(production)

    assert len(seen.asked.digest) == 64
    assert told(production.confirm, seen)[0] == "approved_by"
    assert line.writes == 0


def test_nowhere_else_is_anybody_asked_to_approve(desk):
    assert at_preview(desk).asked.digest == ""
    assert not desk.needs_approval


def test_production_applies_the_plan_that_was_approved(production, client):
    production.confirm(at_preview(production), "Ada Lovelace")
    event = next(client.search_events(account_id=ACCOUNT_ID))

    proof = production.now.proof
    assert (event.id, 0, 50, ()) == (
        proof.event_id,
        proof.before,
        proof.account.balance,
        proof.problems,
    )


def test_production_refuses_an_approver_who_is_none(production, client):
    seen = at_preview(production)
    told(production.confirm, seen, "+14155550101")

    assert balance(client) == 0


def test_production_applies_a_ticket_once(production, client):
    for _ in range(2):
        production.confirm(at_preview(production), "Ada Lovelace")

    assert "nothing was changed this time" in production.now.proof.note
    assert balance(client) == 50


def test_production_refuses_a_ticket_with_other_content(production, client):
    production.confirm(at_preview(production), "Ada Lovelace")
    at_buyer(production)

    assert told(production.preview, 60, "Late delivery", "4711")[0] == "ticket"
    assert balance(client) == 50


def test_production_warns_of_what_is_there_already(production):
    production.confirm(at_preview(production), "Ada Lovelace")
    event_id = production.now.proof.event_id

    assert event_id in at_preview(production, 50, "Late delivery", "4712").warning


def test_production_undoes_by_a_plan_of_its_own(production, client):
    production.confirm(at_preview(production), "Ada Lovelace")
    production.undo()
    assert production.now.asked.digest

    production.confirm(production.now, "Ada Lovelace")
    assert balance(client) == 0
    assert not production.now.can_be_undone


def test_production_goes_on_when_the_ledger_can_be_read_again(production, client, line):
    seen = at_preview(production)
    line.after = lambda request: (
        setattr(line, "before", fails(DOWN)) if request.url.path.endswith("/adjust") else None
    )
    assert "nobody can tell yet" in told(production.confirm, seen, "Ada Lovelace")[1]
    line.before = line.after = lambda request: None
    production.confirm(production.now, "Ada Lovelace")

    assert balance(client) == 50


def test_production_goes_on_when_the_service_is_back(production, client, line):
    seen = at_preview(production)
    line.before = fails(DOWN)
    told(production.confirm, seen, "Ada Lovelace")
    line.before = lambda request: None
    production.confirm(production.now, "Ada Lovelace")

    assert balance(client) == 50
