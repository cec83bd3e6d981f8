"""PASCAL VOC with image-level labels."""

from __future__ import annotations

from oaa_mm.io import voc_colormap
from oaa_mm.registry import DATASETS
from oaa_mm.tags import VOC_CLASSES

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
