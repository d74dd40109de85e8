"""Charts: drawn alike on every run, told in words, in colours that everybody can tell apart."""

import re
from itertools import combinations
from xml.etree import ElementTree

import pytest

from loyalty_helpers.records.models import LoyaltyAccount, LoyaltyEvent
from loyalty_helpers.steps.balance_history import balance_history
from loyalty_helpers.steps.charts import (
    EVENTS,
    LESS,
    MORE,
    OTHER,
    VEGA_LITE_MIME,
    balance_chart,
    bar_chart,
    before_after_chart,
)
from tests.doubles import ACCOUNT_BODY, EVENT

ACCOUNT = LoyaltyAccount.model_validate(ACCOUNT_BODY)
MARKUP = '<b a="1">&'
SVG = "{http://www.w3.org/2000/svg}"
# What each kind of colour blindness makes of linear red, green and blue (Machado, 2009).
BLIND = {
    "red": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "green": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "blue": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}


def event(points, kind):
    bare = {key: value for key, value in EVENT.items() if key != "adjust_points"}
    details = {LoyaltyEvent.DETAILS.get(kind, "other_event"): {"points": points}}
    return LoyaltyEvent.model_validate(bare | {"type": kind} | details)


def history(*kinds):
    return balance_history(ACCOUNT, [event(5, kind) for kind in kinds])


CHARTS = {
    "balance": lambda title="t": balance_chart(history("ADJUST_POINTS", "EXPIRE_POINTS")),
    "no events": lambda title="t": balance_chart(history()),
    "before and after": lambda title="t": before_after_chart(title, title, [("a", 1, 5)]),
    "nothing changed": lambda title="t": before_after_chart(title, title, []),
    "bars": lambda title="t": bar_chart(title, title, [{"x": "a", "y": -1}], x="x", y="y"),
    "no bars": lambda title="t": bar_chart(title, title, [], x="x", y="y"),
}


@pytest.fixture(params=CHARTS.values(), ids=CHARTS)
def make(request):
    return request.param


def svg(chart):
    return chart._view()["image/svg+xml"]


def test_a_picture_is_the_same_on_every_run(make):
    assert make()._view() == make()._view()


def test_a_picture_says_its_title_and_a_sentence_to_screen_readers(make):
    chart = make()
    root = ElementTree.fromstring(svg(chart))  # noqa: S314  # our own picture
    told = chart.spec["description"]

    assert "img" == root.get("role")
    assert f"{chart.title}. {told}" == root.get("aria-label")
    assert [chart.title, told] == [root[0].text, root[1].text]
    assert [f"{SVG}title", f"{SVG}desc"] == [root[0].tag, root[1].tag]


def test_without_a_picture_title_and_sentence_are_shown(make):
    chart = make()

    assert f"{chart.title}\n  {chart.spec['description']}" == str(chart)


@pytest.mark.parametrize("name", ["before and after", "bars"])
def test_a_title_is_no_markup(name):
    root = ElementTree.fromstring(svg(CHARTS[name](MARKUP)))  # noqa: S314  # as above

    assert MARKUP == root[0].text


def test_beside_the_picture_stands_what_jupyterlab_draws(make):
    chart = make()

    assert chart.spec == chart._view()[VEGA_LITE_MIME]


def test_something_is_told_where_a_chart_is_pointed_at(make):
    assert any("tooltip" in layer["encoding"] for layer in make().spec["layer"])


def test_a_step_has_the_colour_and_the_shape_of_its_type():
    [_, step, point] = balance_chart(history("EXPIRE_POINTS", "ADJUST_POINTS")).spec["layer"]
    names = ["ADJUST_POINTS", "EXPIRE_POINTS"]
    colour, shape = point["encoding"]["color"]["scale"], point["encoding"]["shape"]["scale"]

    assert names == colour["domain"] == shape["domain"]
    assert [EVENTS[n] for n in names] == list(zip(colour["range"], shape["range"], strict=True))
    assert colour == step["encoding"]["color"]["scale"]


def test_a_mark_tells_its_value_in_the_picture_as_well():
    told = re.findall("<title>([^<]*)</title>", svg(balance_chart(history("ADJUST_POINTS"))))

    assert "at 2026-11-02 09:30:00 UTC, type ADJUST_POINTS, points 5, balance 5" == told[-1]
    assert 2 == len(told)


def test_a_step_goes_from_the_balance_before_to_the_balance_after():
    values = balance_chart(history("ADJUST_POINTS", "ADJUST_POINTS")).spec["data"]["values"]

    assert [(0, 5), (5, 10)] == [(value["before"], value["balance"]) for value in values]


def test_a_type_that_square_adds_is_drawn_as_well():
    chart = balance_chart(history("NEW_KIND"))

    assert ["NEW_KIND"] == chart.spec["layer"][1]["encoding"]["color"]["scale"]["domain"]
    assert "1 NEW_KIND" in str(chart)


def test_the_sentence_of_a_history_tells_where_it_begins_and_ends():
    assert "from 0 points before" in str(CHARTS["balance"]())
    assert "to 10 points after" in str(CHARTS["balance"]())


def test_before_and_after_tell_the_change_with_its_sign():
    chart = before_after_chart("t", "t", [("a", 1, 5), ("b", 5, 1)])

    found = [(v["change"], v["points are"]) for v in chart.spec["data"]["values"]]
    assert [("+4", "added"), ("-4", "taken away")] == found


def test_bars_below_zero_have_a_colour_of_their_own():
    drawn = svg(bar_chart("t", "t", [{"x": "a", "y": 1}, {"x": "b", "y": -1}], x="x", y="y"))

    assert (1, 1) == (drawn.count(f'fill="{MORE}"'), drawn.count(f'fill="{LESS}"'))


def test_long_names_stand_whole_beside_their_bars():
    name = "0fe54250-faad-4d67-803b-8b390f49cebd"
    drawn = svg(bar_chart("t", "t", [{"x": name, "y": 1}], x="x", y="y", lying=True))

    assert f">{name}</text>" in drawn


def seen(colour, rows):
    """A colour as somebody sees it, in CIELAB."""
    sent = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in sent]
    r, g, b = (sum(x * y for x, y in zip(row, linear, strict=True)) for row in rows)
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089
    a, b, c = (max(v, 0.009) ** (1 / 3) for v in (x, y, z))
    return (116 * b - 16, 500 * (a - b), 200 * (b - c))


@pytest.mark.parametrize("rows", BLIND.values(), ids=BLIND)
def test_colours_can_be_told_apart_by_people_who_see_few(rows):
    colours = [seen(colour, rows) for colour in [*(c for c, _ in EVENTS.values()), OTHER]]
    apart = [
        sum((p - q) ** 2 for p, q in zip(a, b, strict=True)) ** 0.5
        for a, b in combinations(colours, 2)
    ]

    assert min(apart) > 10


def test_each_type_has_a_shape_of_its_own():
    assert len(EVENTS) == len({shape for _, shape in EVENTS.values()})


def test_names_have_room_in_the_wider_font_of_another_machine():
    """An id has 36 letters, and none of DejaVu Sans is wider than 6.5 at this size on average."""
    drawn = svg(before_after_chart("t", "t", [("0fe54250-faad-4d67-803b-8b390f49cebd", 1, 5)]))

    assert int(re.search(r"translate\((\d+),", drawn)[1]) >= 36 * 6.5
