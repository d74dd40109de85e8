"""Forms to click through: each holds values, and shows the answer of a plain function.

A form is filled from a notebook's parameters. In JupyterLab a person types and presses a button;
headless, the parameters stay what the form holds. The next cell reads `form.values` either way,
so no work ever hangs on a click.
"""

from loyalty_helpers.forms.adjust import AdjustForm, adjust_form
from loyalty_helpers.forms.base import Form
from loyalty_helpers.forms.buyer import BuyerForm, buyer_form
from loyalty_helpers.forms.events import EventsForm, events_form
from loyalty_helpers.forms.purchase import PurchaseForm, purchase_form

__all__ = [
    "AdjustForm",
    "BuyerForm",
    "EventsForm",
    "Form",
    "PurchaseForm",
    "adjust_form",
    "buyer_form",
    "events_form",
    "purchase_form",
]
