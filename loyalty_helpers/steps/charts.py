"""Charts as Vega-Lite, which JupyterLab draws offline, with an SVG beside for everything else.

Colours are told apart by people who see few of them, and nothing is said by colour alone: shapes,
sides or words say it as well. Each chart has a sentence that says what it shows.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Any

from loyalty_helpers.records import Bundle, Shown, plain
from loyalty_helpers.steps.balance_history import BalanceHistory

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
VEGA_LITE_MIME = "application/vnd.vegalite.v5+json"
# The converter brings this font along, so that texts have the same widths on every machine.
FONT = "Liberation Sans"
# A chart can be saved as a picture. JupyterLab's offer to send it, with the buyer's data, to an
# editor on a public host is left out.
EMBED = {"actions": {"export": True, "source": False, "compiled": False, "editor": False}}
MORE, LESS, OTHER = "#0072B2", "#D55E00", "#6F6F6F"
# A type of event looks the same in every chart. Six of these colours are Okabe and Ito's.
EVENTS = {
    "ACCUMULATE_POINTS": (MORE, "circle"),
    "ACCUMULATE_PROMOTION_POINTS": ("#56B4E9", "square"),
    "ADJUST_POINTS": ("#E69F00", "diamond"),
    "CREATE_REWARD": (LESS, "triangle-down"),
    "REDEEM_REWARD": ("#CC79A7", "cross"),
    "DELETE_REWARD": ("#009E73", "triangle-up"),
    "EXPIRE_POINTS": ("#882255", "triangle-left"),
}
POINT = {"type": "point", "filled": True, "opacity": 1}
# With room for the letters of a wider font: not every machine has the one of the picture.
NAMES = {"labelLimit": 300, "minExtent": 240}
MARK = re.compile(r'<(path|line|rect)([^>]* aria-label="([^"]*)" role="graphics-symbol"[^>]*)/>')
BELOW = {"orient": "bottom", "columns": 3, "title": None, "labelLimit": 240}


@dataclass(frozen=True)
class Chart(Shown):
    """A Vega-Lite specification that shows itself.

    Attributes:
        title: what it is a chart of.
        spec: the specification, a plain dict with its data inside; its `description` is a sentence
            for those who cannot see the picture.
    """

    title: str
    spec: dict[str, Any]

    def _view(self) -> Bundle:
        import vl_convert  # loads a rendering engine: only where a chart is drawn

        told = plain(self.spec["description"])
        svg = vl_convert.vegalite_to_svg(json.dumps(self.spec), vl_version="5.21")
        return {
            "text/plain": f"{plain(self.title)}\n  {told}",
            VEGA_LITE_MIME: self.spec,
            "image/svg+xml": _told_in_svg(svg, plain(self.title), told),
        }

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return self._view(), {VEGA_LITE_MIME: {"embed_options": EMBED}}


def _told_in_svg(svg: str, title: str, told: str) -> str:
    """The picture with its words: a screen reader says them in place of its many parts.

    A mark tells its value where it is pointed at, in a page that holds the picture itself.
    """
    svg = MARK.sub(r"<\1\2><title>\3</title></\1>", svg)
    start, _, rest = svg.partition(">")
    start = start.replace("<svg", f'<svg role="img" aria-label="{escape(f"{title}. {told}")}"', 1)
    return f"{start}><title>{escape(title)}</title><desc>{escape(told)}</desc>{rest}"


def balance_chart(history: BalanceHistory) -> Chart:
    """The balance over time as steps, each in the colour of its event's type.

    Events whose time cannot exist are left out.
    """
    made = [(entry.event.created_at, entry) for entry in history.entries]
    dated = [(when, entry) for when, entry in made if isinstance(when, datetime)]
    values = [
        {
            "time": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "at": plain(when),
            "before": entry.balance - entry.event.points,
            "balance": entry.balance,
            "points": entry.event.points,
            "type": entry.event.type,
        }
        for when, entry in dated
    ]
    x = {"field": "time", "type": "temporal", "scale": {"type": "utc"}, "title": "time (UTC)"}
    x["axis"] = {"format": _time_format([when for when, _ in dated]), "tickCount": 6}
    y = {"field": "balance", "type": "quantitative", "title": "balance (points)"}
    step = {**y, "field": "before"}
    by_type = _by_type(values)
    line = {"type": "line", "interpolate": "step-after", "color": OTHER}
    rule = {"type": "rule", "strokeWidth": 3}
    each = ("at", "type", "points", "balance")
    layers = [
        _layer(line, x=x, y=y),
        _layer(rule, x=x, y=step, y2={"field": "balance"}, color=by_type["color"]),
        _layer(POINT, each, x=x, y=y, **by_type),
    ]
    title = f"Balance of account {history.account_id}: {len(values)} events"
    return _chart(title, _steps_told(values), values, layers)


def _time_format(times: Sequence[datetime]) -> str:
    short = not times or max(times) - min(times) < timedelta(days=3)
    return "%Y-%m-%d %H:%M" if short else "%Y-%m-%d"


def _by_type(values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The encodings of the types of events that occur; one that Square adds is grey."""
    found = {value["type"] for value in values}
    names = [name for name in EVENTS if name in found] + sorted(found - EVENTS.keys())
    colours, shapes = zip(*(EVENTS.get(n, (OTHER, "circle")) for n in names or [""]), strict=True)
    return {
        "color": _scale("type", names, colours),
        "shape": _scale("type", names, shapes),
    }


