"""Training a CAMClassifier: the loss, and what it leaves for OAAHook."""

import copy
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.model import ExponentialMovingAverage
from torch import nn

from oaa_mm.attention import normalise_attention

POINTWISE = [
    {'type': 'TestPointwiseBackbone'},
    {'type': 'TestPointwiseBackbone', 'stride': 2},
    {'type': 'TestPointwiseBackbone', 'stride': 2, 'sparse': True},
    {'type': 'TestPointwiseBackbone', 'stride': 3},
    {'type': 'TestPointwiseBackbone', 'stride': 4, 'sparse': True},
]


def set_head(model, bias):
    nn.init.zeros_(model.head.classifier.weight)
    model.head.classifier.bias.data = torch.tensor(bias)


def test_loss_of_a_head_of_zeros_is_log_2(build, sample):
    model = build()
    set_head(model, [0.0] * 5)
    batch = [sample((4, 6), [1, 0, 0, 1, 0]), sample((4, 6), [0, 0, 0, 0, 1])]
    losses = model(torch.randn(2, 3, 4, 6), batch, mode='loss')
    assert list(losses) == ['loss_cls']
    assert losses['loss_cls'].item() == pytest.approx(math.log(2))


def test_loss_by_hand(build, sample):
    # Constant score maps 1, -2, 0, 3, -1: the logits. Present: 0 and 4.
    model = build()
    set_head(model, [1.0, -2.0, 0.0, 3.0, -1.0])
    loss = model(
        torch.randn(1, 3, 4, 6),
        [sample((4, 6), [1, 0, 0, 0, 1])],
        mode='loss',
    )['loss_cls']
    expected = (
        math.log(1 + math.exp(-1))  # present, score 1
        + math.log(1 + math.exp(-2))  # absent, score -2
        + math.log(2)
        + math.log(1 + math.exp(3))
        + math.log(1 + math.exp(1))  # present, score -1
    ) / 5
    assert loss.item() == pytest.approx(expected)


@pytest.mark.parametrize('backbone', POINTWISE)
def test_padded_batch_is_its_images_one_by_one(
    build, sample, pad, images, labels, backbone
):
    model = build(backbone)
    batch = [
        sample(image.shape[1:], label)
        for image, label in zip(images, labels, strict=True)
    ]
    loss = model(pad(images), batch, mode='loss')['loss_cls']
    output = model.head.attention_output
    alone = [model(image[None]) for image in images]
    logits = torch.stack([maps.mean((2, 3))[0] for maps in alone])
    assert torch.allclose(output.logits, logits, atol=1e-6)
    expected = F.multilabel_soft_margin_loss(
        logits, torch.tensor(labels, dtype=torch.float32)
    )
    assert loss.item() == pytest.approx(expected.item(), abs=1e-6)
    assert output.valid.tolist() == [list(maps.shape[2:]) for maps in alone]
    for row, maps in enumerate(alone):
        valid = output.valid[row : row + 1]
        height, width = valid[0].tolist()
        scores = output.scores[row, :, :height, :width]
        assert torch.allclose(scores, maps[0], atol=1e-6)
        padded = normalise_attention(
            output.scores[row], valid=valid.expand(5, 2)
        )
        assert torch.allclose(
            padded[:, :height, :width],
            normalise_attention(maps[0]),
            atol=1e-6,
        )


def test_loss_of_a_padded_batch_is_the_mean_over_its_images(
    build, sample, pad, images, labels
):
    model = build()
    batch = [
        sample(image.shape[1:], label)
        for image, label in zip(images, labels, strict=True)
    ]
    together = model(pad(images), batch, mode='loss')['loss_cls']
    together.backward()
    gradients = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    single = [
        model(image[None], [one], mode='loss')['loss_cls']
        for image, one in zip(images, batch, strict=True)
    ]
    mean = torch.stack(single).mean()
    mean.backward()
    assert together.item() == pytest.approx(mean.item(), abs=1e-6)
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        assert torch.allclose(parameter.grad, gradient, atol=1e-6)


def test_padding_that_is_nan_does_not_matter(build, sample, pad, images):
    model = build()
    inputs = pad(images)
    inputs[inputs == 1000] = torch.nan
    batch = [sample(image.shape[1:], [1, 0, 0, 0, 0]) for image in images]
    loss = model(inputs, batch, mode='loss')['loss_cls']
    assert torch.isfinite(loss)
    assert torch.isfinite(model.head.attention_output.logits).all()


RESNET = {
    'type': 'mmseg.ResNet',
    'depth': 18,
    'base_channels': 8,
    'stem_channels': 8,
    'out_indices': (3,),
    'strides': (1, 2, 2, 1),
    'dilations': (1, 1, 1, 2),
}


@pytest.mark.parametrize(
    ('backbone', 'channels'),
    [({'type': 'oaa_mm.VGG16'}, 512), (RESNET, 64)],
    ids=['vgg', 'resnet'],
)
def test_batch_of_equal_sizes_is_its_images_one_by_one(
    build, sample, labels, backbone, channels
):
    model = build(backbone, head={'in_channels': channels})
    inputs = torch.randn(3, 3, 42, 35)
    batch = [sample((42, 35), label) for label in labels[:3]]
    with torch.no_grad():
        model(inputs, batch, mode='loss')
        output = model.head.attention_output
        assert output.valid is None
        for row in range(3):
            maps = model(inputs[row : row + 1])
            scale = maps.abs().max()
            assert torch.allclose(
                output.scores[row], maps[0], atol=1e-5 * scale
            )
            assert torch.allclose(
                output.logits[row], maps.mean((2, 3))[0], atol=1e-5 * scale
            )


