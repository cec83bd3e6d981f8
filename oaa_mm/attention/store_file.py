"""The one compact file of an attention store.

A safetensors container, which no reader has to execute. For each map size it
holds the maps as one (n, h, w) tensor and, row by row, the index of the image
and the class; beside them the image ids. Images and classes are sorted, so
equal memories give equal files, whatever the order in which they were built.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from safetensors import SafetensorError, safe_open

from oaa_mm.utils import atomic_write

from .pages import MapPages, Pair

__all__ = ['load_pages', 'open_container', 'read_index', 'save_pages']

FORMAT = 'oaa_mm.attention_store'
FORMAT_VERSION = '1'


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
    with atomic_write(path) as file:
        _write_container(file, tensors, header)


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
    file = open_container(path)
    metadata = file.metadata()
    tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if _checksum(tensors) != metadata.get('checksum'):
        raise ValueError(
            f'{path}: the content does not match its checksum, the file is '
            'damaged. Use the store of another epoch, or accumulate again.'
        )
    for section, pages in sections.items():
        for size, pairs in read_index(file, section, path):
            pages.set(pairs, tensors[f'{section}.{size[0]}x{size[1]}'])
    return metadata


def _write_container(
    file: IO[bytes], tensors: dict[str, np.ndarray], metadata: dict[str, str]
) -> None:
    """Write the safetensors format: sorted, and without copying the maps.

    The library's own writer orders the header at random, so equal stores
    would give different files.
    """
    header: dict = {'__metadata__': dict(sorted(metadata.items()))}
    offset = 0
    for name in sorted(tensors):
        tensor = tensors[name]
        header[name] = {
            'dtype': f'U{8 * tensor.dtype.itemsize}',
            'shape': list(tensor.shape),
            'data_offsets': [offset, offset + tensor.nbytes],
        }
        offset += tensor.nbytes
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)  # the data begin aligned
    file.write(len(text).to_bytes(8, 'little') + text)
    for name in sorted(tensors):
        file.write(np.ascontiguousarray(tensors[name]).data)


def _checksum(tensors: dict[str, np.ndarray]) -> str:
    value = 0
    for name in sorted(tensors):
        value = zlib.crc32(name.encode(), value)
        value = zlib.crc32(np.ascontiguousarray(tensors[name]), value)
    return f'{value:08x}'


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


def read_index(
    file: safe_open, section: str, path: str | os.PathLike
) -> Iterator[tuple[tuple[int, int], list[Pair]]]:
    """Yield the map sizes of a section and the pairs of their rows.

    Args:
        file (safe_open): An open store.
        section (str): ``'maps'``, or another section of an accumulator.
        path (str | os.PathLike): The file's name, for messages.

    Yields:
        tuple[tuple[int, int], list[Pair]]: Map size, pairs row by row.

    Raises:
        ValueError: The index is damaged.
    """
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
