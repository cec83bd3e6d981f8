"""Image-level labels: which classes an image has, not where.

`table` is their form in memory (image id -> 0-based class indices), `classes`
the names of VOC and COCO, `formats` the readers and writers of each form on
disk, `io` the choice among them, `select` keeps the images of a list, and
`diff` compares two sources.
This room knows files and numpy arrays, no torch.
"""

from .classes import (
    COCO_CATEGORY_IDS,
    COCO_CLASSES,
    VOC_CLASSES,
    load_classes,
)
from .diff import LabelDiff, diff_labels, print_diff
from .formats import (
    read_coco,
    read_csv,
    read_list,
    read_masks,
    read_npy,
    read_voc_xml,
)
from .io import READERS, WRITERS, read_labels, write_labels
from .select import select_listed
from .table import LabelTable, image_stem

__all__ = [
    'COCO_CATEGORY_IDS',
    'COCO_CLASSES',
    'VOC_CLASSES',
    'READERS',
    'WRITERS',
    'LabelDiff',
    'LabelTable',
    'diff_labels',
    'image_stem',
    'load_classes',
    'print_diff',
    'read_coco',
    'read_csv',
    'read_labels',
    'read_list',
    'read_masks',
    'read_npy',
    'read_voc_xml',
    'select_listed',
    'write_labels',
]
