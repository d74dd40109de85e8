"""What an intent is: the keys that name it, and how two adjustments are told to be the same."""

import hashlib
import re
import unicodedata

from loyalty_helpers.errors import ParameterError
from loyalty_helpers.redaction import mask_repr, mask_text

RUN_ID_PATTERN = r"[a-z0-9][a-z0-9._-]{0,63}"
MARKER = re.compile(r"\[lr1:([a-z2-7]{16})\]")  # what a runbook adds to a reason


def check_run_id(run_id: str) -> str:
    """Return `run_id`, or raise ParameterError: it also names a folder, so it is kept plain."""
    if not isinstance(run_id, str) or not re.fullmatch(RUN_ID_PATTERN, run_id):
        raise ParameterError(
            f"run_id {mask_repr(run_id)} is not allowed: 1 to 64 of a-z, 0-9, '.', '_' and '-', "
            "beginning with a letter or digit, for example '2026-11-late-orders'"
        )
    if mask_text(run_id) != run_id:
        raise ParameterError(
            f"run_id {mask_repr(run_id)} is not allowed: it names folders and is in every receipt, "
            "so it holds neither a token nor a phone number"
        )
    return run_id


def adjustment_key(run_id: str, account_id: str) -> str:
    """The idempotency key of one adjustment: 44 characters of the 128 that Square allows.

    It is made of the intent (run and account) and never of the body: points or a reason edited
    under the same run id meet Square's IDEMPOTENCY_KEY_REUSED instead of crediting twice. A key
    derived from the body, or a random one, would credit again.

    Args:
        run_id: the name of the intent, for example `2026-11-late-orders`.
        account_id: the loyalty account's id.

    Raises:
        ParameterError: the run id is not allowed.
    """
    return _key("adjust", check_run_id(run_id), account_id)


def purchase_key(run_id: str, account_id: str, step: str) -> str:
    """The idempotency key of one step of a purchase: 44 characters of the 45 that Payments allows.

    Args:
        run_id: the name of the intent.
        account_id: the loyalty account's id.
        step: what the step is, for example `first order`.

    Raises:
        ParameterError: the run id is not allowed.
    """
    return _key("purchase", check_run_id(run_id), account_id, step)


def same_words(reason: str) -> str:
    """A reason as it counts when two adjustments are compared: the one place that decides.

    The mark of a runbook, spaces, the case of letters, and how accents are encoded say nothing
    about what was meant. Two adjustments are the same when account, points and these words are.
    """
    text = unicodedata.normalize("NFC", MARKER.sub("", reason))
    return " ".join(text.split()).casefold()


def _key(*intent: str) -> str:
    return "ln1-" + hashlib.sha256("|".join(intent).encode()).hexdigest()[:40]
