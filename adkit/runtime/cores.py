"""The cores of this machine, and threads for each of them."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_threads(function: Callable, items: Iterable) -> list:
    """Call a function for many items, in a thread for each core: for NumPy and torch, which let other threads work.

    Args:
        function: takes an item; must not depend on the order in which items come.
        items: of any kind, finitely many.

    Returns:
        What it returned for each, in their order.

    Example:
        >>> in_threads(lambda number: number**2, [1, 2, 3])
        [1, 4, 9]
    """
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(function, items))
