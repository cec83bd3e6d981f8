"""Images with image-level labels, and how they are loaded and batched."""

from oaa_mm.tags import ListedImage, read_image_list

from .coco import COCOImageLevelDataset
from .image_files import ImageFolder, find_by_id, find_images
from .image_level import ImageLevelDataset
from .samplers import EqualSizeBatchSampler
from .transforms import ColorJitter, LoadAttentionMaps, PackImageLevelInputs
from .voc import VOCImageLevelDataset

__all__ = [
    'COCOImageLevelDataset',
    'ColorJitter',
    'EqualSizeBatchSampler',
    'ImageFolder',
    'ImageLevelDataset',
    'ListedImage',
    'LoadAttentionMaps',
    'PackImageLevelInputs',
    'VOCImageLevelDataset',
    'find_by_id',
    'find_images',
    'read_image_list',
]
