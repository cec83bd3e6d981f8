"""Hooks for mmengine's runner."""

from .ablation_hook import OAAAblationHook
from .epoch_seed_hook import EpochSeedHook
from .invalid_loss_hook import InvalidLossHook
from .lock_hook import LockHook
from .manifest_hook import ManifestHook
from .oaa_drop_hook import OAADropHook
from .oaa_hook import OAAHook
from .resume_hook import ResumeHook
from .visualization_hook import AttentionVisualizationHook

__all__ = [
    'AttentionVisualizationHook',
    'EpochSeedHook',
    'InvalidLossHook',
    'LockHook',
    'ManifestHook',
    'OAAAblationHook',
    'OAADropHook',
    'OAAHook',
    'ResumeHook',
]
