"""Applying a plan: each row once, written down before and after it is sent."""

from loyalty_helpers.runbooks.apply.applying import Work
from loyalty_helpers.runbooks.apply.journal import Journal
from loyalty_helpers.runbooks.apply.journal_file import OWNER, owned_by, told
from loyalty_helpers.runbooks.apply.outcomes import UNREAD, stopped_if_put_off
from loyalty_helpers.runbooks.apply.progress import Progress, Reading, Standing, standing_of
from loyalty_helpers.runbooks.apply.rows import OPEN, RESULTS, STATES, Code, Entry, amiss
from loyalty_helpers.runbooks.apply.running import Applying
from loyalty_helpers.runbooks.apply.signals import handled

__all__ = [
    "OPEN",
    "OWNER",
    "RESULTS",
    "STATES",
    "UNREAD",
    "Applying",
    "Code",
    "Entry",
    "Journal",
    "Progress",
    "Reading",
    "Standing",
    "Work",
    "amiss",
    "handled",
    "owned_by",
    "standing_of",
    "stopped_if_put_off",
    "told",
]
