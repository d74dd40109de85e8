"""What forms and pages are made of: a field that tells its own errors, a button, a banner."""

from collections.abc import Callable
from contextlib import suppress
from html import escape
from typing import Any

import ipywidgets as widgets

from loyalty_helpers.api import refusal
from loyalty_helpers.clicks import clicked
from loyalty_helpers.errors import LoyaltyError, ParameterError
from loyalty_helpers.forms.settled import Browser, the_browser
from loyalty_helpers.parameters import PARAMETERS, Parameter, in_words, of_kind
from loyalty_helpers.redaction import mask_text

ENVIRONMENTS = {
    "local": "made-up buyers on this computer",
    "recorded": "recorded answers; nothing is changed",
    "sandbox": "Square's Sandbox, with test data",
    "production": "real buyers, real points",
}
# Labels stand above their fields, so that a form fits a telephone. The colours of texts hold on
# the light and the dark theme; white on the brown of a button that writes can be read by anybody.
STYLE = """<style>
.loyalty-field { display: flex; flex-flow: column; align-items: stretch; height: auto;
  max-width: 36em; width: 100%; margin: 0; }
.loyalty-field > label.widget-label { text-align: left; width: auto; font-weight: 600;
  height: auto; white-space: normal; overflow: visible; }
.loyalty-field > label.widget-label > span { font-weight: 400; opacity: .8; margin-left: .5em;
  font-family: monospace; font-size: .9em; }
.loyalty-field > input, .loyalty-field > textarea { width: 100%; flex: none; }
.loyalty-below { line-height: 1.4; font-size: .92em; white-space: normal; max-width: 39em; }
.loyalty-error { color: #b3261e; font-weight: 600; }
body[data-jp-theme-light="false"] .loyalty-error { color: #ffb4ab; }
.loyalty-act.jupyter-button.mod-warning { background: #a3480c; color: #fff; }
.loyalty-banner { position: sticky; top: 0; z-index: 10; margin: 0 0 8px;
  box-shadow: 0 -12px 0 var(--jp-layout-color0, #fff); }
.loyalty-page, .loyalty-page .widget-container,
.jp-OutputArea:has(.loyalty-page), .jp-OutputArea-child:has(.loyalty-page),
.jp-OutputArea-output:has(.loyalty-page) { overflow: visible; }
.jp-OutputArea-output:has(.loyalty-page) { display: block; width: 100%; }
.jp-OutputArea:has(.loyalty-page), .loyalty-page .widget-html-content { min-width: 0; }
.loyalty-page .widget-checkbox, .loyalty-page .widget-checkbox label { height: auto; }
.loyalty-page .widget-checkbox label { white-space: normal; }
.loyalty-page svg { max-width: 100%; height: auto; }
.loyalty-wide td { overflow-wrap: normal !important; }
</style>"""


BUTTON = {"width": "auto", "min_width": "10em", "align_self": "flex-start"}


class Field:
    """A value to type: its label, what it means, and below it what is wrong with it, if anything.

    Args:
        name: of the table of parameters, or one of your own with a label.
        value: what it holds at first.
        label: what it is called, in words, in place of the table's.
        required: whether `read` refuses an empty one.
        rule: in place of the table's.
        suggestions: values to pick from; others can still be typed.
        browser: tells when all that was typed has arrived.
    """

    def __init__(
        self,
        name: str,
        value: Any = "",
        *,
        label: str = "",
        required: bool = False,
        rule: Parameter | None = None,
        suggestions: tuple[str, ...] = (),
        browser: Browser | None = None,
    ) -> None:
        self.name, self.required = name, required
        self.rule = rule or PARAMETERS.get(name) or of_kind("str", "")
        self.label = label or self.rule.label or in_words(name)
        self._first, self._error = value, ""
        self._browser = browser or the_browser()
        self.input = self._input(value, suggestions)
        self.below = widgets.HTML()
        self.input.observe(self._judge, "value")
        self.widget = widgets.VBox([self.input, self.below])
        self.error = ""

    def _input(self, value: Any, suggestions: tuple[str, ...]) -> Any:
        look: dict[str, Any] = {"tooltip": self.rule.allowed}
        if self.rule.kind is bool:
            named = f"{self.label} ({self.name})" if self.name in PARAMETERS else self.label
            look |= {"description": named, "layout": widgets.Layout(width="auto")}
            return widgets.Checkbox(value=self.rule.read(value), indent=False, **look)
        name = f" <span>{escape(self.name)}</span>" if self.name in PARAMETERS else ""
        look |= {"value": str(value), "description": escape(self.label) + name}
        look["description_allow_html"] = True
        if suggestions:
            made = widgets.Combobox(options=suggestions, ensure_option=False, **look)
        else:
            made = (widgets.Textarea if self.name == "reason" else widgets.Text)(**look)
        return made.add_class("loyalty-field")

    @property
    def typed(self) -> Any:
        """What it holds now, a text without space around it."""
        value = self.input.value
        return value.strip() if isinstance(value, str) else value

    @typed.setter
    def typed(self, value: Any) -> None:
        self.input.value = value if self.rule.kind is bool else str(value)

    def read(self) -> Any:
        """The value by the field's rule; raises ParameterError, and shows it at the field."""
        try:
            if self.required and self.typed == "":
                raise ParameterError("empty")
            value = self.rule.read(self.typed)
        except ValueError as error:
            allowed = getattr(error, "allowed", "") or self.rule.allowed
            wrong = "this cannot be right" if self.typed else "please fill this in"
            self.error = f"{self.label}: {wrong}. Allowed: {allowed}"
            raise refusal(self.label, self.typed, allowed) from None
        self.error = ""
        return value

    @property
    def error(self) -> str:
        """What is wrong, told below the field; set it to an empty text to take that back."""
        return self._error

    @error.setter
    def error(self, text: str) -> None:
        self._error = mask_text(text)
        told = f'<div class="loyalty-error" role="alert">{escape(self._error)}</div>'
        self.below.value = (
            f'{STYLE}<div class="loyalty-below mathjax_ignore tex2jax_ignore">'
            f"{escape(self.rule.help[:1].upper() + self.rule.help[1:])}{told if text else ''}</div>"
        )

    def clear(self) -> None:
        """Empty it, without calling that an error; a box is as it was at first."""
        self.input.value = self.rule.read(self._first) if self.rule.kind is bool else ""
        self.error = ""

    def focus(self) -> None:
        """Let the person type here next; on a page that has yet to open, at first."""
        self._browser.when_open(self.input.focus)

    def on_change(self, call: Callable[[], object]) -> None:
        """Call this whenever the value has changed, by typing or by the program."""
        self.input.observe(lambda _: call(), "value")

    def on_submit(self, call: Callable[[], object]) -> None:
        """Call this when Enter is pressed in a field of one line, and its value has arrived."""

        def hear(_: Any, content: dict[str, Any], __: Any) -> None:
            if content.get("event") == "submit":
                self._browser.when_settled(call)

        self.input.on_msg(hear)

    def _judge(self, _: Any) -> None:
        """Tell what is wrong as one types; an empty field is not wrong yet."""
        if self.typed == "":
            self.error = ""
            return
        with suppress(ParameterError):
            self.read()


