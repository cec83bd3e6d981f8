"""Fusing, saving and loading the memory, beside a plain copy."""

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
    store = AttentionStore()
    store.set(names, rng.integers(0, 256, (pairs, *size), dtype=np.uint8))
    return store


def store_speed(
    pairs: int = 15_582, *, repeats: int = 5
) -> dict[str, dict[str, float]]:
    """GB/s of fusing, saving and loading, beside a copy of the same bytes.

    Args:
        pairs (int): Defaults to 15,582, the pairs of VOC's train_aug.
        repeats (int): Rounds that count. Defaults to 5.

    Returns:
        dict[str, dict[str, float]]: What -> seconds, GB/s, and the share of
        the copy's speed.
    """
    store, other = random_store(pairs), random_store(pairs, seed=1)
    # An epoch comes in an order of its own.
    order = np.random.default_rng(2).permutation(pairs)
    known = list(other)
    names = [known[row] for row in order]
    maps = other.take(names)
    target = np.empty_like(maps)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'store.safetensors'
        seconds = timed_in_turn(
            {
                'copy': lambda: np.copyto(target, maps),
                'fuse': lambda: store.maximum(names, maps),
                'save': lambda: store.save(path),
                'load': lambda: AttentionStore.load(path),
            },
            repeats=repeats,
        )
    size_in_gb = store.num_bytes / 1e9
    return {
        name: {
            'seconds': value,
            'GB/s': size_in_gb / value,
            'share of copy': seconds['copy'] / value,
        }
        for name, value in seconds.items()
    }
