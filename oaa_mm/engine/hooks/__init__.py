"""Hooks for mmengine's runner."""

from .ablation_hook import OAAAblationHook
from .invalid_loss_hook import InvalidLossHook
from .manifest_hook import ManifestHook
from .oaa_drop_hook import OAADropHook
from .oaa_hook import OAAHook
from .visualization_hook import AttentionVisualizationHook

__all__ = [
    'AttentionVisualizationHook',
    'InvalidLossHook',
    'ManifestHook',
    'OAAAblationHook',
    'OAADropHook',
    'OAAHook',
]
