"""The one compact file of an attention store.

A safetensors container, which no reader has to execute. For each map size it
holds the maps as one (n, h, w) tensor and, row by row, the index of the image
and the class; beside them the image ids. Images and classes are sorted, so
equal memories give equal files, whatever the order in which they were built.
"""

from __future__ import annotations

import json
import math
import os
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from safetensors import SafetensorError, safe_open

from oaa_mm.io import atomic_write, check_image_id

from .memory import MapMemory
from .pages import MapPages
from .pair_index import join_keys, split_keys

FORMAT = 'oaa_mm.attention_store'
FORMAT_VERSION = '1'
#: Height and width of maps, in the name of a tensor.
SIZE = '([1-9][0-9]*)x([1-9][0-9]*)'
#: Element types of sections that are not U8.
TYPES = {'sums': 'U32', 'counts': 'U16'}
#: Bytes of maps that are gathered, checked or read in one go.
PIECE = 4 << 20
IDS_AT_ONCE = 10_000
DTYPES = {f'U{8 * size}': np.dtype(f'<u{size}') for size in (1, 2, 4)}


def save_pages(
    path: str | os.PathLike,
    sections: dict[str, MapPages],
    *,
    metadata: dict[str, str] | None = None,
) -> None:
    """Write collections of maps to one file, atomically.

    Maps are gathered and written piece by piece, so that saving takes little
    memory beside them.

    Args:
        path (str | os.PathLike): The file.
        sections (dict[str, MapPages]): Name of a section -> its maps.
        metadata (dict[str, str] | None): Further entries of the header.

    Raises:
        OSError: The file cannot be written; an old one stays as it was.
    """
    names = [p.numbers.names()[p.image_numbers()] for p in sections.values()]
    image_ids = np.unique(np.concatenate([np.zeros(0, bytes), *names]))
    del names
    tensors = {'image_ids': _Tensor.of(_joined(image_ids))}
    for section, pages in sections.items():
        # The place of each image among the sorted ids.
        ranks = np.searchsorted(image_ids, pages.numbers.names())
        for size, (keys, slots) in pages.layout().items():
            name = f'{section}.{size[0]}x{size[1]}'
            images, classes = split_keys(keys)
            keys = join_keys(ranks[images], classes)
            tensors |= _page_tensors(name, pages.memory, size, keys, slots)
    header = {
        'format': FORMAT,
        'version': FORMAT_VERSION,
        **(metadata or {}),
    }
    size = sum(tensor.num_bytes for tensor in tensors.values())
    with atomic_write(path, size=size) as file:
        _write_container(file, tensors, header)


