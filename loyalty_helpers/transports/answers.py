"""One answer, read within its limits, and when to come back if it says so."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from loyalty_helpers.plain import plain
from loyalty_helpers.transports.http import httpx

LARGEST_ANSWER = 16 * 1024 * 1024  # bytes; a page of 200 accounts has about 100 kB
DEEPEST = 64  # levels of JSON; what Square documents has fewer than 10
LONG_WAIT = 60.0  # seconds of Retry-After from which on the time of day is told


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
