"""Losses with soft attention targets."""

from .attention_loss import AttentionLoss, SoftBCEAttentionLoss
from .hybrid import HybridAttentionLoss, hybrid_attention_loss

__all__ = [
    'AttentionLoss',
    'HybridAttentionLoss',
    'SoftBCEAttentionLoss',
    'hybrid_attention_loss',
]