# What it leaves behind.


def test_maps_are_left_by_the_loss_alone_and_detached(build, sample):
    model = build()
    inputs = torch.randn(1, 3, 4, 6)
    batch = [sample((4, 6), [1, 0, 0, 0, 0])]
    assert model.head.attention_output is None
    model(inputs)
    model(inputs, batch, mode='predict')
    assert model.head.attention_output is None
    model(inputs, batch, mode='loss')
    output = model.head.attention_output
    assert output.scores.shape == (1, 5, 4, 6)
    for tensor in (output.scores, output.logits):
        assert not tensor.requires_grad
        assert tensor.grad_fn is None
    model(inputs + 1, batch, mode='predict')
    assert model.head.attention_output is output


def test_gradients_reach_the_backbone(build, sample):
    model = build(RESNET, head={'in_channels': 64}).train()
    batch = [sample((33, 40), [1, 0, 0, 0, 0])] * 2
    model(torch.randn(2, 3, 33, 40), batch, mode='loss')['loss_cls'].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_state_holds_the_weights_alone(build, sample):
    model = build()
    names = set(model.state_dict())
    model(
        torch.randn(2, 3, 4, 6),
        [sample((4, 5), [1, 0, 0, 0, 0])] * 2,
        mode='loss',
    )
    assert (
        model.head.attention_output.valid is not None
    )  # the sizes were needed
    assert set(model.state_dict()) == names
    assert names == {
        f'{layer}.{kind}'
        for layer in ('backbone.conv', 'backbone.mix', 'head.classifier')
        for kind in ('weight', 'bias')
    }
    assert {n for n, _ in model.named_modules()}.isdisjoint({'feature_size'})


def test_copies_for_averaged_weights(build, sample):
    model = build()
    batch = [sample((4, 5), [1, 0, 0, 0, 0])] * 2
    inputs = torch.randn(2, 3, 4, 6)
    model(inputs, batch, mode='loss')['loss_cls'].backward()
    average = ExponentialMovingAverage(model, momentum=0.5)
    average.update_parameters(model)
    before = copy.deepcopy(model.state_dict())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 1
    average.update_parameters(model)
    for name, value in average.module.state_dict().items():
        assert torch.allclose(value, before[name] + 0.5), name
    average.module(inputs, batch, mode='predict')
    clone = copy.deepcopy(model)
    assert clone.feature_size((4, 5)) == (4, 5)


# What it refuses.


def test_missing_label_names_the_image(build, sample):
    batch = [sample((4, 6), [1, 0, 0, 0, 0]), sample((4, 6))]
    with pytest.raises(ValueError, match=r'some/image\.jpg has no `gt_label`'):
        build()(torch.randn(2, 3, 4, 6), batch, mode='loss')


def test_number_of_classes_has_to_agree(build, sample):
    batch = [sample((4, 6), [1, 0, 0])]
    with pytest.raises(ValueError, match=r'has 5 classes.*labels have 3'):
        build()(torch.randn(1, 3, 4, 6), batch, mode='loss')


def test_unknown_mode(build):
    with pytest.raises(ValueError, match="'tensor'.*but got 'train'"):
        build()(torch.randn(1, 3, 4, 6), mode='train')


def test_tensor_mode_gives_the_score_maps(build):
    model = build()
    inputs = torch.randn(2, 3, 4, 6)
    maps = model(inputs)
    assert torch.equal(maps, model.head(model.backbone(inputs)))
    assert torch.equal(maps, model(inputs, mode='tensor'))
    assert maps.shape == (2, 5, 4, 6)


def test_neck_behind_a_backbone_that_returns_a_lone_tensor(build):
    """Its batch is no list of feature maps."""
    neck = {
        'type': 'mmseg.FPN',
        'in_channels': [24],
        'out_channels': 7,
        'num_outs': 1,
    }
    backbone = {
        'type': 'mmseg.MobileNetV2',
        'out_indices': (1,),
        'norm_cfg': {'type': 'BN'},
    }
    model = build(backbone, neck=neck, head={'in_channels': 7}).eval()
    inputs = torch.randn(2, 3, 32, 40)
    assert isinstance(model.backbone(inputs), torch.Tensor)
    assert model(inputs).shape == (2, 5, 8, 10)
    assert model.feature_size((32, 40)) == (8, 10)
    assert not any('Levels' in key for key in model.state_dict())


def test_attention_of_half_precision_is_finite(build, sample):
    # Scores beyond the range of sums in half precision.
    model = build().half()
    inputs = torch.full((1, 3, 64, 64), 200.0).half()
    batch = [sample((64, 64), [1, 0, 0, 0, 0])]
    try:
        loss = model(inputs, batch, mode='loss')['loss_cls']
    except RuntimeError as error:  # an old processor
        pytest.skip(str(error))
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss)
    exact = model.head.attention_output.scores.double().mean((2, 3))
    assert np.allclose(model.head.attention_output.logits, exact, rtol=1e-3)
