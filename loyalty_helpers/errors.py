"""Every error a caller can meet, as one tree.

LoyaltyError
+-- ParameterError            a value given by the caller is not allowed (also a ValueError)
|   +-- RunIdTakenError       the run id stands for another intent
+-- SettingsError             the environment or the settings do not allow it
|   +-- MissingTokenError     sandbox or production without a token
|   +-- ProductionGuardError  production, and not every guard agrees
+-- LookupFailedError         find_account did not find exactly one account
|   +-- AccountNotFoundError
|   +-- SeveralAccountsError
+-- RecordingError            a recording cannot be read or written
|   +-- NoRecordingError      no recorded answer fits the request
+-- EmulatorError             the emulator's file cannot be used
+-- NoAnswerError             Square did not answer
|   +-- NotSentError          the request never left
|   |   +-- InsecureConnectionError  the certificate was refused
|   |   +-- HeldBackError     the run stopped before it was sent
|   +-- OutcomeUnknownError   it may have been carried out: ask again with the same key
+-- UnexpectedAnswerError     an answer that is not what Square documents
|   +-- AnotherEventError     a success, but of another account or of other points
+-- PlanError                 a plan cannot be made, or is not the one that was approved
+-- JournalError              the journal of a run cannot be used
|   +-- JournalBusyError      another process is at work with it
+-- RunStoppedError           a run stopped before its end, and can be resumed
+-- SquareError               Square answered with an error
    +-- AuthenticationError       401, 403
    +-- NotFoundError             404
    +-- RateLimitedError          429
    +-- IdempotencyKeyReusedError 400, the key was used with another request
    +-- InvalidRequestError       any other 4xx
    +-- SquareUnavailableError    408, 5xx
"""

from collections.abc import Mapping, Sequence
from typing import Any

from loyalty_helpers.plain import plain


class LoyaltyError(Exception):
    """The root: catch this to catch everything that this package raises on purpose."""


class ParameterError(LoyaltyError, ValueError):
    """A value given by the caller is not allowed; the text names it and what is allowed.

    Attributes:
        allowed: what is allowed, for a place that names the value itself; or empty.
    """

    def __init__(self, text: str, allowed: str = "") -> None:
        super().__init__(text)
        self.allowed = allowed


class RunIdTakenError(ParameterError):
    """The run id stands for another intent; nothing was changed."""


class SettingsError(LoyaltyError):
    """The settings (environment variables, `.env`, arguments of connect) do not fit together."""


class MissingTokenError(SettingsError):
    """`sandbox` or `production` was asked for, and SQUARE_ACCESS_TOKEN is not set."""


class ProductionGuardError(SettingsError):
    """`production` was asked for, and not every guard agrees."""


class LookupFailedError(LoyaltyError):
    """The search for one account did not give exactly one."""


class AccountNotFoundError(LookupFailedError):
    """No loyalty account fits."""


class SeveralAccountsError(LookupFailedError):
    """More than one loyalty account fits; `account_ids` holds them.

    Attributes:
        account_ids: the ids of the accounts that fit, in Square's order.
    """

    def __init__(self, message: str, account_ids: Sequence[str]) -> None:
        super().__init__(message)
        self.account_ids = tuple(account_ids)


class RecordingError(LoyaltyError):
    """A recording is missing, corrupt, or of another format version."""


class NoRecordingError(RecordingError):
    """No recorded exchange fits the request; the text shows the nearest one."""


class EmulatorError(LoyaltyError):
    """The emulator's file cannot be used."""


class NoAnswerError(LoyaltyError):
    """Square did not answer.

    Attributes:
        request: method and path of the request.
        attempts: how many times it was tried.
    """

    def __init__(self, message: str, *, request: str, attempts: int) -> None:
        super().__init__(message)
        self.request = request
        self.attempts = attempts


class NotSentError(NoAnswerError):
    """No connection was made, so the request was not carried out."""


class InsecureConnectionError(NotSentError):
    """The certificate was refused, so nothing was sent; there is no switch to turn that off."""


class HeldBackError(NotSentError):
    """The request was waiting for its turn when its run stopped."""


