"""What people wrote is shown as text, in the terminal and in HTML; tables align."""

from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser

import pytest

from loyalty_helpers.api.exchange import Exchange
from loyalty_helpers.records.models import LoyaltyAccount, LoyaltyEvent, LoyaltyProgram
from loyalty_helpers.records.show import card, plain, points_text, table
from loyalty_helpers.records.tables import EventTable
from loyalty_helpers.steps.adjustments import Adjustment, Preview
from loyalty_helpers.steps.balance_history import balance_history
from loyalty_helpers.steps.verification import Verification
from tests.doubles import ACCOUNT_BODY, EVENT, PROGRAM_ID

HOSTILE = {
    "HTML": "<img src=x onerror=alert(1)>",
    "script": "</pre></td><script>alert(1)</script>",
    "attribute": "\" onmouseover='alert(1)",
    "formula": "$x$ and $$\\href{javascript:alert(1)}{y}$$",
    "newlines": "a\nb\r\nc\u2028d\x85e",
    "terminal": "\x1b[31mred\x1b[0m \x9b31m \x07\x08\x7f",
    "NUL": "a\0b",
    "right to left": "a\u202eb",
    "surrogate": "a\ud800b",
}
ALLOWED_TAGS = {"div", "table", "caption", "b", "tr", "th", "td", "p", "pre"}


class Tags(HTMLParser):
    """The tags and attributes that a browser would see."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes = set(), set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def account(text):
    body = {"id": text, "program_id": text, "customer_id": text, "updated_at": text}
    deadlines = [{"points": 1, "expires_at": text}]
    return LoyaltyAccount.model_validate(
        ACCOUNT_BODY | body | {"expiring_point_deadlines": deadlines}
    )


def event(text):
    details = {"points": 5, "reason": text, "order_id": text}
    other = {"id": text, "source": text, "location_id": text, "created_at": text}
    return LoyaltyEvent.model_validate(EVENT | other | {"adjust_points": details})


def program(text):
    tiers = [{"id": "t", "points": 10, "name": text}]
    words = {"terminology": {"one": text, "other": text}, "reward_tiers": tiers}
    return LoyaltyProgram.model_validate({"id": text, "status": text} | words)


def exchange(text):
    body = {"adjust_points": {"reason": text}, text: [text]}
    return Exchange("POST", "http://127.0.0.1:8123", "/v2/x", body, 200, {text: [text]})


def preview(text):
    return Preview(account(text), 5, text, "run", alike=(event(text),))


def adjustment(text):
    return Adjustment(event(text), account(text), "before", "run", frozenset())


def verification(text):
    done, told = adjustment(text), {"told": text, "note": "", "change": text, "event_id": text}
    rows, numbers = ((text, text),), {"points": 5, "applied": done.applied}
    accounts = {"before": done.before, "after": account(text)}
    return Verification(**accounts, **numbers, **told, rows=rows, problems=(text,))


SHOWN = {
    "card": lambda text: card(text, [(text, text)], note=text),
    "table": lambda text: table(text, [text, "n"], [(text, 1), (text, 2)], note=text),
    "account": lambda text: account(text)._view(),
    "event": lambda text: event(text)._view(),
    "program": lambda text: program(text)._view(),
    "exchange": lambda text: exchange(text)._view(),
    "preview": lambda text: preview(text)._view(),
    "adjustment": lambda text: adjustment(text)._view(),
    "verification": lambda text: verification(text)._view(),
    "history": lambda text: balance_history(account(text), [event(text)] * 2)._view(),
    "by type": lambda text: balance_history(account(text), [event(text)]).by_type._view(),
    "events": lambda text: EventTable((event(text),))._view(),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
def test_html_holds_no_tag_and_no_attribute_that_people_wrote(show, text):
    tags = Tags()
    tags.feed(show(text)["text/html"])

    assert (True, True) == (tags.tags <= ALLOWED_TAGS, tags.attributes <= {"class", "style"})


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
def test_no_character_that_steers_a_terminal_or_a_page_gets_through(show, text):
    view = show(text)

    steering = [c for c in view["text/plain"] + view["text/html"] if not c.isprintable()]
    assert set() == set(steering) - {"\n"}


@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
def test_a_newline_that_people_wrote_makes_no_line(show):
    lines = len(show("ab")["text/plain"].splitlines())

    # Only a note is made of lines; it is the program's own text.
    notes = 1 if show in (SHOWN["card"], SHOWN["table"]) else 0
    assert lines + notes == len(show("a\nb")["text/plain"].splitlines())


@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
def test_html_keeps_formulas_from_being_drawn(show):
    assert show("$x$")["text/html"].startswith('<div class="mathjax_ignore tex2jax_ignore"')


@pytest.mark.parametrize(
    "name", ["event", "preview", "adjustment", "history", "events", "exchange"]
)
def test_a_hostile_reason_is_still_readable(name):
    view = SHOWN[name](HOSTILE["HTML"])

    assert HOSTILE["HTML"] in view["text/plain"]
    assert HOSTILE["HTML"] in unescape(view["text/html"])


def test_a_card_aligns_its_values():
    text = card("Title", [("a", 1), ("longer", None), ("long", 0), ("empty", "")])["text/plain"]

    assert "Title\n  a     1\n  long  0" == text


def test_a_card_without_rows_is_its_title():
    assert "Title" == card("Title", [])["text/plain"]


def test_a_table_aligns_numbers_to_the_right_and_texts_to_the_left():
    rows = [(5, "ADJUST", ""), (-1234, "OTHER", "reason")]
    text = table("Title", ("points", "type", "why"), rows, note="A note.")["text/plain"]

    assert (
        "Title\n  points  type    why\n       5  ADJUST\n   -1234  OTHER   reason\n  A note."
    ) == text


def test_a_table_without_rows_is_its_title():
    assert "Title" == table("Title", ("points", "type"), [])["text/plain"]


def test_every_line_of_a_history_begins_its_columns_at_the_same_place():
    lines = str(balance_history(account("a"), [event("reason")] * 12)).splitlines()[1:]

    assert {lines[0].index("type")} == {line.index("ADJUST_POINTS") for line in lines[1:]}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (12, "12"),
        ("a\tb", "a\\tb"),
        ("Zürich 😀", "Zürich 😀"),
        (datetime(2026, 11, 2, 9, 30, tzinfo=UTC), "2026-11-02 09:30:00 UTC"),
    ],
)
def test_a_value_is_one_line(value, text):
    assert text == plain(value)


@pytest.mark.parametrize(
    ("points", "text"),
    [(12, "+12 points"), (1, "+1 point"), (-1, "-1 point"), (-5, "-5 points"), (0, "+0 points")],
)
def test_a_change_shows_its_sign(points, text):
    assert text == points_text(points)


def test_a_program_shows_what_points_buy():
    shown = str(program("Free coffee"))

    assert "10 points buy      Free coffee" in shown
    assert PROGRAM_ID not in shown
