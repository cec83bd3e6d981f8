"""The checks: each takes what was found of a split and returns findings."""

from .images import check_images
from .labels import check_labels
from .lists import check_copies, check_list, check_overlap
from .masks import check_masks
from .saliency import check_saliency

__all__ = [
    'check_copies',
    'check_images',
    'check_labels',
    'check_list',
    'check_masks',
    'check_overlap',
    'check_saliency',
]
