"""Which function answers which method and path.

Each operation is described at https://developer.squareup.com/reference/square.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from . import accounts, accrual, customers, events, orders, payments, programs, promotions, rewards
from .call import Call, retrieving
from .wire import Answer, not_found, refusal


class Route(NamedTuple):
    """An operation.

    Attributes:
        handle: what answers it.
        ready: whether it finds the program in force and up to date.
        operation: the name of its body.
    """

    method: str
    path: re.Pattern[str]
    handle: Callable[[Call], Answer]
    ready: bool
    operation: str


def _route(row: str, handle: Callable[[Call], Answer]) -> Route:
    method, *columns, path = row.split()
    pattern = re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path))
    return Route(method, pattern, handle, "ready" in columns, f"{method} {path}")


# Method, whether it has to be ready, path.
_OPERATIONS: Final = {
    "POST   ready /v2/loyalty/accounts/{id}/adjust": events.adjust,
    "POST   ready /v2/loyalty/accounts/{id}/accumulate": accrual.accumulate,
    "POST   ready /v2/loyalty/accounts/search": accounts.search,
    "GET    ready /v2/loyalty/accounts/{id}": accounts.retrieve,
    "POST   ready /v2/loyalty/accounts": accounts.create,
    "POST   ready /v2/loyalty/events/search": events.search,
    "GET    ready /v2/loyalty/programs": programs.list_all,
    "GET    ready /v2/loyalty/programs/{id}": programs.retrieve,
    "POST   ready /v2/loyalty/programs/{id}/calculate": accrual.calculate,
    "GET    ready /v2/loyalty/programs/{id}/promotions": promotions.list_all,
    "POST   ready /v2/loyalty/programs/{id}/promotions": promotions.create,
    "GET    ready /v2/loyalty/programs/{program}/promotions/{id}": promotions.retrieve,
    "POST   ready /v2/loyalty/programs/{program}/promotions/{id}/cancel": promotions.cancel,
    "POST   ready /v2/loyalty/rewards/{id}/redeem": rewards.redeem,
    "POST   ready /v2/loyalty/rewards/search": rewards.search,
    "GET    ready /v2/loyalty/rewards/{id}": retrieving("reward"),
    "DELETE ready /v2/loyalty/rewards/{id}": rewards.delete,
    "POST   ready /v2/loyalty/rewards": rewards.create,
    "POST         /v2/customers/search": customers.search,
    "GET          /v2/customers/{id}": retrieving("customer"),
    "POST         /v2/customers": customers.create,
    "POST         /v2/orders/{id}/pay": payments.pay_order,
    "GET          /v2/orders/{id}": retrieving("order"),
    "POST         /v2/orders": orders.create,
    "POST         /v2/payments": payments.create,
    "GET          /v2/locations": programs.list_locations,
}
ROUTES: Final = tuple(_route(*each) for each in _OPERATIONS.items())


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """Return the route and the ids in the path; raise WireError with 404 or 405."""
    allowed = []
    for route in ROUTES:
        match = route.path.fullmatch(path)
        if match and route.method == method:
            return route, match.groupdict()
        allowed += [route.method] if match else []
    if allowed:
        refused = refusal("METHOD_NOT_ALLOWED", f"The method {method} is not allowed here.")
        refused.headers["Allow"] = ", ".join(allowed)
        raise refused
    raise not_found("Resource")
