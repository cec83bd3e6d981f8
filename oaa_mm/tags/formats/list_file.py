"""The list of the OAA releases: one line `name c1 c2 ...` per image."""

import os
from collections.abc import Sequence

from oaa_mm.io import atomic_write
from oaa_mm.tags.image_list import labels_in_list, read_image_list
from oaa_mm.tags.table import LabelTable


def read_list(
    path: str | os.PathLike, *, classes: Sequence[str] | None = None
) -> LabelTable:
    """Read a list such as the authors' `train_cls.txt`.

    Args:
        path (str | os.PathLike): Text file, one image a line: its name, with
            or without folder and suffix, then its 0-based class indices. See
            :func:`~oaa_mm.tags.read_image_list`.
        classes (Sequence[str], optional): Names of the classes.

    Returns:
        LabelTable: The labels; a name alone gives an image without class.

    Raises:
        FileNotFoundError: `path` does not exist.
        ValueError: A line is wrong or an image occurs twice; the message
            names them.
    """
    images = read_image_list(path, tags=True)
    return labels_in_list(images, path, classes)


def write_list(table: LabelTable, path: str | os.PathLike) -> None:
    """Write a list which :func:`read_list` and the authors' tools read.

    Args:
        table (LabelTable): The labels; class names are not part of the form.
        path (str | os.PathLike): The file to write, atomically.

    Raises:
        ValueError: An image id holds a blank or begins with `#`.
    """
    for image_id in table.labels:
        if image_id.startswith('#') or ' ' in image_id:
            raise ValueError(
                f'image id {image_id!r} cannot be written as list: blanks '
                'separate its columns and `#` begins a comment; write csv'
            )
    with atomic_write(path, 'w', newline='\n') as file:
        for image_id, indices in table.labels.items():
            file.write(' '.join([image_id, *map(str, indices)]) + '\n')
