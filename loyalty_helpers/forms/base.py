"""What all forms share: fields, buttons, and a place where an answer is shown."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import ipywidgets as widgets

from loyalty_helpers.clicks import clicked
from loyalty_helpers.errors import LoyaltyError, ParameterError
from loyalty_helpers.parameters import PARAMETERS
from loyalty_helpers.records import Bundle, Shown, card
from loyalty_helpers.redaction import mask_phone, mask_reason, mask_text

DESCRIPTION_WIDTH = "10em"
FIELD_WIDTH = "42em"
# Buttons stand below the fields, and not below their names.
BUTTONS_MARGIN = "4px 0 8px calc(10em + 8px)"
BUSY = "<div>Asking ...</div>"


def field(name: str, value: Any) -> widgets.DOMWidget:
    """The widget of a parameter: how it is called and what it means is told by the table."""
    parameter = PARAMETERS[name]
    look = {
        "description": name,
        "tooltip": parameter.allowed,
        "style": {"description_width": DESCRIPTION_WIDTH},
        "layout": widgets.Layout(width=FIELD_WIDTH),
    }
    if parameter.kind is bool:
        return widgets.Checkbox(value=parameter.read(value), indent=True, **look)
    look |= {"value": str(value), "placeholder": parameter.help}
    return widgets.Textarea(rows=2, **look) if name == "reason" else widgets.Text(**look)


class Form(Shown):
    """Fields above buttons above an answer. An answer goes when the values that it is for change.

    Shown without a kernel, on a code host or in a report, it is a table of its values.

    Args:
        title: what the form is for.
        given: the parameters that it is filled from, by name.
        actions: for each button its text and the function that it calls with the values; what
            the function returns is shown, and a LoyaltyError that it raises is shown as well.
        writes: what a button changes, by its text; any other only reads.
        read: makes arguments of a step's function out of parameters that were typed.
    """

    def __init__(
        self,
        title: str,
        given: Mapping[str, Any],
        actions: Mapping[str, Callable[..., Shown]],
        *,
        writes: Mapping[str, str] | None = None,
        read: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    ) -> None:
        self.title, self._read = title, read
        self.fields = {name: field(name, value) for name, value in given.items()}
        self.answer = widgets.HTML()
        self.buttons = {}
        for text, action in actions.items():
            changes = (writes or {}).get(text, "")
            self.buttons[text] = button = widgets.Button(description=text)
            button.tooltip = changes or "Reads only"
            button.button_style = "warning" if changes else ""
            button.on_click(self._handler(action))
        for each in self.fields.values():
            each.observe(self._forget, "value")
        parts = [widgets.HTML(f"<b>{escape(title)}</b>"), *self.fields.values()]
        row = widgets.HBox([*self.buttons.values()], layout=widgets.Layout(margin=BUTTONS_MARGIN))
        self.widget = widgets.VBox([*parts, row, self.answer])

    @property
    def typed(self) -> dict[str, Any]:
        """What the fields hold now, by name; texts without space around them."""
        return {name: _stripped(field.value) for name, field in self.fields.items()}

    @property
    def values(self) -> dict[str, Any]:
        """What was typed, as arguments of the step's function; raises ParameterError."""
        typed = self.typed
        told = {n: v for n, v in typed.items() if PARAMETERS[n].kind is not str}
        return self._read(typed | {n: PARAMETERS[n].read(v) for n, v in told.items()})

    def _forget(self, _: Any) -> None:
        self.answer.value = ""

    def _handler(self, action: Callable[..., Shown]) -> Callable[[widgets.Button], None]:
        def handle(button: widgets.Button) -> None:
            button.disabled = True
            self.answer.value = BUSY
            try:
                with clicked():
                    self.answer.value = answer_html(lambda: action(**self.values))
            finally:
                button.disabled = False

        return handle

    def _view(self) -> Bundle:
        return card(self.title, [(name, _text(name, value)) for name, value in self.typed.items()])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        return {**self.widget._repr_mimebundle_(), **self._view()}


def answer_html(action: Callable[[], Shown]) -> str:
    """What a button's function gives, or why it gives nothing, as HTML.

    An error in a callback would vanish in a log, so every error is shown here.
    """
    try:
        view = action()._view()
    except ParameterError as error:
        view = _trouble("Please correct this", str(error))
    except LoyaltyError as error:
        view = _trouble(type(error).__name__, str(error))
    except Exception as error:
        view = _trouble("This should not happen", f"{type(error).__name__}: {error}")
    return str(view["text/html"])


def _trouble(title: str, text: str) -> Bundle:
    return card(title, [], note=mask_text(text), tone="bad")


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _text(name: str, value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str) or not value:
        return value
    if name == "phone_number":
        return mask_phone(value)
    return mask_text(value) if name == "run_id" else mask_reason(value)
