"""The form that previews and makes one adjustment."""

from typing import Any

from loyalty_helpers.api import LoyaltyClient, check_points, whole_number, yes_or_no
from loyalty_helpers.forms.base import Form, checkbox, long_text_field, text_field
from loyalty_helpers.records import LoyaltyAccount
from loyalty_helpers.steps import Preview, Verification, adjust, preview, verify


class AdjustForm(Form):
    """Holds `points`, `reason`, `run_id` and `allow_negative_balance` for one account.

    Preview reads only. Adjust calls the functions of the notebook's next cells, so pressing it
    twice, or pressing it and then running the cells, adds the points once.
    """

    def __init__(
        self,
        client: LoyaltyClient,
        account: LoyaltyAccount,
        points: int,
        reason: str,
        run_id: str,
        allow_negative_balance: bool,
    ) -> None:
        fields = {
            "points": text_field("points", str(points), "12 adds points, -12 takes them away"),
            "reason": long_text_field("reason", reason, "kept in the account's history"),
            "run_id": text_field("run_id", run_id, "a new one, for example 2026-11-ticket-4711"),
            "allow_negative_balance": checkbox("allow_negative_balance", allow_negative_balance),
        }
        self._client, self._account = client, account
        actions = {"Preview": self.preview, "Adjust": self.adjust}
        phone = account.masked_phone_number
        buyer = f", phone number {phone}" if phone else ""
        super().__init__(f"Adjust the points of account {account.id}{buyer}", fields, actions)
        self.buttons["Preview"].tooltip = "Reads only"
        self.buttons["Adjust"].tooltip = "Changes the balance, once for its run_id"
        self.buttons["Adjust"].button_style = "warning"  # the only button that writes

    @property
    def values(self) -> dict[str, Any]:
        """What was typed, `points` as a number; raises ParameterError when it is none."""
        return self.typed | {"points": check_points(whole_number(self.typed["points"], "points"))}

    def preview(self) -> Preview:
        """What the values would do."""
        return preview(self._client, self._account, **self.values)

    def adjust(self) -> Verification:
        """Make the adjustment and verify it."""
        return verify(self._client, adjust(self._client, self.preview()))


def adjust_form(
    client: LoyaltyClient,
    account: LoyaltyAccount,
    *,
    points: int,
    reason: str,
    run_id: str,
    allow_negative_balance: bool = False,
) -> AdjustForm:
    """A form for `adjustments.preview(client, account, **form.values)`, filled from parameters."""
    allowed = yes_or_no(allow_negative_balance, "allow_negative_balance")
    return AdjustForm(client, account, points, reason, run_id, allowed)
