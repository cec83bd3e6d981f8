"""Fusing, saving, loading and opening a store, against a plain copy."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from oaa_mm.attention import AttentionStore

from .timing import timed_in_turn


def random_store(
    pairs: int,
    size: tuple[int, int] = (28, 37),
    seed: int = 0,
    prefix: str = 'im',
) -> AttentionStore:
    """A store of noise, three pairs for two images.

    Args:
        pairs (int): Maps.
        size (tuple[int, int]): Cells of a map. Defaults to (28, 37).
        seed (int): Of the noise. Defaults to 0.
        prefix (str): Of the image ids. Defaults to ``'im'``.

    Returns:
        AttentionStore: The store.
    """
    rng = np.random.default_rng(seed)
    names = [(f'{prefix}{n * 2 // 3:07d}', n % 3) for n in range(pairs)]
    maps = rng.integers(0, 256, (pairs, *size), dtype=np.uint8)
    return AttentionStore(dict(zip(names, maps, strict=True)))


def store_speed(
    pairs: int = 15_582, *, repeats: int = 5
) -> dict[str, dict[str, float]]:
    """Speed of fusing, saving, loading and opening, against a plain copy.

    Args:
        pairs (int): Defaults to 15,582, the pairs of VOC's train_aug.
        repeats (int): Rounds that count. Defaults to 5.

    Returns:
        dict[str, dict[str, float]]: What -> seconds, microseconds a pair,
        GB/s, and the share of the copy's speed.
    """
    store, other = random_store(pairs), random_store(pairs, seed=1)
    # An epoch comes in an order of its own.
    order = np.random.default_rng(2).permutation(pairs)
    known = list(other)
    names = [known[row] for row in order]
    maps = np.stack([other[name] for name in names])
    target = np.empty_like(maps)

    def fuse() -> None:
        for pair, attention in zip(names, maps, strict=True):
            store.join(pair, attention)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'store.safetensors'
        store.save(path)
        seconds = timed_in_turn(
            {
                'copy': lambda: np.copyto(target, maps),
                'fuse': fuse,
                'save': lambda: store.save(path),
                'load': lambda: AttentionStore.load(path),
                'open': lambda: AttentionStore.open(path),
            },
            repeats=repeats,
        )
    size_in_gb = store.num_bytes / 1e9
    return {
        name: {
            'seconds': value,
            'us a pair': 1e6 * value / pairs,
            'GB/s': size_in_gb / value,
            'share of copy': seconds['copy'] / value,
        }
        for name, value in seconds.items()
    }
