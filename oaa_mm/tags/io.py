"""Reading and writing labels of any form."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from oaa_mm.checks import check_choice

from . import formats
from .table import LabelTable

READERS = {
    'voc_xml': formats.read_voc_xml,
    'list': formats.read_list,
    'npy': formats.read_npy,
    'csv': formats.read_csv,
    'coco': formats.read_coco,
    'masks': formats.read_masks,
}
WRITERS = {
    'voc_xml': formats.write_voc_xml,
    'list': formats.write_list,
    'npy': formats.write_npy,
    'csv': formats.write_csv,
    'coco': formats.write_coco,
}
_SUFFIXES = {'.txt': 'list', '.npy': 'npy', '.csv': 'csv', '.json': 'coco'}
_FOLDER_SUFFIXES = {'.xml': 'voc_xml', '.png': 'masks'}


def _detect_folder(path: Path) -> str:
    suffixes = {
        file.suffix.lower()
        for file in path.iterdir()
        if not file.name.startswith('.')
    }
    forms = [
        form for suffix, form in _FOLDER_SUFFIXES.items() if suffix in suffixes
    ]
    if len(forms) == 1:
        return forms[0]
    found = 'both .xml and .png files' if forms else 'neither'
    raise ValueError(
        f'the form of the labels in folder {path} is not clear: it should '
        f'hold .xml files (voc_xml) or .png files (masks), but holds {found}'
        + ("; give `format='voc_xml'` or 'masks'" if forms else '')
    )


def _detect_file(path: Path) -> str:
    form = _SUFFIXES.get(path.suffix.lower())
    if form is None:
        known = ', '.join(f'{k} ({v})' for k, v in _SUFFIXES.items())
        raise ValueError(
            f'the form of the labels in {path} is not known by its suffix '
            f'{path.suffix!r}; known are {known}; else give `format`, one of '
            f'{", ".join(READERS)}'
        )
    return form


def read_labels(
    path: str | os.PathLike,
    *,
    format: str | None = None,
    classes: Sequence[str] | None = None,
    binary_masks: bool = False,
) -> LabelTable:
    """Read image-level labels.

    Args:
        path (str | os.PathLike): A folder of .xml (VOC) or .png (masks), or a
            .txt (list), .npy, .csv or .json (COCO instances) file.
        format (str, optional): ``'voc_xml'``, ``'list'``, ``'npy'``,
            ``'csv'``, ``'coco'`` or ``'masks'``. Defaults to what the suffix
            says.
        classes (Sequence[str], optional): Names of the classes in the order
            of their indices. Defaults to those of the source: VOC's for
            `voc_xml`, the categories for `coco`, the columns for `csv`.
        binary_masks (bool): Whether 255 marks the only class in `masks`.
            Defaults to False.

    Returns:
        LabelTable: Image id -> 0-based class indices.

    Raises:
        FileNotFoundError: `path` does not exist.
        ValueError: The form is unknown or the content does not fit it; the
            message names the file and the place.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'labels: {path} does not exist')
    if format is None:
        format = _detect_folder(path) if path.is_dir() else _detect_file(path)
    check_choice('format', format, READERS)
    more = {'binary': binary_masks} if format == 'masks' else {}
    return READERS[format](path, classes=classes, **more)


def write_labels(
    table: LabelTable,
    path: str | os.PathLike,
    *,
    format: str | None = None,
) -> None:
    """Write image-level labels; the file or folder appears when complete.

    Args:
        table (LabelTable): The labels.
        path (str | os.PathLike): The file to write, or the folder to make
            for `voc_xml`.
        format (str, optional): ``'voc_xml'``, ``'list'``, ``'npy'``,
            ``'csv'`` or ``'coco'``. Defaults to what the suffix of `path`
            says.

    Raises:
        ValueError: The form is unknown, is ``'masks'``, or cannot hold these
            labels (`npy`, `coco` and `voc_xml` need class names).
    """
    if format is None:
        format = _detect_file(Path(path))
    if format == 'masks':
        raise ValueError(
            'labels cannot be written as masks: they say which classes an '
            f'image has, not where; write one of {", ".join(WRITERS)}'
        )
    check_choice('format', format, WRITERS)
    WRITERS[format](table, path)
