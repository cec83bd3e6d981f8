"""The class-aware head."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from oaa_mm.models import CAMHead
from oaa_mm.registry import MODELS


def test_plain_head_is_one_1x1_convolution():
    torch.manual_seed(0)
    head = CAMHead(in_channels=6, num_classes=4, num_convs=0)
    features = torch.randn(2, 6, 5, 7)
    expected = torch.einsum(
        'nchw,kc->nkhw', features, head.classifier.weight[:, :, 0, 0]
    ) + head.classifier.bias.view(1, 4, 1, 1)
    assert torch.allclose(head((features,)), expected, atol=1e-6)
    assert len(head.convs) == 0
    assert head.num_classes == 4


def test_three_convolutions_keep_the_size():
    torch.manual_seed(0)
    head = CAMHead(in_channels=6, num_classes=4, channels=8)
    kinds = [type(layer) for layer in head.convs]
    assert kinds == [nn.Conv2d, nn.ReLU] * 3
    x = features = torch.randn(2, 6, 5, 7)
    for layer in head.convs[::2]:
        assert layer.out_channels == 8
        x = F.conv2d(x, layer.weight, layer.bias, padding=1).relu()
    x = F.conv2d(x, head.classifier.weight, head.classifier.bias)
    assert x.shape == (2, 4, 5, 7)
    assert torch.allclose(head((features,)), x, atol=1e-6)


@pytest.mark.parametrize(('index', 'channels'), [(-1, 3), (0, 1), (1, 2)])
def test_chosen_feature_map(index, channels):
    features = tuple(torch.ones(1, n, n, n) for n in (1, 2, 3))
    head = CAMHead(channels, 1, num_convs=0, in_index=index)
    assert head(features).shape == (1, 1, channels, channels)


def test_initialised_with_standard_deviation_of_a_hundredth():
    torch.manual_seed(0)
    head = MODELS.build(
        {'type': 'oaa_mm.CAMHead', 'in_channels': 64, 'num_classes': 20}
    )
    head.init_weights()
    for layer in (*head.convs[::2], head.classifier):
        assert layer.weight.std().item() == pytest.approx(0.01, rel=0.1)
        assert not layer.bias.any()


def test_other_initialisation():
    init = {'type': 'Constant', 'layer': 'Conv2d', 'val': 0}
    head = CAMHead(4, 2, num_convs=1, channels=4, init_cfg=init)
    head.init_weights()
    assert not any(p.any() for p in head.parameters())


@pytest.mark.parametrize(
    ('kwargs', 'match'),
    [
        ({'num_classes': 0}, r'num_classes should be in \[1, inf\).* 0$'),
        (
            {'num_classes': 2, 'num_convs': -1},
            r'num_convs should be in \[0, inf\).* -1$',
        ),
    ],
)
def test_arguments_out_of_range(kwargs, match):
    with pytest.raises(ValueError, match=match):
        CAMHead(in_channels=4, **kwargs)
