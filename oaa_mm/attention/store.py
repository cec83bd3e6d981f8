"""The memory of attention maps: a dictionary that can be saved."""

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from oaa_mm.io import check_image_id
from oaa_mm.io.images import write_image

from .by_image import MapsByImage, Pair, check_same_size
from .png_folder import PngFolderReader
from .reader import AttentionReader
from .store_file import write_sections
from .store_names import final_store

#: Classes are written as unsigned integers of 16 bits.
MAX_CLASS_INDEX = 65535
#: Number of maps that are measured in one step.
MAPS_AT_ONCE = 256


class AttentionStore(MapsByImage, MutableMapping):
    """Attention maps of (image, class) pairs, uint8 at feature resolution.

    A dictionary: ``store[image_id, class_index]`` is the (h, w) uint8 map
    (value = round(255 * attention)), a KeyError when absent; ``len(store)``
    counts pairs, iterating yields (image id, class) sorted.

    Args:
        maps (Mapping[Pair, np.ndarray] | None): Maps to begin with. Defaults
            to None: none.
        metadata (Mapping[str, Any] | None): The origin of the maps, as JSON
            types; :meth:`save` writes it. Defaults to None: nothing.

    Example:
        >>> store = AttentionStore()
        >>> store['2007_000032', 0] = np.full((2, 3), 128, np.uint8)
        >>> list(store), store.num_bytes
        ([('2007_000032', 0)], 6)
    """

    def __init__(
        self,
        maps: Mapping[Pair, np.ndarray] | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.data: dict[Pair, np.ndarray] = {}
        self.metadata = dict(metadata or {})
        self.update(maps or {})

    def __getitem__(self, pair: Pair) -> np.ndarray:
        return self.data[pair]

    def __setitem__(self, pair: Pair, attention: np.ndarray) -> None:
        """Keep a copy of the (h, w) uint8 map of a pair.

        Raises:
            ValueError: The map is not two-dimensional uint8, the image id
                could not be a file's name, or the class is no index that
                the file can hold.
        """
        attention = np.array(attention, order='C')
        if attention.dtype != np.uint8 or attention.ndim != 2:
            raise ValueError(
                f'{pair}: attention maps are (h, w) uint8, but got '
                f'{attention.shape} {attention.dtype}'
            )
        image_id, index = check_image_id(pair[0]), pair[1]
        whole = isinstance(index, (int, np.integer))
        if not (whole and 0 <= index <= MAX_CLASS_INDEX):
            raise ValueError(
                f'image {image_id!r}: a class of an attention map is an index '
                'from 0 (the first foreground class) to '
                f'{MAX_CLASS_INDEX}, but got {index!r}. Background and '
                '"ignore" have no map'
            )
        self.data[image_id, int(index)] = attention
        self._classes = None

    def __delitem__(self, pair: Pair) -> None:
        """Forget the map of a pair."""
        del self.data[pair]
        self._classes = None

    def join(self, pair: Pair, attention: np.ndarray) -> None:
        """Take the element-wise maximum of a pair's map and another one.

        Args:
            pair (Pair): Image id and class, with or without a map.
            attention (np.ndarray): (h, w) uint8 map.

        Raises:
            ValueError: The pair's map has another size.
        """
        mine = self.data.get(pair)
        if mine is None:
            self[pair] = attention
        else:
            check_same_size(pair, mine, attention)
            np.maximum(mine, attention, out=mine)

    @property
    def num_bytes(self) -> int:
        """Bytes of all maps."""
        return sum(attention.nbytes for attention in self.data.values())

    @property
    def coverage(self) -> float:
        """Mean of all maps in [0, 1]: the share of the images attended to."""
        return self.measure()[0]

    def measure(self) -> tuple[float, int]:
        """Compute :attr:`coverage` and count maps without any attention.

        Returns:
            tuple[float, int]: The two.
        """
        by_size: dict[int, list[np.ndarray]] = {}
        for attention in self.data.values():
            by_size.setdefault(attention.size, []).append(attention)
        total = cells = all_zero = 0
        for size, maps in by_size.items():
            for start in range(0, len(maps), MAPS_AT_ONCE):
                # numpy's concatenate and sum take three times as long.
                joined = b''.join(maps[start : start + MAPS_AT_ONCE])
                block = np.frombuffer(joined, np.uint8).reshape(-1, size)
                total += int(cv2.sumElems(block)[0])
                cells += block.size
                all_zero += int((block.max(1) == 0).sum())
        return total / (255 * cells) if cells else 0.0, all_zero

    def save(self, path: str | os.PathLike) -> None:
        """Write the store to one file, atomically.

        Args:
            path (str | os.PathLike): The file, usually ``*.safetensors``.

        Raises:
            OSError: The file cannot be written; an old one stays as it was.
        """
        write_sections(path, {'maps': self.data}, self.metadata)

    @classmethod
    def load(cls, path: str | os.PathLike) -> 'AttentionStore':
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
        reader = AttentionReader(path)
        store = cls(metadata=reader.metadata)
        store.path = path
        store.data = reader.read(wanted=('maps',)).get('maps', {})
        return store

    @staticmethod
    def open(path: str | os.PathLike) -> AttentionReader | PngFolderReader:
        """Open a store for random access without reading all maps.

        Args:
            path (str | os.PathLike): The file; the folder of a run, whose
                last accumulated maps are opened; or a folder in the authors'
                format (see :meth:`import_png`).

        Returns:
            AttentionReader | PngFolderReader: A read-only mapping; maps are
            read when asked for, their checksum is not verified.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The file is no attention store.
        """
        path = final_store(path)
        return (
            PngFolderReader(path) if path.is_dir() else AttentionReader(path)
        )

    def export_png(self, folder: str | os.PathLike) -> None:
        """Write the authors' format: ``{image_id}_{class}.png``, grey uint8.

        Args:
            folder (str | os.PathLike): Made if absent; files of the same name
                are replaced.
        """
        for (image_id, class_index), attention in self.items():
            path = Path(folder, f'{image_id}_{class_index}.png')
            write_image(path, attention)

    @classmethod
    def import_png(cls, folder: str | os.PathLike) -> 'AttentionStore':
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
        return cls(PngFolderReader(folder))
