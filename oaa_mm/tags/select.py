"""The labels of some images, and of some classes."""

import os
from collections.abc import Sequence

from mmengine.logging import print_log

from oaa_mm.checks import list_names
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
        text = list_names(unlabelled(len(image_ids)), absent)
        raise ValueError(f'{source}: {text}')
    return {i: table.labels[entries[i]] for i in image_ids}


def unlabelled(total: int) -> str:
    """The message where labels are absent, for ``list_names``."""
    return (
        f'{{n}} of {total} listed images have no entry in the image-level '
        'labels{names}; label them, or take them off the list'
    )


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


def labels_to_train_on(
    table: LabelTable,
    image_ids: Sequence[str],
    source: str,
    *,
    drop_empty: bool = False,
    chosen: Sequence[str] | None = None,
) -> dict[str, tuple[int, ...]]:
    """The labels of the images that a training sees.

    An image without any class is a negative. The log counts images that are
    left out.

    Args:
        table (LabelTable): See :func:`labels_of`.
        image_ids (Sequence[str]): See :func:`labels_of`.
        source (str): See :func:`labels_of`.
        drop_empty (bool): Leave out images that the table gives no class.
            Defaults to False.
        chosen (Sequence[str] | None): Names of some classes of the table,
            in the order of their new indices; images that have only others are
            left out. Defaults to None: all classes, as they are.

    Returns:
        dict[str, tuple[int, ...]]: Image id -> class indices.

    Raises:
        ValueError: The table lacks images, or no image has a class.
    """
    labels = labels_of(table, image_ids, source)
    negatives = {i for i in labels if not labels[i] and not drop_empty}
    if chosen:
        index = {name: number for number, name in enumerate(chosen)}
        new = [index.get(name) for name in table.classes]
        for image_id, classes in labels.items():
            found = {new[c] for c in classes} - {None}
            labels[image_id] = tuple(sorted(found))
    names = ', '.join(chosen or table.classes or ())
    if not any(labels.values()):
        raise ValueError(
            f'{source}: no listed image has any of the classes {names}; '
            'check the labels'
        )
    kept = {i: labels[i] for i in labels if labels[i] or i in negatives}
    if len(kept) < len(labels):
        print_log(
            f'{source}: {len(labels) - len(kept)} of {len(labels)} images '
            f'have none of the classes {names} and are left out',
            'current',
        )
    return kept
