"""A folder of labels as a mapping."""

import os
from collections.abc import Iterator, Mapping

import numpy as np

from oaa_mm.attention.record import DataRecord
from oaa_mm.io import ImageFolder, read_mask
from oaa_mm.io.label_folder import label_dir
from oaa_mm.io.notebook import ShownInNotebooks


class LabelFolder(ShownInNotebooks, Mapping):
    """The labels in a folder: image id -> (H, W) uint8, read when asked for.

    Values are 0 for background, c + 1 for class c and 255 for ignored pixels.

    Args:
        folder (str | os.PathLike): An output of make_pseudo_labels, or a
            folder of ``{image_id}.png``.

    Attributes:
        data (DataRecord): The images of the labels, and their classes.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: Its manifest is damaged.

    Example:
        >>> labels = LabelFolder('work_dirs/pseudo_labels/oaa_vgg16_voc')
        >>> labels['2007_000032'].shape
        (281, 500)
    """

    view = 'labels'

    def __init__(self, folder: str | os.PathLike) -> None:
        self._files = ImageFolder(label_dir(folder), '.png', strict=True)
        self._ids = self._files.all_ids()
        self.data = DataRecord.of_labels(folder)

    def __getitem__(self, image_id: str) -> np.ndarray:
        if image_id not in self._files:
            raise KeyError(image_id)
        return read_mask(self._files.find(image_id))

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)
