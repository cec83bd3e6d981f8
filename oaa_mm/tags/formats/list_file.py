"""The list of the OAA releases: one line `name c1 c2 ...` per image."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from oaa_mm.io import atomic_write
from oaa_mm.tags.classes import normalize_classes
from oaa_mm.tags.table import LabelTable, image_stem

from ._common import make_table, parse_index, read_text, require_plain_stems


def read_words(line: str) -> list[str]:
    """Words of a line up to the first that begins with `#`.

    Args:
        line (str): A line of a list.

    Returns:
        list[str]: The name of an image and what follows it, or nothing.
    """
    words = line.split()
    for position, word in enumerate(words):
        if word.startswith('#'):
            return words[:position]
    return words


def read_list(
    path: str | os.PathLike, *, classes: Sequence[str] | None = None
) -> LabelTable:
    """Read a list such as the authors' `train_cls.txt`.

    Args:
        path (str | os.PathLike): Text file, one image a line: its name, with
            or without folder and suffix, then its 0-based class indices.
            Blank lines and comments (`#`) are skipped.
        classes (Sequence[str], optional): Names of the classes.

    Returns:
        LabelTable: The labels; a name alone gives an image without class.

    Raises:
        FileNotFoundError: `path` does not exist.
        ValueError: A line is wrong or an image occurs twice; the message
            names the lines.
    """
    path, classes = Path(path), normalize_classes(classes)
    labels, line_of = {}, {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        words = read_words(line)
        if not words:
            continue
        where = f'{path}, line {number}'
        image_id = image_stem(words[0])
        if image_id in line_of:
            raise ValueError(
                f'{path}: image {image_id!r} stands on line '
                f'{line_of[image_id]} and again on line {number}; keep one'
            )
        line_of[image_id] = number
        labels[image_id] = [parse_index(w, classes, where) for w in words[1:]]
    return make_table(labels, classes, path)


def write_list(table: LabelTable, path: str | os.PathLike) -> None:
    """Write a list which :func:`read_list` and the authors' tools read.

    Args:
        table (LabelTable): The labels; class names are not part of the form.
        path (str | os.PathLike): The file to write, atomically.

    Raises:
        ValueError: An image id holds a blank or begins with `#`, or ends in
            an image suffix.
    """
    require_plain_stems(table, 'list')
    for image_id in table.labels:
        if read_words(image_id) != [image_id]:
            raise ValueError(
                f'image id {image_id!r} cannot be written as list: blanks '
                'separate its columns and `#` begins a comment; write csv'
            )
    with atomic_write(path, 'w', newline='\n') as file:
        for image_id, indices in table.labels.items():
            file.write(' '.join([image_id, *map(str, indices)]) + '\n')
