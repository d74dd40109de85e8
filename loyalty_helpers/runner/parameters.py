"""The parameters of the walkthroughs: names, types, limits and defaults.

The field descriptions say what is allowed; the same words are in the error texts. Values arrive
as text from the command line, and are read as in forms and files: see `checks`.
"""

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from loyalty_helpers.api import (
    check_id,
    check_phone_number,
    check_points,
    check_reason,
    check_run_id,
    event_types,
    start_of_day,
    whole_number,
    yes_or_no,
)
from loyalty_helpers.records import LoyaltyEvent
from loyalty_helpers.redaction import EXAMPLE
from loyalty_helpers.settings import ENVIRONMENTS
from loyalty_helpers.steps import read_lines

BUYER = ("phone_number", "customer_id", "account_id")


def _environment(value: str) -> str:
    if value not in ("", *ENVIRONMENTS):
        raise ValueError("unknown environment")
    return value


Environment = Annotated[
    str,
    AfterValidator(_environment),
    Field(description=f"{', '.join(ENVIRONMENTS)}, or empty for LOYALTY_ENVIRONMENT, else local"),
]
PhoneNumber = Annotated[
    str,
    AfterValidator(lambda v: v and check_phone_number(v)),
    Field(description=f"E.164 format: '+', country code and number, {EXAMPLE}"),
]
SquareId = Annotated[
    str,
    AfterValidator(lambda v: v and check_id(v, "id")),
    Field(description="1 to 36 of A-Z, a-z, 0-9, '_' and '-'"),
]
Points = Annotated[
    int,
    BeforeValidator(lambda v: check_points(whole_number(v, "points"))),
    Field(description="a whole number, negative to take away, not 0, of 32 bits"),
]
Reason = Annotated[
    str, AfterValidator(check_reason), Field(description="text of up to 3,500 characters")
]
RunId = Annotated[
    str,
    AfterValidator(check_run_id),
    Field(description="1 to 64 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit"),
]
YesOrNo = Annotated[
    bool, BeforeValidator(lambda v: yes_or_no(v, "a parameter")), Field(description="true or false")
]
EventTypes = Annotated[
    str,
    AfterValidator(lambda value: value if event_types(value) else ""),
    Field(description=f"empty, or some of {', '.join(LoyaltyEvent.DETAILS)}, with commas between"),
]
Date = Annotated[
    str,
    AfterValidator(lambda value: value if start_of_day(value, "day") else ""),
    Field(description="empty, or a day in UTC as YYYY-MM-DD"),
]


OrderLines = Annotated[
    str,
    AfterValidator(lambda value: value if read_lines(value, "order") else ""),
    Field(
        description="quantity, name and price in cents, for example 4 Coffee 300; commas between"
    ),
]


class Parameters(BaseModel):
    """What every notebook takes, and the buyer it is about: one of three ways to name one."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    environment: Environment = ""
    phone_number: PhoneNumber = "+14155551234"
    customer_id: SquareId = ""
    account_id: SquareId = ""

    @model_validator(mode="before")
    @classmethod
    def _named_buyer_replaces_default(cls, given: Any) -> Any:
        """Naming a buyer in one way takes back the default that names one in another."""
        named = [name for name in BUYER if given.get(name)]
        return {**dict.fromkeys(BUYER, ""), **given} if named else given

    @model_validator(mode="after")
    def _one_buyer(self) -> "Parameters":
        named = [name for name in BUYER if getattr(self, name)]
        if len(named) != 1:
            raise ValueError(
                f"give exactly one of {', '.join(BUYER)}; found {' and '.join(named) or 'none'}"
            )
        return self


class StartHere(Parameters):
    """00_start_here."""


class SearchAccounts(Parameters):
    """01_search_accounts."""


class AdjustPoints(Parameters):
    """02_adjust_points."""

    points: Points = 12
    reason: Reason = "Granting 12 points to test redemption"
    run_id: RunId = "walkthrough-2"
    allow_negative_balance: YesOrNo = False


class RetrieveAccount(Parameters):
    """03_retrieve_account."""

    phone_number: PhoneNumber = ""
    account_id: SquareId = "1beb38f9-54de-4cb6-8121-718bDexample"


class BalanceEvents(Parameters):
    """04_balance_events."""

    phone_number: PhoneNumber = "+14155550101"
    event_types: EventTypes = "ADJUST_POINTS"
    start_date: Date = ""
    end_date: Date = ""


class AccumulateFromOrder(Parameters):
    """05_accumulate_from_order."""

    first_order: OrderLines = "4 Coffee 300"
    second_order: OrderLines = "1 Coffee 300, 1 Sandwich 800"
    reward_tier_id: SquareId = ""
    location_id: SquareId = ""
    run_id: RunId = "walkthrough-1"


WALKTHROUGHS: dict[str, type[Parameters]] = {
    "00_start_here": StartHere,
    "01_search_accounts": SearchAccounts,
    "02_adjust_points": AdjustPoints,
    "03_retrieve_account": RetrieveAccount,
    "04_balance_events": BalanceEvents,
    "05_accumulate_from_order": AccumulateFromOrder,
}
