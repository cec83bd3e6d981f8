"""Networks: backbones, the CAM head, the models built of them, losses."""

from .cam_classifier import CAMClassifier
from .deeplab_heads import DeepLabV2Head, LargeFOVHead
from .heads import CAMHead
from .integral_attention import IntegralAttentionModel
from .losses import HybridAttentionLoss, SoftBCEAttentionLoss
from .vgg import VGG16

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
