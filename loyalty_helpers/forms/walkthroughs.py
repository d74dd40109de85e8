"""The forms of the walkthroughs: each is filled from parameters, and its buttons call steps."""

from functools import partial
from typing import Any

from loyalty_helpers.api import LoyaltyClient, event_types, start_of_day
from loyalty_helpers.forms.base import Form
from loyalty_helpers.records import EventTable, LoyaltyAccount
from loyalty_helpers.steps import Verification, adjust, preview, purchases, verify


def buyer_form(
    client: LoyaltyClient, *, phone_number: str = "", customer_id: str = "", account_id: str = ""
) -> Form:
    """A form for `client.find_account(**form.values)`, which takes one way to name a buyer."""
    given = {"phone_number": phone_number, "customer_id": customer_id, "account_id": account_id}
    actions = {"Find account": client.find_account}
    return Form("Find a buyer: fill in one of the three", given, actions)


def adjust_form(
    client: LoyaltyClient,
    account: LoyaltyAccount,
    *,
    points: int,
    reason: str,
    run_id: str,
    allow_negative_balance: bool = False,
    buyer: Form | None = None,
) -> Form:
    """A form for `adjustments.preview(client, account, **form.values)`; `buyer` names the account.

    Preview reads only. Adjust calls the functions of the notebook's next cells, so pressing it
    twice, or pressing it and then running the cells, adds the points once.
    """

    def make(**values: Any) -> Verification:
        return verify(client, adjust(client, preview(client, account, **values)))

    return Form(
        "Adjust the points of this buyer",
        {
            "points": points,
            "reason": reason,
            "run_id": run_id,
            "allow_negative_balance": allow_negative_balance,
        },
        {"Preview": partial(preview, client, account), "Adjust": make},
        writes={"Adjust": "Changes the balance, once for its run id"},
        account=account,
        buyer=buyer,
    )


def events_form(
    client: LoyaltyClient,
    account: LoyaltyAccount,
    *,
    event_types: str = "",
    start_date: str = "",
    end_date: str = "",
    buyer: Form | None = None,
) -> Form:
    """A form for `client.search_events(account_id=account.id, **form.values)`.

    Args:
        client: answers the search.
        account: whose events are filtered.
        event_types: Square's names, separated by commas; empty for all.
        start_date: the first day, `YYYY-MM-DD` in UTC; empty for no beginning.
        end_date: the day after the last, `YYYY-MM-DD` in UTC; empty for no end.
        buyer: the form that names the account.
    """

    def search(**filters: Any) -> EventTable:
        return EventTable(tuple(client.search_events(account_id=account.id, **filters)))

    return Form(
        "Filter the events of this buyer",
        {"event_types": event_types, "start_date": start_date, "end_date": end_date},
        {"Search events": search},
        read=_filters,
        account=account,
        buyer=buyer,
    )


def _filters(typed: dict[str, Any]) -> dict[str, Any]:
    return {
        "types": event_types(typed["event_types"]),
        "start_at": start_of_day(typed["start_date"], "start_date"),
        "end_at": start_of_day(typed["end_date"], "end_date"),
    }


def purchase_form(
    client: LoyaltyClient,
    account: LoyaltyAccount,
    *,
    first_order: str,
    second_order: str,
    run_id: str,
    reward_tier_id: str = "",
    location_id: str = "",
    buyer: Form | None = None,
) -> Form:
    """A form for `purchases.plan(client, account, **form.values)`; `buyer` names the account.

    Preview reads only. Buy calls the functions of the notebook's next cells, so pressing it
    twice, or pressing it and then running the cells, buys once.
    """

    def buy(**values: Any) -> purchases.Bought:
        return purchases.buy(client, purchases.plan(client, account, **values))

    return Form(
        "Two purchases of this buyer",
        {
            "first_order": first_order,
            "second_order": second_order,
            "reward_tier_id": reward_tier_id,
            "location_id": location_id,
            "run_id": run_id,
        },
        {"Preview": partial(purchases.plan, client, account), "Buy": buy},
        writes={"Buy": "Orders, pays and earns, once for its run id"},
        account=account,
        buyer=buyer,
    )
