"""The hybrid loss of OAA+, by hand and by recorded values."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from oaa_mm.models.losses import (
    SoftBCEAttentionLoss,
    hybrid_attention_loss,
)

REDUCTIONS = ('joint', 'per_class', 'batch')
#: Two images of three classes, 2x2: logits, attention, loss of each alone.
IMAGES = (
    (
        [[[2, -1], [0, 3]], [[-2, -3], [1, 0.5]], [[0, 0], [0, 0]]],
        [[[1, 0.5], [0, 0.25]], [[0, 0], [0, 0]], [[0, 0], [0, 0]]],
        0.9239674461,
    ),
    (
        [[[-1, 1], [2, -2]], [[4, 0], [-4, 1]], [[-1, -1], [2, 0]]],
        [[[0, 0], [0, 0]], [[1, 0.1], [0, 0]], [[0.2, 0], [1, 0.6]]],
        0.9678799034,
    ),
)


def stacked(which, dtype=torch.float64):
    return torch.tensor([image[which] for image in IMAGES], dtype=dtype)


def loss_and_grad(logits, target, **kwargs):
    logits = logits.clone().requires_grad_()
    loss = hybrid_attention_loss(logits, target, **kwargs)
    loss.backward()
    return loss.item(), logits.grad


def by_the_formula(logits, target, reduction):
    """The definition with loops and naive float64 formulas."""
    q = 1 / (1 + np.exp(-logits))
    positive, negative = -target * np.log(q), -np.log(1 - q)

    def split(select):
        inside = target[select] > 0
        total = 0.0
        if inside.any():
            total += positive[select][inside].mean()
        if not inside.all():
            total += negative[select][~inside].mean()
        return total

    images, classes = logits.shape[:2]
    if reduction == 'batch':
        return split(...)
    if reduction == 'joint':
        return sum(split(n) for n in range(images)) / images
    each = [split((n, c)) for n in range(images) for c in range(classes)]
    return sum(each) / images


@pytest.fixture(scope='module')
def recorded(root):
    with np.load(root / 'tests/data/hybrid_loss.npz') as data:
        return dict(data)


@pytest.mark.parametrize(
    ('case', 'source', 'reduction'),
    [
        *((case, 'pt', 'batch') for case in range(5)),
        *((case, 'paper', 'per_class') for case in range(5)),
        # The Caffe release has one image a batch.
        *((case, 'caffe', 'joint') for case in (0, 2, 3)),
    ],
)
def test_recorded_losses_and_gradients(recorded, case, source, reduction):
    logits, target = (
        torch.from_numpy(recorded[f'case{case}_{name}'])
        for name in ('logits', 'target')
    )
    loss, grad = loss_and_grad(logits, target, reduction=reduction)
    expected = recorded[f'case{case}_{source}_loss']
    assert loss == pytest.approx(expected, rel=1e-4)
    expected = recorded[f'case{case}_{source}_grad']
    assert np.abs(grad.numpy() - expected).max() <= 1e-6


@pytest.mark.parametrize('case', [1, 4])
def test_joint_is_the_mean_over_images(recorded, case):
    logits, target = (
        torch.from_numpy(recorded[f'case{case}_{name}'])
        for name in ('logits', 'target')
    )
    alone = [
        hybrid_attention_loss(x[None], p[None], reduction='batch').item()
        for x, p in zip(logits, target, strict=True)
    ]
    loss = hybrid_attention_loss(logits, target)
    assert loss.item() == pytest.approx(np.mean(alone), rel=1e-6)


def test_golden_values():
    for logits, target, expected in IMAGES:
        loss = hybrid_attention_loss(
            *torch.tensor([[logits], [target]], dtype=torch.float64)
        )
        assert loss.item() == pytest.approx(expected, abs=1e-10)
    logits, target = stacked(0), stacked(1)
    joint = hybrid_attention_loss(logits, target)
    assert joint.item() == pytest.approx(0.9459236748, abs=1e-10)
    batch = hybrid_attention_loss(logits, target, reduction='batch')
    assert batch.item() == pytest.approx(0.9269325393, abs=1e-10)


def test_golden_gradient():
    _, grad = loss_and_grad(stacked(0)[:1], stacked(1)[:1])
    expected = [
        [[-0.039734, -0.121843], [0.055556, -0.003952]],
        [[0.013245, 0.005270], [0.081229, 0.069162]],
        [[0.055556, 0.055556], [0.055556, 0.055556]],
    ]
    assert torch.allclose(grad[0], torch.tensor(expected).double(), atol=1e-6)


@given(st.integers(0, 9999), st.sampled_from(REDUCTIONS))
def test_the_definition(seed, reduction):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 4, 4))
    logits = rng.normal(0, 3, shape)
    target = rng.random(shape) * (rng.random(shape) < rng.random())
    loss = hybrid_attention_loss(
        torch.from_numpy(logits), torch.from_numpy(target), reduction=reduction
    )
    expected = by_the_formula(logits, target, reduction)
    assert loss.item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize('reduction', REDUCTIONS)
def test_gradcheck(reduction):
    logits = stacked(0).requires_grad_()
    valid = torch.tensor([[2, 1], [2, 2]])
    assert torch.autograd.gradcheck(
        lambda x: hybrid_attention_loss(
            x, stacked(1), valid=valid, reduction=reduction
        ),
        logits,
    )


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16])
def test_a_confidently_wrong_position_keeps_its_gradient(dtype):
    # Class 0 is there with p = 0.5 but scored -100, class 1 is not, but 100.
    logits = torch.tensor([[[[-100.0]], [[100.0]]]]).to(dtype)
    target = torch.tensor([[[[0.5]], [[0.0]]]])
    loss, grad = loss_and_grad(logits, target)
    assert loss == pytest.approx(150)
    assert grad.flatten().tolist() == pytest.approx([-0.5, 1])
    # Right ones have no loss and no gradient left.
    loss, grad = loss_and_grad(-logits, target)
    assert loss == pytest.approx(0, abs=1e-30)
    assert grad.flatten().tolist() == pytest.approx([0, 0], abs=1e-30)


def test_float32_under_autocast():
    logits = stacked(0, torch.bfloat16).requires_grad_()
    target = stacked(1, torch.float32)
    with torch.autocast('cpu', torch.bfloat16):
        loss = hybrid_attention_loss(logits * 1, target)
    loss.backward()
    assert loss.dtype == torch.float32
    # These logits are exact in bfloat16.
    assert loss.item() == pytest.approx(0.9459236748, rel=1e-6)
    assert logits.grad.dtype == torch.bfloat16


@pytest.mark.parametrize('reduction', REDUCTIONS)
@pytest.mark.parametrize('p', [0.0, 1.0])
def test_an_empty_set_contributes_nothing(reduction, p):
    """sigmoid(0) = 1/2: the set that is there costs log 2 (each class)."""
    logits = torch.zeros(2, 3, 4, 4)
    loss, grad = loss_and_grad(
        logits, torch.full_like(logits, p), reduction=reduction
    )
    factor = 3 if reduction == 'per_class' else 1
    assert loss == pytest.approx(factor * np.log(2))
    assert grad.isfinite().all()


@pytest.mark.parametrize('reduction', REDUCTIONS)
def test_no_position_at_all_is_zero(reduction):
    logits, target = torch.zeros(1, 2, 3, 3), torch.ones(1, 2, 3, 3)
    loss, grad = loss_and_grad(
        logits, target, valid=torch.tensor([[0, 3]]), reduction=reduction
    )
    assert loss == 0
    assert not grad.any()


@pytest.mark.parametrize('reduction', REDUCTIONS)
@pytest.mark.parametrize('rubbish', [7.0, torch.nan, torch.inf])
def test_padding_is_in_neither_set(reduction, rubbish):
    rng = torch.Generator().manual_seed(0)
    size, valid = (5, 6), torch.tensor([[5, 4], [2, 6]])
    logits = torch.full((2, 3, *size), rubbish)
    target = torch.full((2, 3, *size), rubbish)
    alone = []
    for n, (h, w) in enumerate(valid.tolist()):
        x = torch.randn(1, 3, h, w, generator=rng)
        p = torch.rand(1, 3, h, w, generator=rng)
        p = p * (torch.rand(1, 3, h, w, generator=rng) < 0.5)
        logits[n, :, :h, :w], target[n, :, :h, :w] = x[0], p[0]
        alone.append((x, p))
    loss, grad = loss_and_grad(
        logits, target, valid=valid, reduction=reduction
    )
    if reduction == 'batch':
        flat = [
            torch.cat([pair[which].flatten() for pair in alone])
            for which in (0, 1)
        ]
        expected = hybrid_attention_loss(*(t[None, None, None] for t in flat))
    else:
        losses = [
            hybrid_attention_loss(x, p, reduction=reduction) for x, p in alone
        ]
        expected = sum(losses) / 2
    assert loss == pytest.approx(expected.item(), rel=1e-6)
    assert grad.isfinite().all()
    assert not grad[0, :, :, 4:].any()
    assert not grad[1, :, 2:].any()
    assert grad[0, :, :, :4].all()


def test_a_tiny_attention_is_positive():
    target = torch.tensor([[[[1 / 255, 0.0]]]])
    _, grad = loss_and_grad(torch.zeros(1, 1, 1, 2), target)
    assert grad.flatten().tolist() == pytest.approx([-0.5 / 255, 0.5])


@pytest.mark.parametrize(
    ('logits', 'target', 'kwargs', 'message'),
    [
        ((1, 2, 3, 3), (1, 2, 3, 4), {}, r'\(1, 2, 3, 3\) and \(1, 2, 3, 4\)'),
        ((2, 3, 3), (2, 3, 3), {}, 'one shape'),
        ((1, 2, 3, 3), (1, 2, 3, 3), {'reduction': 'mean'}, "'joint'.*'mean'"),
        (
            (1, 2, 3, 3),
            (1, 2, 3, 3),
            {'valid': torch.ones(2, 2)},
            r'\(1, 2\), but got \(2, 2\)',
        ),
    ],
)
def test_wrong_arguments(logits, target, kwargs, message):
    with pytest.raises(ValueError, match=message):
        hybrid_attention_loss(
            torch.zeros(logits), torch.zeros(target), **kwargs
        )


def test_integer_targets_are_refused():
    maps = torch.zeros(1, 2, 3, 3, dtype=torch.uint8)
    with pytest.raises(ValueError, match='divide uint8 maps by 255'):
        hybrid_attention_loss(torch.zeros(1, 2, 3, 3), maps)


def test_soft_bce_is_torchs_where_nothing_is_padded():
    logits, target = stacked(0), stacked(1)
    loss = SoftBCEAttentionLoss()(logits, target)
    expected = F.binary_cross_entropy_with_logits(logits, target)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    valid = torch.tensor([[1, 2], [2, 1]])
    loss = SoftBCEAttentionLoss()(logits, target, valid=valid)
    parts = [
        F.binary_cross_entropy_with_logits(logits[0, :, :1], target[0, :, :1]),
        F.binary_cross_entropy_with_logits(
            logits[1, :, :, :1], target[1, :, :, :1]
        ),
    ]
    assert loss.item() == pytest.approx(sum(parts).item() / 2, rel=1e-12)
