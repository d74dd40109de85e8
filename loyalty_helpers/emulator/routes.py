"""Which function answers which method and path.

Each operation is described at https://developer.squareup.com/reference/square.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from . import account_routes as accounts
from . import customer_routes as customers
from . import order_routes as orders
from . import program_routes as programs
from . import promotion_routes as promotions
from . import reward_routes as rewards
from .enrolment import the_customer
from .expiry import make_ready
from .handling import Call, retrieving
from .orders import the_order
from .rewards import the_reward
from .rules import the_program
from .unsupported import Unsupported, unsupported
from .wire_errors import not_found, refusal
from .world import Answer


@dataclass(frozen=True, slots=True)
class Route:
    """An operation: where it is found and what answers it."""

    method: str
    path: re.Pattern[str]
    handle: Callable[[Call], Answer]
    unsupported: Unsupported = field(compare=False)

    def answer(self, call: Call) -> Answer:
        """Answer a request; those of Loyalty find its program in force and up to date."""
        if self.path.pattern.startswith("/v2/loyalty/"):
            make_ready(call.world)
        return self.handle(call)

    @property
    def takes_body(self) -> bool:
        """Tell whether the request is in a body; else what there is of it is in the URL."""
        return self.method == "POST" and self.handle is not promotions.cancel_loyalty_promotion


def _route(operation: str, handle: Callable[[Call], Answer]) -> Route:
    method, path = operation.split()
    pattern = re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path))
    return Route(method, pattern, handle, unsupported(operation))


_OPERATIONS: Final = {
    "POST /v2/loyalty/accounts/{id}/adjust": accounts.adjust_loyalty_points,
    "POST /v2/loyalty/accounts/{id}/accumulate": accounts.accumulate_loyalty_points,
    "POST /v2/loyalty/accounts/search": accounts.search_loyalty_accounts,
    "GET /v2/loyalty/accounts/{id}": accounts.retrieve_loyalty_account,
    "POST /v2/loyalty/accounts": accounts.create_loyalty_account,
    "POST /v2/loyalty/events/search": accounts.search_loyalty_events,
    "GET /v2/loyalty/programs": programs.list_loyalty_programs,
    "GET /v2/loyalty/programs/{id}": retrieving("program", the_program),
    "POST /v2/loyalty/programs/{id}/calculate": programs.calculate_loyalty_points,
    "GET /v2/loyalty/programs/{id}/promotions": promotions.list_loyalty_promotions,
    "POST /v2/loyalty/programs/{id}/promotions": promotions.create_loyalty_promotion,
    "GET /v2/loyalty/programs/{program}/promotions/{id}": promotions.retrieve_loyalty_promotion,
    "POST /v2/loyalty/programs/{program}/promotions/{id}/cancel": (
        promotions.cancel_loyalty_promotion
    ),
    "POST /v2/loyalty/rewards/{id}/redeem": rewards.redeem_loyalty_reward,
    "POST /v2/loyalty/rewards/search": rewards.search_loyalty_rewards,
    "GET /v2/loyalty/rewards/{id}": retrieving("reward", the_reward),
    "DELETE /v2/loyalty/rewards/{id}": rewards.delete_loyalty_reward,
    "POST /v2/loyalty/rewards": rewards.create_loyalty_reward,
    "POST /v2/customers/search": customers.search_customers,
    "GET /v2/customers/{id}": retrieving("customer", the_customer),
    "POST /v2/customers": customers.create_customer,
    "POST /v2/orders/{id}/pay": orders.pay_for_order,
    "GET /v2/orders/{id}": retrieving("order", the_order),
    "POST /v2/orders": orders.create_order,
    "POST /v2/payments": orders.create_payment,
    "GET /v2/locations": programs.list_locations,
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
