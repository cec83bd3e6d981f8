"""What runs beside a training."""

from .bf16_optim_wrapper import BFloat16OptimWrapper
from .hooks import (
    AttentionVisualizationHook,
    ManifestHook,
    OAAAblationHook,
    OAADropHook,
    OAAHook,
)

__all__ = [
    'AttentionVisualizationHook',
    'BFloat16OptimWrapper',
    'ManifestHook',
    'OAAAblationHook',
    'OAADropHook',
    'OAAHook',
]
