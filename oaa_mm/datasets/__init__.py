"""Images with image-level labels, and how they are loaded and batched."""

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
]
