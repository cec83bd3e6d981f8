"""Class masks: the labels of an image are the classes of its pixels."""

import os
from collections.abc import Sequence

from oaa_mm.io import classes_in, read_mask
from oaa_mm.io.masks import require_class
from oaa_mm.io.progress import progress
from oaa_mm.tags.table import LabelTable, TableBuilder

from ._common import list_folder


def read_masks(
    path: str | os.PathLike,
    *,
    classes: Sequence[str] | None = None,
    binary: bool = False,
) -> LabelTable:
    """Read which classes occur in each mask of a folder.

    Args:
        path (str | os.PathLike): Folder of palette or greyscale PNG masks: 0
            is background, class c has value c + 1, 255 is ignored.
        classes (Sequence[str], optional): Names of the classes.
        binary (bool): Whether 255 marks class 0, the only one. Defaults to
            False.

    Returns:
        LabelTable: The labels; the image id is the stem of the mask, with the
        sub-folders that it is in.

    Raises:
        FileNotFoundError: `path` does not exist.
        ValueError: A mask is unreadable, in colour, or has a value above the
            number of classes; or no mask has any class.
    """
    table = TableBuilder(path, classes)
    count = None if classes is None else len(table.classes)
    files = list_folder(path, '.png')
    for image_id, file in progress(files.items(), 'Reading masks', len(files)):
        table.add(image_id, classes_in(read_mask(file, count, binary=binary)))
    require_class(any(table.labels.values()), path)
    return table.build()
