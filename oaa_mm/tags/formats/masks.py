"""Class masks: the labels of an image are the classes of its pixels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from oaa_mm.io.images import open_image
from oaa_mm.io.progress import progress
from oaa_mm.tags.classes import normalize_classes
from oaa_mm.tags.table import LabelTable

from ._common import check_index, list_folder, make_table

#: Values which are not classes: the background and the ignore index.
_BACKGROUND, _IGNORE = 0, 255


def _read_mask(path: Path) -> np.ndarray:
    """Class values of a mask, (H, W) uint8."""
    # Pillow gives the palette's indices where cv2 gives its colours.
    with open_image(path) as image:
        mode, mask = image.mode, np.asarray(image)
    if mode not in ('P', 'L'):
        raise ValueError(
            f'mask {path} has mode {mode}; masks should be 8-bit palette (P) '
            'or greyscale (L) images of class values, not colours'
        )
    return mask


def read_masks(
    path: str | os.PathLike, *, classes: Sequence[str] | None = None
) -> LabelTable:
    """Read which classes occur in each mask of a folder.

    Args:
        path (str | os.PathLike): Folder of 8-bit palette or greyscale PNG
            masks: 0 is background, class c has value c + 1, 255 is ignored.
        classes (Sequence[str], optional): Names of the classes.

    Returns:
        LabelTable: The labels; the image id is the stem of the mask.

    Raises:
        FileNotFoundError: `path` does not exist.
        ValueError: A mask is unreadable, in colour, or has a value above the
            number of classes.
    """
    names = normalize_classes(classes)
    labels = {}
    for file in progress(list_folder(path, '.png'), 'Reading masks'):
        counts = np.bincount(_read_mask(file).ravel(), minlength=256)
        values = [
            int(value)
            for value in np.flatnonzero(counts)
            if value not in (_BACKGROUND, _IGNORE)
        ]
        labels[file.stem] = [
            check_index(value - 1, names, f'mask {file}, value {value}')
            for value in values
        ]
    return make_table(labels, names, path)
