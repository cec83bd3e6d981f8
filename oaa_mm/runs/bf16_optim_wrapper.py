"""Mixed precision on any device that computes in bfloat16, CPUs included."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.device import get_device
from mmengine.optim import OptimWrapper
from mmengine.runner.amp import autocast
from torch import nn

from oaa_mm.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Run forward passes under bf16 autocast; weights stay float32.

    bfloat16 has the exponents of float32, so no loss is scaled: all that
    mmengine's AmpOptimWrapper has beyond this needs an accelerator, and it
    refuses to work without one. Faster only where the processor has bf16
    instructions (AVX512-BF16, AMX).

    Args:
        **kwargs: Arguments of :class:`mmengine.optim.OptimWrapper`.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Autocast, and accumulate gradients as the base class does.

        Args:
            model (nn.Module): The model that is trained.
        """
        with (
            super().optim_context(model),
            autocast(device_type=get_device(), dtype=torch.bfloat16),
        ):
            yield
