"""Hooks for mmengine's runner."""

from .manifest_hook import ManifestHook
from .oaa_hook import OAAHook

__all__ = ['ManifestHook', 'OAAHook']
