"""When the browser has told all that it shows.

ipywidgets holds a value back while the one typed before it is still being read, but never a press
of a button or of Enter. So a press may arrive before the value that it was made for. A question to
the browser is answered after everything that the browser had to tell before it.
"""

from collections.abc import Callable
from functools import cache

import ipywidgets as widgets
import traitlets


class Signs(widgets.Widget):  # type: ignore[misc]  # ipywidgets brings no types
    """Two numbers that the browser keeps equal: it copies what is asked to what is told."""

    asked = traitlets.Int(1).tag(sync=True)
    told = traitlets.Int(0).tag(sync=True)


class Browser:
    """Calls back when the browser has told all that was typed until now.

    Without a browser (headless, in a test) there is nothing to wait for. One that opens tells its
    first number by itself, before anything can be pressed in it.
    """

    def __init__(self) -> None:
        self.signs = Signs()
        self._link = widgets.jsdlink((self.signs, "asked"), (self.signs, "told"))
        self._waiting: dict[int, Callable[[], object]] = {}
        self._hearing = False
        self.signs.observe(self._hear, "told")

    def when_settled(self, act: Callable[[], object]) -> None:
        """Call `act` as soon as the browser has told what its fields show; now, if it just has."""
        if self._hearing:
            act()
        else:
            self.when_answered(act)

    def when_answered(self, act: Callable[[], object]) -> None:
        """Call `act` when the browser has told all that it had to tell until now."""
        if not self.signs.told:
            act()
            return
        number = self.signs.asked + 1
        self._waiting[number] = act
        self.signs.asked = number

    def when_open(self, act: Callable[[], object]) -> None:
        """Call `act` when there is a browser that can do what it asks, such as to focus a field."""
        if self.signs.told:
            act()
        else:
            self._waiting[1] = act

    def _hear(self, _: object) -> None:
        self._hearing = True
        try:
            for number in sorted(n for n in self._waiting if n <= self.signs.told):
                self._waiting.pop(number)()
        finally:
            self._hearing = False


@cache
def the_browser() -> Browser:
    """The one that this kernel's widgets are shown in."""
    return Browser()
