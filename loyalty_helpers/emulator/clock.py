"""Where time and ids come from: injected, so that the same run gives the same answers."""

import random
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid3

_EVENT_NAMESPACE = UUID("5b9e2f4c-6d3a-4f0e-9a58-1c7d0b2e8f63")
_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", flags=re.ASCII
)


def utc_now() -> datetime:
    """Return the machine's time, aware, in UTC."""
    return datetime.now(UTC)


class SettableClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now: datetime) -> None:
        self.set(now)

    def __call__(self) -> datetime:
        """Return the time it was told."""
        return self._now

    def set(self, now: datetime) -> None:
        """Make it `now`, an aware datetime; going back is allowed."""
        if now.tzinfo is None:
            raise ValueError(f"{now!r} has no time zone: give an aware datetime")
        self._now = now.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Move the clock by `by`."""
        self._now += by


class SeededIds:
    """Ids that are the same on every run with the same seed; without one, nobody foresees them."""

    def __init__(self, seed: int | None = None) -> None:
        self._random: random.Random = random.SystemRandom()
        if seed is not None:
            self._random = random.Random(seed)  # noqa: S311 - the same ids again are wanted

    def uuid(self) -> str:
        """Return the next UUID of version 4."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def code(self) -> str:
        """Return the next code of 26 capital letters and digits."""
        return "".join(self._random.choices(_CODE_LETTERS, k=26))


def event_id(endpoint: str, key: str) -> str:
    """Return the id of the event that `key` makes at `endpoint`.

    Square's event ids are version-3 UUIDs, that is made from a name: the same key, the same id.
    """
    return str(uuid3(_EVENT_NAMESPACE, f"{endpoint}\n{key}"))


def rfc3339(moment: datetime) -> str:
    """Write an aware datetime as Loyalty does: UTC, whole seconds, `Z`."""
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def rfc3339_ms(moment: datetime) -> str:
    """Write an aware datetime as Orders, Payments and Customers do: UTC, milliseconds, `Z`."""
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds") + "Z"


def parse_rfc3339(text: str) -> datetime:
    """Read an RFC 3339 time with any offset; raise ValueError when there is no such time."""
    if not _RFC3339.fullmatch(text):
        raise ValueError(f"{text!r} is not an RFC 3339 time")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is outside the years 1 to 9999 in UTC") from error
