"""How a report calls stores."""

from __future__ import annotations

from oaa_mm.engine.store_names import CURRENT, parse_store_name

_KNOWN = {'cam': 'CAM', 'oaa_plus': 'OAA+'}


def store_caption(name: str) -> str:
    """Put the name of a store into a reader's words.

    Args:
        name (str): A stem, led by folders or not.

    Returns:
        str: For example ``'OAA, epoch 20'``; the folders stay in front.
    """
    *folders, stem = name.split('/')
    kind, number = parse_store_name(stem) or (CURRENT, 0)
    if kind != CURRENT:
        stem = f'OAA, {kind.rpartition("_")[2]} {number}'
    return '/'.join([*folders, _KNOWN.get(stem, stem)])
