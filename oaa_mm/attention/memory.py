"""Memory for many maps, in blocks of one map size."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

#: Maps fused in one go, so that what is copied stays in the cache.
ROWS_AT_ONCE = 256
#: Bytes of a block. Only a block is ever copied when it grows, so the memory
#: of many maps is hardly more than their bytes.
BLOCK_BYTES = 64 << 20
#: Bits of a slot that hold the row in its block.
ROW_BITS = 32
ROW_MASK = (1 << ROW_BITS) - 1


class _Block:
    """A growing (n, h, w) array of maps, and a mark for each."""

    def __init__(self, size: tuple[int, int], dtype: np.dtype) -> None:
        self.size = size
        self.room = max(1, BLOCK_BYTES // (size[0] * size[1] * dtype.itemsize))
        self.count = 0
        self._maps = np.zeros((0, *size), dtype)
        self._marks = np.zeros(0, np.uint8)

    @property
    def maps(self) -> np.ndarray:
        return self._maps[: self.count]

    @property
    def marks(self) -> np.ndarray:
        return self._marks[: self.count]

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
            self._marks = _enlarged(self._marks, rows, first)
        return first


def _enlarged(array: np.ndarray, rows: int, used: int) -> np.ndarray:
    larger = np.zeros((rows, *array.shape[1:]), array.dtype)
    larger[:used] = array[:used]
    return larger


class MapMemory:
    """Slots for maps, each with some bits to mark it.

    Args:
        dtype (type): Element type of the maps.
    """

    def __init__(self, dtype: type) -> None:
        self.dtype = np.dtype(dtype)
        self._blocks: list[_Block] = []
        self._open: dict[tuple[int, int], int] = {}  # size -> last block

    def append(self, size: tuple[int, int], count: int) -> np.ndarray:
        """(count,) int64 slots of new zero maps."""
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

    def sizes(self, slots: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
        """Rows of `slots`, by the size (h, w) of the maps in them."""
        rows: dict[tuple[int, int], list[np.ndarray]] = {}
        numbers = slots >> ROW_BITS
        for number in np.unique(numbers).tolist():
            size = self._blocks[number].size
            rows.setdefault(size, []).append(np.flatnonzero(numbers == number))
        return {size: np.concatenate(parts) for size, parts in rows.items()}

    def view(self, slot: int) -> np.ndarray:
        """The (h, w) map in a slot."""
        return self._blocks[slot >> ROW_BITS].maps[slot & ROW_MASK]

    def read(self, slots: np.ndarray) -> np.ndarray:
        """A copy, (n, h, w), of maps of one size."""
        parts = list(self._by_block(slots))
        if len(parts) == 1:
            _, block, rows = parts[0]
            return block.maps[rows]
        maps = np.empty((len(slots), *parts[0][1].size), self.dtype)
        for where, block, rows in parts:
            maps[where] = block.maps[rows]
        return maps

    def pieces(
        self, slots: np.ndarray, rows: int
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """Maps in slots of any size, in parts that lie in one block.

        Args:
            slots (np.ndarray): (n,) slots, sorted.
            rows (int): Most maps of a part that has to be copied.

        Yields:
            tuple[slice, np.ndarray]: Where among `slots`, and the (m, h, w)
            maps: a view, where they are neighbours.
        """
        numbers = slots >> ROW_BITS
        bounds = np.flatnonzero(np.diff(numbers)) + 1
        starts = [0, *bounds.tolist(), len(slots)]
        for start, stop in pairwise(starts):
            if start == stop:
                continue
            maps = self._blocks[int(numbers[start])].maps
            first = int(slots[start] & ROW_MASK)
            if int(slots[stop - 1] & ROW_MASK) - first == stop - start - 1:
                yield slice(start, stop), maps[first : first + stop - start]
                continue
            for begin in range(start, stop, rows):
                part = slice(begin, min(begin + rows, stop))
                yield part, maps[slots[part] & ROW_MASK]

    def combine(
        self, slots: np.ndarray, maps: np.ndarray, operation: np.ufunc | None
    ) -> None:
        """Write (n, h, w) maps, or combine them with what is there.

        Args:
            slots (np.ndarray): (n,) distinct slots of maps of that size.
            maps (np.ndarray): (n, h, w).
            operation (np.ufunc | None): None overwrites.
        """
        for where, block, rows in self._by_block(slots):
            _write(block.maps, rows, maps[where], operation)

    def clear(self, slots: np.ndarray) -> None:
        """Write zeros to slots, of maps of any size."""
        for _, block, rows in self._by_block(slots):
            block.maps[rows] = 0

    def marks(self, slots: np.ndarray) -> np.ndarray:
        """(n,) uint8 marks of slots."""
        marks = np.zeros(len(slots), np.uint8)
        for where, block, rows in self._by_block(slots):
            marks[where] = block.marks[rows]
        return marks

    def mark(self, slots: np.ndarray, bits: int) -> None:
        """Set bits of the marks of slots."""
        for _, block, rows in self._by_block(slots):
            block.marks[rows] |= bits

    def clear_marks(self) -> None:
        """Set all marks to 0."""
        for block in self._blocks:
            block.marks[:] = 0

    def count_marks(self, bits: int) -> int:
        """Number of slots with one of these bits set."""
        return sum(
            int(np.count_nonzero(block.marks & bits)) for block in self._blocks
        )

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
