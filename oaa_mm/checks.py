"""Checking what users write into configs, and naming what is wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any


def check_number(
    name: str,
    value: Any,
    *,
    low: float,
    high: float = math.inf,
    integer: bool = False,
) -> None:
    """Refuse what is no number of a range; NaN is in none.

    Args:
        name (str): Of the argument, for the message.
        value (Any): What was given; ``--cfg-options`` may give anything.
        low (float): Least allowed value.
        high (float): Greatest allowed value; itself not allowed where it is
            infinite. Defaults to infinity.
        integer (bool): Whether only integers are allowed. Defaults to False.

    Raises:
        ValueError: It is not of that kind or out of the range.
    """
    kind = Integral if integer else Real
    fits = isinstance(value, kind) and not isinstance(value, bool)
    if not (fits and low <= value <= high and value < math.inf):
        end = ')' if high == math.inf else ']'
        whole = ', an integer' if integer else ''
        raise ValueError(
            f'{name} should be in [{low:g}, {high:g}{end}{whole}, but got '
            f'{value!r}'
        )


def name_some(names: Sequence[str], limit: int = 10) -> str:
    """The first `limit` of some names, and the number of the others."""
    more = f' and {len(names) - limit} more' if len(names) > limit else ''
    return ', '.join(names[:limit]) + more