class OutcomeUnknownError(NoAnswerError):
    """The request was sent and its outcome is not known; the same key makes asking again safe."""


class UnexpectedAnswerError(LoyaltyError):
    """Square (or something in front of it) gave an answer that is not the documented one.

    Attributes:
        request: method and path of the request.
        status: the HTTP status of the answer.
    """

    def __init__(self, message: str, *, request: str, status: int) -> None:
        super().__init__(message)
        self.request = request
        self.status = status


class AnotherEventError(UnexpectedAnswerError):
    """An adjustment was answered with the event of another account, or of other points."""


class PlanError(LoyaltyError):
    """A plan cannot be made, or is not the one that was approved; the text lists every problem.

    Attributes:
        problems: those of a file's rows, all of them, in its order; empty for another reason.
    """

    def __init__(self, text: str, problems: Sequence[Any] = ()) -> None:
        super().__init__(text)
        self.problems = tuple(problems)


class JournalError(LoyaltyError):
    """The journal of a run is in use, damaged, or of another plan."""


class JournalBusyError(JournalError):
    """Another process is at work with the run."""


class RunStoppedError(LoyaltyError):
    """A run stopped before its end: nothing is lost, and the same command resumes it.

    Attributes:
        reason: why, without what the rows have come to so far.
    """

    def __init__(self, text: str, reason: str = "") -> None:
        super().__init__(text)
        self.reason = reason or text


class SquareError(LoyaltyError):
    """Square answered with an error. Branch on `status` and `code`, never on `detail`.

    Attributes:
        status: the HTTP status.
        category: Square's category, for example `INVALID_REQUEST_ERROR`.
        code: Square's code, for example `NOT_FOUND`.
        detail: Square's text for developers; it may change at any time.
        field: the field of the request that is meant, or an empty string.
        request: method and path of the request.
        errors: all errors of the answer as Square sent them; the first is the one above, made
            plain: one line of printable text each.
        retry_after: seconds that Square asks to wait, or None.
    """

    retry_after: float | None = None

    def __init__(
        self, status: int, errors: Sequence[Mapping[str, Any]], *, request: str, hint: str = ""
    ) -> None:
        first = errors[0] if errors else {}
        self.status = status
        self.category = plain(first.get("category") or "")
        self.code = plain(first.get("code") or "")
        self.detail = plain(first.get("detail") or "")
        self.field = plain(first.get("field") or "")
        self.request = request
        self.errors = tuple(errors)
        super().__init__("\n".join(filter(None, [self._first_line(), *self._others(), hint])))

    def _first_line(self) -> str:
        where = f", field {self.field}" if self.field else ""
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.request} -> {self.status} {self.code or 'without a code'}{where}{detail}"

    def _others(self) -> list[str]:
        others = [f"also {e.get('code')} {e.get('field') or ''}" for e in self.errors[1:]]
        return [plain(other.rstrip()) for other in others]

    def add_hint(self, hint: str) -> None:
        """Say more of what to do."""
        self.args = (f"{self}\n{hint}",)


class AuthenticationError(SquareError):
    """401 or 403: the token is unknown, expired, revoked, or lacks a permission."""


class NotFoundError(SquareError):
    """404: there is no such thing."""


class RateLimitedError(SquareError):
    """429: too many requests; they were refused, not carried out."""


class IdempotencyKeyReusedError(SquareError):
    """The idempotency key was used before with another request; nothing was changed now."""


class InvalidRequestError(SquareError):
    """Another 4xx: the request is refused as it is, and asking again does not help."""


class SquareUnavailableError(SquareError):
    """408 or 5xx after every retry."""


# Raised before anything is changed: who asked has to ask otherwise.
REFUSALS = (
    ParameterError,
    SettingsError,
    EmulatorError,
    RecordingError,
    PlanError,
    JournalError,
)


def is_refusal(name: str) -> bool:
    """Whether the error of this name, as a kernel tells it, is one that refuses."""
    kind = globals().get(name)
    return isinstance(kind, type) and issubclass(kind, REFUSALS)
