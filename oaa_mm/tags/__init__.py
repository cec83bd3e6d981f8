"""Image-level labels: which classes an image has, not where.

`table` is their form in memory (image id -> 0-based class indices), `classes`
the names of VOC and COCO, `formats` the readers and writers of each form on
disk, `io` the choice among them, `select` keeps the images of a list, and
`diff` compares two sources.
`image_list` reads lists of images. This room knows only files and arrays.
"""

from .classes import (
    COCO_CATEGORY_IDS,
    COCO_CLASSES,
    VOC_CLASSES,
    load_classes,
)
from .diff import LabelDiff, diff_labels
from .image_list import read_image_list
from .io import READERS, WRITERS, labels_of_set, read_labels, write_labels
from .select import labels_to_train_on, select_listed
from .table import LabelTable, ListedImage

__all__ = [
    'COCO_CATEGORY_IDS',
    'COCO_CLASSES',
    'VOC_CLASSES',
    'READERS',
    'WRITERS',
    'LabelDiff',
    'LabelTable',
    'ListedImage',
    'diff_labels',
    'labels_of_set',
    'labels_to_train_on',
    'load_classes',
    'read_image_list',
    'read_labels',
    'select_listed',
    'write_labels',
]