def _scale(field: str, names: Sequence[str], looks: Sequence[str]) -> dict[str, Any]:
    scale = {"domain": [*names], "range": [*looks]}
    return {"field": field, "type": "nominal", "scale": scale, "legend": BELOW}


def _steps_told(values: Sequence[dict[str, Any]]) -> str:
    if not values:
        return "There is no event."
    first, last = values[0], values[-1]
    counts = Counter(value["type"] for value in values).most_common()
    return (
        f"The balance goes from {first['before']} points before {first['at']} to "
        f"{last['balance']} points after {last['at']}: "
        f"{', '.join(f'{count} {kind}' for kind, count in counts)}."
    )


def before_after_chart(title: str, told: str, balances: Sequence[tuple[str, int, int]]) -> Chart:
    """A line from each balance before to the balance after, in the order given.

    Args:
        title: what it is a chart of.
        told: a sentence for those who cannot see it.
        balances: a name, and the balance before and after.
    """
    values = [
        {
            "account": name,
            "before": before,
            "change": f"{after - before:+d}",
            "after": after,
            "points are": "added" if after >= before else "taken away",
        }
        for name, before, after in balances
    ]
    y = {"field": "account", "type": "ordinal", "sort": None, "axis": NAMES}
    x = {"field": "before", "type": "quantitative", "title": "balance (points)"}
    way = _scale("points are", ("added", "taken away"), (MORE, LESS))
    end = _scale("points are", ("added", "taken away"), ("triangle-right", "triangle-left"))
    both, tick = {"type": "rule", "strokeWidth": 3}, {"type": "tick", "thickness": 2, "size": 10}
    each = ("account", "before", "change", "after")
    layers = [
        _layer(both, each, x=x, x2={"field": "after"}, y=y, color=way),
        _layer(tick, x=x, y=y, color=way),
        _layer(POINT, each, x={**x, "field": "after"}, y=y, color=way, shape=end),
    ]
    return _chart(title, told, values, layers, height={"step": 18})


def bar_chart(
    title: str, told: str, values: list[dict[str, Any]], *, x: str, y: str, lying: bool = False
) -> Chart:
    """Bars in the order given, those below 0 in a colour of their own.

    Args:
        title: what it is a chart of.
        told: a sentence for those who cannot see it.
        values: one for each bar.
        x: what each value holds for its name.
        y: what it holds for its length.
        lying: with names down the side, for names that are long.
    """
    below = {"test": f"datum[{json.dumps(y)}] < 0", "value": LESS}
    name: dict[str, Any] = {"field": x, "type": "ordinal", "sort": None}
    length = {"field": y, "type": "quantitative"}
    places = {"y": {**name, "axis": NAMES}, "x": length} if lying else {"x": name, "y": length}
    colour = {"condition": below, "value": MORE}
    bar = _layer({"type": "bar"}, (x, y), **places, color=colour)
    return _chart(title, told, values, [bar], height={"step": 22} if lying else 220)


def _layer(mark: dict[str, Any], each: Sequence[str] = (), **encoding: Any) -> dict[str, Any]:
    """Marks; where one is pointed at, these fields of its value are told."""
    if not each:
        return {"mark": {**mark, "aria": False}, "encoding": encoding}
    words = " + ', ' + ".join(f"'{name} ' + datum[{json.dumps(name)}]" for name in each)
    tooltip = [{"field": name} for name in each]
    look = {**mark, "description": {"expr": words}}
    return {"mark": look, "encoding": {**encoding, "tooltip": tooltip}}


def _chart(
    title: str,
    told: str,
    values: list[dict[str, Any]],
    layers: list[dict[str, Any]],
    *,
    height: Any = 220,
) -> Chart:
    spec = {
        "$schema": SCHEMA,
        "title": title,
        "description": told,
        "width": 560,
        "height": height,
        "config": {"font": FONT},  # the other colours come from the light or dark page
        "data": {"values": values},
        "layer": layers,
    }
    return Chart(title, spec)
