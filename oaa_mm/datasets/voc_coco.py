"""PASCAL VOC and COCO with image-level labels."""

from __future__ import annotations

from oaa_mm.io import voc_colormap
from oaa_mm.registry import DATASETS
from oaa_mm.tags import COCO_CLASSES, VOC_CLASSES

from .image_level import ImageLevelDataset


@DATASETS.register_module()
class VOCImageLevelDataset(ImageLevelDataset):
    """PASCAL VOC 2012 with image-level labels of its 20 classes.

    Classes are counted from 0 and background is none of them; in masks class
    c has the value c + 1. See :class:`ImageLevelDataset` for the arguments.
    """

    METAINFO = {
        'classes': VOC_CLASSES,
        'palette': voc_colormap(21)[1:].tolist(),
    }


@DATASETS.register_module()
class COCOImageLevelDataset(ImageLevelDataset):
    """COCO with image-level labels of its 80 thing classes.

    The labels are the categories of an instances JSON, whose ids 1 to 90
    become the classes 0 to 79; in masks class c has the value c + 1. About one
    image in a hundred has no annotation and is a negative; ``filter_cfg=dict(
    filter_empty_gt=True)`` leaves these out. See :class:`ImageLevelDataset`
    for the arguments.
    """

    METAINFO = {
        'classes': COCO_CLASSES,
        'palette': voc_colormap(81)[1:].tolist(),
    }
