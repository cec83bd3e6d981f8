"""The size of a feature map, against real forward passes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.registry import DefaultScope
from mmseg.structures import SegDataSample
from torch import nn

from oaa_mm.attention import Placement
from oaa_mm.engine.batch_attention import AttentionSource
from oaa_mm.models.feature_size import FeatureSize
from oaa_mm.registry import MODELS

RESNET = {
    'type': 'mmseg.ResNet',
    'depth': 18,
    'base_channels': 8,
    'stem_channels': 8,
    'out_indices': (3,),
    'strides': (1, 2, 2, 1),
    'dilations': (1, 1, 1, 2),
}
#: Backbone, its channels, and the smallest side that it can process.
BACKBONES = {
    'vgg': ({'type': 'oaa_mm.VGG16'}, 512, 8),
    'resnet': (RESNET, 64, 1),
    'resnet_stride_32': (
        {**RESNET, 'strides': (1, 2, 2, 2), 'dilations': (1, 1, 1, 1)},
        64,
        1,
    ),
    'mobilenet': (
        {'type': 'mmseg.MobileNetV2', 'widen_factor': 0.25},
        80,
        1,
    ),
    'mobilenet_single': (
        {
            'type': 'mmseg.MobileNetV2',
            'widen_factor': 0.25,
            'out_indices': (6,),
        },
        80,
        1,
    ),
    'mit': (
        {
            'type': 'mmseg.MixVisionTransformer',
            'embed_dims': 8,
            'num_heads': [1, 1, 1, 1],
            'num_layers': [1, 1, 1, 1],
            'out_indices': (3,),
        },
        8,
        32,
    ),
}
_built = {}


def stack(name):
    if name not in _built:
        if not DefaultScope.check_instance_created('oaa_mm_tests'):
            DefaultScope.get_instance('oaa_mm_tests', scope_name='mmseg')
        config, channels, _ = BACKBONES[name]
        head = {'type': 'oaa_mm.CAMHead', 'num_classes': 2, 'num_convs': 0}
        modules = [
            MODELS.build(dict(config)),
            MODELS.build({**head, 'in_channels': channels}),
        ]
        for module in modules:
            module.eval()
        _built[name] = modules, FeatureSize(modules)
    return _built[name]


@pytest.mark.parametrize('name', BACKBONES)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_size_is_that_of_a_forward_pass(name, data):
    (backbone, head), feature_size = stack(name)
    side = st.integers(BACKBONES[name][2], 100)
    height, width = data.draw(side), data.draw(side)
    with torch.no_grad():
        maps = head(backbone(torch.zeros(1, 3, height, width)))
    assert feature_size((height, width)) == tuple(maps.shape[2:])


def test_known_sizes_by_hand():
    # VGG rounds down at each of three poolings; ResNet rounds up.
    assert stack('vgg')[1]((224, 299)) == (28, 37)
    assert stack('resnet')[1]((224, 299)) == (14, 19)
    assert stack('resnet_stride_32')[1]((224, 299)) == (7, 10)


def _refuses_large_kernels():
    try:
        torch.nn.Conv2d(1, 1, 8, 8, device='meta')(
            torch.empty(1, 1, 4, 4, device='meta')
        )
    except RuntimeError:
        return True
    return False


@pytest.mark.parametrize('name', ['vgg', 'mit'])
def test_images_that_are_too_small(name):
    if name == 'mit' and not _refuses_large_kernels():
        pytest.skip(
            'this torch computes a convolution without data whose kernel is '
            'larger than its input; the training itself refuses it'
        )
    with pytest.raises(ValueError, match=r'side of 4 pixels.*too small'):
        stack(name)[1]((64, 4))


def test_the_modules_stay_as_they_are():
    modules, feature_size = stack('resnet')
    feature_size((50, 50))
    for module in modules:
        assert all(p.device.type == 'cpu' for p in module.parameters())
    fresh = MODELS.build(dict(RESNET))
    fresh.train()
    FeatureSize([fresh])
    assert fresh.training


@MODELS.register_module()
class TupleNeck(nn.Module):
    """As FPN, but it says what is wrong with a lone tensor."""

    def forward(self, features):
        assert isinstance(features, tuple)
        return features


def test_a_hook_measures_what_the_model_computes():
    config, channels, _ = BACKBONES['mobilenet_single']
    head = {
        'type': 'oaa_mm.CAMHead',
        'in_channels': channels,
        'num_classes': 2,
        'num_convs': 0,
    }
    model = MODELS.build(
        {
            'type': 'oaa_mm.CAMClassifier',
            'backbone': dict(config),
            'neck': {'type': 'oaa_mm.TupleNeck'},
            'head': head,
        }
    ).eval()
    maps = model(torch.zeros(1, 3, 40, 64))
    metainfo = {
        'image_id': 'a',
        'img_shape': (40, 64),
        'placement': Placement((40, 64)),
    }
    sample = SegDataSample(metainfo=metainfo)
    sample.gt_label = torch.ones(2, dtype=torch.uint8)
    source = AttentionSource(model)
    model.loss(torch.zeros(1, 3, 40, 64), [sample])
    batch = source.batch([sample])
    assert batch['placements'][0].grid == tuple(maps.shape[2:])


@pytest.mark.parametrize('kind', ['CAMClassifier', 'IntegralAttentionModel'])
def test_backbone_that_returns_its_only_map(kind):
    (backbone, _), feature_size = stack('mobilenet_single')
    assert isinstance(backbone(torch.zeros(2, 3, 40, 64)), torch.Tensor)
    config, channels, _ = BACKBONES['mobilenet_single']
    head = {
        'type': 'oaa_mm.CAMHead',
        'in_channels': channels,
        'num_classes': 2,
        'num_convs': 0,
    }
    model = MODELS.build(
        {'type': f'oaa_mm.{kind}', 'backbone': dict(config), 'head': head}
    ).eval()
    maps = model(torch.zeros(2, 3, 40, 64))
    assert maps.shape == (2, 2, *feature_size((40, 64)))
    assert len(model(torch.zeros(2, 3, 40, 64), mode='predict')) == 2
