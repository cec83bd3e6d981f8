"""The losses as modules: soft targets, hard labels, heads of mmseg."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from oaa_mm.models.losses import (
    HybridAttentionLoss,
    SoftBCEAttentionLoss,
    hybrid_attention_loss,
)
from oaa_mm.registry import MODELS


def soft(seed=0):
    """Logits and attention of two images of three classes."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 3, 2, 2, generator=generator)
    attention = torch.rand(2, 3, 2, 2, generator=generator)
    return logits, attention * (attention > 0.5)


def test_module_takes_soft_targets_and_weighs():
    loss = HybridAttentionLoss('batch', loss_weight=3.0)
    for valid in (None, torch.tensor([[2, 1], [1, 2]])):
        expected = hybrid_attention_loss(
            *soft(), valid=valid, reduction='batch'
        )
        value = loss(*soft(), valid=valid)
        assert value.item() == pytest.approx(3 * expected.item())
    assert loss.loss_name == 'loss_hybrid'


def test_module_takes_hard_labels():
    """Three pixels of labels 0, 2 and ignored; three channels.

    N+ is (channel 0, pixel 0) and (2, 1); N- their four other channels.
    """
    logits = torch.tensor(
        [[[[2.0, 1.0, 50.0]], [[-1.0, 0.0, 50.0]], [[0.0, -2.0, 50.0]]]]
    )
    labels = torch.tensor([[[0, 2, 255]]])
    yes = F.softplus(torch.tensor([-2.0, 2.0])).mean()
    no = F.softplus(torch.tensor([1.0, -1.0, 0.0, 0.0])).mean()
    loss = HybridAttentionLoss()(logits, labels, weight=None, ignore_index=255)
    assert loss.item() == pytest.approx((yes + no).item())
    everything = torch.full_like(labels, 255)
    assert HybridAttentionLoss()(logits, everything).item() == 0
    # Another value may be the one that is ignored, a channel too.
    loss = HybridAttentionLoss()(logits, labels.clamp_max(2), ignore_index=2)
    expected = F.softplus(torch.tensor(-2.0))
    expected += F.softplus(torch.tensor([-1.0, 0.0])).mean()
    assert loss.item() == pytest.approx(expected.item())


@pytest.mark.parametrize('value', [3, -1, 254])
def test_a_label_without_channel_is_refused(value):
    labels = torch.tensor([[[0, value]]])
    with pytest.raises(ValueError, match=f'value {value}.*channels 0 to 2'):
        HybridAttentionLoss()(torch.zeros(1, 3, 1, 2), labels)


def test_weights_of_pixels_are_refused():
    with pytest.raises(ValueError, match='remove `sampler`'):
        HybridAttentionLoss()(
            torch.zeros(1, 2, 1, 1), torch.zeros(1, 1, 1).long(), torch.ones(1)
        )


@pytest.mark.parametrize('kind', [HybridAttentionLoss, SoftBCEAttentionLoss])
def test_inherited_arguments_without_effect_are_accepted(kind):
    loss = kind(
        use_sigmoid=False,
        avg_non_ignore=True,
        class_weight=None,
        use_mask=False,
        ignore_index=255,
    )
    plain = kind()(*soft())
    assert loss(*soft()).item() == plain.item()


@pytest.mark.parametrize(
    'inherited',
    [
        {'class_weight': [1.0, 2.0]},
        {'use_mask': True},
        {'gamma': 2.0},
        {'ignore_index': 0},
    ],
)
def test_inherited_arguments_with_an_effect_are_named(inherited):
    name = next(iter(inherited))
    with pytest.raises(ValueError, match=f'cannot do {name}=.*_delete_=True'):
        HybridAttentionLoss(use_sigmoid=False, **inherited)


def test_a_name_that_would_not_be_trained_is_refused():
    with pytest.raises(ValueError, match="contain 'loss', but got 'hybrid'"):
        HybridAttentionLoss(loss_name='hybrid')
    with pytest.raises(ValueError, match="reduction should be.*'mean'"):
        HybridAttentionLoss(reduction='mean')


def head(loss_decode):
    torch.manual_seed(0)
    return MODELS.build(
        {
            'type': 'FCNHead',
            'in_channels': 4,
            'channels': 4,
            'num_convs': 1,
            'num_classes': 3,
            'dropout_ratio': 0,
            'loss_decode': loss_decode,
        }
    )


def test_in_a_head_of_mmseg():
    """Beside cross entropy, on logits that the head resizes to the mask."""
    decode = head(
        [
            {'type': 'CrossEntropyLoss', 'avg_non_ignore': True},
            {'type': 'oaa_mm.HybridAttentionLoss', 'loss_weight': 2.0},
        ]
    )
    features = torch.randn(2, 4, 4, 4, generator=torch.manual_seed(1))
    mask = torch.randint(0, 3, (2, 1, 8, 8))
    mask[:, :, 0] = 255
    samples = [SegDataSample(gt_sem_seg=PixelData(data=one)) for one in mask]
    losses = decode.loss((features,), samples, {})
    logits = F.interpolate(decode((features,)), (8, 8), mode='bilinear')
    kept = mask[:, :, 1:]
    target = torch.cat([(kept == c).float() for c in range(3)], 1)
    expected = 2 * hybrid_attention_loss(logits[:, :, 1:], target).item()
    assert losses['loss_hybrid'].item() == pytest.approx(expected, rel=1e-5)
    assert losses['loss_ce'] > 0
    losses['loss_hybrid'].backward()
    assert all(p.grad.isfinite().all() for p in decode.parameters())


def test_in_a_config_inherited_from_mmseg(tmp_path):
    """The dict merges, so the loss gets `use_sigmoid` of the base."""
    (tmp_path / 'child.py').write_text(
        "_base_ = 'mmseg::_base_/models/fcn_r50-d8.py'\n"
        "norm_cfg = dict(type='BN')\n"
        'model = dict(\n'
        '    pretrained=None, auxiliary_head=None, data_preprocessor=None,\n'
        '    backbone=dict(depth=18, base_channels=8, norm_cfg=norm_cfg),\n'
        '    decode_head=dict(\n'
        '        in_channels=64, channels=8, num_classes=3,\n'
        '        norm_cfg=norm_cfg,\n'
        "        loss_decode=dict(type='oaa_mm.HybridAttentionLoss')))\n"
    )
    cfg = Config.fromfile(tmp_path / 'child.py')
    assert cfg.model.decode_head.loss_decode.use_sigmoid is False
    model = MODELS.build(cfg.model)
    mask = torch.randint(0, 3, (1, 32, 32))
    sample = SegDataSample(gt_sem_seg=PixelData(data=mask))
    images = torch.randn(2, 3, 32, 32)
    losses = model(images, [sample, sample], mode='loss')
    loss, log = model.parse_losses(losses)
    assert set(log) == {'loss', 'decode.loss_hybrid', 'decode.acc_seg'}
    assert loss.item() == pytest.approx(log['decode.loss_hybrid'].item())
    loss.backward()
    assert model.decode_head.conv_seg.weight.grad.any()
