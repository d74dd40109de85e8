"""The rows of one account form a chain: a row goes out when the one before it has ended."""

from collections import deque
from collections.abc import Callable, Iterable

from loyalty_helpers.runbooks.apply.rows import Entry


class Chains:
    """The rows of one pass, read as they are asked for.

    So a plan means the same whatever runs beside it. Of a row that has to wait, only its number is
    kept.

    Args:
        rows: in the order of the plan.
        blocked: accounts whose rows stay planned until the ledger has told about the row before.
        read: gives a row by its number.
    """

    def __init__(
        self, rows: Iterable[Entry], blocked: Iterable[str], read: Callable[[int], Entry]
    ) -> None:
        self._rows, self._blocked, self._read = iter(rows), set(blocked), read
        self._behind: dict[str, deque[int]] = {}  # rows behind the one at work, by account
        self._next: deque[int] = deque()

    def take(self) -> Entry | None:
        """The next row that may go out; None if there is none before another one has ended."""
        if self._next:
            return self._read(self._next.popleft())
        for entry in self._rows:
            if entry.account_id in self._behind:
                self._behind[entry.account_id].append(entry.n)
            elif entry.account_id not in self._blocked:
                self._behind[entry.account_id] = deque()
                return entry
        return None

    def ended(self, account_id: str) -> None:
        """The row at work has ended: the one behind it may go."""
        if behind := self._behind.pop(account_id, None):
            self._next.append(behind.popleft())
            self._behind[account_id] = behind

    def block(self, account_id: str) -> None:
        """The row at work is left to the ledger, and those behind it wait for that."""
        self._blocked.add(account_id)
        self._behind.pop(account_id, None)
