"""What all forms share: fields, buttons, and a place where an answer is shown."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import ipywidgets as widgets

from loyalty_helpers.errors import LoyaltyError, ParameterError
from loyalty_helpers.records import Bundle, Shown, card
from loyalty_helpers.redaction import mask_phone, mask_reason, mask_text

DESCRIPTION_WIDTH = "10em"
FIELD_WIDTH = "42em"
# Buttons stand below the fields, and not below their names.
BUTTONS_MARGIN = "4px 0 8px calc(10em + 8px)"
BUSY = "<div>Asking ...</div>"


def text_field(name: str, value: str, placeholder: str = "") -> widgets.Text:
    """One line of text; while it is empty, the placeholder says what belongs there."""
    return widgets.Text(value=value, placeholder=placeholder, **_look(name))


def long_text_field(name: str, value: str, placeholder: str = "") -> widgets.Textarea:
    """Several lines of text."""
    return widgets.Textarea(value=value, placeholder=placeholder, rows=2, **_look(name))


def checkbox(name: str, value: bool) -> widgets.Checkbox:
    """Yes or no."""
    return widgets.Checkbox(value=value, indent=True, **_look(name))


def _look(name: str) -> dict[str, Any]:
    return {
        "description": name,
        "style": {"description_width": DESCRIPTION_WIDTH},
        "layout": widgets.Layout(width=FIELD_WIDTH),
    }


class Form(Shown):
    """Fields above buttons above an answer. An answer goes when the values that it is for change.

    Shown without a kernel, on a code host or in a report, it is a table of its values.

    Args:
        title: what the form is for.
        fields: a widget for each value, by name.
        actions: for each button its text and the function that it calls; what the function
            returns is shown, and a LoyaltyError that it raises is shown as well.
    """

    def __init__(
        self,
        title: str,
        fields: Mapping[str, Any],
        actions: Mapping[str, Callable[[], Shown]],
    ) -> None:
        self.title = title
        self.fields = dict(fields)
        self.answer = widgets.HTML()
        self.buttons = {text: widgets.Button(description=text) for text in actions}
        for text, action in actions.items():
            self.buttons[text].on_click(self._handler(self.buttons[text], action))
        for field in self.fields.values():
            field.observe(self._forget, "value")
        parts = [widgets.HTML(f"<b>{escape(title)}</b>"), *self.fields.values()]
        row = widgets.HBox([*self.buttons.values()], layout=widgets.Layout(margin=BUTTONS_MARGIN))
        self.widget = widgets.VBox([*parts, row, self.answer])

    @property
    def typed(self) -> dict[str, Any]:
        """What the fields hold now, by name; texts without space around them."""
        return {name: _stripped(field.value) for name, field in self.fields.items()}

    @property
    def values(self) -> dict[str, Any]:
        """What was typed, as arguments of the step's function."""
        return self.typed

    def _forget(self, _: Any) -> None:
        self.answer.value = ""

    def _handler(
        self, button: widgets.Button, action: Callable[[], Shown]
    ) -> Callable[[widgets.Button], None]:
        def handle(_: widgets.Button) -> None:
            button.disabled = True
            self.answer.value = BUSY
            try:
                self.answer.value = answer_html(action)
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
