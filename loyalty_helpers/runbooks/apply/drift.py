"""Rows whose account's balance has moved since the plan was made."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from loyalty_helpers.api import PER_SEARCH, LoyaltyClient
from loyalty_helpers.errors import NotFoundError
from loyalty_helpers.runbooks.apply.journal import Journal
from loyalty_helpers.runbooks.apply.rows import Code, Entry, Note
from loyalty_helpers.runbooks.ledger import batches


def checked(
    client: LoyaltyClient, journal: Journal, rows: Iterable[Entry], *, skip_moved: bool
) -> Iterator[Entry]:
    """The rows to send, after the balances of their accounts were read, 30 at a time.

    Each account is read once in a run, before its first change, and what was found is written
    down. With `skip_moved`, rows whose balance is another than planned are left out.
    """
    for batch in batches(rows, PER_SEARCH):
        accounts = journal.balances([entry.account_id for entry in batch])
        unread = {a: customer for a, (customer, _, found) in accounts.items() if found is None}
        read = _balances(client, unread)
        moved = {
            a
            for a, (_, planned, found) in accounts.items()
            if skip_moved and read.get(a, found) not in (None, planned)
        }
        with journal.commit():
            journal.balances_found((balance, a) for a, balance in read.items())
            for entry in batch:
                if entry.account_id in moved:
                    journal.settle(entry.n, "SKIPPED", note=Note(Code.MOVED))
        yield from (entry for entry in batch if entry.account_id not in moved)


def _balances(client: LoyaltyClient, unread: dict[str, str]) -> dict[str, int]:
    """Balances by account id; an account that is gone has none, and its row will tell why."""
    customers = sorted({customer for customer in unread.values() if customer})
    accounts = client.search_accounts(customer_ids=customers) if customers else ()
    found = {account.id: account.balance for account in accounts}
    for account_id in unread.keys() - found.keys():
        with suppress(NotFoundError):
            found[account_id] = client.retrieve_account(account_id).balance
    return {a: balance for a, balance in found.items() if a in unread}
