"""Where the map of an (image, class) pair lies, for millions of pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat

import numpy as np

__all__ = ['Pair', 'PairIndex']

#: Image id and 0-based foreground class.
Pair = tuple[str, int]

#: Bits of a key that hold the class.
CLASS_BITS = 16
CLASS_MASK = (1 << CLASS_BITS) - 1
#: New pairs are kept in a dictionary up to this number, or this share.
FRESH, FRESH_SHARE = 4096, 8


class PairIndex:
    """A dictionary {(image id, class): integer} in sorted arrays.

    It takes about 170 bytes an image and 24 a pair, where a dictionary of
    tuples takes 230 a pair, and looks many pairs up at once.
    """

    def __init__(self) -> None:
        # Numbers count up, so the n-th key is the image of number n.
        self._numbers: dict[str, int] = {}
        self._keys = np.zeros(0, np.int64)  # sorted
        self._values = np.zeros(0, np.int64)
        self._fresh: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._keys) + len(self._fresh)

    @property
    def image_ids(self) -> list[str]:
        """The images, in the order in which they came."""
        return list(self._numbers)

    def keys_of(self, pairs: Sequence[Pair]) -> np.ndarray:
        """Keys of pairs, negative for images that have no pair yet.

        Args:
            pairs (Sequence[Pair]): n pairs.

        Returns:
            np.ndarray: (n,) int64: number of the image, then the class.
        """
        ids = [pair[0] for pair in pairs]
        classes = np.array([pair[1] for pair in pairs], np.int64)
        numbers = np.fromiter(
            map(self._numbers.get, ids, repeat(-1)), np.int64, len(ids)
        )
        keys = (numbers << CLASS_BITS) | classes
        keys[(classes < 0) | (classes > CLASS_MASK)] = -1
        return keys

    def find(self, pairs: Sequence[Pair]) -> np.ndarray:
        """Values of pairs.

        Args:
            pairs (Sequence[Pair]): n pairs.

        Returns:
            np.ndarray: (n,) int64, -1 where a pair is absent.
        """
        keys = self.keys_of(pairs)
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

    def get(self, pair: Pair) -> int:
        """Value of one pair, -1 if it is absent."""
        number = self._numbers.get(pair[0])
        if number is None or not 0 <= pair[1] <= CLASS_MASK:
            return -1
        key = (number << CLASS_BITS) | int(pair[1])
        value = self._fresh.get(key, -1)
        if value < 0 and len(self._keys):
            at = int(np.searchsorted(self._keys, key))
            if at < len(self._keys) and self._keys[at] == key:
                value = int(self._values[at])
        return value

    def add(self, pairs: Sequence[Pair], values: np.ndarray) -> np.ndarray:
        """Add pairs that are not there yet, each once.

        Args:
            pairs (Sequence[Pair]): n distinct pairs.
            values (np.ndarray): (n,) integers from 0.

        Returns:
            np.ndarray: (n,) int64 keys.
        """
        numbers = self._numbers
        for image_id, _ in pairs:
            if image_id not in numbers:
                numbers[image_id] = len(numbers)
        keys = self.keys_of(pairs)
        self._fresh.update(zip(keys.tolist(), values.tolist(), strict=True))
        if len(self._fresh) > max(FRESH, len(self._keys) // FRESH_SHARE):
            self._merge()
        return keys

    def _merge(self) -> None:
        """Sort the new pairs into the arrays."""
        if not self._fresh:
            return
        count = len(self._fresh)
        keys = np.fromiter(self._fresh.keys(), np.int64, count)
        values = np.fromiter(self._fresh.values(), np.int64, count)
        order = np.argsort(keys)
        at = np.searchsorted(self._keys, keys[order])
        self._keys = np.insert(self._keys, at, keys[order])
        self._values = np.insert(self._values, at, values[order])
        self._fresh = {}

    def classes_of(self, image_id: str) -> tuple[int, ...]:
        """Classes of an image, sorted; empty if it has none."""
        number = self._numbers.get(image_id)
        if number is None:
            return ()
        self._merge()
        start, stop = np.searchsorted(
            self._keys, [number << CLASS_BITS, (number + 1) << CLASS_BITS]
        )
        return tuple((self._keys[start:stop] & CLASS_MASK).tolist())

    @staticmethod
    def split(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the images, and classes, of keys."""
        return keys >> CLASS_BITS, keys & CLASS_MASK

    def pairs_of(self, keys: np.ndarray) -> list[Pair]:
        """The pairs of keys, in their order."""
        ids = self.image_ids
        return [(ids[k >> CLASS_BITS], k & CLASS_MASK) for k in keys.tolist()]

    def __iter__(self) -> Iterator[Pair]:
        """All pairs, sorted by image id and class."""
        self._merge()
        ids = self.image_ids
        classes = (self._keys & CLASS_MASK).tolist()
        firsts = np.arange(len(ids) + 1) << CLASS_BITS
        starts = np.searchsorted(self._keys, firsts).tolist()
        for number in sorted(range(len(ids)), key=ids.__getitem__):
            for at in range(starts[number], starts[number + 1]):
                yield ids[number], classes[at]
