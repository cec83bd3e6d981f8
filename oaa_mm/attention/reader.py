"""Reading the file of a store, as a whole or map by map."""

import json
import os
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from oaa_mm.io import check_image_id

from .by_image import MapsByImage, Pair
from .store_file import (
    DTYPES,
    FORMAT,
    FORMAT_VERSION,
    NUMBERS,
    Sections,
    checksum_of,
)

#: A section, and the height and width of maps, as the name of a tensor.
TENSOR_NAME = re.compile('([a-z_]+)[.]([1-9][0-9]*)x([1-9][0-9]*)')


class AttentionReader(MapsByImage):
    """Read-only access to a store's file, map by map.

    Maps are read when asked for; their checksum is not verified.

    Args:
        path (str | os.PathLike): A file of version 1 or 2.

    Attributes:
        metadata (dict[str, Any]): The metadata that was written.
        checksum (str): The checksum as the file has it.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no attention store, or damaged.
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
            self._file = safe_open(str(path), 'numpy')
            header = self._file.metadata() or {}
            content = json.loads(header[FORMAT]) if FORMAT in header else None
        except (SafetensorError, OSError, ValueError, RecursionError) as error:
            raise ValueError(
                f'{path} is not an attention store, or is truncated ({error})'
            ) from error
        self._names = sorted(self._file.keys())
        self._signed = content  # version 1 did not sign its metadata
        self._read_header(header if content is None else content)
        self._index = dict(self._read_index())

    def _read_header(self, content: Any) -> None:
        types = {
            self._file.get_slice(name).get_dtype() for name in self._names
        }
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
                f'{content.get("version")}, but this release reads '
                'versions 1 and 2'
            )
        self.checksum = content.pop('checksum', None)
        self.metadata = dict(content)
        for key in ('format', 'version', 'non_finite'):
            self.metadata.pop(key, None)
        negatives = self.metadata.get('negatives', [])
        if not isinstance(negatives, list):
            raise self._damaged(f'`negatives` are {negatives!r}, not a list')
        if 'fusion' in self.metadata:  # version 1
            fusion = self.metadata.pop('fusion')
            self.metadata['accumulator'] = {'fusion': fusion}

    def _read_index(self) -> Iterator[tuple[str, tuple[str, list[Pair]]]]:
        """Yield each tensor of maps, with its section and pairs row by row."""
        try:
            text = self._file.get_tensor('image_ids').tobytes().decode()
            ids = [check_image_id(i) for i in text.split('\n') if text]
            known: dict[str, set[Pair]] = {}
            for name in self._names:
                match = TENSOR_NAME.fullmatch(name)
                if match is None:
                    continue
                pairs = self._pairs(name, match, ids)
                before = known.setdefault(match[1], set())
                expected = len(before) + len(pairs)
                before.update(pairs)
                if len(before) < expected:
                    raise ValueError('a pair has two maps')
                yield name, (match[1], pairs)
        except (SafetensorError, ValueError, IndexError) as error:
            raise self._damaged(f'index is wrong, {error}') from error

    def _pairs(self, name: str, match: re.Match, ids: list[str]) -> list[Pair]:
        """Pairs of a tensor's rows, once its shape and type are checked."""
        size = int(match[2]), int(match[3])
        if match[1] in NUMBERS and size != (1, 1):
            raise ValueError(f'{name} should have one number for each pair')
        bits = 8 * np.dtype(DTYPES.get(match[1], np.uint8)).itemsize
        count = self._file.get_slice(f'{name}.image').get_shape()[0]
        for tensor, expected in (
            (name, (f'U{bits}', [count, *size])),
            (f'{name}.image', ('U32', [count])),
            (f'{name}.class', ('U16', [count])),
        ):
            part = self._file.get_slice(tensor)
            found = part.get_dtype(), part.get_shape()
            if found != expected:
                raise ValueError(f'{tensor} is {found} instead of {expected}')
        numbers = self._file.get_tensor(f'{name}.image').tolist()
        images = [ids[number] for number in numbers]
        classes = self._file.get_tensor(f'{name}.class').tolist()
        return list(zip(images, classes, strict=True))

    def _damaged(self, what: str) -> ValueError:
        return ValueError(
            f'{self.path} is damaged: its {what}. Use the store of another '
            'epoch, or accumulate again.'
        )

    def read(self, wanted: Iterable[str] | None = None) -> Sections:
        """Read collections of maps and verify the checksum of the file.

        Args:
            wanted (Iterable[str] | None): The sections to keep in memory; the
                others are only verified. Defaults to None: all.

        Returns:
            Sections: Section -> its maps, which share memory.

        Raises:
            ValueError: The content does not match its checksum.
        """
        sections: dict[str, Any] = {}

        def tensors() -> Iterator[tuple[str, np.ndarray]]:
            """Yield all tensors, and keep those that are wanted."""
            for name in self._names:
                try:
                    tensor = self._file.get_tensor(name)
                except ValueError as error:  # numpy cannot hold its shape
                    raise self._damaged(f'shape is wrong, {error}') from error
                yield name, tensor
                section, pairs = self._index.get(name, (None, ()))
                if section is None or (wanted and section not in wanted):
                    continue
                if section in NUMBERS:
                    tensor = tensor[:, 0, 0].tolist()
                rows = zip(pairs, tensor, strict=True)
                sections.setdefault(section, {}).update(rows)

        if checksum_of(tensors(), self._signed) != self.checksum:
            raise self._damaged('content does not match its checksum')
        return sections

    @cached_property
    def data(self) -> dict[Pair, tuple[Any, int]]:
        """Pair -> the tensor on disk, and the row in it."""
        rows: dict[Pair, tuple[Any, int]] = {}
        for name, (section, pairs) in self._index.items():
            if section == 'maps':
                maps = self._file.get_slice(name)
                rows |= {pair: (maps, row) for row, pair in enumerate(pairs)}
        return rows

    def __getitem__(self, pair: Pair) -> np.ndarray:
        maps, row = self.data[pair]
        return maps[row]
