"""LoyaltyClient: one method for each operation of Square's Loyalty API that the notebooks use."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from loyalty_helpers.api.calls import READS, record, records, the_only
from loyalty_helpers.api.checks import (
    check_id,
    check_list,
    check_no_token,
    check_one_given,
    check_page_size,
    check_path,
    check_phone_number,
    check_points,
    check_reason,
    next_second,
    rfc3339,
)
from loyalty_helpers.api.exchange import Exchange
from loyalty_helpers.api.purchase_calls import PurchaseCalls
from loyalty_helpers.errors import (
    AccountNotFoundError,
    AnotherEventError,
    NotFoundError,
    ParameterError,
)
from loyalty_helpers.records import (
    Bundle,
    Customer,
    Location,
    LoyaltyAccount,
    LoyaltyEvent,
    LoyaltyProgram,
    Shown,
    card,
)

PER_SEARCH = 30  # phone numbers or customer ids that one search takes
ACCOUNTS_PER_PAGE = 200
EVENTS_PER_PAGE = 30
CHANGES = {
    "local": "yes, in the emulator on this computer only",
    "recorded": "no, it replays answers",
    "sandbox": "yes, in Square's Sandbox",
    "production": "yes, in production",
}


class LoyaltyClient(Shown, PurchaseCalls):
    """Square's Loyalty API. Made by connect(), which knows environments and tokens.

    Every method raises a LoyaltyError: SquareError for an error that Square answers,
    NoAnswerError for none, UnexpectedAnswerError for anything that Square does not document.

    Attributes:
        environment: `local`, `recorded`, `sandbox` or `production`.
        exchanges: the last 100 requests with their answers, oldest first; also those that were
            refused, and those that got no answer.
    """

    def __repr__(self) -> str:
        return f"LoyaltyClient(environment={self.environment!r})"

    def _view(self) -> Bundle:
        changes = "no, it only reads" if self._gate else CHANGES[self.environment]
        rows = [("environment", self.environment), ("changes points", changes)]
        return card("Loyalty client", rows)

    # Program

    def retrieve_program(self, program_id: str = "main") -> LoyaltyProgram:
        """The seller's loyalty program; `main` stands for the only one a seller has.

        https://developer.squareup.com/reference/square/loyalty-api/retrieve-loyalty-program
        """
        path = "/v2/loyalty/programs"
        return self._retrieve(LoyaltyProgram, path, "program", program_id, any_id="main")

    def list_locations(self) -> list[Location]:
        """The seller's locations; each names the merchant that the token belongs to.

        https://developer.squareup.com/reference/square/locations-api/list-locations
        """
        return records(Location, self._wire.send("GET", "/v2/locations"), "locations")

    # Accounts

    def create_account(
        self,
        phone_number: str,
        *,
        program_id: str,
        idempotency_key: str,
        customer_id: str | None = None,
        enrolled_at: datetime | None = None,
    ) -> LoyaltyAccount:
        """Enrol a buyer.

        https://developer.squareup.com/reference/square/loyalty-api/create-loyalty-account

        Args:
            phone_number: in E.164 format, for example `+14155551234`.
            program_id: the id of the program; there is no `main` here.
            idempotency_key: 1 to 128 characters that name this enrolment.
            customer_id: the buyer's profile, if it is known.
            enrolled_at: when the buyer joined, for accounts that are brought over; aware.
        """
        account: dict[str, Any] = {
            "program_id": check_id(program_id, "program_id"),
            "mapping": {"phone_number": check_phone_number(phone_number)},
        }
        if customer_id is not None:
            account["customer_id"] = customer_id
        if enrolled_at is not None:
            account["enrolled_at"] = rfc3339(enrolled_at, "enrolled_at")
        body = {"loyalty_account": account, "idempotency_key": idempotency_key}
        answer = self._write("/v2/loyalty/accounts", body)
        return record(LoyaltyAccount, answer, "loyalty_account")

    def search_accounts(
        self,
        *,
        phone_numbers: Sequence[str] = (),
        customer_ids: Sequence[str] = (),
        page_size: int = 30,
    ) -> Iterator[LoyaltyAccount]:
        """All accounts that fit, oldest first; with neither argument, all accounts there are.

        https://developer.squareup.com/reference/square/loyalty-api/search-loyalty-accounts

        Args:
            phone_numbers: up to 30, in E.164 format. Finds nobody without a phone number.
            customer_ids: up to 30; not together with phone numbers.
            page_size: accounts a request, 1 to 200.

        Raises:
            ParameterError: at the call, not at the first account.
        """
        numbers = check_list(phone_numbers, "phone_numbers")
        customers = check_list(customer_ids, "customer_ids")
        if numbers and customers:
            raise ParameterError("search by phone numbers or by customer ids, not by both")
        if max(len(numbers), len(customers)) > PER_SEARCH:
            raise ParameterError(f"a search takes up to {PER_SEARCH} phone numbers or customer ids")
        body: dict[str, Any] = {"limit": check_page_size(page_size, ACCOUNTS_PER_PAGE)}
        if numbers:
            mappings = [{"phone_number": check_phone_number(number)} for number in numbers]
            body["query"] = {"mappings": mappings}
        if customers:
            body["query"] = {"customer_ids": customers}
        path = "/v2/loyalty/accounts/search"
        return self._pages(path, body, LoyaltyAccount, "loyalty_accounts")

    def retrieve_account(self, account_id: str) -> LoyaltyAccount:
        """One account with its balance as it is now.

        https://developer.squareup.com/reference/square/loyalty-api/retrieve-loyalty-account
        """
        path = "/v2/loyalty/accounts"
        return self._retrieve(LoyaltyAccount, path, "loyalty_account", account_id)

    def find_account(
        self, *, phone_number: str = "", customer_id: str = "", account_id: str = ""
    ) -> LoyaltyAccount:
        """Exactly one account, by exactly one of phone number, customer id or account id.

        Raises:
            ParameterError: none of the three is given, or more than one.
            AccountNotFoundError: no account fits.
            SeveralAccountsError: several fit; the text lists them.
        """
        check_one_given(phone_number=phone_number, customer_id=customer_id, account_id=account_id)
        if phone_number:
            return the_only(self.search_accounts(phone_numbers=[phone_number]), by_phone=True)
        if customer_id:
            return the_only(self.search_accounts(customer_ids=[customer_id]), by_phone=False)
        try:
            return self.retrieve_account(account_id)
        except NotFoundError:
            raise AccountNotFoundError(
                f"no loyalty account has the id {account_id!r}. Check the id, and the environment."
            ) from None

    def search_customers(
        self, *, email_address: str = "", reference_id: str = ""
    ) -> Iterator[Customer]:
        """All profiles with just this e-mail address, or this id of another system of the seller.

        https://developer.squareup.com/reference/square/customers-api/search-customers

        Needs CUSTOMERS_READ. A profile that was just made is found a minute later.
        """
        given = {"email_address": email_address, "reference_id": reference_id}
        check_one_given(**given)
        check_no_token(given, "the search")
        wanted = {name: {"exact": text} for name, text in given.items() if text}
        body = {"query": {"filter": wanted}}
        return self._pages("/v2/customers/search", body, Customer, "customers")

    # Points

    def adjust_points(
        self,
        account_id: str,
        points: int,
        *,
        idempotency_key: str,
        reason: str = "",
        allow_negative_balance: bool = False,
    ) -> LoyaltyEvent:
        """Add points to an account, or take points away, whatever was or was not bought.

        https://developer.squareup.com/reference/square/loyalty-api/adjust-loyalty-points

        Square answers with the event only: retrieve the account to see its balance.

        Args:
            account_id: the loyalty account's id.
            points: whole points, negative to take away; not 0; 32 bits.
            idempotency_key: names the intent; see `adjustment_key`.
            reason: up to 3,500 characters, shown in the account's history.
            allow_negative_balance: let the balance fall below 0.
        """
        adjustment: dict[str, Any] = {"points": check_points(points)}
        if check_reason(reason):
            adjustment["reason"] = reason
        body: dict[str, Any] = {"adjust_points": adjustment, "idempotency_key": idempotency_key}
        if allow_negative_balance:
            body["allow_negative_balance"] = True
        path = f"/v2/loyalty/accounts/{check_id(account_id, 'account_id')}/adjust"
        same = {"type": "ADJUST_POINTS", "loyalty_account_id": account_id, "points": points}
        another = "the event of another adjustment"
        answer = self._write(path, body)
        return record(LoyaltyEvent, answer, "event", same, another, AnotherEventError)

    # Events

    def search_events(
        self,
        *,
        account_id: str = "",
        types: Sequence[str] = (),
        start_at: datetime | None = None,
        end_at: datetime | None = None,
        location_ids: Sequence[str] = (),
        order_id: str = "",
        page_size: int = 30,
    ) -> Iterator[LoyaltyEvent]:
        """The events that changed balances, newest first. All filters given must hold.

        https://developer.squareup.com/reference/square/loyalty-api/search-loyalty-events

        Args:
            account_id: events of one loyalty account.
            types: for example `["ADJUST_POINTS"]`; any of them.
            start_at: not before this moment (aware).
            end_at: before this moment (aware).
            location_ids: any of them.
            order_id: events of one order.
            page_size: events a request, 1 to 30.
        """
        ends = {"start_at": start_at, "end_at": end_at}
        created = {name: rfc3339(next_second(at), name) for name, at in ends.items() if at}
        account = account_id and check_id(account_id, "account_id")
        places = location_ids and check_list(location_ids, "location_ids")
        filters: dict[str, dict[str, Any]] = {
            "loyalty_account_filter": {"loyalty_account_id": account},
            "type_filter": {"types": types and check_list(types, "types")},
            "date_time_filter": {"created_at": created},
            "location_filter": {"location_ids": places},
            "order_filter": {"order_id": order_id},
        }
        body: dict[str, Any] = {"limit": check_page_size(page_size, EVENTS_PER_PAGE)}
        if given := {name: each for name, each in filters.items() if any(each.values())}:
            body["query"] = {"filter": given}
        return self._pages("/v2/loyalty/events/search", body, LoyaltyEvent, "events")

    # Anything else

    def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Exchange:
        """Send a request that has no method here, with the same token, retries and guards.

        Args:
            method: `GET` or `POST`.
            path: the path below the host, beginning with `/v2/`; a query with `GET` only.
            body: the JSON body; one that changes something must hold an idempotency key.
        """
        check_path(method, path)
        if method == "GET" or path.endswith(READS):
            return self._wire.send(method, path, body)
        return self._write(path, body or {})
