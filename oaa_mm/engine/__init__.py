"""What runs beside a training."""

from .bf16_optim_wrapper import BFloat16OptimWrapper
from .hooks import (
    EpochSeedHook,
    LockHook,
    ManifestHook,
    OAAAblationHook,
    OAAHook,
    ResumeHook,
)

__all__ = [
    'BFloat16OptimWrapper',
    'EpochSeedHook',
    'LockHook',
    'ManifestHook',
    'OAAAblationHook',
    'OAAHook',
    'ResumeHook',
]
