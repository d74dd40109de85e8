"""Forms to click through: each holds values, and shows the answer of a plain function.

A form is filled from a notebook's parameters. In JupyterLab a person types and presses a button;
headless, the parameters stay what the form holds. The next cell reads `form.values` either way,
so no work ever hangs on a click.
"""

from loyalty_helpers.forms.base import Form
from loyalty_helpers.forms.parts import Act, Field, banner
from loyalty_helpers.forms.walkthroughs import adjust_form, buyer_form, events_form, purchase_form

__all__ = [
    "Act",
    "Field",
    "Form",
    "adjust_form",
    "banner",
    "buyer_form",
    "events_form",
    "purchase_form",
]
