"""What came of one try: what it means for its request, and for the next try."""

import ssl
from collections.abc import Mapping, Sequence
from typing import Any

from loyalty_helpers.api.exchange import Exchange
from loyalty_helpers.errors import (
    AuthenticationError,
    IdempotencyKeyReusedError,
    InsecureConnectionError,
    InvalidRequestError,
    LoyaltyError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    SquareError,
    SquareUnavailableError,
    UnexpectedAnswerError,
)
from loyalty_helpers.plain import plain
from loyalty_helpers.redaction import mask_body
from loyalty_helpers.transports import LONG_WAIT, Answer, come_back

SHOWN_FIELDS = 10
# 409 may be the first try still at work, 425 asks to come again: with the key, both are safe.
ASK_AGAIN = frozenset({408, 409, 425, 429})  # and every 5xx
# Refused before any work: with these the request was certainly not carried out.
REFUSED_UNDONE = frozenset({429})
_OF_THE_EMULATOR = (
    "Check that LOYALTY_EMULATOR_TOKEN is the token that the emulator was started with "
    "(`loyalty emulator serve --token`; without it, local-token)."
)
# Of the request alone: one that reads can fail after the write that a person asked for.
_HINTS: dict[type[SquareError], str] = {
    AuthenticationError: (
        "Check that SQUARE_ACCESS_TOKEN belongs to this environment (a Sandbox token is refused "
        "by production, and the other way round) and has LOYALTY_READ and LOYALTY_WRITE."
    ),
    NotFoundError: "Check the id and the environment: an id of one is unknown to the others.",
    RateLimitedError: "This request was refused. Wait, then ask again with the same run id.",
    IdempotencyKeyReusedError: (
        "The same run id was used before with other values. Nothing was changed now: repeat it "
        "with the same values, or take a new run id for a new intent."
    ),
    InvalidRequestError: "This request changed nothing. Correct what is named above; ask again.",
    SquareUnavailableError: "Square is not able to answer now. Ask again with the same run id.",
}


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


def square_error(
    status: int, errors: Sequence[Mapping[str, Any]], *, request: str, emulated: bool = False
) -> SquareError:
    """The error of the tree for an answer: by code where it matters, else by status.

    Args:
        status: the HTTP status.
        errors: of the answer.
        request: method and path.
        emulated: whether the emulator answered, which has a token of its own.
    """
    kind = _kind(status, str(errors[0].get("code")) if errors else "")
    hint = _OF_THE_EMULATOR if emulated and kind is AuthenticationError else _HINTS.get(kind, "")
    return kind(status, errors, request=request, hint=hint)


def _kind(status: int, code: str) -> type[SquareError]:
    if code == "IDEMPOTENCY_KEY_REUSED":
        return IdempotencyKeyReusedError
    by_status: dict[int, type[SquareError]] = {
        401: AuthenticationError,
        403: AuthenticationError,
        404: NotFoundError,
        408: SquareUnavailableError,
        429: RateLimitedError,
    }
    return by_status.get(status, SquareUnavailableError if status >= 500 else InvalidRequestError)
