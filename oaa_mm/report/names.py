"""How a report calls stores and folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from oaa_mm.visualization.epochs import parse_store_name

_KNOWN = {'cam': 'CAM', 'oaa_plus': 'OAA+'}


def store_caption(name: str) -> str:
    """What a reader calls a store.

    Args:
        name (str): A stem, led by folders or not.

    Returns:
        str: For example ``'OAA, epoch 20'``; the folders stay in front.
    """
    *folders, stem = name.split('/')
    kind, number = parse_store_name(stem) or ('', 0)
    if kind.startswith('attention'):
        stem = f'OAA, {kind.split("_")[1]} {number}'
    return '/'.join([*folders, _KNOWN.get(stem, stem)])


def captions(names: Iterable[str]) -> dict[str, str]:
    """Short captions that tell stores of several folders apart.

    Args:
        names (Iterable[str]): Stems, led by their folders.

    Returns:
        dict[str, str]: Name -> caption, without folders where it is alone.
    """
    long = {name: store_caption(name) for name in names}
    short = {name: text.split('/')[-1] for name, text in long.items()}
    times = Counter(short.values())
    return {n: t if times[t] == 1 else long[n] for n, t in short.items()}
