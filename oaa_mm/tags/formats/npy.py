"""`cls_labels.npy` of PSA and IRN: a pickled dict of 0/1 arrays."""

import io
import os
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format

from oaa_mm.io import atomic_write, read_bytes
from oaa_mm.tags.table import LabelTable, TableBuilder, multi_hot

from ._safe_pickle import load_numpy_pickle


def _items(path: Path) -> Iterator[tuple[Any, Any]]:
    file = io.BytesIO(read_bytes(path))
    try:
        version = npy_format.read_magic(file)
        if version == (1, 0):
            header = npy_format.read_array_header_1_0(file)
        else:
            header = npy_format.read_array_header_2_0(file)
    except Exception as error:  # numpy's parser of headers raises many
        raise ValueError(f'{path} is not a .npy file: {error}') from error
    shape, _, dtype = header
    if shape != () or dtype.kind != 'O':
        raise ValueError(
            f'{path} holds an array of {dtype} with shape {shape}; labels '
            'should be a dict {image id: 0/1 array}, saved by np.save'
        )
    try:
        yield from load_numpy_pickle(file.read())
    except ValueError as error:
        raise ValueError(f'{path} cannot be read: {error}') from error


def _name(key: Any, path: Path) -> str:
    if isinstance(key, str):
        return key
    if not isinstance(key, (int, np.integer)) or abs(key) >= 2**63:
        raise ValueError(
            f'{path}: keys should be image ids (texts or VOC numbers), but '
            f'there is one of type {type(key).__name__}'
        )
    # IRN writes 2007_000032 as the number 2007000032.
    if 2_000_000_000 <= key < 2_100_000_000:
        return f'{key // 1_000_000}_{key % 1_000_000:06}'
    raise ValueError(
        f'{path}: the key {key} is a number, but not a VOC one like '
        '2007000032, so the name of its image is not known; save the dict '
        'with the stems of the image files as keys'
    )


def _class_indices(value: Any, where: str) -> tuple[int, list[int]]:
    """Length and positions of the ones of a 0/1 array."""
    # Lists in lists may hold one list many times over, as an array they
    # would be far larger than the file.
    flat = isinstance(value, np.ndarray) or (
        isinstance(value, list)
        and all(isinstance(item, (int, float, np.generic)) for item in value)
    )
    array = np.asarray(value if flat else None)
    if array.ndim != 1 or not np.isin(array, (0, 1)).all():
        raise ValueError(
            f'{where}: the value should be a one-dimensional array of 0 and '
            '1, one number per class'
        )
    return len(array), np.flatnonzero(array).tolist()


def _hint_coco(length: int, size: int) -> str:
    if size == 80 and length in (90, 91):
        return (
            "; it is indexed by COCO's category ids, which have gaps: keep "
            'the positions of oaa_mm.tags.COCO_CATEGORY_IDS'
        )
    return ''


def read_npy(
    path: str | os.PathLike, *, classes: Sequence[str] | None = None
) -> LabelTable:
    """Read `cls_labels.npy` without running its pickle.

    Args:
        path (str | os.PathLike): File made by ``np.save(path, {id: array})``,
            arrays of shape (C,) with 0 and 1; ids are texts, or numbers such
            as 2007000032, which stand for `2007_000032`.
        classes (Sequence[str], optional): Names of the C classes.

    Returns:
        LabelTable: The labels.

    Raises:
        FileNotFoundError: `path` does not exist.
        ValueError: The file is not of this form, its pickle refers to
            anything but numpy values and plain containers, or the length of
            an array is not the number of classes.
    """
    path = Path(path)
    table = TableBuilder(path, classes)
    size = len(table.numbers) or None
    for key, value in _items(path):
        image_id = _name(key, path)
        length, indices = _class_indices(value, f'{path}: {image_id!r}')
        size = length if size is None else size
        if length != size:
            raise ValueError(
                f'{path}: {image_id!r} has an array of {length} classes, but '
                f'{size} are expected{_hint_coco(length, size)}'
            )
        table.add(image_id, indices)
    return table.build()


def write_npy(table: LabelTable, path: str | os.PathLike) -> None:
    """Write a dict of uint8 arrays, (C,) each, with texts as keys.

    Args:
        table (LabelTable): The labels, with class names: their number is C.
        path (str | os.PathLike): The file to write, atomically. Every
            version of numpy reads it by
            ``np.load(path, allow_pickle=True).item()``.
    """
    count = len(table.classes)
    value = np.empty((), dtype=object)
    value[()] = {i: multi_hot(c, count) for i, c in table.labels.items()}
    # numpy 2 pickles under a module name that numpy 1 lacks; the old name
    # exists in both. An image id cannot hold a line break, so it cannot hold
    # this text; protocol 3 writes names as plain lines.
    data = pickle.dumps(value, protocol=3).replace(
        b'cnumpy._core.multiarray\n', b'cnumpy.core.multiarray\n'
    )
    with atomic_write(path) as file:
        header = npy_format.header_data_from_array_1_0(value)
        npy_format.write_array_header_1_0(file, header)
        file.write(data)
