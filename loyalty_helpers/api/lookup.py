"""What makes a lookup safe: one way to name the buyer, and exactly one account found."""

from collections.abc import Sequence

from loyalty_helpers.errors import AccountNotFoundError, ParameterError, SeveralAccountsError
from loyalty_helpers.records import LoyaltyAccount


def check_one_given(**given: str) -> None:
    """Raise ParameterError unless exactly one of the values is given."""
    names = [name for name, value in given.items() if value]
    if len(names) != 1:
        raise ParameterError(
            f"fill in exactly one of {', '.join(given)}, and leave the others empty; "
            f"found {' and '.join(names) or 'none'}"
        )


def the_only(found: Sequence[LoyaltyAccount], *, by_phone: bool) -> LoyaltyAccount:
    """The account, if there is just one; else the error that says none, or lists which."""
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
