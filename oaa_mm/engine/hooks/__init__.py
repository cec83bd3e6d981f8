"""Hooks for mmengine's runner."""

from .ablation_hook import OAAAblationHook
from .manifest_hook import ManifestHook
from .oaa_drop_hook import OAADropHook
from .oaa_hook import OAAHook

__all__ = ['ManifestHook', 'OAAAblationHook', 'OAADropHook', 'OAAHook']
