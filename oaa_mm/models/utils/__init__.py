"""What several models need."""

from .feature_size import FeatureSize
from .pretrained import check_pretrained

__all__ = ['FeatureSize', 'check_pretrained']
