"""Hooks for mmengine's runner."""

from .ablation_hook import OAAAblationHook
from .invalid_loss_hook import InvalidLossHook
from .manifest_hook import ManifestHook
from .oaa_hook import OAAHook

__all__ = ['InvalidLossHook', 'ManifestHook', 'OAAAblationHook', 'OAAHook']
