"""Maps of (image, class) pairs, in blocks of one map size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .pair_index import Pair, PairIndex

__all__ = ['MapPages', 'Pair']

#: Maps fused in one go, so that what is copied stays in the cache.
ROWS_AT_ONCE = 256
#: Bytes of a block. Only a block is ever copied when it grows, so the memory
#: of many maps is hardly more than their bytes.
BLOCK_BYTES = 64 << 20
#: Bits of a slot that hold the row in its block.
ROW_BITS = 32
ROW_MASK = (1 << ROW_BITS) - 1


class _Block:
    """A growing (n, h, w) array of maps, and the keys of its rows."""

    def __init__(self, size: tuple[int, int], dtype: np.dtype) -> None:
        self.size = size
        self.room = max(1, BLOCK_BYTES // (size[0] * size[1] * dtype.itemsize))
        self.count = 0
        self._maps = np.zeros((0, *size), dtype)
        self._keys = np.zeros(0, np.int64)

    @property
    def maps(self) -> np.ndarray:
        return self._maps[: self.count]

    @property
    def keys(self) -> np.ndarray:
        return self._keys[: self.count]

    @property
    def full(self) -> bool:
        return self.count == self.room

    def grow(self, count: int) -> int:
        """Append zero maps, return the row of the first one."""
        first = self.count
        self.count += count
        if self.count > len(self._maps):
            # Doubling keeps appending linear; a first bulk insert fits.
            rows = min(self.room, max(self.count, 2 * len(self._maps)))
            self._maps = _enlarged(self._maps, rows, first)
            self._keys = _enlarged(self._keys, rows, first)
        return first


def _enlarged(array: np.ndarray, rows: int, used: int) -> np.ndarray:
    larger = np.zeros((rows, *array.shape[1:]), array.dtype)
    larger[:used] = array[:used]
    return larger


class MapPages:
    """A dictionary {(image id, class): (h, w) map} with bulk operations.

    Maps of one size lie in few arrays, so that a batch of them is read or
    fused by one numpy call.

    Args:
        dtype (type): Element type of the maps.
    """

    def __init__(self, dtype: type = np.uint8) -> None:
        self.dtype = np.dtype(dtype)
        self._blocks: list[_Block] = []
        self._open: dict[tuple[int, int], int] = {}  # size -> last block
        self._index = PairIndex()

    def __len__(self) -> int:
        return len(self._index)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._index)

    def __contains__(self, pair: Pair) -> bool:
        return self._index.get(pair) >= 0

    def has(self, pairs: Sequence[Pair]) -> np.ndarray:
        """(n,) bool: which of n pairs have a map."""
        return self._index.find(pairs) >= 0

    def __getitem__(self, pair: Pair) -> np.ndarray:
        """The (h, w) map of a pair, a view. Raises KeyError when absent."""
        slot = self._index.get(pair)
        if slot < 0:
            raise KeyError(pair)
        return self._blocks[slot >> ROW_BITS].maps[slot & ROW_MASK]

    @property
    def image_ids(self) -> tuple[str, ...]:
        """Ids of the images with at least one map, sorted."""
        return tuple(sorted(self._index.image_ids))

    @property
    def num_bytes(self) -> int:
        """Bytes of all maps."""
        return sum(block.maps.nbytes for block in self._blocks)

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Map sizes (h, w) that occur, sorted."""
        return tuple(sorted({block.size for block in self._blocks}))

    def classes_of(self, image_id: str) -> tuple[int, ...]:
        """Classes of an image that have a map, sorted; empty if none."""
        return self._index.classes_of(image_id)

    def arrays(self) -> Iterator[np.ndarray]:
        """All maps as (n, h, w) arrays, views."""
        return (block.maps for block in self._blocks)

    def blocks(self) -> Iterator[tuple[list[Pair], np.ndarray]]:
        """All maps, as lists of n pairs with their (n, h, w) maps, views."""
        for block in self._blocks:
            yield self._index.pairs_of(block.keys), block.maps

    def take(self, pairs: Sequence[Pair]) -> np.ndarray:
        """A copy, (n, h, w), of the maps of pairs that have one size.

        Raises:
            KeyError: A pair is absent.
        """
        slots = self._index.find(pairs)
        if (slots < 0).any():
            raise KeyError(pairs[int(np.argmin(slots))])
        return self.take_slots(slots)

    def take_slots(self, slots: np.ndarray) -> np.ndarray:
        """A copy, (n, h, w), of the maps in slots, see :meth:`layout`."""
        parts = list(self._by_block(slots))
        if len(parts) == 1:
            _, block, rows = parts[0]
            return block.maps[rows]
        taken = np.empty((len(slots), *parts[0][1].size), self.dtype)
        for where, block, rows in parts:
            taken[where] = block.maps[rows]
        return taken

    def layout(
        self, size: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where the maps of one size lie, without their pairs as objects.

        Args:
            size (tuple[int, int]): One of :attr:`sizes`.

        Returns:
            tuple[np.ndarray, np.ndarray, np.ndarray]: (n,) number of the
            image in :meth:`images_by_number`, (n,) class, and (n,) slot for
            :meth:`take_slots`.
        """
        keys, slots = [], []
        for number, block in enumerate(self._blocks):
            if block.size == size:
                keys.append(block.keys)
                first = number << ROW_BITS
                slots.append(np.arange(first, first + block.count))
        numbers, classes = PairIndex.split(np.concatenate(keys))
        return numbers, classes, np.concatenate(slots)

    def images_by_number(self) -> list[str]:
        """The images in the order of the numbers of :meth:`layout`."""
        return self._index.image_ids

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
        slots = self._slots(pairs, (int(maps.shape[1]), int(maps.shape[2])))
        for where, block, rows in self._by_block(slots):
            _write(block.maps, rows, maps[where], operation)

    def _slots(
        self, pairs: Sequence[Pair], size: tuple[int, int]
    ) -> np.ndarray:
        """Slots of pairs of one map size; absent pairs get a new one."""
        slots = self._index.find(pairs)
        absent = np.flatnonzero(slots < 0)
        self._check_sizes(pairs, slots, size)
        if len(absent):
            fresh = self._append(size, len(absent))
            keys = self._index.add([pairs[n] for n in absent.tolist()], fresh)
            slots[absent] = fresh
            for where, block, rows in self._by_block(fresh):
                block.keys[rows] = keys[where]
        return slots

    def _check_sizes(
        self, pairs: Sequence[Pair], slots: np.ndarray, size: tuple[int, int]
    ) -> None:
        numbers = slots >> ROW_BITS  # -1 stays -1
        for number in np.unique(numbers[slots >= 0]).tolist():
            its_size = self._blocks[number].size
            if its_size != size:
                pair = pairs[int(np.flatnonzero(numbers == number)[0])]
                raise ValueError(
                    f'image {pair[0]!r}, class {pair[1]}: its maps have '
                    f'{its_size[0]}x{its_size[1]} cells, but now one of '
                    f'{size[0]}x{size[1]} came. All maps of an image need '
                    'one resolution: use a dataset of oaa_mm, which records '
                    'what the transforms do, or pass `placements` with a '
                    '`grid`.'
                )

    def _append(self, size: tuple[int, int], count: int) -> np.ndarray:
        """(count,) slots of new zero maps."""
        slots = []
        while count:
            number = self._open.get(size)
            if number is None or self._blocks[number].full:
                number = self._open[size] = len(self._blocks)
                self._blocks.append(_Block(size, self.dtype))
            block = self._blocks[number]
            some = min(count, block.room - block.count)
            first = (number << ROW_BITS) + block.grow(some)
            slots.append(np.arange(first, first + some))
            count -= some
        return np.concatenate(slots)

    def _by_block(
        self, slots: np.ndarray
    ) -> Iterator[tuple[slice | np.ndarray, _Block, np.ndarray]]:
        """Which of the slots lie in a block, the block, and their rows."""
        numbers, rows = slots >> ROW_BITS, slots & ROW_MASK
        blocks = np.unique(numbers).tolist()
        for number in blocks:
            where: slice | np.ndarray = slice(None)
            if len(blocks) > 1:
                where = np.flatnonzero(numbers == number)
            yield where, self._blocks[number], rows[where]


def _write(
    target: np.ndarray,
    rows: np.ndarray,
    maps: np.ndarray,
    operation: np.ufunc | None,
) -> None:
    """Combine maps with rows of an array."""
    if (np.diff(rows) == 1).all():  # neighbours: no copies
        there = target[rows[0] : rows[0] + len(rows)]
        if operation is None:
            there[:] = maps
        else:
            operation(there, maps, out=there, dtype=target.dtype)
        return
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = slice(start, start + ROWS_AT_ONCE)
        if operation is None:
            target[rows[some]] = maps[some]
        else:
            target[rows[some]] = operation(
                target[rows[some]], maps[some], dtype=target.dtype
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
