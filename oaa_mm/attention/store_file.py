"""The one compact file of attention maps.

A safetensors container, which no reader has to execute. It holds *sections*,
of which a store has one (``maps``) and an accumulator several. For each size
of maps in a section there are the maps as one (n, h, w) tensor and, row by
row, the number of the image and the class. Images and classes are sorted and
all metadata lies in one entry of the header, as JSON, so equal contents give
equal bytes.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from oaa_mm.io import atomic_write, check_image_id

from .by_image import Pair

FORMAT = 'oaa_mm.attention_store'
FORMAT_VERSION = '2'
#: Element types of sections whose values are not uint8.
DTYPES = {'sums': np.uint32, 'counts': np.uint16, 'candidate_ranks': np.uint32}
#: Sections that hold a number for each pair instead of a map.
NUMBERS = ('candidate_ranks', 'unfinished_pairs', 'unfinished_non_finite')
#: A section, and the height and width of maps, as the name of a tensor.
TENSOR_NAME = re.compile('([a-z_]+)[.]([1-9][0-9]*)x([1-9][0-9]*)')

#: Section -> its maps; an integer stands for a map of one cell.
Sections = Mapping[str, Mapping[Pair, 'np.ndarray | int']]


def write_sections(
    path: str | os.PathLike, sections: Sections, metadata: dict[str, Any]
) -> str:
    """Write collections of maps to one file, atomically.

    Args:
        path (str | os.PathLike): The file.
        sections (Sections): The maps, by the name of their section.
        metadata (dict[str, Any]): Anything that JSON can hold.

    Returns:
        str: The checksum of the contents.

    Raises:
        OSError: The file cannot be written; an old one stays as it was.
    """
    tensors = _tensors(sections)
    content = {**metadata, 'format': FORMAT, 'version': FORMAT_VERSION}
    checksum = _checksum(sorted(tensors.items()), content)
    text = json.dumps({**content, 'checksum': checksum}, sort_keys=True)
    size = sum(tensor.nbytes for tensor in tensors.values())
    with atomic_write(path, size=size) as file:
        try:
            save_file(tensors, file.name, {FORMAT: text})
        except SafetensorError as error:
            raise _system_error(error) from error
    return checksum


def _tensors(sections: Sections) -> dict[str, np.ndarray]:
    ids = sorted({pair[0] for maps in sections.values() for pair in maps})
    numbers = {image_id: number for number, image_id in enumerate(ids)}
    joined = bytearray('\n'.join(ids).encode())
    tensors = {'image_ids': np.array(joined, np.uint8)}
    for section, maps in sections.items():
        dtype = DTYPES.get(section, np.uint8)
        for size, pairs in _pairs_by_size(maps).items():
            block = np.empty((len(pairs), *size), dtype)
            for row, pair in enumerate(pairs):
                block[row] = maps[pair]
            name = f'{section}.{size[0]}x{size[1]}'
            images = [numbers[image_id] for image_id, _ in pairs]
            classes = [class_index for _, class_index in pairs]
            tensors[name] = block
            tensors[f'{name}.image'] = np.array(images, np.uint32)
            tensors[f'{name}.class'] = np.array(classes, np.uint16)
    return tensors


def _pairs_by_size(
    maps: Mapping[Pair, np.ndarray | int],
) -> dict[tuple[int, int], list[Pair]]:
    pairs: dict[tuple[int, int], list[Pair]] = {}
    for pair in sorted(maps):
        pairs.setdefault(np.shape(maps[pair]) or (1, 1), []).append(pair)
    return pairs


def _system_error(error: SafetensorError) -> OSError:
    """The error of the operating system that safetensors has met."""
    number = re.search(r'os error ([0-9]+)', str(error))
    if number is None:
        return OSError(str(error))
    return OSError(int(number[1]), os.strerror(int(number[1])))


def _checksum(
    tensors: Iterable[tuple[str, np.ndarray]], content: dict[str, Any] | None
) -> str:
    """CRC-32 of the metadata, names and tensors; version 1 had no first."""
    checksum = 0
    if content is not None:
        checksum = zlib.crc32(json.dumps(content, sort_keys=True).encode())
    for name, tensor in tensors:
        checksum = zlib.crc32(name.encode(), checksum)
        checksum = zlib.crc32(tensor, checksum)
    return f'{checksum:08x}'


class Contents(NamedTuple):
    """What a file holds.

    Attributes:
        sections (dict[str, dict[Pair, np.ndarray | int]]): Section -> its
            maps, or a number for each pair.
        metadata (dict[str, Any]): The metadata that was written.
        checksum (str): The checksum, which has been verified.
    """

    sections: dict[str, dict[Pair, np.ndarray | int]]
    metadata: dict[str, Any]
    checksum: str


def read_sections(
    path: str | os.PathLike, wanted: Iterable[str] | None = None
) -> Contents:
    """Read collections of maps and verify their checksum.

    Args:
        path (str | os.PathLike): The file.
        wanted (Iterable[str] | None): The sections to keep in memory; the
            others are verified alone. Defaults to None: all.

    Returns:
        Contents: The maps, which share memory with each other, and metadata.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no attention store, is truncated, or its
            content does not match its checksum.
    """
    store = StoreFile(path)
    sections: dict[str, dict[Pair, np.ndarray | int]] = {}
    index = {
        name: (section, pairs)
        for section, name, pairs in store.index()
        if wanted is None or section in wanted
    }

    def tensors() -> Iterator[tuple[str, np.ndarray]]:
        for name in sorted(store.file.keys()):
            tensor = store.file.get_tensor(name)
            yield name, tensor
            if name in index:
                section, pairs = index[name]
                if section in NUMBERS:
                    tensor = tensor[:, 0, 0].tolist()
                rows = zip(pairs, tensor, strict=True)
                sections.setdefault(section, {}).update(rows)

    if _checksum(tensors(), store.signed) != store.checksum:
        raise store.damaged('content does not match its checksum')
    return Contents(sections, store.metadata, store.checksum)


class StoreFile:
    """The open file of a store, for reading single tensors.

    Args:
        path (str | os.PathLike): The file, of version 1 or 2.

    Attributes:
        file (safe_open): The container.
        metadata (dict[str, Any]): The metadata that was written.
        checksum (str): The checksum as the file has it.
        signed (dict[str, Any] | None): The part of the header that the
            checksum covers; None in version 1.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no attention store, or truncated.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = path
        if not Path(path).is_file():
            raise FileNotFoundError(
                f'{path}: no such attention store. OAAHook writes '
                '`attention_epoch_*.safetensors` into the work_dir of a '
                'training.'
            )
        try:
            self.file = safe_open(str(path), 'numpy')
            header = self.file.metadata() or {}
            content = json.loads(header[FORMAT]) if FORMAT in header else None
        except (SafetensorError, OSError, ValueError, RecursionError) as error:
            raise ValueError(
                f'{path}: not an attention store, or truncated ({error})'
            ) from error
        self._read_header(header if content is None else content)
        if content is None:
            self.signed = None
            self.metadata = _metadata_of_version_1(self.metadata)

    def _read_header(self, content: Any) -> None:
        names = self.file.keys()
        types = {self.file.get_slice(name).get_dtype() for name in names}
        if (
            not isinstance(content, dict)
            or content.get('format') != FORMAT
            or not types <= {'U8', 'U16', 'U32'}
        ):
            raise ValueError(
                f'{self.path}: a safetensors file, but not an attention store'
            )
        if content.get('version') not in ('1', FORMAT_VERSION):
            raise ValueError(
                f'{self.path}: attention store of version '
                f'{content.get("version")}, this release of oaa_mm reads '
                'versions 1 and 2'
            )
        self.checksum = content.pop('checksum', None)
        self.signed = content
        self.metadata = {
            key: value
            for key, value in content.items()
            if key not in ('format', 'version')
        }

    def index(self) -> Iterator[tuple[str, str, list[Pair]]]:
        """Find the maps of every section.

        Yields:
            tuple[str, str, list[Pair]]: The section, the name of a tensor
            (n, h, w), and the n pairs of its rows.

        Raises:
            ValueError: The index is damaged.
        """
        try:
            image_ids = self._image_ids()
            known: dict[str, set[Pair]] = {}
            for name in sorted(self.file.keys()):
                match = TENSOR_NAME.fullmatch(name)
                if match is None:
                    continue
                pairs = self._pairs(name, match, image_ids)
                before = known.setdefault(match[1], set())
                expected = len(before) + len(pairs)
                before.update(pairs)
                if len(before) < expected:
                    raise ValueError('a pair has two maps')
                yield match[1], name, pairs
        except (SafetensorError, ValueError, IndexError) as error:
            raise self.damaged(f'index is wrong, {error}') from error

    def _image_ids(self) -> list[str]:
        text = self.file.get_tensor('image_ids').tobytes().decode()
        image_ids = text.split('\n') if text else []
        return [check_image_id(image_id) for image_id in image_ids]

    def _pairs(
        self, name: str, match: re.Match, image_ids: list[str]
    ) -> list[Pair]:
        """Pairs of a tensor's rows, once its shape and type are checked."""
        size = int(match[2]), int(match[3])
        dtype = np.dtype(DTYPES.get(match[1], np.uint8))
        if match[1] in NUMBERS and size != (1, 1):
            raise ValueError(f'{name} should have one number for each pair')
        count = self.file.get_slice(f'{name}.image').get_shape()[0]
        for tensor, expected in (
            (name, (f'U{8 * dtype.itemsize}', [count, *size])),
            (f'{name}.image', ('U32', [count])),
            (f'{name}.class', ('U16', [count])),
        ):
            part = self.file.get_slice(tensor)
            found = part.get_dtype(), part.get_shape()
            if found != expected:
                raise ValueError(f'{tensor} is {found} instead of {expected}')
        numbers = self.file.get_tensor(f'{name}.image').tolist()
        images = [image_ids[number] for number in numbers]
        classes = self.file.get_tensor(f'{name}.class').tolist()
        return list(zip(images, classes, strict=True))

    def damaged(self, what: str) -> ValueError:
        """Describe damage of the file.

        Args:
            what (str): What is wrong, as a clause that follows "its".

        Returns:
            ValueError: The error to raise.
        """
        return ValueError(
            f'{self.path} is damaged: its {what}. Use the store of another '
            'epoch, or accumulate again.'
        )


def _metadata_of_version_1(header: dict[str, str]) -> dict[str, Any]:
    metadata: dict[str, Any] = dict(header)
    metadata.pop('non_finite', None)
    fusion = metadata.pop('fusion', None)
    if fusion is not None:
        metadata['accumulator'] = {'fusion': fusion}
    return metadata
