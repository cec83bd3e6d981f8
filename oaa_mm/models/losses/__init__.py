"""Losses with soft attention targets."""

from .attention_loss import AttentionLoss
from .hybrid import HybridAttentionLoss, hybrid_attention_loss
from .soft_bce import SoftBCEAttentionLoss

__all__ = [
    'AttentionLoss',
    'HybridAttentionLoss',
    'SoftBCEAttentionLoss',
    'hybrid_attention_loss',
]
