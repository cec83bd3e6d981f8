"""What runs beside a training."""

from .bf16_optim_wrapper import BFloat16OptimWrapper
from .hooks import (
    AttentionVisualizationHook,
    InvalidLossHook,
    ManifestHook,
    OAAAblationHook,
    OAADropHook,
    OAAHook,
)

__all__ = [
    'AttentionVisualizationHook',
    'BFloat16OptimWrapper',
    'InvalidLossHook',
    'ManifestHook',
    'OAAAblationHook',
    'OAADropHook',
    'OAAHook',
]