class Act:
    """A button that works once at a time, on what the fields show, and tells what went wrong.

    Args:
        text: what it says.
        action: what it does. An error is shown below the button, a LoyaltyError in its own words.
        writes: what it changes, in words; empty if it only reads.
        browser: tells when all that was typed has arrived.
    """

    def __init__(
        self,
        text: str,
        action: Callable[[], object],
        *,
        writes: str = "",
        browser: Browser | None = None,
    ) -> None:
        self.text, self._action = text, action
        self._browser = browser or the_browser()
        self._enabled, self._busy, self._presses = True, False, 0
        self.button = widgets.Button(description=text, layout=BUTTON)
        self.button.tooltip = writes or "Reads only"
        self.button.button_style = "warning" if writes else ""
        self.button.add_class("loyalty-act").on_click(lambda _: self.press())
        self.trouble = widgets.HTML()
        self.widget = widgets.VBox([self.button, self.trouble])

    @property
    def enabled(self) -> bool:
        """Whether it can be pressed; while it works it cannot, whatever this says."""
        return self._enabled

    @enabled.setter
    def enabled(self, can: bool) -> None:
        self._enabled = can
        self.button.disabled = self._busy or not can

    def focus(self) -> None:
        """Let Enter or the space bar press it next."""
        self.button.focus()

    def press(self) -> None:
        """Do the action when all that was typed has arrived; of presses in a row, the last one."""
        if self._busy:
            return
        self._presses += 1
        mine = self._presses
        self._browser.when_settled(lambda: self._do() if mine == self._presses else None)

    def _do(self) -> None:
        if self._busy or not self._enabled:
            return
        self._show(busy=True)
        self.trouble.value = ""
        try:
            with clicked():
                self._action()
        except LoyaltyError as error:
            self._tell(str(error))
        except Exception as error:
            self._tell(f"This should not happen: {type(error).__name__}: {error}")
        finally:
            self._show(busy=True, text=self.text)
            # Presses that were made meanwhile come before the answer to this.
            self._browser.when_answered(lambda: self._show(busy=False))

    def _show(self, *, busy: bool, text: str = "") -> None:
        self._busy = busy
        self.button.description = text or (f"{self.text} ... working" if busy else self.text)
        self.button.disabled = busy or not self._enabled

    def _tell(self, text: str) -> None:
        told = escape(mask_text(text)).replace("\n", "<br>")
        self.trouble.value = (
            f'{STYLE}<div class="loyalty-below loyalty-error mathjax_ignore tex2jax_ignore" '
            f'role="alert">{told}</div>'
        )


def banner(environment: str) -> widgets.HTML:
    """A strip that stays in sight and names the environment, production in red.

    It stays on top of the box that it is the first in, if that has the class `loyalty-page`.
    """
    real = environment == "production"
    colours = "background: #b3261e; color: #fff" if real else "background: #dfe7f5; color: #1a2b4c"
    name = environment.upper() if real else environment
    text = f"<b>{escape(name)}</b>: {escape(ENVIRONMENTS.get(environment, 'unknown'))}"
    look = f"{colours}; padding: 4px 12px; line-height: 1.5"
    strip = f'<div role="status" style="{look}">{text}</div>'
    return widgets.HTML(STYLE + strip).add_class("loyalty-banner")
