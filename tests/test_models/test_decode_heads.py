"""The decode heads of the papers' segmentation networks."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import nn

from oaa_mm.models import DeepLabV2Head, LargeFOVHead
from oaa_mm.registry import MODELS

LOSS = {'type': 'mmseg.CrossEntropyLoss', 'avg_non_ignore': True}


def samples(*labels):
    return [
        SegDataSample(gt_sem_seg=PixelData(data=label.long()[None]))
        for label in labels
    ]


def test_deeplabv2_is_the_sum_of_four_atrous_convolutions():
    torch.manual_seed(0)
    head = DeepLabV2Head(6, num_classes=5, loss_decode=LOSS).eval()
    features = torch.randn(2, 6, 9, 11)
    expected = torch.zeros(2, 5, 9, 11)
    for branch, d in zip(head.branches, (6, 12, 18, 24), strict=True):
        expected += F.conv2d(
            features, branch.weight, branch.bias, padding=d, dilation=d
        )
    output = head((torch.randn(2, 1, 3, 3), features))
    assert output.shape == (2, 5, 9, 11)
    assert torch.allclose(output, expected, atol=1e-5)
    # Without dropout, training computes the same.
    assert torch.equal(head.train()((features,)), output)


def test_deeplabv2_has_nothing_but_the_branches():
    head = DeepLabV2Head(4, num_classes=21, dilations=(1, 2), loss_decode=LOSS)
    shapes = {name: tuple(p.shape) for name, p in head.named_parameters()}
    assert shapes == {
        'branches.0.weight': (21, 4, 3, 3),
        'branches.0.bias': (21,),
        'branches.1.weight': (21, 4, 3, 3),
        'branches.1.bias': (21,),
    }


def test_deeplabv2_dropout_where_asked_for():
    torch.manual_seed(0)
    head = DeepLabV2Head(8, num_classes=3, dropout_ratio=0.5, loss_decode=LOSS)
    x = (torch.randn(1, 8, 5, 5),)
    assert not torch.equal(head(x), head(x))
    head.eval()
    assert torch.equal(head(x), head(x))


def test_largefov_by_hand():
    torch.manual_seed(0)
    head = LargeFOVHead(6, 8, num_classes=5, loss_decode=LOSS).eval()
    features = torch.randn(2, 6, 9, 11)
    x = F.max_pool2d(features, 3, stride=1, padding=1)
    x = F.conv2d(x, head.fc6.weight, head.fc6.bias, padding=12, dilation=12)
    x = x.clamp(min=0)
    x = torch.einsum('nchw,kc->nkhw', x, head.fc7.weight[:, :, 0, 0])
    x = (x + head.fc7.bias.view(1, -1, 1, 1)).clamp(min=0)
    x = torch.einsum('nchw,kc->nkhw', x, head.conv_seg.weight[:, :, 0, 0])
    x = x + head.conv_seg.bias.view(1, -1, 1, 1)
    output = head((features,))
    assert output.shape == (2, 5, 9, 11)
    assert torch.allclose(output, x, atol=1e-5)


def test_largefov_drops_single_values():
    head = LargeFOVHead(2, 4, num_classes=4, loss_decode=LOSS)
    nn.init.ones_(head.fc6.weight)
    nn.init.ones_(head.fc7.weight)
    # One class a channel: a logit of 0 is a dropped value of fc7.
    head.conv_seg.weight.data = torch.eye(4).view(4, 4, 1, 1)
    nn.init.zeros_(head.conv_seg.bias)
    torch.manual_seed(0)
    dropped = head((torch.ones(1, 2, 40, 40),)) == 0
    share = dropped.float().mean((0, 2, 3))
    assert torch.all((share > 0.4) & (share < 0.65)), share
    assert not (head.eval()((torch.ones(1, 2, 40, 40),)) == 0).any()


def test_largefov_with_norm_and_another_activation():
    torch.manual_seed(0)
    head = LargeFOVHead(
        6,
        8,
        num_classes=5,
        loss_decode=LOSS,
        norm_cfg={'type': 'GN', 'num_groups': 2},
        act_cfg={'type': 'LeakyReLU', 'negative_slope': 0.5},
    ).eval()
    assert {name for name, _ in head.named_parameters()} == {
        'conv_seg.weight', 'conv_seg.bias', 'fc6.weight', 'fc7.weight',
        'after_fc6.0.weight', 'after_fc6.0.bias',
        'after_fc7.0.weight', 'after_fc7.0.bias',
    }  # fmt: skip
    features = torch.randn(2, 6, 9, 11)
    x = F.max_pool2d(features, 3, stride=1, padding=1)
    x = F.conv2d(x, head.fc6.weight, padding=12, dilation=12)
    x = F.group_norm(x, 2)
    x = F.conv2d(x.where(x > 0, x / 2), head.fc7.weight)
    x = F.group_norm(x, 2)
    x = head.conv_seg(x.where(x > 0, x / 2))
    assert torch.allclose(head((features,)), x, atol=1e-5)


def test_largefov_has_the_parameters_of_every_checkpoint_so_far():
    head = LargeFOVHead(6, 8, num_classes=5, loss_decode=LOSS)
    assert [name for name, _ in head.named_parameters()] == [
        f'{layer}.{kind}'
        for layer in ('conv_seg', 'fc6', 'fc7')
        for kind in ('weight', 'bias')
    ]


def test_deeplabv2_takes_another_convolution_but_no_norm():
    reflect = {'type': 'Conv2d', 'padding_mode': 'reflect'}
    head = DeepLabV2Head(
        4, num_classes=3, dilations=(2,), loss_decode=LOSS, conv_cfg=reflect
    )
    x = torch.randn(1, 4, 6, 7)
    [branch] = head.branches
    expected = F.conv2d(
        F.pad(x, (2, 2, 2, 2), mode='reflect'),
        branch.weight,
        branch.bias,
        dilation=2,
    )
    assert torch.allclose(head((x,)), expected, atol=1e-6)
    with pytest.raises(ValueError, match=r"'BN'.* no place before the logits"):
        DeepLabV2Head(4, num_classes=3, norm_cfg={'type': 'BN'})


@pytest.mark.parametrize('name', ['DeepLabV2Head', 'LargeFOVHead'])
def test_initialised_with_standard_deviation_of_a_hundredth(name):
    torch.manual_seed(0)
    head = MODELS.build(
        {
            'type': f'oaa_mm.{name}',
            'in_channels': 64,
            'num_classes': 21,
            'loss_decode': LOSS,
        }
    )
    head.init_weights()
    layers = [m for m in head.modules() if isinstance(m, nn.Conv2d)]
    assert len(layers) == (4 if name == 'DeepLabV2Head' else 3)
    for layer in layers:
        assert layer.weight.std().item() == pytest.approx(0.01, rel=0.1)
        assert not layer.bias.any()


@pytest.mark.parametrize('cls', [DeepLabV2Head, LargeFOVHead])
def test_one_step_lowers_the_loss_of_the_labelled_pixels(cls):
    torch.manual_seed(0)
    head = cls(8, num_classes=4, dropout_ratio=0.0, loss_decode=LOSS)
    features = (torch.randn(2, 8, 6, 6),)
    labels = torch.randint(0, 4, (2, 24, 24))
    labels[0, :8] = 255
    labels[1] = 255  # nothing is known of the second image
    batch = samples(*labels)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
    losses = []
    for _ in range(2):
        loss = head.loss(features, batch, {})['loss_ce']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[1] < losses[0]
    assert all(p.grad is not None for p in head.parameters())
    # An independent value of the first loss: the mean over labelled pixels.
    torch.manual_seed(0)
    head = cls(8, num_classes=4, dropout_ratio=0.0, loss_decode=LOSS)
    logits = F.interpolate(
        head(features), size=(24, 24), mode='bilinear', align_corners=False
    )
    expected = F.cross_entropy(logits, labels, ignore_index=255)
    assert losses[0] == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize(
    ('cls', 'kwargs', 'match'),
    [
        (
            DeepLabV2Head,
            {'dilations': ()},
            r'len\(dilations\) should be .*in \[1',
        ),
        (
            DeepLabV2Head,
            {'dilations': (6, 0)},
            r'dilations should be .* 0',
        ),
        (
            LargeFOVHead,
            {'dilation': 0},
            r'dilation should be .* in \[1.* 0',
        ),
        (LargeFOVHead, {'dropout_ratio': 1.0}, r'\[0, 1\), but got 1\.0'),
    ],
)
def test_arguments_out_of_range(cls, kwargs, match):
    with pytest.raises(ValueError, match=match):
        cls(4, num_classes=3, **kwargs)
