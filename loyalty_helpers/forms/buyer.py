"""The form that finds one buyer's loyalty account."""

from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.forms.base import Form, text_field


class BuyerForm(Form):
    """Holds `phone_number`, `customer_id` and `account_id`, of which one is filled in."""

    def __init__(
        self, client: LoyaltyClient, phone_number: str, customer_id: str, account_id: str
    ) -> None:
        fields = {
            "phone_number": text_field("phone_number", phone_number, "for example +14155551234"),
            "customer_id": text_field("customer_id", customer_id, "the id of the buyer's profile"),
            "account_id": text_field("account_id", account_id, "the id of the loyalty account"),
        }
        actions = {"Find account": lambda: client.find_account(**self.values)}
        super().__init__("Find a buyer: fill in one of the three", fields, actions)


def buyer_form(
    client: LoyaltyClient,
    *,
    phone_number: str = "",
    customer_id: str = "",
    account_id: str = "",
) -> BuyerForm:
    """A form for `client.find_account(**form.values)`, filled from parameters."""
    return BuyerForm(client, phone_number, customer_id, account_id)
