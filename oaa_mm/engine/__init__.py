"""What runs beside a training."""

from .bf16_optim_wrapper import BFloat16OptimWrapper
from .hooks import (
    AttentionVisualizationHook,
    EpochSeedHook,
    InvalidLossHook,
    LockHook,
    ManifestHook,
    OAAAblationHook,
    OAADropHook,
    OAAHook,
    ResumeHook,
)

__all__ = [
    'AttentionVisualizationHook',
    'BFloat16OptimWrapper',
    'EpochSeedHook',
    'InvalidLossHook',
    'LockHook',
    'ManifestHook',
    'OAAAblationHook',
    'OAADropHook',
    'OAAHook',
    'ResumeHook',
]
