"""Keeping the labels of the images that a list names."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from oaa_mm.checks import name_some

from .formats._common import read_text
from .formats.list_file import read_words
from .table import LabelTable, image_stem


def select_listed(
    table: LabelTable, list_file: str | os.PathLike
) -> LabelTable:
    """Keep the images of a list, in the order of the list.

    Args:
        table (LabelTable): The labels of these images and maybe of others.
        list_file (str | os.PathLike): Text file, one image a line: the first
            word is its name, with or without folder and suffix; what follows
            is not read. Blank lines and comments (`#`) are skipped.

    Returns:
        LabelTable: The labels of the listed images, the same class names.

    Raises:
        FileNotFoundError: There is no such list.
        ValueError: The list is no text, is empty, names an image twice or
            names images that `table` lacks.
    """
    path = Path(list_file)
    if not path.is_file():
        raise FileNotFoundError(
            f'image list {path} does not exist; it names one image a line'
        )
    lines = map(read_words, read_text(path).splitlines())
    image_ids = [image_stem(words[0]) for words in lines if words]
    if not image_ids:
        raise ValueError(
            f'{path}: the list names no image; it should hold one a line'
        )
    twice = [i for i, count in Counter(image_ids).items() if count > 1]
    if twice:
        raise ValueError(
            f'{path}: {len(twice)} images are listed more than once: '
            f'{name_some(twice)}; keep one line of each'
        )
    absent = [i for i in image_ids if i not in table.labels]
    if absent:
        raise ValueError(
            f'{path}: {len(absent)} of {len(image_ids)} listed images have '
            f'no labels: {name_some(absent)}; take them off the list, or give '
            'labels that hold them'
        )
    return LabelTable({i: table.labels[i] for i in image_ids}, table.classes)
