"""Training and accumulating on a GPU; on the CPU, that the same code runs."""

import numpy as np
import pytest
import torch
from benchmark.gpu import step_cost, waits
from benchmark.samples import TrainingStep, make_batch, make_classifier

from oaa_mm.attention import AttentionAccumulator
from oaa_mm.attention.accept import ACCEPTANCE_RULES
from oaa_mm.engine.batch_attention import AttentionSource
from oaa_mm.models.losses.hybrid import REDUCTIONS
from oaa_mm.registry import MODELS


@pytest.mark.parametrize('acceptance', ACCEPTANCE_RULES)
def test_accumulated_maps_are_those_of_the_cpu(device, acceptance):
    generator = torch.Generator().manual_seed(0)
    here, there = (
        AttentionAccumulator(acceptance=acceptance, start_epoch=0)
        for _ in range(2)
    )
    for number in range(5):
        ids = [f'im{number}_{image}' for image in range(4)]
        scores = torch.randn(4, 6, 7, 9, generator=generator)
        labels = (torch.rand(4, 6, generator=generator) < 0.4).float()
        valid = torch.tensor([[7, 9], [5, 9], [7, 4], [6, 6]])
        here.update(ids, scores, labels, valid=valid)
        there.update(ids, scores.to(device), labels, valid=valid)
    assert here.finish_epoch(0, last=True).accepted == (
        there.finish_epoch(0, last=True).accepted
    )
    assert list(here.store) == list(there.store)
    assert len(here.store) > 20
    for pair, attention in here.store.items():
        gap = attention.astype(int) - there.store[pair]
        assert abs(gap).max() <= 1


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
@pytest.mark.parametrize('mask', [False, True])
def test_losses_and_gradients_are_those_of_the_cpu(device, loss, mask):
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(2, 4, 6, 8, generator=generator)
    target = torch.rand(2, 4, 6, 8, generator=generator).round(decimals=1)
    if mask:
        target = torch.randint(0, 4, (2, 6, 8), generator=generator)
        target[:, 0] = 255
    module = MODELS.build(loss)
    results = []
    for where in ('cpu', device):
        logits = scores.to(where, copy=True).requires_grad_()
        valid = torch.tensor([[6, 8], [4, 5]])  # on the CPU, as in training
        value = module(logits, target.to(where), valid=valid)
        value.backward()
        results.append((value.item(), logits.grad.cpu().numpy()))
    (value, grad), (other, other_grad) = results
    assert other == pytest.approx(value, rel=1e-5)
    np.testing.assert_allclose(other_grad, grad, rtol=1e-4, atol=1e-7)


@pytest.mark.gpu
@pytest.mark.parametrize('autocast', [False, 'bf16'])
def test_no_training_step_waits_for_the_gpu(autocast):
    model = make_classifier('resnet18')
    source = AttentionSource(model)
    step = TrainingStep(model, autocast=autocast)
    batch = make_batch(2, height=65, width=65)
    # An image that is padded: the sizes of the maps go to the device as well.
    batch['data_samples'][0].set_metainfo({'img_shape': (65, 33)})
    accumulator = AttentionAccumulator(start_epoch=0)
    on_device = step.prepare(batch)

    def train():
        logged = step.train(*on_device)
        samples = batch['data_samples']
        accumulator.update(**source.batch(samples, logged))
        source.head.attention_output = None

    train()  # the libraries of the GPU are loaded
    assert waits(train) == 0
    torch.cuda.synchronize()
    assert accumulator.finish_epoch(0).pairs == 3


def test_the_measurement_of_a_step(device):
    if device == 'cpu' and torch.cuda.is_available():
        pytest.skip('the benchmark takes the GPU where there is one')
    cost = step_cost(
        'resnet18', 2, side=33, iterations=2, repeats=1, autocast='bf16'
    )
    assert cost['ratio'] == pytest.approx(cost['with OAA'] / cost['without'])
    assert cost['images/s'] == pytest.approx(2 / cost['with OAA'])
    assert ('MB with OAA' in cost) == (device == 'cuda')
