"""Names what answered: the environment, and at Square the seller."""

from loyalty_helpers.api import RetryPolicy
from loyalty_helpers.errors import LoyaltyError
from loyalty_helpers.session import connect, merchants_of
from loyalty_helpers.settings import SQUARE_HOSTS
from loyalty_helpers.transports import httpx


def place_of(environment: str, transport: httpx.BaseTransport | None = None) -> str:
    """The place for a last line; Square is asked once whose the token is, by reading."""
    if environment not in SQUARE_HOSTS:
        return f"environment {environment}"
    try:
        policy = RetryPolicy(attempts=1)
        with connect(environment, policy=policy, transport=transport) as client:
            merchants = ", ".join(merchants_of(client))
    except LoyaltyError:
        merchants = ""
    return f"environment {environment}, merchant {merchants or 'not known'}"
