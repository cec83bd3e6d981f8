"""Heads on top of a backbone's feature map."""

from .cam_head import CAMHead

__all__ = ['CAMHead']
