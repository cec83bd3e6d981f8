"""The labels of some images, and of some classes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from oaa_mm.checks import name_some
from oaa_mm.io import IGNORE_INDEX
from oaa_mm.io.ids import match_ids

from .image_list import read_image_list
from .table import LabelTable


def labels_of(
    table: LabelTable, image_ids: Sequence[str], source: str
) -> dict[str, tuple[int, ...]]:
    """The labels of some images.

    Args:
        table (LabelTable): The labels of these images and maybe of others.
            Their ids may have sub-folders where `image_ids` have none, and
            the other way round.
        image_ids (Sequence[str]): The images.
        source (str): The file or folder of the labels, for messages.

    Returns:
        dict[str, tuple[int, ...]]: Image id -> class indices, in the order of
        `image_ids`.

    Raises:
        ValueError: The table lacks some of the images; they are named.
    """
    entries = match_ids(image_ids, table.labels, source)
    absent = [i for i in image_ids if i not in entries]
    if absent:
        raise ValueError(
            f'{source}: {len(absent)} of {len(image_ids)} listed images have '
            f'no entry in the image-level labels: {name_some(absent)}; label '
            'them, or take them off the list'
        )
    return {i: table.labels[entries[i]] for i in image_ids}


def select_listed(
    table: LabelTable, list_file: str | os.PathLike
) -> LabelTable:
    """Keep the images of a list, in the order of the list.

    Args:
        table (LabelTable): The labels of these images and maybe of others.
        list_file (str | os.PathLike): See
            :func:`~oaa_mm.tags.read_image_list`; what follows a name is not
            read.

    Returns:
        LabelTable: The labels of the listed images, the same class names.

    Raises:
        FileNotFoundError: There is no such list.
        ValueError: The list does not fit, or names images that `table` lacks.
    """
    images = read_image_list(list_file, known=table.labels)
    names = [image.image_id for image in images]
    labels = labels_of(table, names, str(list_file))
    return LabelTable(labels, table.classes)


def with_any_class(
    labels: Mapping[str, tuple[int, ...]], what: str
) -> dict[str, tuple[int, ...]]:
    """Leave out the images without any class.

    Args:
        labels (Mapping[str, tuple[int, ...]]): Image id -> class indices.
        what (str): Which classes are meant, for the message.

    Returns:
        dict[str, tuple[int, ...]]: Those that have one.

    Raises:
        ValueError: There is none.
    """
    kept = {i: classes for i, classes in labels.items() if classes}
    if not kept:
        raise ValueError(f'no listed image has {what}')
    return kept


def map_classes(
    labels: Mapping[str, tuple[int, ...]], label_map: Mapping[int, int]
) -> dict[str, tuple[int, ...]]:
    """Number the chosen classes anew and drop the others.

    Args:
        labels (Mapping[str, tuple[int, ...]]): Image id -> class indices.
        label_map (Mapping[int, int]): Class index -> new one, 255 for classes
            that are not chosen.

    Returns:
        dict[str, tuple[int, ...]]: Image id -> new indices, ascending.
    """
    return {
        image_id: tuple(
            sorted({label_map[c] for c in classes} - {IGNORE_INDEX})
        )
        for image_id, classes in labels.items()
    }
