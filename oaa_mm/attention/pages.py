"""Maps of (image, class) pairs, with operations on many at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .image_numbers import ImageNumbers
from .memory import MapMemory
from .pair_index import Pair, PairIndex, pair_keys, pairs_of_keys, split_keys

#: Maps that are copied in one go where they do not lie side by side.
ROWS_AT_ONCE = 4096


class MapPages:
    """A dictionary {(image id, class): (h, w) map} with bulk operations.

    Maps of one size lie in few arrays, so that a batch of them is read or
    fused by one numpy call.

    Args:
        dtype (type): Element type of the maps.
        beside (MapPages | None): Another collection whose memory and numbers
            of images this one shares, so that maps can change from one to
            the other without being copied. Defaults to None.
    """

    def __init__(
        self, dtype: type = np.uint8, *, beside: MapPages | None = None
    ) -> None:
        self.dtype = np.dtype(dtype)
        self.memory = MapMemory(dtype) if beside is None else beside.memory
        self.numbers = ImageNumbers() if beside is None else beside.numbers
        self._index = PairIndex()

    def __len__(self) -> int:
        return len(self._index)

    def __iter__(self) -> Iterator[Pair]:
        """All pairs, sorted by image id and class."""
        keys, _ = self._index.items()
        return iter(sorted(pairs_of_keys(keys, self.numbers)))

    def __contains__(self, pair: Pair) -> bool:
        return bool(self.has([pair])[0])

    def has(self, pairs: Sequence[Pair]) -> np.ndarray:
        """(n,) bool: which of n pairs have a map."""
        return self.find(pairs) >= 0

    def find(self, pairs: Sequence[Pair]) -> np.ndarray:
        """(n,) int64 slots of n pairs, -1 for those without a map."""
        return self.slots_of(pair_keys(pairs, self.numbers))

    def slots_of(self, keys: np.ndarray) -> np.ndarray:
        """(n,) int64 slots of n keys, -1 for those without a map."""
        return self._index.find(keys)

    def __getitem__(self, pair: Pair) -> np.ndarray:
        """The (h, w) map of a pair, a view. Raises KeyError when absent."""
        slot = int(self.find([pair])[0])
        if slot < 0:
            raise KeyError(pair)
        return self.memory.view(slot)

    @property
    def image_ids(self) -> tuple[str, ...]:
        """Ids of the images with at least one map, sorted."""
        return tuple(sorted(self.numbers.ids(self.image_numbers())))

    @property
    def num_bytes(self) -> int:
        """Bytes of all maps."""
        _, slots = self._index.items()
        return self.dtype.itemsize * sum(
            len(rows) * size[0] * size[1]
            for size, rows in self.memory.sizes(slots).items()
        )

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Map sizes (h, w) that occur, sorted."""
        return tuple(sorted(self.memory.sizes(self._index.items()[1])))

    def classes_of(self, image_id: str) -> tuple[int, ...]:
        """Classes of an image that have a map, sorted; empty if none."""
        number = int(self.numbers.find([image_id])[0])
        return () if number < 0 else self._index.classes_of(number)

    def arrays(self) -> Iterator[np.ndarray]:
        """All maps as (n, h, w) arrays, not to be changed."""
        return (maps for _, maps in self._pieces())

    def blocks(self) -> Iterator[tuple[list[Pair], np.ndarray]]:
        """All maps, as lists of n pairs with their (n, h, w) maps."""
        for keys, maps in self._pieces():
            yield pairs_of_keys(keys, self.numbers), maps

    def _pieces(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        keys, slots = self._index.items()
        order = np.argsort(slots)
        keys, slots = keys[order], slots[order]
        for where, maps in self.memory.pieces(slots, ROWS_AT_ONCE):
            yield keys[where], maps

    def layout(
        self,
    ) -> dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]:
        """Where all maps lie, without their pairs as objects.

        Returns:
            dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]: Map size ->
            (n,) keys, and (n,) slots in `memory`.
        """
        keys, slots = self._index.items()
        return {
            size: (keys[rows], slots[rows])
            for size, rows in self.memory.sizes(slots).items()
        }

    def image_numbers(self) -> np.ndarray:
        """(n,) numbers, sorted, of the images that have a map."""
        return np.unique(split_keys(self._index.items()[0])[0])

    def take(self, pairs: Sequence[Pair]) -> np.ndarray:
        """A copy, (n, h, w), of the maps of pairs that have one size.

        Raises:
            KeyError: A pair is absent.
        """
        slots = self.find(pairs)
        if (slots < 0).any():
            raise KeyError(pairs[int(np.argmin(slots))])
        return self.memory.read(slots)

    def set(self, pairs: Sequence[Pair], maps: np.ndarray) -> None:
        """Write (n, h, w) maps, the pairs being distinct."""
        self.combine(self.keys(pairs), maps, None)

    def maximum(self, pairs: Sequence[Pair], maps: np.ndarray) -> None:
        """Element-wise maximum of what is there and (n, h, w) maps."""
        self.combine(self.keys(pairs), maps, np.maximum)

    def add(self, pairs: Sequence[Pair], maps: np.ndarray) -> None:
        """Sum of what is there and (n, h, w) maps."""
        self.combine(self.keys(pairs), maps, np.add)

    def keys(self, pairs: Sequence[Pair]) -> np.ndarray:
        """(n,) int64 keys of pairs, for :meth:`combine` and others.

        Raises:
            ValueError: A class is not within 0..65535.
        """
        keys = pair_keys(pairs, self.numbers, add=True)
        if (keys < 0).any():
            image_id, class_index = pairs[int(np.argmin(keys))]
            raise ValueError(
                f'image {image_id!r}: class {class_index} is not within '
                '0..65535'
            )
        return keys

    def combine(
        self, keys: np.ndarray, maps: np.ndarray, operation: np.ufunc | None
    ) -> np.ndarray:
        """Write maps, or combine them with what is there.

        Args:
            keys (np.ndarray): (n,) keys, repeats allowed; absent ones are
                added, with maps of zeros.
            maps (np.ndarray): (n, h, w) maps.
            operation (np.ufunc | None): For example `np.maximum`; None
                overwrites.

        Returns:
            np.ndarray: (n,) int64 slots of the keys.

        Raises:
            ValueError: A map of another size is there.
        """
        if not len(keys):
            return np.zeros(0, np.int64)
        unique, first = np.unique(keys, return_index=True)
        if len(unique) < len(keys):
            # A pair twice in one call: indexed assignment would lose one.
            again = np.delete(np.arange(len(keys)), first)
            slots = np.empty(len(keys), np.int64)
            for rows in (np.sort(first), again):
                slots[rows] = self.combine(keys[rows], maps[rows], operation)
            return slots
        slots = self._make_slots(keys, (int(maps.shape[1]), maps.shape[2]))
        self.memory.combine(slots, maps, operation)
        return slots

    def _make_slots(
        self, keys: np.ndarray, size: tuple[int, int]
    ) -> np.ndarray:
        """Slots of maps of one size; absent keys get a new one."""
        slots = self.slots_of(keys)
        absent = slots < 0
        self._check_sizes(keys[~absent], slots[~absent], size)
        if absent.any():
            slots[absent] = self.memory.append(size, int(absent.sum()))
            self._index.add(keys[absent], slots[absent])
        return slots

    def _check_sizes(
        self, keys: np.ndarray, slots: np.ndarray, size: tuple[int, int]
    ) -> None:
        for its_size, rows in self.memory.sizes(slots).items():
            if its_size != size:
                pair = pairs_of_keys(keys[rows[:1]], self.numbers)[0]
                raise ValueError(
                    f'image {pair[0]!r}, class {pair[1]}: its maps have '
                    f'{its_size[0]}x{its_size[1]} cells, but now one of '
                    f'{size[0]}x{size[1]} came. All maps of an image need '
                    'one resolution: use a dataset of oaa_mm, which records '
                    'what the transforms do, or pass `placements` with a '
                    '`grid`.'
                )

    def adopt(self, other: MapPages, keys: np.ndarray | None = None) -> None:
        """Have maps of a collection with the same memory, without a copy.

        Args:
            other (MapPages): A collection beside this one; it keeps them.
            keys (np.ndarray | None): (n,) distinct keys that are in `other`
                and not here. Defaults to None: all that are not here.
        """
        if keys is None:
            keys, _ = other._index.items()
            keys = keys[self.slots_of(keys) < 0]
        self._index.add(keys, other.slots_of(keys))

    def forget(self, keys: np.ndarray) -> None:
        """Remove (n,) distinct keys, which are there; slots are not freed."""
        if len(keys):
            self._index.remove(keys)

    def keys_in(self, other: MapPages) -> np.ndarray:
        """(n,) keys of all pairs that `other`, beside this, has as well."""
        keys, _ = self._index.items()
        return keys[other.slots_of(keys) >= 0]
