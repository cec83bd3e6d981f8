"""The class-aware head."""

import pytest
import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmseg.models import FCNHead
from torch import nn

from oaa_mm.models import CAMHead, DeepLabV2Head, LargeFOVHead
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
        (
            {'num_classes': 0},
            r'num_classes .* integer in \[1, inf\).* 0$',
        ),
        (
            {'num_classes': 2, 'num_convs': -1},
            r'num_convs should be an integer in \[0, inf\).* -1$',
        ),
    ],
)
def test_arguments_out_of_range(kwargs, match):
    with pytest.raises(ValueError, match=match):
        CAMHead(in_channels=4, **kwargs)


def test_names_of_parameters_are_those_of_every_checkpoint_so_far():
    names = [name for name, _ in CAMHead(4, 2, channels=4).named_parameters()]
    layers = ('convs.0', 'convs.2', 'convs.4', 'classifier')
    assert names == [
        f'{layer}.{kind}' for layer in layers for kind in ('weight', 'bias')
    ]


def test_a_seed_gives_the_weights_of_plain_convolutions():
    torch.manual_seed(0)
    head = CAMHead(6, 4, channels=8, num_convs=2)
    after = torch.rand(1)
    torch.manual_seed(0)
    expected = [
        nn.Conv2d(6, 8, 3, padding=1),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.Conv2d(8, 4, 1),
    ]
    assert torch.equal(torch.rand(1), after)
    for ours, theirs in zip(
        (*head.convs[::2], head.classifier), expected, strict=True
    ):
        assert torch.equal(ours.weight, theirs.weight)
        assert torch.equal(ours.bias, theirs.bias)


def test_norm_and_activation_are_those_of_mmcvs_block():
    configs = {
        'conv_cfg': {'type': 'Conv2d', 'padding_mode': 'reflect'},
        'norm_cfg': {'type': 'BN', 'eps': 1e-3, 'requires_grad': False},
        'act_cfg': {'type': 'LeakyReLU', 'negative_slope': 0.5},
    }
    torch.manual_seed(0)
    head = CAMHead(6, 4, channels=8, num_convs=1, **configs)
    block = ConvModule(6, 8, 3, padding=1, **configs)
    conv, norm, act = head.convs
    block.conv.load_state_dict(conv.state_dict())  # neither has a bias
    features = torch.randn(2, 6, 5, 7)
    expected = F.conv2d(
        F.pad(features, (1, 1, 1, 1), mode='reflect'), conv.weight
    )
    expected = F.batch_norm(expected, None, None, training=True, eps=1e-3)
    expected = expected.where(expected > 0, expected / 2)
    assert torch.allclose(head.convs(features), expected, atol=1e-5)
    assert torch.equal(head.convs(features), block(features))
    assert act.inplace
    assert not any(p.requires_grad for p in norm.parameters())


@pytest.mark.parametrize('act_cfg', [None, {'type': 'Tanh'}])
def test_no_activation_and_one_that_does_not_work_in_place(act_cfg):
    head = CAMHead(3, 2, channels=3, num_convs=1, act_cfg=act_cfg)
    nn.init.dirac_(head.convs[0].weight)
    nn.init.zeros_(head.convs[0].bias)
    x = torch.randn(1, 3, 4, 4)
    assert torch.equal(head.convs(x), torch.tanh(x) if act_cfg else x)


@pytest.mark.parametrize('align_corners', [False, True])
def test_joined_feature_maps_are_those_of_mmseg(align_corners):
    joined = {
        'in_channels': [2, 3],
        'in_index': [0, 2],
        'input_transform': 'resize_concat',
        'align_corners': align_corners,
        'num_convs': 1,
        'channels': 4,
        'num_classes': 3,
    }
    head, theirs = CAMHead(**joined), FCNHead(**joined)
    maps = [torch.randn(1, n, *size) for n, size in (
        (2, (6, 9)), (5, (4, 4)), (3, (3, 5)),
    )]  # fmt: skip
    expected = torch.cat(
        [
            maps[0],
            F.interpolate(
                maps[2],
                (6, 9),
                mode='bilinear',
                align_corners=align_corners,
            ),
        ],
        dim=1,
    )
    assert torch.equal(head._transform_inputs(maps), expected)
    assert torch.equal(theirs._transform_inputs(maps), expected)
    assert head(maps).shape == (1, 3, 6, 9)
    assert head.convs[0].in_channels == 5


@pytest.mark.parametrize(
    'wrong',
    [
        {'in_channels': [4, 4]},
        {'in_channels': 4.0},
        {'in_index': [0]},
        {'in_index': None},
        {'input_transform': 'concat'},
        {'input_transform': 'resize_concat'},
        {
            'input_transform': 'resize_concat',
            'in_channels': [4, 4],
            'in_index': [0],
        },
    ],
)
@pytest.mark.parametrize('cls', [CAMHead, DeepLabV2Head, LargeFOVHead])
def test_inputs_that_mmseg_refuses(cls, wrong):
    given = {'in_channels': 4, 'num_classes': 3, **wrong}
    with pytest.raises(AssertionError):
        FCNHead(channels=4, **given)
    match = f'{cls.__name__}: in_channels, in_index and .* do not fit'
    with pytest.raises(ValueError, match=match):
        cls(**given)


def test_a_feature_map_that_there_is_not():
    features = (torch.zeros(1, 4, 3, 3),)
    theirs = FCNHead(in_channels=4, channels=4, num_classes=3, in_index=1)
    for head in (theirs, CAMHead(4, 3, in_index=1)):
        with pytest.raises(IndexError):
            head(features)


def test_several_maps_are_for_heads_with_branches():
    match = r"'multiple_select' should be .* got \[4, 4\]"
    with pytest.raises(ValueError, match=match):
        CAMHead([4, 4], 3, in_index=[0, 1], input_transform='multiple_select')


@pytest.mark.parametrize('align_corners', [False, True])
def test_score_maps_of_several_scales_are_resized_as_the_head_says(
    build, sample, align_corners
):
    model = build(
        head={'align_corners': align_corners},
        test_cfg={'scales': (1.0, 2.0)},
    )
    image = torch.randn(1, 3, 5, 6)
    maps = [
        model.score_maps(F.interpolate(image, (5 * s, 6 * s), mode='bilinear'))
        for s in (1, 2)
    ]
    larger = F.interpolate(
        maps[1], (5, 6), mode='bilinear', align_corners=align_corners
    )
    mean = ((maps[0] + larger) / 2).relu()[0, 3]
    [result] = model.predict(image, [sample((5, 6), [0, 0, 0, 1, 0])])
    assert torch.allclose(
        result.attention.data[0], mean / mean.max(), atol=1e-5
    )


def test_a_classifier_learns_from_two_feature_maps(build):
    model = build(
        {
            'type': 'mmseg.ResNet',
            'depth': 18,
            'stem_channels': 8,
            'base_channels': 8,
        },
        head={
            'in_channels': [8, 32],
            'in_index': [0, 2],
            'input_transform': 'resize_concat',
            'norm_cfg': {'type': 'GN', 'num_groups': 2},
            'num_convs': 1,
            'channels': 4,
        },
    )
    assert model.feature_size((40, 61)) == (10, 16)  # stride 4, rounded up
    scores = model.train()(torch.randn(2, 3, 40, 61))
    assert scores.shape == (2, 5, 10, 16)
    scores.sum().backward()
    assert all(p.grad is not None for p in model.head.parameters())
