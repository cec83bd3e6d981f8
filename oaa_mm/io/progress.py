"""The progress bar of all long loops, and loops over files in threads."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from rich.console import Console
from rich.progress import track

from oaa_mm.checks import check_number

T = TypeVar('T')
R = TypeVar('R')

#: Seconds between two lines of progress in a log.
_LINE_EVERY = 60


def progress(
    items: Iterable[T], description: str, total: int | None = None
) -> Iterator[T]:
    """Iterate over items under a progress bar on the standard error.

    The bar is cleared at the end. Where the standard error is no terminal,
    such as a log file, it gets a line at most once a minute, when an item
    comes.

    Args:
        items (Iterable[T]): The items.
        description (str): A few words that stand before the bar.
        total (int | None): Number of the items; needed only where `items`
            has no length. Defaults to None.

    Yields:
        T: Each item.
    """
    console = Console(stderr=True)
    if console.is_terminal:
        yield from track(
            items, description, total=total, console=console, transient=True
        )
        return
    if total is None and isinstance(items, Sized):
        total = len(items)
    of_total = '' if total is None else f' of {total}'
    last = time.monotonic()
    for done, item in enumerate(items):
        if time.monotonic() - last >= _LINE_EVERY:
            print(f'{description}: {done}{of_total}', file=sys.stderr)
            last = time.monotonic()
        yield item


def map_in_threads(
    function: Callable[[T], R],
    items: Sequence[T],
    description: str,
    workers: int = 8,
) -> Iterator[R]:
    """Apply a function that reads files to items, under a progress bar.

    Args:
        function (Callable[[T], R]): Threads suit it, since decoders work
            outside Python's lock.
        items (Sequence[T]): The arguments of the calls, one each.
        description (str): See :func:`progress`.
        workers (int): Threads. Defaults to 8.

    Yields:
        R: The result of each item, in their order.

    Raises:
        ValueError: `workers` is less than 1.
    """
    check_number('workers', workers, low=1, integer=True)
    with ThreadPoolExecutor(workers) as pool:
        results = pool.map(function, items)
        yield from progress(results, description, len(items))
