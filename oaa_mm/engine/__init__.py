"""What runs beside a training."""

from .bf16_optim_wrapper import BFloat16OptimWrapper
from .hooks import InvalidLossHook, ManifestHook, OAAAblationHook, OAAHook

__all__ = [
    'BFloat16OptimWrapper',
    'InvalidLossHook',
    'ManifestHook',
    'OAAAblationHook',
    'OAAHook',
]
