"""The memory of attention maps and its one compact file.

The file is a safetensors container, which no reader has to execute. For each
map size it holds the maps as one (n, h, w) uint8 tensor and, row by row, the
index of the image and the class; beside them the image ids. Images and
classes are sorted, so equal memories give equal files, whatever the order in
which they were built.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
import safetensors.numpy
from PIL import Image
from safetensors import SafetensorError, safe_open

from oaa_mm.utils import atomic_write, check_image_id

from .pages import MapPages, Pair

__all__ = ['AttentionReader', 'AttentionStore', 'load_pages', 'save_pages']

FORMAT = 'oaa_mm.attention_store'
FORMAT_VERSION = '1'
_PNG_NAME = re.compile(r'(?P<image_id>.+)_(?P<class_index>\d+)\.png')


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

    def __init__(self) -> None:
        super().__init__(np.uint8)

    def __setitem__(self, pair: Pair, attention: np.ndarray) -> None:
        """Write the (h, w) uint8 map of a pair.

        Raises:
            ValueError: The map is not two-dimensional uint8, or the image id
                could not be a file's name.
        """
        attention = np.asarray(attention)
        if attention.dtype != np.uint8 or attention.ndim != 2:
            raise ValueError(
                f'{pair}: attention maps are (h, w) uint8, but got '
                f'{attention.shape} {attention.dtype}'
            )
        check_image_id(pair[0])
        self.set([pair], attention[None])

    @property
    def coverage(self) -> float:
        """Mean of all maps in [0, 1]: the share of the images attended to."""
        total = sum(
            int(self.maps_of_size(size).sum(dtype=np.int64))
            for size in self.sizes
        )
        return total / (255 * self.num_bytes) if self.num_bytes else 0.0

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
    def open(path: str | os.PathLike) -> AttentionReader:
        """Open a store for random access without reading all maps.

        Args:
            path (str | os.PathLike): The file.

        Returns:
            AttentionReader: A read-only mapping; maps are read when asked
            for, their checksum is not verified.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The file is no attention store.
        """
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
        paths = sorted(Path(folder).glob('*.png'))
        if not paths:
            raise FileNotFoundError(
                f'{folder}: no PNG files; expected attention maps named '
                '`{image_id}_{class}.png`'
            )
        store = cls()
        for path in paths:
            name = _PNG_NAME.fullmatch(path.name)
            if name is None:
                raise ValueError(
                    f'{path}: attention maps are named '
                    '`{image_id}_{class}.png`, class being a number from 0'
                )
            pair = name['image_id'], int(name['class_index'])
            store[pair] = _read_grey_png(path)
        return store


def _read_grey_png(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            if image.mode != 'L':
                raise ValueError(
                    f'{path}: an attention map is an 8-bit greyscale PNG, '
                    f'but this one has mode {image.mode!r}'
                )
            return np.asarray(image)
    except (OSError, SyntaxError) as error:
        raise ValueError(f'{path}: not a readable PNG ({error})') from error


class AttentionReader(Mapping):
    """Read-only access to a store's file, map by map.

    Args:
        path (str | os.PathLike): A file that :meth:`AttentionStore.save`
            wrote.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self._file = _open_store(path)
        self._slices = {}
        self._where: dict[Pair, tuple[tuple[int, int], int]] = {}
        for size, pairs in _read_index(self._file, 'maps', path):
            name = f'maps.{size[0]}x{size[1]}'
            self._slices[size] = self._file.get_slice(name)
            for row, pair in enumerate(pairs):
                self._where[pair] = size, row

    def __getitem__(self, pair: Pair) -> np.ndarray:
        size, row = self._where[pair]
        return self._slices[size][row]

    def __len__(self) -> int:
        return len(self._where)

    def __iter__(self) -> Iterator[Pair]:
        return iter(sorted(self._where))


