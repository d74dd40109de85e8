"""Lists of a limited size out of anything that can be gone through once."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

ItemT = TypeVar("ItemT")


def batches(items: Iterable[ItemT], size: int) -> Iterator[list[ItemT]]:
    """The items in lists of up to `size`, read as they are asked for."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
