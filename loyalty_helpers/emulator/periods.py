"""The time periods of a promotion, as VEVENTs of RFC 5545 in local time."""

import re
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LOCAL_TIME: Final = "%Y%m%dT%H%M%S"
_DURATION: Final = re.compile(
    r"P(?:(?P<weeks>\d{1,3})W)?(?:(?P<days>\d{1,3})D)?"
    r"(?:T(?:(?P<hours>\d{1,3})H)?(?:(?P<minutes>\d{1,3})M)?(?:(?P<seconds>\d{1,5})S)?)?",
    flags=re.ASCII,
)


class Period(NamedTuple):
    """A time period in local time: once, or again on some days of the week until some time."""

    start: datetime
    length: timedelta
    days: frozenset[int]
    until: datetime | None

    def covers(self, moment: datetime) -> bool:
        """Tell whether a local time lies in the period or in one of its repetitions."""
        for back in range(self.length.days + 2):
            begin = self.begin_on(moment.date() - timedelta(days=back))
            if begin and begin <= moment < begin + self.length:
                return True
        return False

    def begin_on(self, day: date) -> datetime | None:
        """Return when it begins on a day, if it does."""
        begin = datetime.combine(day, self.start.time())
        repeats = begin.weekday() in self.days and not (self.until and begin > self.until)
        return begin if begin == self.start or (begin > self.start and repeats) else None

    def clashes_with(self, other: "Period") -> bool:
        """Tell whether both begin on some day: what repeats does so within a week, or never."""
        first = max(self.start, other.start).date()
        days = [first + timedelta(days=n) for n in range(7 if self.days or other.days else 1)]
        return any(self.begin_on(day) and other.begin_on(day) for day in days)

    def end(self) -> datetime | None:
        """Return when it is over for good, or None when it repeats for ever."""
        return self.until if self.days else self.start + self.length - timedelta(seconds=1)


def read_period(text: str) -> Period:
    """Read a VEVENT of RFC 5545 with the properties that Square supports, or raise ValueError."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    pairs = dict(line.split(":", 1) for line in lines if ":" in line)
    pairs = {name: value for name, value in pairs.items() if name not in ("BEGIN", "END")}
    if not {"DTSTART", "DURATION"} <= pairs.keys() <= {"DTSTART", "DURATION", "RRULE"}:
        raise ValueError("expected DTSTART, DURATION and at most RRULE")
    start = datetime.strptime(pairs["DTSTART"], _LOCAL_TIME)
    match = _DURATION.fullmatch(pairs["DURATION"])
    parts = match.groupdict(default="0") if match else {}
    length = timedelta(**{name: int(value) for name, value in parts.items()})
    if not length:
        raise ValueError("DURATION must be a duration longer than nothing")
    days, until = _repetition(pairs["RRULE"], start) if "RRULE" in pairs else (frozenset(), None)
    return Period(start, length, days, until)


def wrapped(text: str) -> str:
    """Return a period as Square answers it: inside BEGIN and END, one property a line."""
    inner = [
        line.strip()
        for line in text.split("\n")
        if line.strip() and line.strip() not in ("BEGIN:VEVENT", "END:VEVENT")
    ]
    return "\n".join(["BEGIN:VEVENT", *inner, "END:VEVENT"])


def available(periods: list[str]) -> dict[str, Any]:
    """Return the available time as Square answers it: its dates follow from its periods.

    Raises ValueError for periods that are none, and for two on one day.
    """
    read = [read_period(each) for each in periods]
    for i, period in enumerate(read):
        if any(period.clashes_with(other) for other in read[:i]):
            raise ValueError(f"{periods[i]!r} is on a day that has a time period already")
    ends = [period.end() for period in read]
    last = max((end for end in ends if end), default=None) if None not in ends else None
    return {
        "start_date": min(period.start for period in read).date().isoformat(),
        **({"end_date": last.date().isoformat()} if last else {}),
        "time_periods": [wrapped(each) for each in periods],
    }


def _repetition(rule: str, start: datetime) -> tuple[frozenset[int], datetime | None]:
    parts = dict(part.split("=", 1) for part in rule.split(";") if "=" in part)
    if parts.get("FREQ") not in ("DAILY", "WEEKLY") or parts.keys() - {"FREQ", "BYDAY", "UNTIL"}:
        raise ValueError("RRULE must be FREQ=DAILY or FREQ=WEEKLY with at most BYDAY and UNTIL")
    every = _DAYS if parts["FREQ"] == "DAILY" else (_DAYS[start.weekday()],)
    names = parts["BYDAY"].split(",") if "BYDAY" in parts else every
    until = parts.get("UNTIL", "").rstrip("Z")
    if until and "T" not in until:
        until += "T235959"
    end = datetime.strptime(until, _LOCAL_TIME) if until else None
    return frozenset(_DAYS.index(name) for name in names), end
