"""A trained model in three lines of Python."""

from .oaa_inferencer import OAAInferencer

__all__ = ['OAAInferencer']
