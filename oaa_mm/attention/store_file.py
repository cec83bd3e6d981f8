"""The one compact file of attention maps, and how it is written.

A safetensors container, which no reader has to execute. It holds *sections*,
of which a store has one (``maps``) and an accumulator several. For each size
of maps in a section there are the maps as one (n, h, w) tensor and, row by
row, the number of the image and the class. Images and classes are sorted and
all metadata lies in one entry of the header, as JSON, so equal contents give
equal bytes.
"""

import json
import os
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save_file

from oaa_mm.io import atomic_write

from .by_image import Pair

FORMAT = 'oaa_mm.attention_store'
FORMAT_VERSION = '2'
#: Element types of sections whose values are not uint8.
DTYPES = {'sums': np.uint32, 'counts': np.uint16, 'candidate_ranks': np.uint32}
#: Sections that hold a number for each pair instead of a map.
NUMBERS = ('candidate_ranks', 'unfinished_pairs', 'unfinished_non_finite')

#: Section -> its maps; an integer stands for a map of one cell.
Sections = dict[str, Mapping[Pair, Any]]


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
    checksum = checksum_of(sorted(tensors.items()), content)
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
        by_size: dict[tuple[int, int], list[Pair]] = defaultdict(list)
        for pair in sorted(maps):
            by_size[np.shape(maps[pair]) or (1, 1)].append(pair)
        for size, pairs in by_size.items():
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


def _system_error(error: SafetensorError) -> OSError:
    """The error of the operating system that safetensors has met."""
    number = re.search(r'os error ([0-9]+)', str(error))
    if number is None:
        return OSError(str(error))
    return OSError(int(number[1]), os.strerror(int(number[1])))


def checksum_of(
    tensors: Iterable[tuple[str, np.ndarray]], content: dict[str, Any] | None
) -> str:
    """Compute the checksum of a file's contents.

    Args:
        tensors (Iterable[tuple[str, np.ndarray]]): Names and tensors, sorted
            by name.
        content (dict[str, Any] | None): The metadata; None for a file of
            version 1, whose checksum did not cover it.

    Returns:
        str: CRC-32, eight hexadecimal digits.
    """
    checksum = 0
    if content is not None:
        checksum = zlib.crc32(json.dumps(content, sort_keys=True).encode())
    for name, tensor in tensors:
        checksum = zlib.crc32(name.encode(), checksum)
        checksum = zlib.crc32(tensor, checksum)
    return f'{checksum:08x}'
