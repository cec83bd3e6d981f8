"""Small networks that show what padding, flips and scales do."""

import pytest
import torch
from mmengine.model import BaseModule
from mmseg.structures import SegDataSample
from torch import nn

from oaa_mm.registry import MODELS


@MODELS.register_module('TestPointwiseBackbone', force=True)
class PointwiseBackbone(BaseModule):
    """Kernels as large as their strides: no cell sees another cell's pixels.

    Args:
        stride (int): Side of a cell. A kernel of that size rounds sizes down;
            a 1x1 kernel (`sparse`) rounds them up.
        sparse (bool): See above.
    """

    def __init__(self, stride=1, sparse=False):
        super().__init__()
        kernel = 1 if sparse else stride
        self.conv = nn.Conv2d(3, 6, kernel, stride=stride)
        self.mix = nn.Conv2d(6, 4, 1)

    def forward(self, x):
        return (self.mix(self.conv(x).relu()),)


@MODELS.register_module('TestEdgeBackbone', force=True)
class EdgeBackbone(BaseModule):
    """A lopsided 3x3 kernel that sees padding and differs when mirrored."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        return (self.conv(x),)


@pytest.fixture
def build():
    """Build a CAMClassifier of 5 classes with weights of the usual size."""

    def build_model(backbone='TestPointwiseBackbone', *, seed=0, **kwargs):
        if isinstance(backbone, str):
            backbone = {'type': backbone}
        head = {
            'type': 'oaa_mm.CAMHead',
            'in_channels': 4,
            'num_classes': 5,
            'num_convs': 0,
            **kwargs.pop('head', {}),
        }
        torch.manual_seed(seed)
        return MODELS.build(
            {
                'type': 'oaa_mm.CAMClassifier',
                'backbone': backbone,
                'head': head,
                **kwargs,
            }
        ).eval()

    return build_model


@pytest.fixture
def sample():
    """Make a data sample of an image of a size."""

    def make(size, label=None, **meta):
        meta = {
            'img_shape': tuple(size),
            'ori_shape': tuple(size),
            'img_path': 'some/image.jpg',
            **meta,
        }
        data = SegDataSample(metainfo=meta)
        if label is not None:
            label = torch.tensor(label, dtype=torch.uint8)
            data.set_field(label, 'gt_label')
        return data

    return make


@pytest.fixture
def pad():
    """Stack images of different sizes; the padding is loud, not zero."""

    def stack(images):
        height = max(image.shape[1] for image in images)
        width = max(image.shape[2] for image in images)
        batch = torch.full((len(images), 3, height, width), 1000.0)
        for row, image in zip(batch, images, strict=True):
            row[:, : image.shape[1], : image.shape[2]] = image
        return batch

    return stack


@pytest.fixture
def images():
    """Four images of three sizes."""
    generator = torch.Generator().manual_seed(7)
    return [
        torch.randn(3, height, width, generator=generator)
        for height, width in ((9, 13), (16, 8), (11, 11), (9, 13))
    ]


@pytest.fixture
def labels():
    return [[1, 0, 0, 1, 0], [0, 1, 0, 0, 0], [0, 0, 1, 1, 1], [1, 0, 0, 0, 0]]
