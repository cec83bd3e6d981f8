"""Networks: backbones, the CAM head, the models built of them, losses."""

from .backbones import VGG16
from .classifiers import CAMClassifier
from .decode_heads import DeepLabV2Head, LargeFOVHead
from .heads import CAMHead
from .integral_attention import IntegralAttentionModel
from .losses import HybridAttentionLoss, SoftBCEAttentionLoss

__all__ = [
    'CAMClassifier',
    'CAMHead',
    'DeepLabV2Head',
    'HybridAttentionLoss',
    'IntegralAttentionModel',
    'LargeFOVHead',
    'SoftBCEAttentionLoss',
    'VGG16',
]
