"""Maps of (image, class) pairs, one array per map size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

__all__ = ['MapPages', 'Pair']

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
        self._where: dict[str, dict[int, tuple[tuple[int, int], int]]] = {}
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Pair]:
        for image_id in sorted(self._where):
            for class_index in sorted(self._where[image_id]):
                yield image_id, class_index

    def __contains__(self, pair: Pair) -> bool:
        return pair[1] in self._where.get(pair[0], ())

    def __getitem__(self, pair: Pair) -> np.ndarray:
        """The (h, w) map of a pair, a view. Raises KeyError when absent."""
        image_id, class_index = pair
        try:
            size, row = self._where[image_id][class_index]
        except KeyError:
            raise KeyError(pair) from None
        return self._pages[size].maps[row]

    @property
    def image_ids(self) -> tuple[str, ...]:
        """Ids of the images with at least one map, sorted."""
        return tuple(sorted(self._where))

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
        return tuple(sorted(self._where.get(image_id, ())))

    def maps_of_size(self, size: tuple[int, int]) -> np.ndarray:
        """The (n, h, w) array of all maps of one size, a view."""
        return self._pages[size].maps

    def pairs_of_size(self, size: tuple[int, int]) -> list[Pair]:
        """The pairs whose maps :meth:`maps_of_size` holds, row by row."""
        return list(self._pages[size].pairs)

    def take(self, pairs: Sequence[Pair], size: tuple[int, int]) -> np.ndarray:
        """A copy, (n, h, w), of the maps of pairs that have one size."""
        rows = [self._where[image_id][c][1] for image_id, c in pairs]
        return self._pages[size].maps[rows]

    def _rows(self, pairs: Sequence[Pair], size: tuple[int, int]) -> list[int]:
        """Rows of pairs in the page of `size`; absent pairs get a new one."""
        fresh = []
        for pair in pairs:
            its_size = self._size_of(pair)
            if its_size is None:
                fresh.append(pair)
            elif its_size != size:
                raise ValueError(
                    f'image {pair[0]!r}, class {pair[1]}: its maps have '
                    f'{its_size[0]}x{its_size[1]} cells, but now one of '
                    f'{size[0]}x{size[1]} came. All maps of an image need '
                    'one resolution: use a dataset of oaa_mm, which records '
                    'what the transforms do, or pass `placements` with a '
                    '`grid`.'
                )
        page = self._pages.setdefault(size, _Page(size, self.dtype))
        first = page.grow(fresh)
        for row, (image_id, class_index) in enumerate(fresh, first):
            self._where.setdefault(image_id, {})[class_index] = (size, row)
        self._length += len(fresh)
        return [self._where[image_id][c][1] for image_id, c in pairs]

    def _size_of(self, pair: Pair) -> tuple[int, int] | None:
        place = self._where.get(pair[0], {}).get(pair[1])
        return None if place is None else place[0]

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
        rows = self._rows(pairs, size)
        page = self._pages[size].maps
        contiguous = rows == list(range(rows[0], rows[0] + len(rows)))
        index = slice(rows[0], rows[0] + len(rows)) if contiguous else rows
        if operation is None:
            page[index] = maps
        else:
            page[index] = operation(page[index], maps, dtype=self.dtype)


def _split_repeats(pairs: Sequence[Pair]) -> tuple[list[int], list[int]]:
    """Rows that name a pair for the first time, and all others."""
    if len(set(pairs)) == len(pairs):
        return list(range(len(pairs))), []
    first: dict[Pair, int] = {}
    again = [
        n for n, pair in enumerate(pairs) if first.setdefault(pair, n) != n
    ]
    return list(first.values()), again
