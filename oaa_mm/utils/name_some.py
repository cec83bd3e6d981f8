"""Naming what an error is about; there may be thousands."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ['name_some']


def name_some(names: Sequence[str], limit: int = 10) -> str:
    """The first `limit` of some names, and the number of the others."""
    more = f' and {len(names) - limit} more' if len(names) > limit else ''
    return ', '.join(names[:limit]) + more
