"""PASCAL VOC and COCO with image-level labels."""

import os.path as osp
from collections.abc import Collection

from mmengine.logging import print_log

from oaa_mm.io import voc_colormap
from oaa_mm.registry import DATASETS
from oaa_mm.tags import COCO_CLASSES, VOC_CLASSES
from oaa_mm.tags.voc12 import OWN_MASKS, find_voc12

from .image_level import ImageLevelDataset


@DATASETS.register_module()
class VOCImageLevelDataset(ImageLevelDataset):
    """PASCAL VOC 2012 with image-level labels of its 20 classes.

    Classes are counted from 0 and background is none of them; in masks class
    c has the value c + 1. See :class:`ImageLevelDataset` for the arguments.

    The archive as it is downloaded suffices: where ``train_aug.txt``,
    ``train_cls.txt`` or ``val_cls.txt`` is absent, the images are those of
    `train_aug`, whose ids come with this package, or of ``val.txt``, and the
    tags those of ``Annotations``; where ``SegmentationClassAug`` is absent,
    masks are those of ``SegmentationClass``. The log says so. Since that
    folder has masks of some images only, `seg_map_path` is None for others.
    """

    METAINFO = {
        'classes': VOC_CLASSES,
        'palette': voc_colormap(21)[1:].tolist(),
    }

    def _join_prefix(self) -> None:
        super()._join_prefix()
        masks = self.data_prefix.get('seg_map_path')
        self.ann_file, self.labels, masks, notes = find_voc12(
            self.data_root, self.ann_file, self.labels, masks
        )
        self.data_prefix['seg_map_path'] = masks
        for note in notes:
            print_log(note, 'current')

    def _masks(self, image_ids: Collection[str]) -> dict[str, str | None]:
        found: dict[str, str | None] = super()._masks(image_ids)
        folder = self.data_prefix.get('seg_map_path') or ''
        some = osp.basename(folder) == OWN_MASKS
        return {**dict.fromkeys(image_ids), **found} if some else found


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
