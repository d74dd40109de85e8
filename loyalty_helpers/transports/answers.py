"""What came of one attempt: what an answer means for its request, and for the next try."""

import json
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from loyalty_helpers.errors import (
    InsecureConnectionError,
    LoyaltyError,
    NoAnswerError,
    NotSentError,
    OutcomeUnknownError,
    UnexpectedAnswerError,
    square_error,
)
from loyalty_helpers.plain import plain
from loyalty_helpers.redaction import mask_body
from loyalty_helpers.transports.http import httpx

LARGEST_ANSWER = 16 * 1024 * 1024  # bytes; a page of 200 accounts has about 100 kB
DEEPEST = 64  # levels of JSON; what Square documents has fewer than 10
SHOWN_FIELDS = 10
LONG_WAIT = 60.0  # seconds of Retry-After from which on the time of day is told
# 409 may be the first try still at work, 425 asks to come again: with the key, both are safe.
ASK_AGAIN = frozenset({408, 409, 425, 429})  # and every 5xx
# Refused before any work: with these the request was certainly not carried out.
REFUSED_UNDONE = frozenset({429})


@dataclass(frozen=True)
class Answer:
    """What was answered to one attempt.

    Attributes:
        status: the HTTP status.
        value: the JSON object, or None if there is no proper one.
        wrong: why there is none, or an empty text.
        retry_after: seconds that Square asks to wait.
    """

    status: int
    value: dict[str, Any] | None
    wrong: str
    retry_after: float | None

    @property
    def is_success(self) -> bool:
        """Whether it is what a success looks like; what is in it is for others to judge."""
        return self.status == 200 and self.value is not None and "errors" not in self.value


@dataclass(frozen=True)
class Failure:
    """One try that failed: whether to try again, and whether it may have been carried out."""

    error: LoyaltyError
    again: bool
    perhaps_done: bool
    retry_after: float | None = None


def read_answer(response: httpx.Response) -> Answer:
    """Read an answer: nothing is decoded that is encoded, too large, or nested too deep."""
    value, wrong = None, ""
    encoding = response.headers.get("Content-Encoding", "").strip()
    received = bytearray()
    if encoding.lower() not in ("", "identity"):
        wrong = f"it is encoded ({plain(encoding)[:20]}), and was asked for as it is"
    else:
        for piece in response.iter_bytes():  # as they come, since there is no encoding
            received += piece
            if len(received) > LARGEST_ANSWER:
                wrong = f"too large: more than {LARGEST_ANSWER} bytes"
                break
    if not wrong:
        value, wrong = _json_object(bytes(received))
    retry_after = parse_retry_after(response.headers.get("Retry-After"))
    return Answer(response.status_code, value, wrong, retry_after)


def _json_object(content: bytes) -> tuple[dict[str, Any] | None, str]:
    try:
        value = json.loads(content)
    except ValueError:
        return None, "no JSON object"
    except RecursionError:
        return None, f"no JSON object of at most {DEEPEST} levels"
    if not isinstance(value, dict):
        return None, "no JSON object"
    if is_deep(value):
        return None, f"no JSON object of at most {DEEPEST} levels"
    return value, ""


def is_deep(value: Any) -> bool:
    """Whether a JSON value has more levels than can be walked through safely."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            item
            for parent in level
            if isinstance(parent, dict | list)
            for item in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return False
    return True


def parse_retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds from now, from seconds or an HTTP date; never negative; None if unreadable."""
    if value is None:
        return None
    try:
        return max(0.0, float(int(value)))
    except (ValueError, OverflowError):
        pass  # no number of seconds: it should be a date
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


def come_back(seconds: float, now: datetime | None = None) -> str:
    """When to come back, for people: by their own clock, and in UTC."""
    try:
        moment = (now or datetime.now(UTC)) + timedelta(seconds=seconds)
        here = f"{moment.astimezone():%A %d %B %Y at %H:%M}"
    except (OverflowError, ValueError, OSError):
        return "Square asks to wait for longer than a calendar holds"
    return f"Square asks to come back on {here} local time ({moment.astimezone(UTC):%H:%M} UTC)"


def failure(answer: Answer, request: str, *, emulated: bool) -> Failure:
    """What an answer that is not a success means for the request and for the next try."""
    status = answer.status
    if status >= 400:
        errors = (answer.value or {}).get("errors")
        listed = errors if isinstance(errors, list) else []
        found = [mask_body(e) for e in listed if isinstance(e, dict)]
        again = status >= 500 or status in ASK_AGAIN
        error = square_error(status, found, request=request, emulated=emulated)
        error.retry_after = answer.retry_after
        if again and (answer.retry_after or 0) >= LONG_WAIT:
            error.add_hint(f"{come_back(answer.retry_after or 0)}.")
        perhaps_done = again and status not in REFUSED_UNDONE
        return Failure(error, again, perhaps_done, answer.retry_after)
    redirect = 300 <= status < 400
    unexpected = UnexpectedAnswerError(
        f"{request} -> {status}, and the answer is not what Square documents: {_describe(answer)}",
        request=request,
        status=status,
    )
    return Failure(unexpected, again=not redirect, perhaps_done=not redirect)


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


def not_sent(error: Exception, request: str, url: str) -> Failure:
    """No connection came about, so the request never left."""
    insecure = _certificate_error(error)
    why = f"the connection was not secure: {insecure}" if insecure else str(error)
    text = (
        f"{request}: no connection to {url} ({plain(why)}). Nothing was sent, so nothing was "
        "changed. Check the network, then run it again with the same run id."
    )
    kind = InsecureConnectionError if insecure else NotSentError
    return Failure(kind(text, request=request, attempts=1), again=not insecure, perhaps_done=False)


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
