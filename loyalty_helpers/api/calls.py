"""What every operation of the client shares: sending, paging, and reading records."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import replace
from typing import Any, Self, TypeVar

from pydantic import ValidationError

from loyalty_helpers.api.checks import check_id, check_no_token
from loyalty_helpers.api.exchange import Exchange
from loyalty_helpers.api.wire import Pacing, Wire
from loyalty_helpers.clicks import check_click
from loyalty_helpers.errors import (
    AccountNotFoundError,
    ParameterError,
    ProductionGuardError,
    SeveralAccountsError,
    UnexpectedAnswerError,
)
from loyalty_helpers.plain import plain
from loyalty_helpers.records import LoyaltyAccount, Record

READS = ("/search", "/calculate")  # of what is posted, what changes nothing
RecordT = TypeVar("RecordT", bound=Record)
# Raises ProductionGuardError unless a plan for this environment and merchant, approved by this
# name, may be applied.
Gate = Callable[[str, str, str], None]


class Calls:
    """Sends requests over a Wire, and reads records out of answers.

    Args:
        wire: sends, waits and retries.
        environment: `local`, `recorded`, `sandbox` or `production`.
        gate: keeps back all that changes something until it is asked with an approved plan; without
            one, everything goes through. What a client is made with, it keeps.
        on_close: called after the connections are closed.
    """

    def __init__(
        self,
        wire: Wire,
        *,
        environment: str,
        gate: Gate | None = None,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self._environment, self._gate = environment, gate
        self._wire, self._on_close = wire, on_close
        self.exchanges = wire.exchanges

    @property
    def environment(self) -> str:
        """`local`, `recorded`, `sandbox` or `production`."""
        return self._environment

    @property
    def last_exchange(self) -> Exchange:
        """The last request and its answer, if one came, as they went over the wire."""
        if not self.exchanges:
            raise ParameterError("nothing was asked yet: call a method of the client first")
        return self.exchanges[-1]

    def close(self) -> None:
        """Close the connections, and what answers in this process."""
        self._wire.close()
        self._on_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def variant(self, *, attempts: int | None = None, pace: Pacing | None = None) -> Self:
        """The same client over the same connections, with other rules; for runbooks.

        Args:
            attempts: tries of each request; 1 where every try has to be written down before.
            pace: when each try may go out.
        """
        other, wire = copy(self), copy(self._wire)
        wire.policy = replace(wire.policy, attempts=attempts or wire.policy.attempts)
        wire.pace = pace or wire.pace
        other._wire = wire
        return other

    def _through_gate(self, environment: str, merchant_id: str, approved_by: str) -> Self:
        """The client that applies an approved plan; only `runbooks.guards` asks for it."""
        if self._gate is None:
            return self
        self._gate(environment, merchant_id, approved_by)
        other = copy(self)
        other._gate = None
        return other

    def _write(self, path: str, body: dict[str, Any]) -> Exchange:
        check_click()
        if self._gate is not None:
            raise ProductionGuardError(
                f"this client of {self.environment!r} only reads: changing points there needs an "
                "approved plan made for it. Rehearse in 'local' or 'sandbox'."
            )
        key = body.get("idempotency_key")
        if not isinstance(key, str) or not 1 <= len(key) <= 128:
            raise ParameterError("idempotency_key must be a text of 1 to 128 characters")
        check_no_token(body, "the request")
        return self._wire.send("POST", path, body, writes=True)

    def _retrieve(
        self, kind: type[RecordT], path: str, name: str, value: str, *, any_id: str = ""
    ) -> RecordT:
        """The record that has this id; `any_id` stands for whichever there is."""
        noun = name.removeprefix("loyalty_")
        exchange = self._wire.send("GET", f"{path}/{check_id(value, f'{noun}_id')}")
        same = {} if value == any_id else {"id": value}
        return record(kind, exchange, name, same, f"another {noun}")

    def _pages(
        self, path: str, body: dict[str, Any], kind: type[RecordT], name: str
    ) -> Iterator[RecordT]:
        seen: set[str] = set()
        page, most = body, self._wire.policy.pages
        while True:
            exchange = self._wire.send("POST", path, page)
            yield from records(kind, exchange, name)
            cursor = exchange.answer.get("cursor")
            if not cursor:
                return
            if not isinstance(cursor, str):
                raise unexpected(exchange, "its page cursor is no text")
            if cursor in seen:
                raise unexpected(exchange, "it gives the same page cursor twice")
            seen.add(cursor)
            if len(seen) >= most:
                raise unexpected(exchange, f"it has more than {most:,} pages, and no end is near")
            page = body | {"cursor": cursor}


def record(
    kind: type[RecordT],
    exchange: Exchange,
    name: str,
    same: Mapping[str, Any] | None = None,
    another: str = "",
    error: type[UnexpectedAnswerError] = UnexpectedAnswerError,
) -> RecordT:
    """The record under `name`, or an UnexpectedAnswerError.

    What it holds must be the `same` as was asked for; else it is `another`, which raises `error`.
    """
    value = exchange.answer.get(name)
    if not isinstance(value, dict):
        raise unexpected(exchange, f"there is no {name!r} in it")
    found = parsed(kind, exchange, value)
    if any(getattr(found, field) != wanted for field, wanted in (same or {}).items()):
        raise unexpected(exchange, f"it is {another}: {found!r}", error)
    return found


def records(kind: type[RecordT], exchange: Exchange, name: str) -> list[RecordT]:
    """The records under `name`; Square leaves an empty list out."""
    listed = exchange.answer.get(name, [])
    if not isinstance(listed, list):
        raise unexpected(exchange, f"{name!r} is no list")
    return [parsed(kind, exchange, value) for value in listed]


def parsed(kind: type[RecordT], exchange: Exchange, value: Any) -> RecordT:
    """The record that a part of an answer is, or an UnexpectedAnswerError."""
    if _odd_id(value):
        raise unexpected(exchange, "an id in it is no printable text")
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}".lstrip(": ") for e in error.errors()
        )
    raise unexpected(exchange, f"it holds no proper {kind.__name__}: {wrong}")


def the_only(accounts: Iterable[LoyaltyAccount], *, by_phone: bool) -> LoyaltyAccount:
    """The account, if there is just one; else the error that says none, or lists which."""
    found = list(accounts)
    if len(found) == 1:
        return found[0]
    if not found:
        hint = (
            " A buyer whose profile has no phone number is not found by one: search by customer_id."
            if by_phone
            else " Check the id, and the environment."
        )
        name = "this phone number" if by_phone else "this customer_id"
        raise AccountNotFoundError(f"no loyalty account has {name}.{hint}")
    listed = "\n".join(
        f"  {a.id}  balance {a.balance}  phone_number {a.masked_phone_number or '(none)'}"
        for a in found
    )
    raise SeveralAccountsError(
        f"{len(found)} loyalty accounts fit; name one of them by account_id:\n{listed}",
        [account.id for account in found],
    )


def unexpected(
    exchange: Exchange, what: str, kind: type[UnexpectedAnswerError] = UnexpectedAnswerError
) -> UnexpectedAnswerError:
    """The error for an answer that is JSON and still not what Square documents."""
    text = f"{exchange.request} -> {exchange.status}, but {plain(what)}."
    if exchange.method != "GET" and not exchange.path.endswith(READS):
        text += " It may have changed points: look at the account's events before anything else."
    return kind(text, request=exchange.request, status=exchange.status or 0)


def _odd_id(value: Any) -> bool:
    """Whether an id in it could forge a line: ids stand in messages and files as they are."""
    if isinstance(value, list):
        return any(map(_odd_id, value))
    return isinstance(value, dict) and any(
        not item.isprintable()
        if isinstance(item, str) and (name == "id" or name.endswith("_id"))
        else isinstance(item, dict | list) and _odd_id(item)
        for name, item in value.items()
    )
