"""The forms of image-level labels on disk; one module reads and writes one."""

from .coco import read_coco, write_coco
from .csv_file import read_csv, write_csv
from .list_file import read_list, write_list
from .masks import read_masks
from .npy import read_npy, write_npy
from .voc_xml import read_voc_xml, write_voc_xml

__all__ = [
    'read_coco',
    'read_csv',
    'read_list',
    'read_masks',
    'read_npy',
    'read_voc_xml',
    'write_coco',
    'write_csv',
    'write_list',
    'write_npy',
    'write_voc_xml',
]
