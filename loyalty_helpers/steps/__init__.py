"""What the walkthroughs do, as plain functions: adjust, accumulate, look at a history."""

from loyalty_helpers.steps.adjustments import Preview, adjust, preview, verify
from loyalty_helpers.steps.charts import Chart, bar_chart, before_after_chart
from loyalty_helpers.steps.intents import INTENT, REFUSED, check_no_walkthrough
from loyalty_helpers.steps.purchase_plan import read_lines
from loyalty_helpers.steps.verification import Verification

__all__ = [
    "INTENT",
    "REFUSED",
    "Chart",
    "Preview",
    "Verification",
    "adjust",
    "bar_chart",
    "before_after_chart",
    "check_no_walkthrough",
    "preview",
    "read_lines",
    "verify",
]
