"""The limits of a run, with their defaults, and the time it goes by."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from loyalty_helpers.api import LoyaltyClient, whole_number, yes_or_no
from loyalty_helpers.errors import ParameterError


@dataclass(frozen=True)
class Limits:
    """How a plan is applied. Times are in seconds.

    Attributes:
        in_flight: requests at the same time.
        requests_per_second: never more than these; 0 finds the service's own limit.
        canary: rows that are applied and looked up before all others.
        max_errors: rows without success at which the run stops: a number, or `2%` of the rows.
        tries: sends of one row before it is left to the ledger.
        retry_wait: before the second try; it doubles, and a random half is taken off.
        retry_cap: the longest such wait.
        retries: tries beyond the first that a run may have in a row; each row that is applied
            gives half a try back.
        settle: how long an event may take to be found. A row whose answer was lost is looked
            for only when this much time has passed since anything was sent.
        resend_limit: how old a first try may be for its key to be trusted.
        resend_unknown: a person has looked: rows for REVIEW that the ledger does not hold are
            sent once more, with the same key.
    """

    in_flight: int = 16
    requests_per_second: float = 0.0
    canary: int = 5
    max_errors: str = "1%"
    tries: int = 5
    retry_wait: float = 1.0
    retry_cap: float = 60.0
    retries: int = 100
    settle: float = 60.0
    resend_limit: float = 900.0
    resend_unknown: bool = False

    def __post_init__(self) -> None:
        """A notebook may be given texts, and the text `false` would be true."""
        for name in ("in_flight", "canary"):
            object.__setattr__(self, name, whole_number(getattr(self, name), name))
        again = yes_or_no(self.resend_unknown, "resend_unknown")
        object.__setattr__(self, "resend_unknown", again)


def errors_allowed(text: str, rows: int = 0) -> int:
    """`3` as it is, `2%` of the rows rounded down; raises ParameterError for anything else."""
    if not re.fullmatch(r"[0-9]{1,9}|[0-9]{1,3}(\.[0-9]{1,3})?%", text):
        raise ParameterError(f"max_errors {text!r} is neither a number nor a share such as '2%'")
    if not text.endswith("%"):
        return int(text)
    return int(Fraction(text.removesuffix("%")) * rows / 100)


@dataclass(frozen=True)
class Time:
    """What a run goes by; tests put their own in.

    Attributes:
        now, monotonic, sleep: the clocks, and how to wait.
        is_over: whether a person has asked to stop; in the main thread Ctrl-C does.
    """

    now: Callable[[], float] = field(default=time.time)
    monotonic: Callable[[], float] = field(default=time.monotonic)
    sleep: Callable[[float], None] = field(default=time.sleep)
    is_over: Callable[[], bool] = field(default=lambda: False)

    @classmethod
    def until(cls, stop: threading.Event) -> "Time":
        """The usual time; no wait outlasts the event, and nothing is sent once it is set."""

        def sleep(seconds: float) -> None:
            stop.wait(seconds)

        return cls(sleep=sleep, is_over=stop.is_set)


def settle_time(client: LoyaltyClient) -> float:
    """Seconds after which an event must have become visible; the emulator shows it at once."""
    return 2.0 if client.environment == "local" else Limits.settle
