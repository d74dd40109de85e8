"""What came of one try: what it means for its request, and for the next try."""

import ssl

from loyalty_helpers.api.exchange import Exchange
from loyalty_helpers.errors import (
    InsecureConnectionError,
    LoyaltyError,
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


def error_of(answer: Answer, asked: Exchange) -> LoyaltyError:
    """The error for an answer that is not a success."""
    request, status = asked.request, answer.status
    if status < 400:
        what = f"and the answer is not what Square documents: {_describe(answer)}"
        return UnexpectedAnswerError(
            f"{request} -> {status}, {what}", request=request, status=status
        )
    errors = (answer.value or {}).get("errors")
    listed = errors if isinstance(errors, list) else []
    found = [mask_body(e) for e in listed if isinstance(e, dict)]
    error = square_error(status, found, request=request, emulated=asked.url.startswith("http:"))
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


def not_sent(error: BaseException, asked: Exchange) -> NotSentError:
    """No connection came about, so the request never left."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    why = f"the connection was not secure: {cause}" if cause else str(error)
    text = (
        f"{asked.request}: no connection to {asked.url} ({plain(why)}). This request was not sent, "
        "so it changed nothing. Check the network, then run it again with the same run id."
    )
    kind = InsecureConnectionError if cause else NotSentError
    return kind(text, request=asked.request, attempts=asked.attempts)


def unknown(why: str, asked: Exchange) -> OutcomeUnknownError:
    """The request was sent, and nobody knows what came of it."""
    return OutcomeUnknownError(
        f"{asked.request}{why}. If it changes something, it may have done so. Run it again with "
        "the same run id: the same key takes effect once, and the events of the account show what "
        "happened.",
        request=asked.request,
        attempts=asked.attempts,
    )


def never_failed(error: LoyaltyError, asked: Exchange) -> OutcomeUnknownError:
    """The error for a write that may have been carried out, whatever its last try says."""
    if isinstance(error, OutcomeUnknownError):
        return error
    raised = unknown(f": no answer to trust, the last was: {error}", asked)
    raised.__cause__ = error
    return raised
