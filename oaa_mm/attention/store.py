"""The memory of attention maps."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np

from oaa_mm.io import atomic_write, check_image_id

from .image_numbers import ImageNumbers
from .memory import ROW_BITS, ROW_MASK
from .pages import MapPages, Pair
from .pair_index import PairIndex, pair_keys, pairs_of_keys
from .png_folder import PngFolderReader
from .store_file import (
    load_pages,
    open_container,
    read_image_ids,
    read_index,
    save_pages,
)

#: Classes are written as unsigned integers of 16 bits.
MAX_CLASS_INDEX = 65535


class AttentionStore(MapPages):
    """Attention maps of (image, class) pairs, uint8 at feature resolution.

    Behaves like a dictionary: ``store[image_id, class_index]`` is the (h, w)
    uint8 map (value = round(255 * attention)), a KeyError when absent;
    ``len(store)`` counts pairs, iterating yields (image id, class) sorted.

    Example:
        >>> store = AttentionStore()
        >>> store['2007_000032', 0] = np.full((2, 3), 128, np.uint8)
        >>> list(store), store.num_bytes
        ([('2007_000032', 0)], 6)
    """

    def __init__(self, *, beside: MapPages | None = None) -> None:
        super().__init__(np.uint8, beside=beside)

    def __setitem__(self, pair: Pair, attention: np.ndarray) -> None:
        """Write the (h, w) uint8 map of a pair.

        Raises:
            ValueError: The map is not two-dimensional uint8, the image id
                could not be a file's name, or the class is no index that
                the file can hold.
        """
        attention = np.asarray(attention)
        if attention.dtype != np.uint8 or attention.ndim != 2:
            raise ValueError(
                f'{pair}: attention maps are (h, w) uint8, but got '
                f'{attention.shape} {attention.dtype}'
            )
        check_image_id(pair[0])
        _check_class_index(pair)
        self.set([pair], attention[None])

    @property
    def coverage(self) -> float:
        """Mean of all maps in [0, 1]: the share of the images attended to."""
        total = sum(int(maps.sum(dtype=np.int64)) for maps in self.arrays())
        return total / (255 * self.num_bytes) if self.num_bytes else 0.0

    @property
    def all_zero(self) -> int:
        """Number of maps without any attention."""
        return sum(int((~maps.any((1, 2))).sum()) for maps in self.arrays())

    def save(self, path: str | os.PathLike) -> None:
        """Write the store to one file, atomically.

        Args:
            path (str | os.PathLike): The file, usually ``*.safetensors``.

        Raises:
            OSError: The file cannot be written; an old one stays as it was.
        """
        save_pages(path, {'maps': self})

    @classmethod
    def load(cls, path: str | os.PathLike) -> AttentionStore:
        """Read a store that :meth:`save` wrote.

        Args:
            path (str | os.PathLike): The file.

        Returns:
            AttentionStore: The store, all in memory.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The file is no attention store, truncated, or its
                content does not match its checksum.
        """
        store = cls()
        load_pages(path, {'maps': store})
        return store

    @staticmethod
    def open(path: str | os.PathLike) -> AttentionReader | PngFolderReader:
        """Open a store for random access without reading all maps.

        Args:
            path (str | os.PathLike): The file, or a folder in the authors'
                format (see :meth:`import_png`).

        Returns:
            AttentionReader | PngFolderReader: A read-only mapping; maps are
            read when asked for, their checksum is not verified.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The file is no attention store.
        """
        if Path(path).is_dir():
            return PngFolderReader(path)
        return AttentionReader(path)

    def export_png(self, folder: str | os.PathLike) -> None:
        """Write the authors' format: ``{image_id}_{class}.png``, grey uint8.

        Args:
            folder (str | os.PathLike): Made if absent; files of the same name
                are replaced.
        """
        folder = Path(folder)
        for image_id, class_index in self:
            name = f'{image_id}_{class_index}.png'
            _, png = cv2.imencode('.png', self[image_id, class_index])
            with atomic_write(folder / name) as file:
                file.write(png.tobytes())

    @classmethod
    def import_png(cls, folder: str | os.PathLike) -> AttentionStore:
        """Read a folder in the authors' format.

        Args:
            folder (str | os.PathLike): Holds ``{image_id}_{class}.png``;
                class indices are 0-based, values 0..255. Files that are not
                PNG are left alone.

        Returns:
            AttentionStore: The maps at the size that the files have.

        Raises:
            FileNotFoundError: The folder is absent or holds no PNG.
            ValueError: A file's name or content does not fit; it is named.
        """
        store = cls()
        for pair, attention in PngFolderReader(folder).items():
            store[pair] = attention
        return store


def _check_class_index(pair: Pair) -> None:
    index = pair[1]
    whole = isinstance(index, (int, np.integer))
    if not (whole and 0 <= index <= MAX_CLASS_INDEX):
        raise ValueError(
            f'image {pair[0]!r}: a class of an attention map is an index from '
            f'0 (the first foreground class) to {MAX_CLASS_INDEX}, but got '
            f'{index!r}. Background and "ignore" have no map'
        )


class AttentionReader(Mapping):
    """Read-only access to a store's file, map by map.

    Args:
        path (str | os.PathLike): A file that :meth:`AttentionStore.save`
            wrote.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self._file = open_container(path)
        image_ids = read_image_ids(self._file, path)
        self._numbers, self._index = ImageNumbers(), PairIndex()
        numbers = self._numbers.add(image_ids)
        self._slices = []
        for size, keys in read_index(self._file, 'maps', path, numbers):
            name = f'maps.{size[0]}x{size[1]}'
            first = len(self._slices) << ROW_BITS
            self._slices.append(self._file.get_slice(name))
            self._index.add(keys, np.arange(first, first + len(keys)))

    def __getitem__(self, pair: Pair) -> np.ndarray:
        slot = self._slot(pair)
        if slot < 0:
            raise KeyError(pair)
        return self._slices[slot >> ROW_BITS][slot & ROW_MASK]

    def __contains__(self, pair: Pair) -> bool:
        return self._slot(pair) >= 0

    def _slot(self, pair: Pair) -> int:
        return int(self._index.find(pair_keys([pair], self._numbers))[0])

    def __len__(self) -> int:
        return len(self._index)

    def __iter__(self) -> Iterator[Pair]:
        keys, _ = self._index.items()
        return iter(sorted(pairs_of_keys(keys, self._numbers)))
