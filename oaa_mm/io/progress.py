"""The progress bar of all long loops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar('T')


def progress(
    items: Iterable[T], description: str, total: int | None = None
) -> Iterator[T]:
    """Iterate over items under a progress bar on the standard error.

    The bar is cleared at the end. Where the standard error is no terminal,
    such as a log file, the items are passed on and nothing is printed.

    Args:
        items (Iterable[T]): The items.
        description (str): A few words that stand before the bar.
        total (int | None): Number of the items; needed only where `items`
            has no length. Defaults to None.

    Yields:
        T: Each item.
    """
    console = Console(stderr=True)
    yield from track(
        items,
        description,
        total=total,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
