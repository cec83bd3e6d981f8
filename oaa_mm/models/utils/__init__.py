"""What several models need."""

from .feature_size import FeatureSize
from .hidden_pixels import hide_pixels
from .pretrained import check_pretrained

__all__ = ['FeatureSize', 'check_pretrained', 'hide_pixels']
