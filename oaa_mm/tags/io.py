"""Reading and writing labels of any form."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oaa_mm.checks import check_choice
from oaa_mm.io import image_id_of
from oaa_mm.io.ids import IMAGE_SUFFIXES

from .formats import coco, csv_file, list_file, masks, npy, voc_xml
from .image_list import labels_in_list
from .table import NO_LABELS, LabelTable, ListedImage, TableBuilder

READERS = {
    'voc_xml': voc_xml.read_voc_xml,
    'list': list_file.read_list,
    'npy': npy.read_npy,
    'csv': csv_file.read_csv,
    'coco': coco.read_coco,
    'masks': masks.read_masks,
}
WRITERS = {
    'voc_xml': voc_xml.write_voc_xml,
    'list': list_file.write_list,
    'npy': npy.write_npy,
    'csv': csv_file.write_csv,
    'coco': coco.write_coco,
}
_NEED_CLASSES = ('voc_xml', 'npy', 'coco')
#: The readers of these forms cut suffixes of images off.
_NEED_STEMS = ('voc_xml', 'list', 'npy', 'csv')
_SUFFIXES = {'.txt': 'list', '.npy': 'npy', '.csv': 'csv', '.json': 'coco'}
_FOLDER_SUFFIXES = {'.xml': 'voc_xml', '.png': 'masks'}


def _detect(path: Path) -> str:
    """The form of labels by the suffix of the file or of those in a folder."""
    forms = _FOLDER_SUFFIXES if path.is_dir() else _SUFFIXES
    files = path.rglob('*') if path.is_dir() else [path]
    suffixes = {f.suffix.lower() for f in files if f.name[0] != '.'}
    found = [form for suffix, form in forms.items() if suffix in suffixes]
    if len(found) == 1:
        return found[0]
    known = ', '.join(f'{suffix} ({form})' for suffix, form in forms.items())
    several = f' several of them ({", ".join(found)})' if found else ''
    raise ValueError(
        f'the form of the labels in {path} is not clear: known are {known}, '
        f'and it has{several or " none of them"}; give `format` '
        '(`labels_format` of a data set, --format of convert_labels.py), one '
        f'of {", ".join(READERS)}'
    )


def read_labels(
    path: str | os.PathLike,
    *,
    format: str | None = None,
    classes: Sequence[str] | None = None,
    binary_masks: bool = False,
    suffix: str | None = None,
) -> LabelTable:
    """Read image-level labels.

    Args:
        path (str | os.PathLike): A folder of .xml (VOC) or .png (masks), or a
            .txt (list), .npy, .csv or .json (COCO instances) file.
        format (str, optional): ``'voc_xml'``, ``'list'``, ``'npy'``,
            ``'csv'``, ``'coco'`` or ``'masks'``. Defaults to the form that the
            suffix says.
        classes (Sequence[str], optional): Names of the classes in the order
            of their indices. Defaults to those of the source: VOC's for
            `voc_xml`, the categories for `coco`, the columns for `csv`.
        binary_masks (bool): Whether 255 marks the only class in `masks`.
            Defaults to False.
        suffix (str, optional): End of the images' names, such as
            ``'_sat.jpg'``, that is no part of their ids.

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
        format = _detect(path)
    check_choice('format', format, READERS)
    more = {'binary': binary_masks} if format == 'masks' else {}
    table = READERS[format](path, classes=classes, **more)
    if not table.labels:
        raise ValueError(f'{path}: the labels name no image; list some there')
    if not suffix or suffix.lower() in IMAGE_SUFFIXES:
        return table
    named = TableBuilder(path, table.classes, suffix=suffix)
    for image_id, indices in table.labels.items():
        named.add(table.files.get(image_id, image_id), indices)
    return named.build()


def labels_of_set(
    images: Sequence[ListedImage],
    list_file: str | os.PathLike | None,
    labels: str | os.PathLike | None,
    *,
    needed: bool,
    classes: Sequence[str] | None = None,
    **forms: Any,
) -> LabelTable:
    """The labels of a data set: those of a source, or else those in its list.

    Args:
        images (Sequence[ListedImage]): The list, read with `tags` where there
            is no other source.
        list_file (str | os.PathLike | None): Its file, if there is one.
        labels (str | os.PathLike | None): The source, if there is one.
        needed (bool): Whether the images must have labels.
        classes (Sequence[str] | None): Names of the classes.
        **forms (Any): Further arguments of :func:`read_labels`.

    Returns:
        LabelTable: The labels; empty where the images have none.

    Raises:
        FileNotFoundError: See :func:`read_labels`.
        ValueError: There are no labels, or they are wrong; or there is
            neither a list nor a source.
    """
    if labels:
        return read_labels(labels, classes=classes, **forms)
    if not list_file:
        raise ValueError(
            'no image is named; list images in `ann_file`, or give `labels` '
            'that hold some'
        )
    if any(image.tags for image in images):
        return labels_in_list(images, list_file, classes)
    if needed:
        raise ValueError(f'{list_file}: {NO_LABELS}')
    return LabelTable({}, classes)


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
            labels (`npy`, `coco` and `voc_xml` need class names; ids that end
            in an image suffix need `coco` or `voc_xml`).
    """
    if format is None:
        format = _detect(Path(path))
    if format == 'masks':
        raise ValueError(
            'labels cannot be written as masks: they say which classes an '
            f'image has, not where; write one of {", ".join(WRITERS)}'
        )
    check_choice('format', format, WRITERS)
    if table.classes is None and format in _NEED_CLASSES:
        raise ValueError(
            f'labels without class names cannot be written as {format}, which '
            'needs to know all classes; read them with `classes` '
            '(convert_labels.py: --classes voc, coco or a file of names)'
        )
    for image_id in table.labels if format in _NEED_STEMS else ():
        if image_id_of(image_id) != image_id:
            raise ValueError(
                f'image id {image_id!r} ends in an image suffix and cannot '
                f'be written as {format}: it would be read back as '
                f'{image_id_of(image_id)!r}'
            )
    WRITERS[format](table, path)
