"""Hooks for mmengine's runner."""

from .ablation_hook import OAAAblationHook
from .epoch_seed_hook import EpochSeedHook
from .lock_hook import LockHook
from .manifest_hook import ManifestHook
from .oaa_hook import OAAHook
from .resume_hook import ResumeHook

__all__ = [
    'EpochSeedHook',
    'LockHook',
    'ManifestHook',
    'OAAAblationHook',
    'OAAHook',
    'ResumeHook',
]
