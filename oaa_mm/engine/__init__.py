"""What runs beside a training."""

from .bf16_optim_wrapper import BFloat16OptimWrapper
from .hooks import ManifestHook, OAAAblationHook, OAADropHook, OAAHook

__all__ = [
    'BFloat16OptimWrapper',
    'ManifestHook',
    'OAAAblationHook',
    'OAADropHook',
    'OAAHook',
]
