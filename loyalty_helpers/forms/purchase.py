"""The form of two purchases: points earned with the first, spent on the second."""

from typing import Any

from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.forms.base import Form, text_field
from loyalty_helpers.records import LoyaltyAccount
from loyalty_helpers.steps import purchases


class PurchaseForm(Form):
    """Holds both orders, the reward, the location and `run_id` for one account.

    Preview reads only. Buy calls the functions of the notebook's next cells, so pressing it
    twice, or pressing it and then running the cells, buys once.
    """

    def __init__(
        self, client: LoyaltyClient, account: LoyaltyAccount, parameters: dict[str, str]
    ) -> None:
        self._client, self._account = client, account
        hints = {
            "first_order": "quantity, name, price in cents: 4 Coffee 300",
            "second_order": "several with commas: 1 Coffee 300, 1 Sandwich 800",
            "reward_tier_id": "empty for the cheapest reward",
            "location_id": "empty for the program's first location",
            "run_id": "a new one, for example 2026-11-training-3",
        }
        fields = {name: text_field(name, parameters[name], hint) for name, hint in hints.items()}
        actions = {"Preview": self.preview, "Buy": self.buy}
        super().__init__(f"Two purchases with account {account.id}", fields, actions)
        self.buttons["Preview"].tooltip = "Reads only"
        self.buttons["Buy"].tooltip = "Orders, pays and earns, once for its run_id"
        self.buttons["Buy"].button_style = "warning"  # the only button that writes

    def preview(self) -> purchases.Planned:
        """What the values would buy."""
        return purchases.plan(self._client, self._account, **self.values)

    def buy(self) -> purchases.Bought:
        """Make both purchases and verify them."""
        return purchases.buy(self._client, self.preview())


def purchase_form(
    client: LoyaltyClient,
    account: LoyaltyAccount,
    *,
    first_order: str,
    second_order: str,
    run_id: str,
    reward_tier_id: str = "",
    location_id: str = "",
) -> PurchaseForm:
    """A form for `purchases.plan(client, account, **form.values)`, filled from parameters."""
    parameters: dict[str, Any] = {
        "first_order": first_order,
        "second_order": second_order,
        "reward_tier_id": reward_tier_id,
        "location_id": location_id,
        "run_id": run_id,
    }
    return PurchaseForm(client, account, parameters)
