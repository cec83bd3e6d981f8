"""Images with image-level labels, and how they are loaded and batched."""

from oaa_mm.io import find_images
from oaa_mm.tags import read_image_list

from .image_level import ImageLevelDataset
from .pseudo_label import PseudoLabelDataset
from .samplers import EqualSizeBatchSampler
from .transforms import ColorJitter, LoadAttentionMaps, PackImageLevelInputs
from .voc_coco import COCOImageLevelDataset, VOCImageLevelDataset

__all__ = [
    'COCOImageLevelDataset',
    'ColorJitter',
    'EqualSizeBatchSampler',
    'ImageLevelDataset',
    'LoadAttentionMaps',
    'PackImageLevelInputs',
    'PseudoLabelDataset',
    'VOCImageLevelDataset',
    'find_images',
    'read_image_list',
]