@dataclass(frozen=True)
class _Tensor:
    """An array that is made piece by piece.

    Attributes:
        shape (tuple[int, ...]): Its shape.
        dtype (np.dtype): Unsigned integers.
        pieces (Callable[[], Iterator[np.ndarray]]): Parts of it, in order.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    pieces: Callable[[], Iterator[np.ndarray]]

    @property
    def num_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    @classmethod
    def of(cls, array: np.ndarray) -> _Tensor:
        return cls(array.shape, array.dtype, lambda: iter([array]))


def _joined(image_ids: np.ndarray) -> np.ndarray:
    """(n,) bytes: the ids, a line each."""
    text = bytearray()
    for start in range(0, len(image_ids), IDS_AT_ONCE):
        some = image_ids[start : start + IDS_AT_ONCE].tolist()
        text += b'\n'.join(some) + b'\n'
    return np.frombuffer(text[:-1], np.uint8)


def _page_tensors(
    name: str,
    memory: MapMemory,
    size: tuple[int, int],
    keys: np.ndarray,
    slots: np.ndarray,
) -> dict[str, _Tensor]:
    """Maps of one size, with the image and class of each, sorted by these."""
    order = np.argsort(keys)
    slots = slots[order]
    images, classes = split_keys(keys[order])
    rows = max(1, PIECE // (size[0] * size[1] * memory.dtype.itemsize))

    def maps() -> Iterator[np.ndarray]:
        for start in range(0, len(slots), rows):
            yield memory.read(slots[start : start + rows])

    return {
        name: _Tensor((len(slots), *size), memory.dtype, maps),
        f'{name}.image': _Tensor.of(images.astype(np.uint32)),
        f'{name}.class': _Tensor.of(classes.astype(np.uint16)),
    }


def load_pages(
    path: str | os.PathLike, sections: dict[str, MapPages]
) -> dict[str, str]:
    """Read collections of maps that :func:`save_pages` wrote.

    Args:
        path (str | os.PathLike): The file.
        sections (dict[str, MapPages]): Name of a section -> empty collection
            to fill. Other sections of the file are checked, not kept. After
            an error they may hold a part; throw them away.

    Returns:
        dict[str, str]: The metadata of the header.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no attention store, is truncated, or its
            content does not match its checksum.
    """
    file = open_container(path)
    metadata = file.metadata()
    image_ids = read_image_ids(file, path)
    wanted = {
        f'{section}.{size[0]}x{size[1]}': (pages, keys)
        for section, pages in sections.items()
        for size, keys in read_index(
            file, section, path, pages.numbers.add(image_ids)
        )
    }
    checksum = 0
    for name, pieces in _read_tensors(path):
        checksum = zlib.crc32(name.encode(), checksum)
        pages, keys = wanted.get(name, (None, None))
        start = 0
        for piece in pieces:
            checksum = zlib.crc32(piece, checksum)
            if pages is not None:
                _fill(pages, keys[start : start + len(piece)], piece, path)
            start += len(piece)
    if f'{checksum:08x}' != metadata.get('checksum'):
        raise _damaged(path, 'content does not match its checksum')
    return metadata


def _fill(
    pages: MapPages,
    keys: np.ndarray,
    maps: np.ndarray,
    path: str | os.PathLike,
) -> None:
    try:
        pages.combine(keys, maps, None)
    except ValueError as error:  # a pair in two sizes
        raise _damaged(path, f'index is wrong, {error}') from error


def _damaged(path: str | os.PathLike, what: str) -> ValueError:
    return ValueError(
        f'{path} is damaged: its {what}. Use the store of another epoch, or '
        'accumulate again.'
    )


def _read_tensors(
    path: str | os.PathLike,
) -> Iterator[tuple[str, Iterator[np.ndarray]]]:
    """The names of all tensors, sorted, and their parts.

    The container has been checked by its library, whose own reading maps the
    file: all its pages would stay resident beside the maps.
    """
    with open(path, 'rb') as file:
        length = int.from_bytes(file.read(8), 'little')
        header = json.loads(file.read(length))
        header.pop('__metadata__')
        for name in sorted(header):
            begin, end = header[name]['data_offsets']
            file.seek(8 + length + begin)
            yield name, _read_pieces(file, header[name], end - begin, path)


def _read_pieces(
    file: IO[bytes],
    entry: dict[str, Any],
    num_bytes: int,
    path: str | os.PathLike,
) -> Iterator[np.ndarray]:
    dtype = DTYPES[entry['dtype']]
    row = entry['shape'][1:]
    row_bytes = max(1, math.prod(row) * dtype.itemsize)
    rows = max(1, PIECE // row_bytes)
    for start in range(0, num_bytes, rows * row_bytes):
        count = min(rows * row_bytes, num_bytes - start)
        content = file.read(count)
        if len(content) < count:
            raise _damaged(path, 'end is missing')
        yield np.frombuffer(content, dtype).reshape(-1, *row)


def _write_container(
    file: IO[bytes], tensors: dict[str, _Tensor], metadata: dict[str, str]
) -> None:
    """Write the safetensors format: sorted, and without copying the maps.

    The library's own writer orders the header at random, so equal stores
    would give different files.
    """
    blank = '0' * 8  # until the data have passed
    metadata = {**metadata, 'checksum': blank}
    header: dict = {'__metadata__': dict(sorted(metadata.items()))}
    offset = 0
    for name in sorted(tensors):
        tensor = tensors[name]
        header[name] = {
            'dtype': f'U{8 * tensor.dtype.itemsize}',
            'shape': list(tensor.shape),
            'data_offsets': [offset, offset + tensor.num_bytes],
        }
        offset += tensor.num_bytes
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)  # the data begin aligned
    file.write(len(text).to_bytes(8, 'little') + text)
    checksum = 0
    for name in sorted(tensors):
        checksum = zlib.crc32(name.encode(), checksum)
        for piece in tensors[name].pieces():
            piece = np.ascontiguousarray(piece)
            checksum = zlib.crc32(piece, checksum)
            file.write(piece.data)
    mark = f'"checksum":"{blank}"'.encode()
    file.seek(8 + text.index(mark) + len(mark) - len(blank) - 1)
    file.write(f'{checksum:08x}'.encode())


def open_container(path: str | os.PathLike) -> safe_open:
    """Open the file of a store for reading single tensors.

    Args:
        path (str | os.PathLike): The file.

    Returns:
        safe_open: The open container.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no attention store, or truncated.
    """
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
    kinds = {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
    if metadata.get('format') != FORMAT or not kinds <= set(DTYPES):
        raise ValueError(
            f'{path}: a safetensors file, but not an attention store'
        )
    if metadata.get('version') != FORMAT_VERSION:
        raise ValueError(
            f'{path}: attention store of version {metadata.get("version")}, '
            f'this release of oaa_mm reads version {FORMAT_VERSION}'
        )
    return file


def read_image_ids(file: safe_open, path: str | os.PathLike) -> list[str]:
    """The image ids of an open store, sorted.

    Args:
        file (safe_open): An open store.
        path (str | os.PathLike): The file's name, for messages.

    Raises:
        ValueError: They cannot be read, or could not be names of files.
    """
    try:
        text = file.get_tensor('image_ids').tobytes().decode()
        image_ids = text.split('\n') if text else []
        for image_id in image_ids:
            check_image_id(image_id)
    except (SafetensorError, ValueError) as error:
        raise _damaged(path, f'index is wrong, {error}') from error
    return image_ids


def read_index(
    file: safe_open,
    section: str,
    path: str | os.PathLike,
    numbers: np.ndarray,
) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
    """Yield the map sizes of a section and the keys of their rows.

    Args:
        file (safe_open): An open store.
        section (str): ``'maps'``, or another section of an accumulator.
        path (str | os.PathLike): The file's name, for messages.
        numbers (np.ndarray): (n,) numbers of :func:`read_image_ids`.

    Yields:
        tuple[tuple[int, int], np.ndarray]: Map size, keys row by row.

    Raises:
        ValueError: The index is damaged.
    """
    try:
        for name in file.keys():  # noqa: SIM118 (safe_open is no mapping)
            match = re.fullmatch(rf'{section}\.{SIZE}', name)
            if match is None:
                continue
            size = int(match[1]), int(match[2])
            _check_tensors(file, name, TYPES.get(section, 'U8'), size)
            keys = join_keys(
                numbers[file.get_tensor(f'{name}.image')],
                file.get_tensor(f'{name}.class'),
            )
            if len(np.unique(keys)) < len(keys):
                raise ValueError('a pair has two maps')
            yield size, keys
    except (SafetensorError, ValueError, IndexError) as error:
        raise _damaged(path, f'index is wrong, {error}') from error


def _check_tensors(
    file: safe_open, name: str, dtype: str, size: tuple[int, int]
) -> None:
    """Whether maps and their index have the types and shapes of a store."""
    count = file.get_slice(f'{name}.image').get_shape()[0]
    for tensor, expected in (
        (name, (dtype, [count, *size])),
        (f'{name}.image', ('U32', [count])),
        (f'{name}.class', ('U16', [count])),
    ):
        part = file.get_slice(tensor)
        found = part.get_dtype(), part.get_shape()
        if found != expected:
            raise ValueError(f'{tensor} is {found} in place of {expected}')
