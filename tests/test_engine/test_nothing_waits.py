"""Nothing in a training step waits for the device, shown without a GPU.

Tensors on the device `meta` have shapes but no values. Whatever has to know
one (`.item()`, `.cpu()`, a boolean index, `nonzero`) raises there; the guard
refuses the copies that wait as well, which `meta` would allow.
"""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from oaa_mm.attention import AttentionAccumulator, Placement, waiting
from oaa_mm.attention.accept import ACCEPTANCE_RULES
from oaa_mm.attention.maps import NORMS
from oaa_mm.engine.batch_attention import AttentionSource
from oaa_mm.models import CAMHead
from oaa_mm.models.losses.hybrid import REDUCTIONS
from oaa_mm.registry import MODELS

SIZES = ((24, 32), (32, 24), (32, 32))


class NoWaitingCopy(TorchDispatchMode):
    """Refuses copies to the device for which the CPU waits."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        if function is torch.ops.aten._to_copy.default:
            moved = result.device != args[0].device
            assert kwargs.get('non_blocking') or not moved, 'a copy waits'
        if function is torch.ops.aten.copy_.default:
            moved = args[0].device != args[1].device
            assert args[2:] == (True,) or not moved, 'a copy waits'
        return result


class NoNewValues(TorchFunctionMode):
    """Refuses tensors made of Python's numbers, which are copied to it."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function in (torch.tensor, torch.as_tensor):
            result = function(*args, **kwargs)
            new = result is not args[0] and result.device.type == 'meta'
            assert not new, 'values are copied to the device'
            return result
        return function(*args, **kwargs)


@contextmanager
def nothing_waits():
    with NoWaitingCopy(), NoNewValues():
        yield


@pytest.fixture
def fetched(monkeypatch):
    """What begins its way to the host, left on the device."""
    tensors = []

    def fetch(tensor):
        tensors.append(tensor)
        return tensor

    monkeypatch.setattr(waiting, '_fetch', fetch)
    return tensors


@pytest.fixture
def batch():
    """Padded images on the device, with labels on the CPU."""
    samples = []
    for number, size in enumerate(SIZES):
        sample = SegDataSample(
            metainfo={
                'image_id': f'im{number}',
                'img_shape': size,
                'placement': Placement(frame=size),
            }
        )
        sample.gt_label = torch.tensor([1, 0, number % 2, 0, 1])
        sample.set_field(np.ones((2, 6, 8), np.uint8), 'gt_attention')
        sample.set_field([0, 4], 'gt_attention_classes')
        hidden = np.zeros(size, bool)
        hidden[:4] = True
        sample.set_field(hidden, 'hidden_pixels')
        samples.append(sample)
    return torch.empty(3, 3, 32, 32, device='meta'), samples


def build(kind, **kwargs):
    model = MODELS.build(
        {
            'type': f'oaa_mm.{kind}',
            'backbone': {
                'type': 'mmseg.ResNet', 'depth': 18, 'stem_channels': 4,
                'base_channels': 4, 'num_stages': 2, 'out_indices': (0, 1),
                'strides': (1, 1), 'dilations': (1, 1),
            },
            'head': {
                'type': 'oaa_mm.CAMHead', 'in_channels': [4, 8],
                'num_classes': 5, 'num_convs': 1, 'channels': 4,
                'in_index': [0, 1], 'input_transform': 'resize_concat',
                'norm_cfg': {'type': 'BN'},
            },
            **kwargs,
        }
    )  # fmt: skip
    model.to('meta').train()
    return model, OptimWrapper(torch.optim.SGD(model.parameters(), 0.1, 0.9))


def train_step(model, optimizer, inputs, samples):
    """A step from the moment on at which the batch is on the device."""
    samples = [sample.clone() for sample in samples]
    for sample in samples:
        sample.gt_label = torch.empty_like(sample.gt_label, device='meta')
    with optimizer.optim_context(model):
        losses = model(inputs, samples, mode='loss')
    loss, logged = model.parse_losses(losses)
    optimizer.update_params(loss)
    return logged


