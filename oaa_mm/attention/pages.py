"""Maps of (image, class) pairs, one array per map size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

__all__ = ['MapPages', 'Pair']

#: Maps fused in one go, so that what is copied stays in the cache.
ROWS_AT_ONCE = 256
#: Image id and 0-based foreground class.
Pair = tuple[str, int]


class _Page:
    """A growing (n, h, w) array, and the pairs of its rows."""

    def __init__(self, size: tuple[int, int], dtype: np.dtype) -> None:
        self._array = np.zeros((0, *size), dtype)
        self.pairs: list[Pair] = []

    @property
    def maps(self) -> np.ndarray:
        return self._array[: len(self.pairs)]

    def grow(self, pairs: Sequence[Pair]) -> int:
        """Append zero maps of new pairs, return the row of the first one."""
        first = len(self.pairs)
        self.pairs.extend(pairs)
        if len(self.pairs) > len(self._array):
            # Doubling keeps appending linear; a first bulk insert fits.
            rows = max(len(self.pairs), 2 * len(self._array))
            larger = np.zeros(
                (rows, *self._array.shape[1:]), self._array.dtype
            )
            larger[:first] = self._array[:first]
            self._array = larger
        return first


class MapPages:
    """A dictionary {(image id, class): (h, w) map} with bulk operations.

    Maps of one size lie in one array, so that a batch of them is read or
    fused by one numpy call.

    Args:
        dtype (type): Element type of the maps.
    """

    def __init__(self, dtype: type = np.uint8) -> None:
        self.dtype = np.dtype(dtype)
        self._pages: dict[tuple[int, int], _Page] = {}
        # Flat, so that the rows of many pairs are found without Python code.
        self._where: dict[Pair, tuple[tuple[int, int], int]] = {}
        self._classes: dict[str, tuple[int, ...]] | None = None

    def __len__(self) -> int:
        return len(self._where)

    def __iter__(self) -> Iterator[Pair]:
        return iter(sorted(self._where))

    def __contains__(self, pair: Pair) -> bool:
        return pair in self._where

    def __getitem__(self, pair: Pair) -> np.ndarray:
        """The (h, w) map of a pair, a view. Raises KeyError when absent."""
        size, row = self._where[pair]
        return self._pages[size].maps[row]

    @property
    def image_ids(self) -> tuple[str, ...]:
        """Ids of the images with at least one map, sorted."""
        return tuple(self._classes_by_image())

    def _classes_by_image(self) -> dict[str, tuple[int, ...]]:
        if self._classes is None:
            classes: dict[str, tuple[int, ...]] = {}
            for image_id, class_index in self:
                found = classes.get(image_id, ())
                classes[image_id] = (*found, class_index)
            self._classes = classes
        return self._classes

    @property
    def num_bytes(self) -> int:
        """Bytes of all maps."""
        return sum(page.maps.nbytes for page in self._pages.values())

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Map sizes (h, w) that occur, sorted."""
        return tuple(sorted(s for s, p in self._pages.items() if p.pairs))

    def classes_of(self, image_id: str) -> tuple[int, ...]:
        """Classes of an image that have a map, sorted; empty if none."""
        return self._classes_by_image().get(image_id, ())

    def maps_of_size(self, size: tuple[int, int]) -> np.ndarray:
        """The (n, h, w) array of all maps of one size, a view."""
        return self._pages[size].maps

    def pairs_of_size(self, size: tuple[int, int]) -> list[Pair]:
        """The pairs whose maps :meth:`maps_of_size` holds, row by row."""
        return list(self._pages[size].pairs)

    def take(self, pairs: Sequence[Pair], size: tuple[int, int]) -> np.ndarray:
        """A copy, (n, h, w), of the maps of pairs that have one size."""
        rows = [self._where[pair][1] for pair in pairs]
        return self._pages[size].maps[rows]

    def _rows(self, pairs: Sequence[Pair], size: tuple[int, int]) -> list[int]:
        """Rows of pairs in the page of `size`; absent pairs get a new one."""
        places = list(map(self._where.get, pairs))
        fresh = []
        for pair, place in zip(pairs, places, strict=True):
            if place is None:
                fresh.append(pair)
            elif place[0] != size:
                raise ValueError(
                    f'image {pair[0]!r}, class {pair[1]}: its maps have '
                    f'{place[0][0]}x{place[0][1]} cells, but now one of '
                    f'{size[0]}x{size[1]} came. All maps of an image need '
                    'one resolution: use a dataset of oaa_mm, which records '
                    'what the transforms do, or pass `placements` with a '
                    '`grid`.'
                )
        if fresh:
            self._append(fresh, size)
            places = map(self._where.__getitem__, pairs)
        return [row for _, row in places]

    def _append(self, fresh: Sequence[Pair], size: tuple[int, int]) -> None:
        page = self._pages.setdefault(size, _Page(size, self.dtype))
        first = page.grow(fresh)
        self._where.update(
            (pair, (size, row)) for row, pair in enumerate(fresh, first)
        )
        self._classes = None

    def set(self, pairs: Sequence[Pair], maps: np.ndarray) -> None:
        """Write (n, h, w) maps, the pairs being distinct."""
        self._combine(pairs, maps, None)

    def maximum(self, pairs: Sequence[Pair], maps: np.ndarray) -> None:
        """Element-wise maximum of what is there and (n, h, w) maps."""
        self._combine(pairs, maps, np.maximum)

    def add(self, pairs: Sequence[Pair], maps: np.ndarray) -> None:
        """Sum of what is there and (n, h, w) maps."""
        self._combine(pairs, maps, np.add)

    def _combine(
        self,
        pairs: Sequence[Pair],
        maps: np.ndarray,
        operation: np.ufunc | None,
    ) -> None:
        if not len(pairs):
            return
        first, again = _split_repeats(pairs)
        if again:
            # A pair twice in one call: indexed assignment would lose one.
            for part in (first, again):
                self._combine([pairs[n] for n in part], maps[part], operation)
            return
        size = (int(maps.shape[1]), int(maps.shape[2]))
        rows = np.array(self._rows(pairs, size))
        page = self._pages[size].maps
        if (np.diff(rows) == 1).all():  # neighbours: no copies
            there = page[rows[0] : rows[0] + len(rows)]
            if operation is None:
                there[:] = maps
            else:
                operation(there, maps, out=there, dtype=self.dtype)
        elif operation is None:
            page[rows] = maps
        else:
            for start in range(0, len(rows), ROWS_AT_ONCE):
                some = slice(start, start + ROWS_AT_ONCE)
                page[rows[some]] = operation(
                    page[rows[some]], maps[some], dtype=self.dtype
                )


def _split_repeats(pairs: Sequence[Pair]) -> tuple[list[int], list[int]]:
    """Rows that name a pair for the first time, and all others."""
    if len(set(pairs)) == len(pairs):
        return list(range(len(pairs))), []
    first: dict[Pair, int] = {}
    again = [
        n for n, pair in enumerate(pairs) if first.setdefault(pair, n) != n
    ]
    return list(first.values()), again
