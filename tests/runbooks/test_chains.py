"""Rows of one account go one after another; those of others do not wait for them."""

from dataclasses import replace

from loyalty_helpers.runbooks.apply.rows import Chains, Entry

FIRST = Entry(
    n=1,
    row_id="r",
    account_id="a",
    phone="",
    points=1,
    reason="",
    undoes="",
    key="",
    marker="",
    state="PLANNED",
    attempts=0,
    first_sent=None,
    last_sent=None,
    event_id="",
    event_at="",
    applied="",
    code="",
    detail="",
)


def chained(accounts: str, blocked: str = "") -> Chains:
    """A row for each letter, on the account of that name."""
    rows = [replace(FIRST, n=n, account_id=name) for n, name in enumerate(accounts, 1)]
    return Chains(rows, blocked, lambda n: rows[n - 1])


def taken(chains: Chains) -> list[int]:
    """The numbers of all rows that may go now."""
    numbers = []
    while entry := chains.take():
        numbers.append(entry.n)
    return numbers


def test_a_row_waits_for_the_one_before_it_on_its_account_and_for_no_other() -> None:
    chains = chained("abaac")

    assert [1, 2, 5] == taken(chains)
    chains.ended("b")
    assert [] == taken(chains)
    chains.ended("a")
    assert [3] == taken(chains)
    chains.ended("a")
    assert [4] == taken(chains)


def test_rows_go_in_the_order_of_the_plan_when_one_goes_at_a_time() -> None:
    chains, order = chained("abab"), []
    while entry := chains.take():
        order.append(entry.n)
        chains.ended(entry.account_id)

    assert [1, 2, 3, 4] == order


def test_behind_a_row_that_is_left_to_the_ledger_nothing_goes() -> None:
    chains = chained("abaa")
    taken(chains)
    chains.block("a")
    chains.ended("b")

    assert [] == taken(chains)


def test_an_account_that_is_blocked_has_no_row_that_goes() -> None:
    assert [2] == taken(chained("aba", blocked="a"))


def test_an_end_that_is_told_twice_lets_one_row_go() -> None:
    chains = chained("aa")
    taken(chains)
    chains.ended("a")
    chains.ended("b")

    assert [2] == taken(chains)