@pytest.mark.parametrize(
    'waits',
    [
        lambda x: x.sum().item(),
        lambda x: x.cpu(),
        lambda x: x[x > 0],
        lambda x: x.nonzero(),
        lambda x: bool((x > 0).any()),
        lambda x: torch.ones(3).to(x.device),
        lambda x: x.copy_(torch.ones(3)),
        lambda x: torch.as_tensor(0.0, device=x.device),
        lambda x: torch.tensor([1, 2], device=x.device),
    ],
)
def test_the_guard_refuses_what_waits(waits):
    errors = (AssertionError, NotImplementedError, RuntimeError)
    with pytest.raises(errors), nothing_waits():
        waits(torch.empty(3, device='meta'))


@pytest.mark.parametrize('acceptance', ACCEPTANCE_RULES)
@pytest.mark.parametrize('norm', NORMS)
def test_training_and_accumulating(acceptance, norm, batch, fetched):
    model, optimizer = build('CAMClassifier')
    source = AttentionSource(model)
    accumulator = AttentionAccumulator(acceptance=acceptance, norm=norm)
    inputs, samples = batch
    for step in (1, 2):
        with nothing_waits():
            logged = train_step(model, optimizer, inputs, samples)
            maps = source.batch(samples, logged)
            accumulator.update(**maps)
        assert maps['valid'].tolist() == [[6, 8], [8, 6], [8, 8]]
        # Once a step, all that is fetched: seven maps, and two flags each.
        assert len(fetched) == 3 * step
    shapes = [(*tensor.shape,) for tensor in fetched[:3]]
    assert shapes == [(7, 8, 8), (7,), (7,)]
    assert all(tensor.device.type == 'meta' for tensor in fetched)
    # The optimiser has met each of them: gradients have arrived.
    assert set(model.parameters()) == set(optimizer.optimizer.state)


def test_class_scores_that_are_not_given(fetched):
    scores = torch.empty(2, 5, 6, 8, device='meta')
    valid = torch.tensor([[6, 7], [5, 8]])
    with nothing_waits():
        AttentionAccumulator().update(
            ['a', 'b'], scores, torch.ones(2, 5), valid=valid
        )
    assert fetched[0].shape == (10, 6, 8)


@pytest.mark.parametrize(
    'loss',
    [
        *(
            {'type': 'oaa_mm.HybridAttentionLoss', 'reduction': reduction}
            for reduction in REDUCTIONS
        ),
        {'type': 'oaa_mm.SoftBCEAttentionLoss'},
    ],
)
def test_training_on_accumulated_attention(loss, batch):
    model, optimizer = build('IntegralAttentionModel', loss_attention=loss)
    with nothing_waits():
        logged = train_step(model, optimizer, *batch)
    assert logged['loss'].device.type == 'meta'
    # The optimiser has met each of them: gradients have arrived.
    assert set(model.parameters()) == set(optimizer.optimizer.state)


def test_a_head_that_learns_from_masks_in_a_segmentor():
    """The loss of an auxiliary head; its tags are the classes of masks."""
    head = CAMHead(4, 5, num_convs=0).to('meta')
    samples = []
    for size in SIZES:
        sample = SegDataSample(
            metainfo={
                'img_shape': size,
                'padding_size': (0, 32 - size[1], 0, 32 - size[0]),
            }
        )
        mask = torch.zeros(1, *size, dtype=torch.long, device='meta')
        sample.gt_sem_seg = PixelData(data=mask)
        samples.append(sample)
    features = torch.empty(3, 4, 8, 8, device='meta')
    with nothing_waits():
        losses = head.loss((features,), samples, {})
    assert losses['loss_cls'].device.type == 'meta'
    valid = head.attention_output.valid
    assert valid.tolist() == [[6, 8], [8, 6], [8, 8]]
