"""Models that are trained with image-level labels."""

from .cam_classifier import CAMClassifier

__all__ = ['CAMClassifier']
