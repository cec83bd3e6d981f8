"""Images with image-level labels, and how they are loaded and batched."""

from .coco import COCOImageLevelDataset
from .image_level import ImageLevelDataset
from .samplers import EqualSizeBatchSampler
from .transforms import ColorJitter, LoadAttentionMaps, PackImageLevelInputs
from .voc import VOCImageLevelDataset

__all__ = [
    'COCOImageLevelDataset',
    'ColorJitter',
    'EqualSizeBatchSampler',
    'ImageLevelDataset',
    'LoadAttentionMaps',
    'PackImageLevelInputs',
    'VOCImageLevelDataset',
]
