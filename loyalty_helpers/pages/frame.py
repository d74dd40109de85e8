"""What surrounds each page: its client, and words in place of a page that cannot be opened."""

from collections.abc import Callable
from typing import Any

from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.errors import LoyaltyError
from loyalty_helpers.records import Bundle, Shown, card
from loyalty_helpers.redaction import mask_text
from loyalty_helpers.session import connect


class Closed(Shown):
    """A page that cannot be opened, and why. Voila would show nothing but that a cell failed."""

    def __init__(self, why: str) -> None:
        self.why = mask_text(why)

    def _view(self) -> Bundle:
        return card("This page cannot be opened", [], note=self.why, tone="bad")


def framed(notebook: str, make: Callable[[LoyaltyClient], Any]) -> Any:
    """What the notebook of a page shows: what `make` gives for a client, or why there is none."""
    try:
        return make(connect(notebook=notebook))
    except LoyaltyError as error:
        return Closed(str(error))
