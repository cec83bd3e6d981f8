"""Networks: backbones, the CAM head and the models built of them."""

from .backbones import VGG16
from .classifiers import CAMClassifier
from .heads import CAMHead

__all__ = ['CAMClassifier', 'CAMHead', 'VGG16']
