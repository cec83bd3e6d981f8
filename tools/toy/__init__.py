"""The embedded data set: painted objects, in the layouts of VOC and COCO."""

from .catalogue import TOY_CLASSES
from .scene import ToySample, toy_sample
from .writer import make_toy_voc

__all__ = ['TOY_CLASSES', 'ToySample', 'make_toy_voc', 'toy_sample']
