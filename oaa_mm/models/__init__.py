"""Networks: backbones, the CAM head, the models built of them, losses."""

from .cam_classifier import CAMClassifier
from .cam_head import CAMHead
from .deeplab_heads import DeepLabV2Head, LargeFOVHead
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