def save_pages(
    path: str | os.PathLike,
    sections: dict[str, MapPages],
    *,
    metadata: dict[str, str] | None = None,
) -> None:
    """Write collections of maps to one file, atomically.

    Args:
        path (str | os.PathLike): The file.
        sections (dict[str, MapPages]): Name of a section -> its maps.
        metadata (dict[str, str] | None): Further entries of the header.

    Raises:
        OSError: The file cannot be written; an old one stays as it was.
    """
    image_ids = sorted(
        {i for pages in sections.values() for i in pages.image_ids}
    )
    number = {image_id: n for n, image_id in enumerate(image_ids)}
    ids = '\n'.join(image_ids).encode()
    tensors = {'image_ids': np.frombuffer(ids, np.uint8)}
    for section, pages in sections.items():
        for size in pages.sizes:
            pairs = pages.pairs_of_size(size)
            order = sorted(range(len(pairs)), key=pairs.__getitem__)
            maps = pages.maps_of_size(size)
            if order != list(range(len(pairs))):
                maps = maps[order]
            name = f'{size[0]}x{size[1]}'
            tensors[f'{section}.{name}'] = maps
            tensors[f'{section}.{name}.image'] = np.array(
                [number[pairs[row][0]] for row in order], np.uint32
            )
            tensors[f'{section}.{name}.class'] = np.array(
                [pairs[row][1] for row in order], np.uint16
            )
    header = {
        'format': FORMAT,
        'version': FORMAT_VERSION,
        'checksum': _checksum(tensors),
        **(metadata or {}),
    }
    content = safetensors.numpy.save(tensors, metadata=header)
    with atomic_write(path) as file:
        file.write(content)


def load_pages(
    path: str | os.PathLike, sections: dict[str, MapPages]
) -> dict[str, str]:
    """Read collections of maps that :func:`save_pages` wrote.

    Args:
        path (str | os.PathLike): The file.
        sections (dict[str, MapPages]): Name of a section -> empty collection
            to fill. Other sections of the file are checked, not kept.

    Returns:
        dict[str, str]: The metadata of the header.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no attention store, is truncated, or its
            content does not match its checksum.
    """
    file = _open_store(path)
    metadata = file.metadata()
    tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if _checksum(tensors) != metadata.get('checksum'):
        raise ValueError(
            f'{path}: the content does not match its checksum, the file is '
            'damaged. Use the store of another epoch, or accumulate again.'
        )
    for section, pages in sections.items():
        for size, pairs in _read_index(file, section, path):
            pages.set(pairs, tensors[f'{section}.{size[0]}x{size[1]}'])
    return metadata


def _checksum(tensors: dict[str, np.ndarray]) -> str:
    value = 0
    for name in sorted(tensors):
        value = zlib.crc32(name.encode(), value)
        value = zlib.crc32(np.ascontiguousarray(tensors[name]), value)
    return f'{value:08x}'


def _open_store(path: str | os.PathLike) -> safe_open:
    if not Path(path).is_file():
        raise FileNotFoundError(
            f'{path}: no such attention store. OAAHook writes '
            '`attention_epoch_*.safetensors` into the work_dir of a training.'
        )
    try:
        file = safe_open(str(path), 'numpy')
        metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f'{path}: not an attention store, or truncated ({error})'
        ) from error
    if metadata.get('format') != FORMAT:
        raise ValueError(
            f'{path}: a safetensors file, but not an attention store'
        )
    if metadata.get('version') != FORMAT_VERSION:
        raise ValueError(
            f'{path}: attention store of version {metadata.get("version")}, '
            f'this release of oaa_mm reads version {FORMAT_VERSION}'
        )
    return file


def _read_index(
    file: safe_open, section: str, path: str | os.PathLike
) -> Iterator[tuple[tuple[int, int], list[Pair]]]:
    """Yield the map sizes of a section and the pairs of their rows."""
    try:
        image_ids = file.get_tensor('image_ids').tobytes().decode().split('\n')
        for name in file.keys():  # noqa: SIM118 (safe_open is no mapping)
            match = re.fullmatch(rf'{section}\.(\d+)x(\d+)', name)
            if match is None:
                continue
            images = file.get_tensor(f'{name}.image')
            classes = file.get_tensor(f'{name}.class').tolist()
            ids = [image_ids[number] for number in images]
            size = int(match[1]), int(match[2])
            rows = file.get_slice(name).get_shape()
            if rows != [len(ids), *size] or len(classes) != len(ids):
                raise ValueError('index and maps differ in length')
            yield size, list(zip(ids, classes, strict=True))
    except (SafetensorError, ValueError, IndexError) as error:
        raise ValueError(
            f'{path}: the index of this attention store is damaged ({error})'
        ) from error
