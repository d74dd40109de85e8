"""What came of one try: what it means for its request, and for the next try."""

import ssl

from loyalty_helpers.errors import (
    InsecureConnectionError,
    LoyaltyError,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
    SquareError,
    UnexpectedAnswerError,
    square_error,
)
from loyalty_helpers.plain import plain
from loyalty_helpers.redaction import mask_body
from loyalty_helpers.transports import LONG_WAIT, Answer, come_back

SHOWN_FIELDS = 10
# 409 may be the first try still at work, 425 asks to come again: with the key, both are safe.
ASK_AGAIN = frozenset({408, 409, 425, 429})  # and every 5xx
# Refused before any work: with these the request was certainly not carried out.
REFUSED_UNDONE = frozenset({429})


def is_passing(error: LoyaltyError) -> bool:
    """Whether the same request, sent again, may be answered otherwise."""
    if isinstance(error, SquareError):
        return error.status >= 500 or error.status in ASK_AGAIN
    if isinstance(error, UnexpectedAnswerError):
        return not 300 <= error.status < 400
    return not isinstance(error, InsecureConnectionError)


def is_perhaps_done(error: LoyaltyError) -> bool:
    """Whether the request may have been carried out."""
    undone = isinstance(error, SquareError) and error.status in REFUSED_UNDONE
    return is_passing(error) and not undone and not isinstance(error, NotSentError)


def error_of(answer: Answer, request: str, *, emulated: bool) -> LoyaltyError:
    """The error for an answer that is not a success."""
    status = answer.status
    if status < 400:
        return UnexpectedAnswerError(
            f"{request} -> {status}, and the answer is not what Square documents: "
            f"{_describe(answer)}",
            request=request,
            status=status,
        )
    errors = (answer.value or {}).get("errors")
    listed = errors if isinstance(errors, list) else []
    found = [mask_body(e) for e in listed if isinstance(e, dict)]
    error = square_error(status, found, request=request, emulated=emulated)
    error.retry_after = answer.retry_after
    if is_passing(error) and (answer.retry_after or 0) >= LONG_WAIT:
        error.add_hint(f"{come_back(answer.retry_after or 0)}.")
    return error


def _describe(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        return "a redirect, which is never followed, so that body and token stay here"
    if answer.value is None:
        return answer.wrong
    names = sorted(answer.value)
    more = ["..."] if len(names) > SHOWN_FIELDS else []
    shown = [plain(name)[:60] for name in names[:SHOWN_FIELDS]] + more
    return f"the fields {', '.join(shown) or 'none'}"


def _certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """The refused certificate behind a connection error, if that is what it was."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return cause


def not_sent(error: Exception, request: str, url: str) -> NotSentError:
    """No connection came about, so the request never left."""
    insecure = _certificate_error(error)
    why = f"the connection was not secure: {insecure}" if insecure else str(error)
    text = (
        f"{request}: no connection to {url} ({plain(why)}). Nothing was sent, so nothing was "
        "changed. Check the network, then run it again with the same run id."
    )
    kind = InsecureConnectionError if insecure else NotSentError
    return kind(text, request=request, attempts=1)


def unknown(why: str, request: str) -> OutcomeUnknownError:
    """The request was sent, and nobody knows what came of it."""
    return OutcomeUnknownError(
        f"{why}. If it changes something, it may have done so. Run it again with the same run "
        "id: the same key takes effect once, and the events of the account show what happened.",
        request=request,
        attempts=1,
    )


def verdict(error: LoyaltyError, perhaps_done: bool, request: str, attempts: int) -> LoyaltyError:
    """The error to raise: a write that may have been carried out is never called failed."""
    raised = error
    if perhaps_done and not isinstance(error, OutcomeUnknownError):
        raised = unknown(f"{request}: no answer to trust, the last was: {error}", request)
        raised.__cause__ = error
    if isinstance(raised, NoAnswerError):
        raised.attempts = attempts
    return raised
