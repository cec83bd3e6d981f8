"""Mixed precision without an accelerator."""

import torch
from torch import nn

from oaa_mm.registry import OPTIM_WRAPPERS


def test_forward_is_bf16_weights_and_gradients_are_float32():
    torch.manual_seed(0)
    model = nn.Linear(4, 2)
    wrapper = OPTIM_WRAPPERS.build(
        dict(
            type='oaa_mm.BFloat16OptimWrapper',
            optimizer=torch.optim.SGD(model.parameters(), 0.1),
            accumulative_counts=2,
        )
    )
    inputs = torch.rand(8, 4)
    before = model.weight.detach().clone()
    exact = model(inputs).detach()
    for step in range(2):
        with wrapper.optim_context(model):
            output = model(inputs)
        assert output.dtype == torch.bfloat16
        assert torch.allclose(output.float(), exact, atol=0.02)
        wrapper.update_params(output.float().square().mean())
        assert model.weight.dtype == torch.float32
        # Gradients of two steps are summed.
        assert torch.equal(model.weight, before) == (step == 0)
