"""Numbers of image ids, for millions of images."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import numpy as np

#: New ids are kept in a dictionary up to this number, or this share.
FRESH, FRESH_SHARE = 100_000, 8


class ImageNumbers:
    """Number image ids in the order in which they come.

    A dictionary up to :data:`FRESH` images. Of more, most lie in one array
    of bytes, which takes some 20 bytes an image, where a dictionary takes
    140, and is several times slower.
    """

    def __init__(self) -> None:
        self._names = np.zeros(0, 'S1')  # UTF-8, by number
        self._order = np.zeros(0, np.int64)  # numbers, sorted by name
        self._fresh: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._names) + len(self._fresh)

    def find(self, image_ids: Sequence[str]) -> np.ndarray:
        """Numbers of images.

        Args:
            image_ids (Sequence[str]): n ids.

        Returns:
            np.ndarray: (n,) int64, -1 for images that have none.
        """
        numbers = np.fromiter(
            map(self._fresh.get, image_ids, repeat(-1)),
            np.int64,
            len(image_ids),
        )
        unknown = np.flatnonzero(numbers < 0)
        if len(self._names) and len(unknown):
            names = _encoded([image_ids[n] for n in unknown.tolist()])
            at = np.searchsorted(self._names, names, sorter=self._order)
            at[at == len(self._order)] = 0
            candidates = self._order[at]
            known = self._names[candidates] == names
            numbers[unknown[known]] = candidates[known]
        return numbers

    def add(self, image_ids: Sequence[str]) -> np.ndarray:
        """Numbers of images; those that have none get one.

        Args:
            image_ids (Sequence[str]): n ids, repeats allowed.

        Returns:
            np.ndarray: (n,) int64.
        """
        if len(image_ids) > FRESH:  # a dictionary of all would be large
            parts = range(0, len(image_ids), FRESH)
            return np.concatenate(
                [self.add(image_ids[n : n + FRESH]) for n in parts]
            )
        numbers = self.find(image_ids)
        first = len(self._names)
        for row in np.flatnonzero(numbers < 0).tolist():
            numbers[row] = self._fresh.setdefault(
                image_ids[row], first + len(self._fresh)
            )
        if len(self._fresh) > max(FRESH, first // FRESH_SHARE):
            self._names = self.names()
            self._order = np.argsort(self._names)
            self._fresh = {}
        return numbers

    def names(self) -> np.ndarray:
        """All ids by number, (n,) bytes in UTF-8."""
        if not self._fresh:
            return self._names
        return np.concatenate([self._names, _encoded(list(self._fresh))])

    def ids(self, numbers: np.ndarray) -> list[str]:
        """The ids of numbers, in their order."""
        first, fresh = len(self._names), list(self._fresh)
        return [
            fresh[number - first]
            if number >= first
            else self._names[number].decode()
            for number in numbers.tolist()
        ]


def _encoded(image_ids: Sequence[str]) -> np.ndarray:
    return np.array([image_id.encode() for image_id in image_ids], bytes)
