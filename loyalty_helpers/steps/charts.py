"""Charts as Vega-Lite, which JupyterLab draws offline, with an SVG beside for everything else."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
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


@dataclass(frozen=True)
class Chart(Shown):
    """A Vega-Lite specification that shows itself.

    Attributes:
        title: said in place of the picture where none can be shown.
        spec: the specification, a plain dict with its data inside.
    """

    title: str
    spec: dict[str, Any]

    def _view(self) -> Bundle:
        import vl_convert  # loads a rendering engine: only where a chart is drawn

        svg = vl_convert.vegalite_to_svg(json.dumps(self.spec), vl_version="5.21")
        return {"text/plain": self.title, VEGA_LITE_MIME: self.spec, "image/svg+xml": svg}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return self._view(), {VEGA_LITE_MIME: {"embed_options": EMBED}}


def balance_chart(history: BalanceHistory) -> Chart:
    """The balance over time as steps. Events whose time cannot exist are left out."""
    made = [(entry.event.created_at, entry) for entry in history.entries]
    dated = [(when, entry) for when, entry in made if isinstance(when, datetime)]
    times = [when for when, _ in dated]
    values = [
        {
            "time": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "at": plain(when),
            "balance": entry.balance,
            "points": entry.event.points,
            "type": entry.event.type,
        }
        for when, entry in dated
    ]
    short = not times or max(times) - min(times) < timedelta(days=3)
    time_format = "%Y-%m-%d %H:%M" if short else "%Y-%m-%d"
    time = {
        "field": "time",
        "type": "temporal",
        "scale": {"type": "utc"},
        "title": "time (UTC)",
        "axis": {"format": time_format, "tickCount": 6, "labelOverlap": True},
    }
    balance = {"field": "balance", "type": "quantitative", "title": "balance (points)"}
    names = ("type", "points", "balance")
    tooltip = [{"field": "at", "title": "time"}, *({"field": name} for name in names)]
    mark = {"type": "line", "interpolate": "step-after", "point": True}
    title = f"Balance of account {history.account_id}: {len(values)} events"
    return _chart(title, values, mark, {"x": time, "y": balance, "tooltip": tooltip})


def bar_chart(title: str, values: list[dict[str, Any]], *, x: str, y: str) -> Chart:
    """Bars in the order given; `x` and `y` name what each value holds for them."""
    encoding = {
        "x": {"field": x, "type": "ordinal", "sort": None},
        "y": {"field": y, "type": "quantitative"},
        "tooltip": [{"field": x}, {"field": y}],
    }
    return _chart(title, values, "bar", encoding)


def _chart(title: str, values: list[dict[str, Any]], mark: Any, encoding: dict[str, Any]) -> Chart:
    spec = {
        "$schema": SCHEMA,
        "title": title,
        "width": 560,
        "height": 220,
        "config": {"font": FONT},  # colours come from the light or dark theme of the page
        "data": {"values": values},
        "mark": mark,
        "encoding": encoding,
    }
    return Chart(title, spec)
