"""Where the map of an (image, class) pair lies, for millions of pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .image_numbers import ImageNumbers

#: Image id and 0-based foreground class.
Pair = tuple[str, int]

#: Bits of a key that hold the class.
CLASS_BITS = 16
CLASS_MASK = (1 << CLASS_BITS) - 1
#: New pairs are kept in a dictionary up to this number, or this share.
FRESH, FRESH_SHARE = 4096, 8


def pair_keys(
    pairs: Sequence[Pair], numbers: ImageNumbers, *, add: bool = False
) -> np.ndarray:
    """Keys of pairs: the number of the image, then the class.

    Args:
        pairs (Sequence[Pair]): n pairs.
        numbers (ImageNumbers): Of the images.
        add (bool): Whether images without a number get one. Defaults to
            False.

    Returns:
        np.ndarray: (n,) int64, negative where the image has no number or the
        class cannot be one.
    """
    ids = [pair[0] for pair in pairs]
    classes = np.array([pair[1] for pair in pairs], np.int64)
    keys = join_keys(numbers.add(ids) if add else numbers.find(ids), classes)
    keys[(classes < 0) | (classes > CLASS_MASK)] = -1
    return keys


def join_keys(numbers: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Keys of (n,) int64 numbers of images and (n,) classes."""
    return (numbers << CLASS_BITS) | classes


def split_keys(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the images, and classes, of keys."""
    return keys >> CLASS_BITS, keys & CLASS_MASK


def pairs_of_keys(keys: np.ndarray, numbers: ImageNumbers) -> list[Pair]:
    """The pairs of keys, in their order."""
    images, classes = split_keys(keys)
    return list(zip(numbers.ids(images), classes.tolist(), strict=True))


class PairIndex:
    """A dictionary {key of a pair: integer} in sorted arrays.

    It takes 16 bytes a pair, where a dictionary of tuples takes 230, and
    looks many pairs up at once.
    """

    def __init__(self) -> None:
        self._keys = np.zeros(0, np.int64)  # sorted
        self._values = np.zeros(0, np.int64)
        self._fresh: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._keys) + len(self._fresh)

    def find(self, keys: np.ndarray) -> np.ndarray:
        """Values of (n,) keys, -1 where one is absent."""
        found = np.full(len(keys), -1, np.int64)
        if len(self._keys):
            at = np.searchsorted(self._keys, keys)
            at[at == len(self._keys)] = 0
            known = self._keys[at] == keys
            found[known] = self._values[at[known]]
        if self._fresh:
            for row in np.flatnonzero((found < 0) & (keys >= 0)).tolist():
                found[row] = self._fresh.get(int(keys[row]), -1)
        return found

    def add(self, keys: np.ndarray, values: np.ndarray) -> None:
        """Add keys that are not there yet, each once.

        Args:
            keys (np.ndarray): (n,) distinct keys.
            values (np.ndarray): (n,) integers from 0.
        """
        if len(keys) > max(FRESH, len(self._keys) // FRESH_SHARE):
            self._merge(keys, values)
            return
        self._fresh.update(zip(keys.tolist(), values.tolist(), strict=True))
        if len(self._fresh) > max(FRESH, len(self._keys) // FRESH_SHARE):
            self._merge_fresh()

    def remove(self, keys: np.ndarray) -> None:
        """Forget (n,) keys, which are there."""
        self._merge_fresh()
        at = np.searchsorted(self._keys, keys)
        self._keys = np.delete(self._keys, at)
        self._values = np.delete(self._values, at)

    def items(self) -> tuple[np.ndarray, np.ndarray]:
        """All keys, sorted, and their values. Not to be changed."""
        self._merge_fresh()
        return self._keys, self._values

    def classes_of(self, number: int) -> tuple[int, ...]:
        """Classes of an image, sorted; empty if it has none."""
        keys, _ = self.items()
        start, stop = np.searchsorted(
            keys, [number << CLASS_BITS, (number + 1) << CLASS_BITS]
        )
        return tuple((keys[start:stop] & CLASS_MASK).tolist())

    def _merge_fresh(self) -> None:
        if self._fresh:
            count = len(self._fresh)
            keys = np.fromiter(self._fresh.keys(), np.int64, count)
            values = np.fromiter(self._fresh.values(), np.int64, count)
            self._fresh = {}
            self._merge(keys, values)

    def _merge(self, keys: np.ndarray, values: np.ndarray) -> None:
        """Sort new pairs into the arrays."""
        order = np.argsort(keys)
        at = np.searchsorted(self._keys, keys[order])
        self._keys = np.insert(self._keys, at, keys[order])
        self._values = np.insert(self._values, at, values[order])
